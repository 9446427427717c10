"""`publish`: a whole log onto Kafka, against publishing the events one by one, and against a producer that only sends.

One by one: the same events are read from the log, each becomes a message, and librdkafka, the relay's own library,
takes it with an answer of its own; in transactions, for that is exactly once as well. So the relay itself did it once.

The messages of the producer are those that the relay has sent, read back before its clock runs, so that it does
nothing but send: with the relay's settings, and with others that its library may like better. That is kafka-python.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import Any, TypeVar

import psycopg
from confluent_kafka import KafkaError, Producer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from bench.live import Follower, Live, followed
from bench.memory import Peak
from bench.timing import Best, NotMeasured, Timing, best_of, repeated, timed
from bench.warehouse import Finished, Warehouse
from replayhouse.infra.kafka.producer import BATCH_BYTES, LINGER_MS
from replayhouse.infra.publishing.log_reader import ContextLog
from replayhouse.infra.publishing.message import message_of
from replayhouse.infra.publishing.relay import EVENTS_A_TRANSACTION

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
ONE_BY_ONE: Mapping[str, Mapping[str, Any]] = {
    "the relay's settings": {"linger.ms": LINGER_MS, "batch.size": BATCH_BYTES, "compression.type": "lz4"},
    "librdkafka's own settings": {},
}
Run = TypeVar("Run")

_SECONDS_OF_SILENCE = 10
_TRANSACTION_SECONDS = 60.0
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


def one_by_one(warehouse: Warehouse, bootstrap: str) -> tuple[Best, int]:
    """The best case of publishing the first events of sales one by one, from reading them to their commit."""
    with psycopg.connect(warehouse.url(), autocommit=True) as connection:
        log = ContextLog(connection, "sales")
        head = log.head()
        events = sum(1 for _ in log.after(0, head, MESSAGES))
        runs: dict[str, Callable[[], float]] = {
            name: partial(_publish_one_by_one, log, head, bootstrap, settings) for name, settings in ONE_BY_ONE.items()
        }
        return best_of(runs), events


def _publish_one_by_one(log: ContextLog, head: int, bootstrap: str, settings: Mapping[str, Any]) -> float:
    topic = _new_topic(bootstrap)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic, **settings})
    producer.init_transactions(_TRANSACTION_SECONDS)
    failed: list[str] = []

    def answer(error: KafkaError | None, _: object) -> None:
        if error is not None:
            failed.append(error.str())

    def publish_all() -> None:
        with closing(log.after(0, head, MESSAGES)) as rows:
            while block := [row.event for row in islice(rows, EVENTS_A_TRANSACTION)]:
                producer.begin_transaction()
                for event in block:
                    message = message_of(event, b"/bench/sales")
                    producer.produce(topic, message.value, message.key, headers=[*message.headers], on_delivery=answer)
                    producer.poll(0)
                producer.commit_transaction(_TRANSACTION_SECONDS)

    seconds = timed(publish_all)
    if failed:
        raise NotMeasured(f"one-by-one publishing: {failed[0]}")
    return seconds


def _new_topic(bootstrap: str) -> str:
    topic = f"plain-{next(_numbers)}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        admin.close()
    return topic


def _send(bootstrap: str, sent: list[Message], settings: Mapping[str, Any]) -> float:
    topic = _new_topic(bootstrap)
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
