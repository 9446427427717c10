"""The relay's transactional producer: librdkafka, by confluent-kafka.

Why not kafka-python's, with which all else is done, says docs/decisions/0016-the-relays-producer-is-librdkafkas.md.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.kafka.errors import translated_kafka
from replayhouse.infra.publishing.ports import Fenced, Outgoing, TooLarge, Uncertain
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

BATCH_BYTES = 1 << 18
LINGER_MS = 5
LONGEST_ANSWER_MS = 10_000
"""So long one request may take; a transaction, with all that is tried again, as long as its setting says."""

LONGEST_DELIVERY_MS = 15_000
"""So long librdkafka tries again by itself to deliver a message; then the relay says that it waits."""

_SILENT = logging.Logger("librdkafka")
_SILENT.addHandler(logging.NullHandler())  # what goes wrong is told by exceptions, once

_FENCED = {
    KafkaError._FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
}


def producer_config(kafka: KafkaSettings, bootstrap: str, transactional_id: str) -> dict[str, Any]:
    """All that the exactness and the speed of the relay lean on, said in full: defaults change."""
    longest = kafka.transaction_seconds * 1_000
    return confluent_config(kafka, bootstrap) | {
        "client.id": transactional_id,
        "logger": _SILENT,
        "transactional.id": transactional_id,
        "transaction.timeout.ms": longest,
        "message.timeout.ms": min(longest, LONGEST_DELIVERY_MS),
        "socket.timeout.ms": min(longest, LONGEST_ANSWER_MS),
        "request.timeout.ms": min(longest, LONGEST_ANSWER_MS),
        "enable.idempotence": True,
        "acks": "all",
        "delivery.report.only.error": True,  # an answer for each message that arrived would cost as much as sending it
        "max.in.flight.requests.per.connection": 5,
        "linger.ms": LINGER_MS,
        "batch.size": BATCH_BYTES,
        "batch.num.messages": 10_000,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",  # Java's for messages with a key
        "message.max.bytes": 100_000_000,  # the topic's own limit is the one that counts, and says no in time
        "queue.buffering.max.messages": 100_000,
        "queue.buffering.max.kbytes": 256 * 1_024,
        "retry.backoff.ms": 50,
        "retry.backoff.max.ms": 500,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 500,
    }


class ConfluentProducer:
    """A transactional producer of librdkafka. One thread at a time."""

    def __init__(self, kafka: KafkaSettings, bootstrap: str, transactional_id: str) -> None:
        self._bootstrap = bootstrap
        self._seconds = max(kafka.transaction_seconds, LONGEST_ANSWER_MS / 1_000)
        with translated_kafka(bootstrap):
            self._producer = Producer(producer_config(kafka, bootstrap, transactional_id))
        self._failed: KafkaError | None = None

    def start(self) -> None:
        """Takes the transactional id over, in the time that a transaction or an answer may take. Raises Unreachable."""
        try:
            self._producer.init_transactions(self._seconds)
        except (KafkaException, SystemError) as error:
            reason = told.str() if (told := _cause(error)) else error
            raise Uncertain(f"No broker at {self._bootstrap} takes transactions: {reason}.") from error

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publishes all of them in one transaction. Raises Fenced, TooLarge and Uncertain."""
        try:
            self._send(messages)
            # Without a limit of ours it waits for the rest of the transaction's time, as librdkafka advises.
            self._producer.commit_transaction()
        except (KafkaException, SystemError, BufferError) as error:
            raise self._translated(error, messages) from error

    def close(self) -> None:
        """Gives up what is under way."""
        with suppress(KafkaException, SystemError):
            self._producer.purge(blocking=False)

    def _send(self, messages: Sequence[Outgoing]) -> None:
        """Begins a transaction; the brokers have each of its messages when this returns."""
        self._failed = None
        produce, told = self._producer.produce, self._told
        self._producer.begin_transaction()
        for topic, key, value, headers in messages:
            produce(topic, value, key, headers=headers, on_delivery=told)  # type: ignore[arg-type]  # it changes none
        left = self._producer.flush(self._seconds)
        if self._failed is not None:
            raise KafkaException(self._failed)
        if left:
            raise Uncertain(f"The brokers at {self._bootstrap} have not taken {len(messages)} messages in time.")

    def _told(self, error: KafkaError | None, message: Message) -> None:
        # No method of either may be called here: after a fatal error that ends in a SystemError.
        if error is not None and self._failed is None:
            self._failed = error

    def _translated(self, error: Exception, messages: Sequence[Outgoing]) -> Fenced | TooLarge | Uncertain:
        cause = _cause(error) or self._asked_again()
        codes = {cause.code(), *([self._failed.code()] if self._failed is not None else [])}
        if codes & _FENCED:
            return Fenced(f"Another relay has taken over: {cause.str()}.")
        if KafkaError.MSG_SIZE_TOO_LARGE not in codes:
            return Uncertain(f"A transaction on the brokers at {self._bootstrap} has failed: {cause.str()}.")
        with suppress(KafkaException, SystemError):  # else readers wait until the brokers end the transaction
            self._producer.abort_transaction(LONGEST_ANSWER_MS / 1_000)
        largest = max(messages, key=_size)
        return TooLarge(
            f"The brokers take no message as large as one of {_size(largest):,} bytes for {largest.topic} (key "
            f"{largest.key.decode()}): raise max.message.bytes of that topic, and start again."
        )

    def _asked_again(self) -> KafkaError:
        """A fatal error is told by whatever is called next; if there is none, the transaction is undone by this."""
        try:
            self._producer.abort_transaction(LONGEST_ANSWER_MS / 1_000)
        except (KafkaException, SystemError) as error:
            return _cause(error) or KafkaError(KafkaError._FAIL, str(error))
        return KafkaError(KafkaError._FAIL, "the client has failed")


def _size(message: Outgoing) -> int:
    _, key, value, headers = message
    return len(key) + len(value or b"") + sum(len(name) + len(text) for name, text in headers)


def _cause(error: Exception) -> KafkaError | None:
    """What librdkafka says. A callback that meets a fatal error hides it in a SystemError, or loses it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, KafkaException):
            told: KafkaError = found.args[0]
            return told
        found = found.__cause__
    return None
