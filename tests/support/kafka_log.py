"""The log on its topics, put there by hand: by a plain producer, so that tests may tamper with it on the way."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import psycopg
from confluent_kafka import Producer
from kafka.partitioner.default import murmur2
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.publishing.message import LoggedEvent, Message, message_of
from replayhouse.infra.publishing.names import events_topic, source_of
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

TIMEOUT_S = 120.0
BATCH = 50
"""Messages that are sent, and fetched, together."""

_EVENTS = sql.SQL("""
    SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id, e.batch_id, e.source, e.leaf,
        c.recorded_at
    FROM event_store.{} AS e
    JOIN event_store.commit AS c ON e.notification_id BETWEEN c.first_position AND c.last_position
    ORDER BY e.notification_id
""")


class Placed(NamedTuple):
    """A message and the partition that it is to stand in."""

    partition: int
    message: Message


def logged(conn: psycopg.Connection, context: str) -> list[LoggedEvent]:
    """A context's events, by position."""
    rows = conn.execute(_EVENTS.format(sql.Identifier(f"{context}_events"))).fetchall()
    return [LoggedEvent._make((context, *row, _personal(row[2], row[3]))) for row in rows]


def placed(kafka: KafkaSettings, events: Iterable[LoggedEvent]) -> list[Placed]:
    """The messages of events, each with the partition that Java's murmur2 says for its key."""
    found = []
    for event in events:
        message = message_of(event, source_of(kafka.prefix, event.context).encode())
        found.append(Placed(partition_of(kafka, message.key), message))
    return found


def partition_of(kafka: KafkaSettings, key: bytes) -> int:
    return int((murmur2(key) & 0x7FFFFFFF) % kafka.partitions)


def omitted(event: LoggedEvent) -> LoggedEvent:
    """An event as it leaves without its personal fields."""
    if event.personal is None:
        return event
    names = personal_fields(REGISTRY.event_type_of(event.topic))
    state = msgspec.json.decode(event.state) | dict.fromkeys(names)
    return event._replace(state=msgspec.json.encode(state), personal="omitted")


def send(kafka: KafkaSettings, context: str, messages: Sequence[Placed], transaction: str | None = None) -> None:
    """Puts messages on a context's topic, in their order; in a transaction that is committed, if it has a name."""
    assert kafka.bootstrap is not None
    config = {**confluent_config(kafka, kafka.bootstrap), "linger.ms": 5, "enable.idempotence": True}
    config |= {"batch.num.messages": BATCH}
    producer = Producer(config if transaction is None else {**config, "transactional.id": transaction})
    if transaction is not None:
        producer.init_transactions(TIMEOUT_S)
        producer.begin_transaction()
    topic = events_topic(kafka.prefix, context)
    for partition, (key, value, headers) in messages:
        producer.produce(topic, value, key, partition, headers=list(headers))
    assert producer.flush(TIMEOUT_S) == 0
    if transaction is not None:
        producer.commit_transaction(TIMEOUT_S)


def send_to(kafka: KafkaSettings, topic: str, key: bytes, value: bytes | None) -> None:
    """Puts one record on a topic."""
    assert kafka.bootstrap is not None
    producer = Producer(confluent_config(kafka, kafka.bootstrap))
    producer.produce(topic, value, key)
    assert producer.flush(TIMEOUT_S) == 0


def send_log(kafka: KafkaSettings, conn: psycopg.Connection, contexts: Iterable[str] = CONTEXTS) -> None:
    """The whole log, as a relay would have sent it."""
    for context in contexts:
        send(kafka, context, placed(kafka, logged(conn, context)), f"{kafka.prefix}-{context}")


def _personal(topic: str, state: bytes) -> str | None:
    facts = msgspec.json.decode(state)
    names = personal_fields(REGISTRY.event_type_of(topic))
    return "sealed" if any(facts[name] is not None for name in names) else None
