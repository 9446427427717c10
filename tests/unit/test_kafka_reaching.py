"""What librdkafka says of brokers that cannot be reached, and what is told of it. The texts are its own."""

from collections.abc import Sequence

import pytest
from confluent_kafka import KafkaError

from replayhouse.infra.kafka import connectivity
from replayhouse.infra.publishing.ports import Refused
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

KAFKA = KafkaSettings.model_validate({"security": "SASL_SSL", "username": "ada", "password": "secret"})

HANGS_UP = [
    ("_TRANSPORT", "Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state UP)"),
    ("_TRANSPORT", "Disconnected: connection reset by peer (after 0ms in state SSL_HANDSHAKE)"),
    ("_TRANSPORT", "Connect to ipv4#127.0.0.1:9092 failed: Connection reset by peer (after 0ms in state CONNECT)"),
    ("_TRANSPORT", "Send failed: Broken pipe (after 1ms in state UP)"),
    ("_TRANSPORT", "Send failed: Connection reset by peer (after 0ms in state APIVERSION_QUERY)"),
    (
        "_TRANSPORT",
        "Send failed: error:80000020:system library::Broken pipe: tls_retry_write_records failure "
        "(after 3ms in state UP, 1 identical error(s) suppressed)",
    ),
    ("_TRANSPORT", "Send failed: SSL transport error: Broken pipe (after 0ms in state UP)"),
    ("_TRANSPORT", "Receive failed: error:80000068:system library::Connection reset by peer (after 9ms in state UP)"),
    ("_TRANSPORT", "Receive failed: error:0A000126:SSL routines::unexpected eof while reading (after 9ms in state UP)"),
    (
        "_TRANSPORT",
        "SSL handshake failed: Disconnected: connection reset by peer: connecting to a PLAINTEXT broker listener? "
        "(after 0ms in state SSL_HANDSHAKE)",
    ),
    (
        "_SSL",
        "SSL handshake failed: error:0A000126:SSL routines::unexpected eof while reading (after 2ms in state "
        "SSL_HANDSHAKE)",
    ),
    (
        "_SSL",
        "SSL handshake failed: error:80000068:system library::Connection reset by peer: tls_retry_write_records "
        "failure (after 2ms in state SSL_HANDSHAKE)",
    ),
    ("_SSL", "SSL handshake failed: SSL transport error: Broken pipe (after 2ms in state SSL_HANDSHAKE)"),
    (
        "_AUTHENTICATION",
        "SASL SCRAM-SHA-512 mechanism handshake failed: Local: Broker transport failure: broker's supported "
        "mechanisms: (n/a) (after 0ms in state DOWN)",
    ),
    (
        "_AUTHENTICATION",
        "SASL authentication failure: Disconnected: check client credentials and broker logs (after 5ms in state "
        "AUTH_LEGACY)",
    ),
    (
        "_TRANSPORT",
        "SASL authentication error: SaslAuthenticateRequest failed: Local: Broker transport failure (after 0ms in "
        "state DOWN)",
    ),
]
"""What was heard of one broker that hung up: at another moment each time, or under another load."""

PASSES = [
    ("_SSL", "SSL handshake failed: error:8000006E:system library::Connection timed out (after 9ms in state UP)"),
    ("_SSL", "SSL handshake failed: SSL transport error: No route to host (after 2ms in state SSL_HANDSHAKE)"),
    ("_SSL", "SSL handshake failed: kafka: No further error information available (after 2ms in state SSL_HANDSHAKE)"),
    (
        "_AUTHENTICATION",
        "SASL PLAIN mechanism handshake failed: Local: Timed out: broker's supported mechanisms: (n/a) (after 0ms in "
        "state AUTH_HANDSHAKE)",
    ),
]

IS_CERTAIN = [
    (
        "_SSL",
        "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not "
        "be verified, verify that ssl.ca.location is correctly configured or root CA certificates are installed "
        "(install ca-certificates package) (after 4ms in state SSL_HANDSHAKE)",
        "does not prove who it is",
    ),
    (
        "_AUTHENTICATION",
        "SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL "
        "mechanism SCRAM-SHA-512 (after 5ms in state AUTH_REQ)",
        "refuses the name and password",
    ),
    (
        "_AUTHENTICATION",
        "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: "
        "SCRAM-SHA-512 (after 1ms in state AUTH_HANDSHAKE)",
        "takes SCRAM-SHA-512",
    ),
]


class Told:
    """As librdkafka tells it to an error callback; no KafkaError can be made with a text of its own."""

    def __init__(self, name: str, reason: str) -> None:
        assert hasattr(KafkaError, name)
        self._name = name
        self._text = reason if name == "_ALL_BROKERS_DOWN" else f"sasl_ssl://127.0.0.1:9092/bootstrap: {reason}"

    def name(self) -> str:
        return self._name

    def str(self) -> str:
        return self._text


def told_of(heard: Sequence[tuple[str, str]], lines: Sequence[str] = ()) -> Unreachable:
    told = [Told(*one) for one in heard]
    refusal = connectivity._refusal(KAFKA, "one:1", told)  # the texts are many, and no broker says them on demand
    return refusal or connectivity._silence(KAFKA, "one:1", told, lines)


@pytest.mark.parametrize(("name", "reason"), HANGS_UP)
def test_a_broker_that_hangs_up_is_called_that_in_whatever_words_it_is_heard(name: str, reason: str) -> None:
    told = told_of([(name, reason), ("_ALL_BROKERS_DOWN", "1/1 brokers are down")])
    assert "The broker at one:1 hangs up again and again" in str(told)
    assert not isinstance(told, Refused)


def test_a_broker_that_hangs_up_may_be_heard_in_the_log_alone() -> None:
    line = "[thrd:127.0.0.1:9092/bootstrap]: Disconnected: connection closed by peer (after 0ms in state UP)"
    assert "hangs up again" in str(told_of([], [line]))


@pytest.mark.parametrize(("name", "reason"), PASSES)
def test_a_connection_that_fails_otherwise_is_no_refusal_either(name: str, reason: str) -> None:
    told = told_of([(name, reason)])
    assert "No broker answers at one:1: " in str(told)
    assert not isinstance(told, Refused)


@pytest.mark.parametrize(("name", "reason", "answer"), IS_CERTAIN)
def test_a_refusal_is_heard_between_connections_that_are_cut(name: str, reason: str, answer: str) -> None:
    told = told_of([*HANGS_UP, (name, reason), *HANGS_UP])
    assert answer in str(told)
    assert isinstance(told, Refused)


def test_the_last_reason_that_is_no_hanging_up_is_told() -> None:
    """A broker that goes cuts its connections first."""
    refused = "Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
    told = told_of([*HANGS_UP, ("_TRANSPORT", refused)])
    assert "No broker answers at one:1: Connect to 127.0.0.1:9092 failed: Connection refused." in str(told)
