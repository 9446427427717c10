"""The two Kafka libraries: how they are set up, and which brokers they speak to.

kafka-python administers and reads; confluent-kafka (librdkafka) publishes. Both are heavy to import, so this module
imports neither before it must.
"""

import re
from typing import Any

from replayhouse.infra.kafka.broker.node import trial_broker
from replayhouse.infra.runtime.errors import Unreachable, UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.runtime.settings import Settings

LONGEST_BOOTSTRAP_SECONDS = 15.0
"""How long a client of kafka-python tries to reach a first broker, of which `reaching` has found that it answers."""

_ADDRESS = re.compile(r"^(?:[^\s\[\]:/]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$")
_NO_BROKER = (
    "No broker runs for this home: start one for trying out (replayhouse kafka start), or name those of a cluster "
    "in REPLAYHOUSE_KAFKA_BOOTSTRAP."
)


def bootstrap_of(settings: Settings, kafka: KafkaSettings) -> str:
    """The brokers to speak to: those of the setting, else the one that `kafka start` runs for this home.

    Raises Unreachable where there is neither, UsageError where the setting makes no sense.
    """
    if kafka.bootstrap is not None:
        if wrong := [address for address in kafka.bootstrap.split(",") if not _ADDRESS.match(address)]:
            raise UsageError(f"REPLAYHOUSE_KAFKA_BOOTSTRAP makes no sense: '{wrong[0]}' is not host:port.")
        return kafka.bootstrap
    broker = trial_broker(settings.home)
    if not broker.is_alive():
        raise Unreachable(_NO_BROKER)
    return broker.bootstrap


def kafka_python_config(kafka: KafkaSettings, bootstrap: str) -> dict[str, Any]:
    """What KafkaConsumer, KafkaProducer and KafkaAdminClient of kafka-python have in common.

    Raises UsageError where the settings of security do not go together.
    """
    _check(kafka)
    config: dict[str, Any] = {
        "bootstrap_servers": bootstrap.split(","),
        "bootstrap_timeout_ms": round(LONGEST_BOOTSTRAP_SECONDS * 1000),
        "reconnect_backoff_max_ms": 500,
        "security_protocol": kafka.security,
    }
    if kafka.security.startswith("SASL"):
        config["sasl_mechanism"] = kafka.sasl_mechanism
        config["sasl_plain_username"] = kafka.username
        config["sasl_plain_password"] = kafka.password
    if kafka.security.endswith("SSL") and kafka.ca is not None:
        config["ssl_cafile"] = str(kafka.ca)
    return config


def confluent_config(kafka: KafkaSettings, bootstrap: str) -> dict[str, Any]:
    """What every client of librdkafka has in common.

    Raises UsageError where the settings of security do not go together.
    """
    _check(kafka)
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "reconnect.backoff.max.ms": 500,
        "security.protocol": kafka.security,
        "allow.auto.create.topics": False,
        "log_level": 0,  # what goes wrong is told by results and exceptions, once
    }
    if kafka.security.startswith("SASL"):
        config["sasl.mechanism"] = kafka.sasl_mechanism
        config["sasl.username"] = kafka.username
        config["sasl.password"] = kafka.password
    if kafka.security.endswith("SSL") and kafka.ca is not None:
        config["ssl.ca.location"] = str(kafka.ca)
    return config


def _check(kafka: KafkaSettings) -> None:
    if kafka.security.startswith("SASL") and (kafka.username is None or kafka.password is None):
        raise UsageError(
            f"REPLAYHOUSE_KAFKA_SECURITY is {kafka.security}, which asks for a name and a password: set "
            "REPLAYHOUSE_KAFKA_USERNAME and REPLAYHOUSE_KAFKA_PASSWORD."
        )
    if kafka.security.endswith("SSL") and kafka.ca is not None and not kafka.ca.is_file():
        raise UsageError(f"REPLAYHOUSE_KAFKA_CA names no file: {kafka.ca}.")
