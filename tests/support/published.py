"""What is on Kafka as anybody sees it who reads what is committed, held against the log."""

import time
from collections.abc import Iterable, Mapping

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.partitioner.default import murmur2

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.message import LoggedEvent, event_of
from replayhouse.infra.publishing.names import events_topic
from replayhouse.infra.publishing.ports import Found
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

LONGEST_S = 120.0

LOGGED = """
    SELECT context, originator_id, originator_version, topic, state, notification_id, log.batch_id, source, leaf,
        recorded_at
    FROM event_store.log
    JOIN event_store.commit ON notification_id BETWEEN first_position AND last_position
    WHERE context = %s
    ORDER BY notification_id
"""


def make_topic(bootstrap: str, name: str, partitions: int, configs: Mapping[str, str] | None = None) -> None:
    """Makes a topic as it comes."""
    topic = {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics({name: topic}, wait_for_metadata=True)


def committed_messages(bootstrap: str, topic: str) -> list[list[Found]]:
    """The messages of each partition up to the end that it has now; transactions that are open by then must end."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        partitions = len(admin.describe_topics([topic])[0]["partitions"])
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        ends = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest", group_id=None
    )
    found: list[list[Found]] = [[] for _ in places]
    deadline = time.monotonic() + LONGEST_S
    try:
        consumer.assign(places)
        while any(consumer.position(place) < ends[place].offset for place in places):
            assert time.monotonic() < deadline, f"{topic} could not be read to its end"
            for place, records in consumer.poll(timeout_ms=200).items():
                found[place.partition] += [Found(place.partition, r.key, r.value, list(r.headers)) for r in records]
    finally:
        consumer.close()
    return found


def published(kafka: KafkaSettings, context: str) -> list[list[LoggedEvent]]:
    """The events on each partition of a context's topic."""
    assert kafka.bootstrap is not None
    found = committed_messages(kafka.bootstrap, events_topic(kafka.prefix, context))
    return [[event_of(m.key, m.value, m.headers) for m in messages] for messages in found]


def logged(database: Database, context: str) -> list[LoggedEvent]:
    """The events of the log, in order."""
    with database.connect("replayhouse test", autocommit=True) as conn:
        return [LoggedEvent(*row) for row in conn.execute(LOGGED, [context]).fetchall()]


def complaints(kafka: KafkaSettings, database: Database, contexts: Iterable[str] = CONTEXTS) -> list[str]:
    """What is wrong with what was published: left out, twice, out of order, changed, on another partition."""
    found: list[str] = []
    for context in contexts:
        partitions = published(kafka, context)
        there = [event for events in partitions for event in events]
        expected = logged(database, context)
        positions = sorted(event.position for event in there)
        if len(set(positions)) < len(positions):
            found.append(f"{context}: {len(positions) - len(set(positions))} events are there more than once")
        if missing := {event.position for event in expected} - set(positions):
            found.append(f"{context}: {len(missing)} events are missing, the first at {min(missing)}")
        for number, events in enumerate(partitions):
            found += _complaints_of_a_partition(f"{context} [{number}]", number, len(partitions), events)
        by_position = {event.position: event for event in expected}
        changed = [event for event in there if by_position.get(event.position) != event._replace(personal=None)]
        if changed:
            found.append(f"{context}: {len(changed)} events are not those of the log, such as {changed[0]}")
    return found


def _complaints_of_a_partition(place: str, number: int, partitions: int, events: list[LoggedEvent]) -> list[str]:
    found = []
    positions = [event.position for event in events]
    if positions != sorted(positions):
        found.append(f"{place}: the events are out of order")
    if any((murmur2(str(event.stream).encode()) & 0x7FFFFFFF) % partitions != number for event in events):
        found.append(f"{place}: events of other partitions")
    return found
