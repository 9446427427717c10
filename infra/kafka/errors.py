"""Errors of the two Kafka libraries in our own words. Neither is imported here: what was not has raised nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from replayhouse.infra.kafka.connectivity import reach
from replayhouse.infra.runtime.errors import Unreachable, UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

_UNREACHABLE_CODES = {"_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE", "_SSL", "_TIMED_OUT_QUEUE"}
_REFUSED_CODES = {"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM"}


@contextmanager
def translated_kafka(bootstrap: str, kafka: KafkaSettings | None = None) -> Iterator[None]:
    """Errors of both libraries as ours: Unreachable where no broker answers or lets us in, else UsageError.

    Neither library tells why it reaches nobody. With `kafka`, the brokers are asked once more, to say so.
    """
    try:
        yield
    except Exception as error:
        ours = _ours(error, bootstrap)
        if ours is None:
            raise
        if kafka is not None and isinstance(ours, Unreachable):
            try:
                reach(kafka, bootstrap)
            except Unreachable as reason:
                raise reason from error
        raise ours from error


def _ours(error: Exception, bootstrap: str) -> Unreachable | UsageError | None:
    """None for what is no library's. A library that was not imported has raised nothing."""
    if (python := sys.modules.get("kafka.errors")) and isinstance(error, python.KafkaError):
        if isinstance(error, python.SaslAuthenticationFailedError | python.UnsupportedSaslMechanismError):
            return Unreachable(f"The broker at {bootstrap} refuses the name and password given: {error}.")
        if isinstance(error, python.RetriableError):
            return Unreachable(f"The broker at {bootstrap} does not answer in time: {error}.")
        return UsageError(f"The broker at {bootstrap} refuses what was asked: {error}.")
    if (confluent := sys.modules.get("confluent_kafka")) and isinstance(error, confluent.KafkaException):
        told = error.args[0]
        if told.name() in _REFUSED_CODES:
            return Unreachable(f"The broker at {bootstrap} refuses the name and password given: {told.str()}.")
        if told.name() in _UNREACHABLE_CODES or told.retriable():
            return Unreachable(f"The broker at {bootstrap} does not answer in time: {told.str()}.")
        return UsageError(f"The broker at {bootstrap} refuses what was asked: {told.str()}.")
    return None
