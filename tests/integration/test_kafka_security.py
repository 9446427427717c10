"""TLS and passwords: who is let in, and that all others are told why, within seconds and through either library."""

import gc
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer

from replayhouse.infra.kafka import connectivity
from replayhouse.infra.kafka.clients import confluent_config, kafka_python_config
from replayhouse.infra.kafka.errors import translated_kafka
from replayhouse.infra.kafka.topics import check_topics, make_topics
from replayhouse.infra.publishing.ports import Refused
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import TIMEOUT_S, bootstrap
from tests.support.secure_brokers import SecureBroker

SOON_S = 1.0

WRONG: dict[str, tuple[Callable[[SecureBroker], dict[str, Any]], str]] = {
    "address": (lambda _: {"bootstrap": "127.0.0.1:1"}, "No broker answers at 127.0.0.1:1: .*refused"),
    "host": (lambda _: {"bootstrap": "nowhere.invalid:9092"}, "No broker answers at nowhere.invalid:9092: .*resolve"),
    "password": (lambda _: {"password": "guessed"}, "refuses the name and password of REPLAYHOUSE_KAFKA_USERNAME"),
    "user": (lambda _: {"username": "nobody"}, "refuses the name and password of REPLAYHOUSE_KAFKA_USERNAME"),
    "mechanism": (lambda _: {"sasl_mechanism": "PLAIN"}, "takes SCRAM-SHA-512, and REPLAYHOUSE_KAFKA_SASL_MECHANISM"),
    "authority": (lambda of: {"ca": of.other_ca}, "does not prove who it is.*REPLAYHOUSE_KAFKA_CA"),
    "no TLS": (lambda _: {"security": "PLAINTEXT"}, "hangs up again.*REPLAYHOUSE_KAFKA_SECURITY"),
    "no password": (lambda _: {"security": "SSL"}, "hangs up again.*REPLAYHOUSE_KAFKA_SECURITY"),
}


def by_kafka_python(kafka: KafkaSettings, seconds: float = SOON_S) -> None:
    config = kafka_python_config(kafka, bootstrap(kafka)) | {"bootstrap_timeout_ms": round(seconds * 1000)}
    with translated_kafka(bootstrap(kafka), kafka):
        KafkaConsumer(**config).close()


def by_confluent(kafka: KafkaSettings, seconds: float = SOON_S) -> None:
    config = confluent_config(kafka, bootstrap(kafka)) | {"transactional.id": kafka.prefix}
    with translated_kafka(bootstrap(kafka), kafka):
        Producer(config).init_transactions(seconds)


REFUSALS = ("password", "user", "mechanism", "authority")
"""What is known for certain as soon as it is heard; the others are given up when time runs out."""

IN_VAIN = (*(wrong for wrong in WRONG if wrong not in REFUSALS), "SASL_SSL")


@pytest.fixture(autouse=True)
def soon(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not certain is given up soon after the first that is heard: on a busy machine that may come late."""
    monkeypatch.setattr(connectivity, "_BUSY", TIMEOUT_S / SOON_S)
    given = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    is_in_vain = any(value in IN_VAIN for value in given if isinstance(value, str))
    monkeypatch.setattr(connectivity, "LONGEST_SECONDS", SOON_S if is_in_vain else TIMEOUT_S)


def test_who_is_known_is_let_in(secure_broker: SecureBroker) -> None:
    kafka = secure_broker.settings()
    make_topics(kafka, bootstrap(kafka), ["sales"])
    check_topics(kafka, bootstrap(kafka), ["sales"])
    by_kafka_python(kafka, TIMEOUT_S)
    by_confluent(kafka, TIMEOUT_S)


@pytest.mark.parametrize("wrong", WRONG)
def test_who_is_not_let_in_is_told_why_before_anything_is_tried(wrong: str, secure_broker: SecureBroker) -> None:
    given, told = WRONG[wrong]
    kafka = secure_broker.settings(**given(secure_broker))
    with pytest.raises(Unreachable, match=told) as caught:
        check_topics(kafka, bootstrap(kafka))
    assert "guessed" not in str(caught.value)
    # Whoever publishes ends at a refusal and waits for all else: a broker that restarts hangs up too.
    assert isinstance(caught.value, Refused) == (wrong in REFUSALS)


@pytest.mark.parametrize("library", [by_kafka_python, by_confluent])
@pytest.mark.parametrize("wrong", ["address", "password", "authority", "no TLS"])
def test_either_library_tells_why(wrong: str, library: Any, secure_broker: SecureBroker) -> None:
    given, told = WRONG[wrong]
    with pytest.raises(Unreachable, match=told):
        library(secure_broker.settings(**given(secure_broker)))


@pytest.mark.parametrize(
    ("security", "told"), [("SASL_SSL", "hangs up again"), ("SASL_PLAINTEXT", "asks for no password")]
)
def test_a_broker_that_asks_for_less_is_told_too(security: str, told: str, secure_broker: SecureBroker) -> None:
    inside = f"127.0.0.1:{secure_broker.inside}"
    kafka = secure_broker.settings(bootstrap=inside, security=security)
    with pytest.raises(Unreachable, match=f"{inside}.*{told}.*{security}"):
        connectivity.reach(kafka, inside)


def test_reaching_nobody_leaves_nothing_behind() -> None:
    """Whoever waits for brokers for hours asks thousands of times."""
    kafka = KafkaSettings.model_validate({"bootstrap": "127.0.0.1:1"})
    gc.collect()  # what earlier tests have left goes now, and not on the way
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(5):
        with pytest.raises(Unreachable):
            connectivity.reach(kafka, "127.0.0.1:1", 0.05)
    gc.collect()
    # What earlier tests have left may still be ending.
    assert len(os.listdir("/proc/self/fd")) <= files
    assert threading.active_count() <= threads
