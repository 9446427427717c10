"""What kafka-python logs while it cannot reach brokers, and what the kit for consumers tells of it."""

import logging
import ssl

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError

from replayhouse_consumer.errors import Refused
from replayhouse_consumer.refusals import telling_why


def making(security: str, *logged: Exception) -> None:
    """A client that cannot be made, as kafka-python tells it."""
    with telling_why(security):
        for error in logged:
            logging.getLogger("kafka.net.manager").error("Connection failed: %s", error)
        raise KafkaTimeoutError("time ran out")


@pytest.mark.parametrize(
    "error",
    [
        KafkaConnectionError("socket disconnected"),
        KafkaConnectionError("Connection closed during send"),
        KafkaConnectionError(ConnectionResetError(104, "Connection reset by peer")),
        KafkaConnectionError(BrokenPipeError(32, "Broken pipe")),
        ConnectionResetError(104, "Connection reset by peer"),
        ssl.SSLEOFError(8, "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)"),
        ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF) (_ssl.c:1006)"),
    ],
    ids=str,
)
def test_brokers_that_hang_up_are_called_that_in_whatever_words_it_is_heard(error: Exception) -> None:
    with pytest.raises(KafkaConnectionError, match=r"hang up at once.*security_protocol PLAINTEXT"):
        making("PLAINTEXT", error)
    with pytest.raises(KafkaConnectionError, match="sasl_plain_username"):
        making("SASL_SSL", error)


def test_a_certificate_that_proves_nothing_is_a_refusal_between_connections_that_are_cut() -> None:
    cut = ConnectionResetError(104, "Connection reset by peer")
    refused = ssl.SSLCertVerificationError(
        1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1006)"
    )
    with pytest.raises(Refused, match="ssl_cafile"):
        making("SSL", cut, refused, cut)


def test_where_nobody_hangs_up_time_has_run_out() -> None:
    with pytest.raises(KafkaTimeoutError, match="time ran out"):
        making("PLAINTEXT", KafkaConnectionError("unable to connect: [Errno 111] Connection refused"))
