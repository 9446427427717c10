"""`publish`: a whole log onto Kafka, against kafka-python's own producer with the same messages and no transactions.

The messages of the baseline are those that the relay has sent, read back before its clock runs, so that it does
nothing but send: with the relay's settings, and with others that its library may like better.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from bench.live import Follower, Live, followed
from bench.memory import Peak
from bench.timing import Best, Timing, best_of, repeated, timed
from bench.warehouse import Finished, Warehouse

MESSAGES = 100_000
"""Of the baseline: its rate does not depend on how many."""
PARTITIONS = 6

_EXACT: dict[str, Any] = {
    "acks": "all",
    "linger_ms": 5,
    "batch_size": 256 * 1024,
    "compression_type": "lz4",
    "enable_idempotence": True,
}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "the relay's settings": _EXACT,
    "smaller batches": _EXACT | {"batch_size": 64 * 1024},
    "without idempotence": _EXACT | {"enable_idempotence": False},
}
Run = TypeVar("Run")

_SECONDS_OF_SILENCE = 10
_numbers = count(1)


@dataclass(frozen=True)
class Message:
    """A message as it lies on a topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@contextmanager
def broker(warehouse: Warehouse) -> Iterator[str]:
    """The broker of the warehouse's home runs while the block runs; where it listens."""
    warehouse.run("kafka", "start")
    try:
        yield str(warehouse.json("kafka", "status")["bootstrap"])
    finally:
        warehouse.run("kafka", "stop")


def publish(warehouse: Warehouse) -> Timing:
    """Seconds of the command that publishes the whole log, from its start to its end; each time onto new topics."""
    return repeated(lambda: _publish(warehouse, warehouse.timed).seconds)


def watched(warehouse: Warehouse) -> tuple[Finished, Peak]:
    """The same once more, while its memory is looked at."""
    return _publish(warehouse, warehouse.watched)


def _publish(warehouse: Warehouse, run: Callable[..., Run]) -> Run:
    with warehouse.setting("REPLAYHOUSE_KAFKA_PREFIX", f"bench{next(_numbers)}"):
        warehouse.run("kafka", "topics", "--apply")
        return run("publish")


def messages(bootstrap: str, topic: str, number: int = MESSAGES) -> list[Message]:
    """The first messages of a topic."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        consumer_timeout_ms=1000 * _SECONDS_OF_SILENCE,
    )
    try:
        found = []
        for record in consumer:
            found.append(Message(record.key, record.value, list(record.headers)))
            if len(found) == number:
                break
        return found
    finally:
        consumer.close()


def plain_producer(bootstrap: str, sent: list[Message]) -> Best:
    """The best case of sending the messages by kafka-python's producer, to their being acknowledged."""
    runs = {name: partial(_send, bootstrap, sent, settings) for name, settings in SETTINGS.items()}
    return best_of(runs)


def _send(bootstrap: str, sent: list[Message], settings: Mapping[str, Any]) -> float:
    topic = f"plain-{next(_numbers)}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, **settings)
    try:
        producer.partitions_for(topic)

        def send_all() -> None:
            for message in sent:
                producer.send(topic, message.value, message.key, message.headers)
            producer.flush(timeout=60)

        return timed(send_all)
    finally:
        producer.close()


@dataclass
class _OfTopic(Follower):
    """A consumer of a topic, which sees committed messages only."""

    bootstrap: str = ""
    topic: str = ""

    def watch(self) -> None:
        consumer = KafkaConsumer(
            self.topic,
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="latest",
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
        )
        received: set[int] = set()
        complete = 0  # everything up to here was received; the first order's events come in order, on one partition
        try:
            while not self.ended.is_set():
                for records in consumer.poll(timeout_ms=100).values():
                    received.update(_position(record.headers) for record in records)
                if received and not complete:
                    complete = min(received) - 1
                while complete + 1 in received:
                    complete += 1
                    received.remove(complete)
                if complete:
                    self.saw(complete)
        finally:
            consumer.close()


def follow(warehouse: Warehouse, bootstrap: str) -> Live:
    """How late a consumer receives what is appended, behind `publish --follow`; and the rate that arrives."""
    with warehouse.setting("REPLAYHOUSE_KAFKA_PREFIX", f"bench{next(_numbers)}") as prefix:
        warehouse.run("kafka", "topics", "--apply")
        warehouse.run("publish")
        with warehouse.background("publish", "--follow"):
            time.sleep(1)  # a follower that joins while it starts would be measured too
            return followed(warehouse, _OfTopic(bootstrap=bootstrap, topic=f"{prefix}.sales.events.v1"))


def _position(headers: Iterable[tuple[str, bytes]]) -> int:
    return next(int(text) for name, text in headers if name == "ce_position")
