"""The kit for consumers against a bare KafkaConsumer that does nothing with its messages, on the same topic.

    python -m bench.consumer_kit [--messages 100000]

Both read committed messages of one partition count from the first to the last, with the same fetch settings. The kit
keeps every event in its inbox (SQLite), moves its offsets, and hands events to a trivial handler: of single events of
one type, and of whole streams.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from confluent_kafka import Producer
from kafka import KafkaConsumer

from bench.live import _order as an_order
from bench.timing import Timing, repeated, timed
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.topics import make_topics
from replayhouse.infra.publishing.message import LoggedEvent, message_of
from replayhouse.infra.publishing.names import events_topic, source_of
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse_consumer import Consumer, Stream
from replayhouse_consumer.events import OrderPlacedV2
from replayhouse_consumer.intake import OURS

MESSAGES = 100_000
EVENTS_AN_ORDER = 4
A_TRANSACTION = 1_000
TIMEOUT_S = 60.0
"""Of one transaction."""

RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kit:
    """Seconds for all messages."""

    messages: int
    bare: Timing
    on_events: Timing
    on_streams: Timing
    inbox_bytes: int

    def share(self, timing: Timing) -> float:
        """Messages a second, as a part of what a bare consumer does."""
        return self.bare.seconds / timing.seconds

    def __str__(self) -> str:
        rows = {
            "bare KafkaConsumer": self.bare,
            "on(OrderPlacedV2)": self.on_events,
            "stream('sales')": self.on_streams,
        }
        lines = [
            f"{name:20} {timing}  {self.messages / timing.seconds:10,.0f} messages/s  {self.share(timing):4.0%}"
            for name, timing in rows.items()
        ]
        return "\n".join([*lines, f"inbox: {self.inbox_bytes / self.messages:,.0f} bytes a message"])


def measure(messages: int = MESSAGES) -> Kit:
    """On a broker of its own."""
    with tempfile.TemporaryDirectory(prefix="replayhouse-bench-") as folder:
        broker = Broker(Path(folder, "broker"), ends_with_us=True)
        broker.start()
        try:
            kafka = KafkaSettings(bootstrap=broker.bootstrap)
            make_topics(kafka, broker.bootstrap, ["sales"])
            _publish(kafka, messages)
            bare = repeated(lambda: timed(lambda: _read_bare(kafka, messages)))
            inboxes = (Path(folder, f"inbox-{number}.db") for number in range(100))
            on_events = repeated(lambda: _timed_kit(kafka, next(inboxes), messages, _on_events))
            last = Path(folder, "last.db")
            on_streams = repeated(lambda: _timed_kit(kafka, next(inboxes), messages, _on_streams))
            _timed_kit(kafka, last, messages, _on_events)
            return Kit(messages, bare, on_events, on_streams, last.stat().st_size)
        finally:
            broker.stop()


def _publish(kafka: KafkaSettings, messages: int) -> None:
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "transactional.id": "bench",
            "compression.type": "lz4",
            "linger.ms": 5,
            "batch.size": 131_072,
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(TIMEOUT_S)
    topic, source = events_topic(kafka.prefix, "sales"), source_of(kafka.prefix, "sales").encode()
    for first in range(0, messages, A_TRANSACTION):
        producer.begin_transaction()
        for position in range(first, first + A_TRANSACTION):
            key, value, headers = message_of(_event(position), source)
            producer.produce(topic, value, key, headers=list(headers))
        producer.commit_transaction(TIMEOUT_S)


def _event(position: int) -> LoggedEvent:
    order, at = divmod(position, EVENTS_AN_ORDER)
    event: DomainEvent = an_order(order)[at]
    stream = UUID(int=(order * 0x9E3779B97F4A7C15) % (1 << 128))
    state = msgspec.json.encode(event)
    topic = REGISTRY.topic_of("sales", type(event))
    return LoggedEvent(
        "sales", stream, at + 1, topic, state, position + 1, UUID(int=1), "orders:1", bytes(32), RECORDED_AT
    )


def _read_bare(kafka: KafkaSettings, messages: int) -> None:
    consumer = KafkaConsumer(
        events_topic(kafka.prefix, "sales"),
        bootstrap_servers=kafka.bootstrap,
        group_id=f"bare-{time.monotonic_ns()}",
        **OURS | {"auto_offset_reset": "earliest"},
    )
    seen = 0
    while seen < messages:
        seen += sum(map(len, consumer.poll(timeout_ms=1000).values()))
    consumer.close()


def _timed_kit(kafka: KafkaSettings, inbox: Path, messages: int, handlers: Callable[[Consumer], None]) -> float:
    assert kafka.bootstrap is not None
    consumer = Consumer(kafka.bootstrap, group=f"kit-{inbox.stem}", contexts=["sales"], inbox=inbox)
    handlers(consumer)
    seconds = timed(lambda: consumer.run(to_end=True))
    assert consumer.counts.events == messages, consumer.counts
    return seconds


def _on_events(consumer: Consumer) -> None:
    @consumer.on(OrderPlacedV2, ignore_rewinds=True)
    def placed(event: OrderPlacedV2, db: Any) -> None:
        pass


def _on_streams(consumer: Consumer) -> None:
    @consumer.stream("sales")
    def changed(stream: Stream, db: Any) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.consumer_kit", description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES, metavar="N", help=f"default {MESSAGES:,}")
    print(measure(parser.parse_args().messages))


if __name__ == "__main__":
    main()
