"""Why brokers do not let a client in: kafka-python only logs that, tries on, and says in the end that time ran out."""

import errno
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)

from replayhouse_consumer.errors import Refused

_NOT_LET_IN = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError)
_NOT_PROVED = "CERTIFICATE_VERIFY_FAILED"
_CUT = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ENOTCONN)
# One and the same, met while reading or writing, in TLS or below it: which of them is a matter of the moment.
_HUNG_UP = re.compile(
    "|".join(["socket disconnected", "Connection closed", r"\(EOF\)|EOF occurred", *map(os.strerror, _CUT)])
)
_LOGGER = "kafka.net.manager"


class _Ear(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[Exception] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            self.heard += [told for told in record.args if isinstance(told, Exception)]


@contextmanager
def telling_why(security: str) -> Iterator[None]:
    """Around the making of a client; `security` is its security_protocol.

    Raises Refused in place of KafkaTimeoutError where waiting will not help, KafkaConnectionError where it may:
    kafka-python 3.0 mostly loses what brokers say before they hang up, and a wrong password looks like a restart.
    """
    logger, ear = logging.getLogger(_LOGGER), _Ear()
    logger.addHandler(ear)
    try:
        yield
    except KafkaTimeoutError as error:
        for told in reversed(ear.heard):
            if isinstance(told, _NOT_LET_IN):
                raise Refused(f"The brokers do not let the consumer in: {told}.") from error
            if _NOT_PROVED in str(told):
                raise Refused(
                    f"The brokers do not prove who they are: {told}. Look at ssl_cafile, the file with the "
                    "certificates that sign theirs, and at the name in the address."
                ) from error
        if any(_HUNG_UP.search(str(told)) for told in ear.heard):
            raise KafkaConnectionError(_why_hung_up(security)) from error
        raise
    finally:
        logger.removeHandler(ear)


def _why_hung_up(security: str) -> str:
    if security.startswith("SASL"):
        return (
            "the brokers hang up when the consumer says who it is. That is what they do where sasl_plain_username, "
            "sasl_plain_password or sasl_mechanism are wrong; if they are right, the brokers are restarting"
        )
    return (
        f"the brokers hang up at once. They may speak another protocol there than the security_protocol {security}; "
        "if not, they are restarting"
    )
