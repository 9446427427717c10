"""Whether a broker answers and lets us in, and if not, why.

Both libraries try again and again, and say in the end only that time ran out. librdkafka tells the reasons in between,
to whoever listens; what is heard there is put into plain words here, for the users of both.
"""

import errno
import logging
import os
import re
import time
from collections.abc import Sequence
from typing import Any

from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.publishing.ports import Refused
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

LONGEST_SECONDS = 5.0
"""How long a first answer is waited for; a certain refusal ends it sooner."""

_ATTEMPT_SECONDS = 0.5
_LONGEST_ATTEMPT_SECONDS = 4.0  # each attempt is a question of its own, whose answer a busy broker may be long about
_BUSY = 3  # times as long a broker is waited for that takes the connection and says nothing: it is at work on others
_AROUND_THE_REASON = re.compile(r"^(?:\w+://)?\S+/\w+: +|ipv[46]#| \(after \d+ms in state \w+.*\)$")

_CUT = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ENOTCONN, errno.ESHUTDOWN)
_HANGS_UP = re.compile(
    "|".join(["Disconnected", "unexpected eof", "Local: Broker transport failure", *map(os.strerror, _CUT)])
)
"""One and the same: a peer that hangs up. Which of them is told, and as an error of what, is a matter of the moment:
whether we were reading or writing, in TLS or below it, or had asked something whose answer is now given up."""

_MAY_PASS = re.compile(rf"{_HANGS_UP.pattern}|system library|SSL transport error|No further error|failed: Local: ")
"""Errors of the connection, whatever they were counted as: of the system below TLS, or of librdkafka itself."""


def reach(kafka: KafkaSettings, bootstrap: str, longest: float | None = None) -> None:
    """A broker has answered, and let us in, when this returns.

    Raises Unreachable, which says why none does, after `longest` seconds (LONGEST_SECONDS), or thrice as many where one
    is there and says nothing; Refused as soon as that is certain. Leaves nothing behind, where a client of kafka-python
    that reaches no broker leaves a thread and files.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    heard: list[Any] = []
    ear = _Ear()
    config = {**confluent_config(kafka, bootstrap), "error_cb": heard.append, "logger": ear.logger, "log_level": 6}
    client = AdminClient(config)
    seconds = LONGEST_SECONDS if longest is None else longest
    begun, attempt = time.monotonic(), _ATTEMPT_SECONDS
    while True:
        try:
            client.list_topics(timeout=attempt)
            return
        except KafkaException as error:
            client.poll(0)
            is_busy = not heard and not any("FAIL" in line for line in ear.heard)
            is_over = time.monotonic() > begun + (_BUSY * seconds if is_busy else seconds)
            if (refusal := _refusal(kafka, bootstrap, heard)) or is_over:
                raise refusal or _silence(kafka, bootstrap, heard, ear.heard) from error
            attempt = min(2 * attempt, _LONGEST_ATTEMPT_SECONDS) if is_busy else _ATTEMPT_SECONDS


def _refusal(kafka: KafkaSettings, bootstrap: str, heard: Sequence[Any]) -> Refused | None:
    """What trying again will not change. A connection that is cut is not of that kind, whatever stage it was in."""
    for told in heard:
        reason = _reason(told.str())
        if _MAY_PASS.search(reason):
            continue
        if told.name() == "_AUTHENTICATION":
            return Refused(f"The broker at {bootstrap} does not let us in: {_why_not_in(kafka, reason)}.")
        if told.name() == "_SSL":
            return Refused(
                f"The broker at {bootstrap} does not prove who it is: {reason}. Look at REPLAYHOUSE_KAFKA_CA, the file "
                "with the certificates that sign those of the brokers, and at the name in the address."
            )
    return None


def _why_not_in(kafka: KafkaSettings, reason: str) -> str:
    if takes := re.search(r"supported mechanisms: *(\S+)", reason):
        return f"it takes {takes[1]}, and REPLAYHOUSE_KAFKA_SASL_MECHANISM is {kafka.sasl_mechanism}"
    if "not valid in current SASL state" in reason:
        return f"it asks for no password there, and REPLAYHOUSE_KAFKA_SECURITY is {kafka.security}"
    named = "REPLAYHOUSE_KAFKA_USERNAME and REPLAYHOUSE_KAFKA_PASSWORD"
    return f"it refuses the name and password of {named} ({reason})"


def _silence(kafka: KafkaSettings, bootstrap: str, heard: Sequence[Any], lines: Sequence[str]) -> Unreachable:
    """What may pass: nobody is there, or hangs up."""
    reasons = [_reason(told.str()) for told in heard if told.name() != "_ALL_BROKERS_DOWN"]
    others = [reason for reason in reasons if not _HANGS_UP.search(reason)]
    advice = "Look at REPLAYHOUSE_KAFKA_BOOTSTRAP, or start the broker."
    if others:
        return Unreachable(f"No broker answers at {bootstrap}: {others[-1]}. {advice}")
    if reasons or any(_HANGS_UP.search(line) for line in lines):
        return Unreachable(
            f"The broker at {bootstrap} hangs up again and again: it may speak another protocol there than "
            f"{kafka.security}, which REPLAYHOUSE_KAFKA_SECURITY says."
        )
    return Unreachable(f"No broker answers at {bootstrap}. {advice}")


def _reason(text: str) -> str:
    return _AROUND_THE_REASON.sub("", text).strip().rstrip(".")


class _Ear(logging.Handler):
    """Keeps what librdkafka logs, and shows it to nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.logger = logging.Logger("librdkafka")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())
