"""How the clients are set up, and which brokers they speak to."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka import errors

from replayhouse.infra.kafka.clients import bootstrap_of, confluent_config, kafka_python_config
from replayhouse.infra.kafka.errors import translated_kafka
from replayhouse.infra.runtime.errors import Unreachable, UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.runtime.settings import Settings

SECURE: dict[str, Any] = {"security": "SASL_SSL", "username": "ada", "password": "secret"}


def settings(**given: object) -> KafkaSettings:
    return KafkaSettings.model_validate(given)


def test_without_a_broker_both_ways_to_have_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"replayhouse kafka start.*REPLAYHOUSE_KAFKA_BOOTSTRAP"):
        bootstrap_of(Settings(home=tmp_path), settings())


@pytest.mark.parametrize("address", ["one:9092", "127.0.0.1:9092,[::1]:9093"])
def test_the_setting_names_the_brokers(address: str, tmp_path: Path) -> None:
    assert bootstrap_of(Settings(home=tmp_path), settings(bootstrap=address)) == address


@pytest.mark.parametrize("address", ["one", "one:port", "one:9092,", "kafka://one:9092", "one:9092, two:9092"])
def test_an_address_that_is_none_is_named(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="REPLAYHOUSE_KAFKA_BOOTSTRAP makes no sense"):
        bootstrap_of(Settings(home=tmp_path), settings(bootstrap=address))


def test_both_libraries_are_given_the_same_security(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    python = kafka_python_config(settings(**SECURE, ca=ca), "one:1,two:2")
    confluent = confluent_config(settings(**SECURE, ca=ca), "one:1,two:2")
    assert python["bootstrap_servers"] == confluent["bootstrap.servers"].split(",") == ["one:1", "two:2"]
    for ours, theirs in {
        "security_protocol": "security.protocol",
        "sasl_mechanism": "sasl.mechanism",
        "sasl_plain_username": "sasl.username",
        "sasl_plain_password": "sasl.password",
        "ssl_cafile": "ssl.ca.location",
    }.items():
        assert python[ours] == confluent[theirs]


def test_a_plain_client_sends_no_password() -> None:
    given = settings(username="ada", password="secret")
    assert not [name for name in kafka_python_config(given, "one:1") if "sasl" in name]
    assert not [name for name in confluent_config(given, "one:1") if "sasl" in name]


@pytest.mark.parametrize("config", [kafka_python_config, confluent_config])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({**SECURE, "password": None}, "REPLAYHOUSE_KAFKA_PASSWORD"),
        ({**SECURE, "ca": "/nowhere/ca.pem"}, "REPLAYHOUSE_KAFKA_CA names no file: /nowhere/ca.pem"),
    ],
)
def test_security_that_is_incomplete_is_told_before_anybody_is_asked(
    config: Any, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        config(settings(**given), "one:1")


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(settings(**SECURE))


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (errors.KafkaTimeoutError("time ran out"), Unreachable),
        (errors.KafkaConnectionError("lost"), Unreachable),
        (errors.SaslAuthenticationFailedError("no"), Unreachable),
        (errors.TopicAuthorizationFailedError("no"), UsageError),
        (errors.UnsupportedCodecError("zstd"), UsageError),
        (KafkaException(KafkaError(KafkaError._TRANSPORT)), Unreachable),
        (KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN)), Unreachable),
        (KafkaException(KafkaError(KafkaError._AUTHENTICATION)), Unreachable),
        (KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)), UsageError),
    ],
)
def test_errors_of_both_libraries_become_ours(error: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours, match="one:1") as caught, translated_kafka("one:1"):
        raise error
    assert caught.value.__cause__ is error


def test_other_errors_are_let_be() -> None:
    with pytest.raises(KeyError), translated_kafka("one:1"):
        raise KeyError("x")
