"""A log for tests of the kit for consumers: events as messages, as a relay publishes them, without a warehouse."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from confluent_kafka import Producer

from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.publishing.message import LoggedEvent, message_of
from replayhouse.infra.publishing.names import events_topic, source_of
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse_consumer.inbox import Partition
from replayhouse_consumer.message import Message
from replayhouse_consumer.received import received_of

OCCURRED_AT = "2018-03-05T09:30:00"
RECORDED_AT = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
TIMEOUT_S = 120.0


class Log:
    """Events of one context, in the order in which they are made."""

    def __init__(self, context: str = "sales") -> None:
        self.context = context
        self.events: list[LoggedEvent] = []
        self._versions: dict[UUID, int] = {}

    def add(self, stream: int, name: str, **state: Any) -> LoggedEvent:
        """One more event, `OrderInvoiced` or `OrderPlaced.v2`, of the stream of that number."""
        key = UUID(int=stream)
        version = self._versions[key] = self._versions.get(key, 0) + 1
        topic = f"{self.context}.{name}" if ".v" in name else f"{self.context}.{name}.v1"
        text = json.dumps({"occurred_at": OCCURRED_AT, **state}).encode()
        event = LoggedEvent(
            self.context, key, version, topic, text, len(self.events) + 1, None, None, bytes(32), RECORDED_AT
        )
        self.events.append(event)
        return event

    def paid(self, stream: int, amount: str) -> LoggedEvent:
        """An order is paid: the event of one amount that the tests add up."""
        return self.add(stream, "PaymentReceived", payment_no=1, method="voucher", installments=1, amount=amount)

    def rewound(self, stream: int, to_version: int) -> LoggedEvent:
        """The load that brought the events after a version is taken back."""
        return self.add(stream, "Rewound", batch_id=str(UUID(int=9)), to_version=to_version)


def told(events: Iterable[LoggedEvent], topic: str = "t", partition: int = 0, offset: int = 0) -> list[Message]:
    """The events as messages of one partition, from an offset on, as a consumer has them; no broker is needed."""
    messages = []
    for at, event in enumerate(events, start=offset):
        key, value, headers = message_of(event, source_of("replayhouse", event.context).encode())
        messages.append(Message(Partition(topic, partition), at, value, received_of(key, value, headers)))
    return messages


class Publisher:
    """Publishes in transactions, as the relay does."""

    def __init__(self, kafka: KafkaSettings) -> None:
        assert kafka.bootstrap is not None
        self._kafka = kafka
        own = {"transactional.id": f"{kafka.prefix}.test", "linger.ms": 5, "partitioner": "murmur2_random"}
        self._producer = Producer(confluent_config(kafka, kafka.bootstrap) | own)
        self._producer.init_transactions(TIMEOUT_S)

    def publish(self, events: Iterable[LoggedEvent]) -> None:
        """All in one transaction."""
        with self._transaction():
            for event in events:
                key, value, headers = message_of(event, source_of(self._kafka.prefix, event.context).encode())
                self.send(events_topic(self._kafka.prefix, event.context), key, value, headers)

    def abort(self, events: Sequence[LoggedEvent]) -> None:
        """What no reader of committed messages sees."""
        self._producer.begin_transaction()
        for event in events:
            key, value, headers = message_of(event, source_of(self._kafka.prefix, event.context).encode())
            self.send(events_topic(self._kafka.prefix, event.context), key, value, headers)
        self._producer.flush(TIMEOUT_S)
        self._producer.abort_transaction(TIMEOUT_S)

    def raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """Any message at all."""
        with self._transaction():
            self.send(topic, key, value, headers)

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """Within a transaction."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=list(headers))
                return
            except BufferError:
                self._producer.poll(0.1)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._producer.begin_transaction()
        yield
        self._producer.commit_transaction(TIMEOUT_S)
