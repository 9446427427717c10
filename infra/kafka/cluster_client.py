"""The brokers as the relay sees them, by kafka-python: facts about topics, and their newest committed messages.

Reading `read_committed` alone is not enough to find those. A transaction that somebody else has open hides all that was
committed after its beginning, and a partition's last offsets may be marks of transactions, which are no messages. So
each partition is read up to its end as the brokers know it (the high watermark), from ever further back until what is
sought is found; where the end is not reached in time, nothing older is taken for it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from replayhouse.infra.kafka.clients import kafka_python_config
from replayhouse.infra.kafka.connectivity import reach
from replayhouse.infra.kafka.errors import translated_kafka
from replayhouse.infra.kafka.hanging_transactions import end_hanging
from replayhouse.infra.kafka.topics import refuse_unfit
from replayhouse.infra.publishing.ports import Advice, Found, TopicFacts, TransactionalProducer
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

FIRST_STEP_BACK = 16
"""Offsets from the end at which the search begins; each further step is twice as long."""

LONGEST_ANSWER_MS = 10_000
_POLL_MS = 200

Wanted = Callable[[bytes | None], bool]
"""Whether a message is sought, by its key."""


class KafkaCluster:
    """The cluster of the settings (port Cluster). Holds no connection; safe for any number of threads."""

    advice = Advice(make_topics="replayhouse kafka topics --apply", prefix="REPLAYHOUSE_KAFKA_PREFIX")

    def __init__(self, kafka: KafkaSettings, bootstrap: str) -> None:
        self._kafka = kafka
        self._bootstrap = bootstrap

    def producer(self, transactional_id: str) -> TransactionalProducer:
        """A producer that is not started yet."""
        from replayhouse.infra.kafka.producer import ConfluentProducer

        return ConfluentProducer(self._kafka, self._bootstrap, transactional_id)

    def facts(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """Those of the topics that exist. Raises UsageError if one forgets or refuses what is published on it."""
        with self._admin() as admin:
            found = admin.describe_topics(list(topics))
            refuse_unfit(admin, self._kafka, topics)
        return {
            topic["name"]: TopicFacts(len(topic["partitions"]), UUID(str(topic["topic_id"])))
            for topic in found
            if not topic["error_code"]
        }

    def last_of_key(self, topic: str, key: bytes) -> Found | None:
        """The newest committed message of a key, on a topic of one partition."""
        with self._reader() as reader:
            (bounds,) = reader.bounds(topic, 1)
            return reader.newest(topic, 0, bounds, key.__eq__)

    def last_messages(self, topic: str, partitions: int) -> list[Found]:
        """The newest committed message of each partition that has any."""
        with self._reader() as reader:
            bounds = reader.bounds(topic, partitions)
            found = (reader.newest(topic, partition, bounds[partition]) for partition in range(partitions))
            return [message for message in found if message is not None]

    def end_hanging(self, transactional_id: str, topics: Mapping[str, int]) -> int:
        """Ends what earlier producers of an id have left open and nobody else would end; on how many partitions."""
        from kafka import TopicPartition

        places = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
        with self._admin() as admin:
            return len(end_hanging(admin, transactional_id, places))

    def has_lost_messages(self, topic: str, partitions: int) -> bool:
        """Whether the beginning of a partition was deleted, as retention does."""
        with self._reader() as reader:
            return any(begin > 0 for begin, _ in reader.bounds(topic, partitions))

    @contextmanager
    def _admin(self) -> "Iterator[KafkaAdminClient]":
        from kafka import KafkaAdminClient

        config = kafka_python_config(self._kafka, self._bootstrap) | {"request_timeout_ms": LONGEST_ANSWER_MS}
        reach(self._kafka, self._bootstrap)  # a client that reaches no broker would leave a thread behind, each time
        with translated_kafka(self._bootstrap, self._kafka), KafkaAdminClient(**config) as admin:
            yield admin

    @contextmanager
    def _reader(self) -> "Iterator[_Reader]":
        from kafka import KafkaConsumer

        from replayhouse.infra.kafka.records import read_within_bounds

        config: dict[str, Any] = kafka_python_config(self._kafka, self._bootstrap) | {
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "group_id": None,
            "fetch_max_wait_ms": _POLL_MS,
            "request_timeout_ms": LONGEST_ANSWER_MS,
        }
        read_within_bounds()
        with self._admin() as admin:
            consumer = KafkaConsumer(**config)
            try:
                seconds = max(self._kafka.transaction_seconds, LONGEST_ANSWER_MS / 1_000)
                yield _Reader(admin, consumer, self._bootstrap, seconds)
            finally:
                consumer.close(autocommit=False)


class _Reader:
    """Reads the ends of partitions, each within `seconds`."""

    def __init__(self, admin: "KafkaAdminClient", consumer: "KafkaConsumer", bootstrap: str, seconds: float) -> None:
        self._admin = admin
        self._consumer = consumer
        self._bootstrap = bootstrap
        self._seconds = seconds

    def bounds(self, topic: str, partitions: int) -> list[tuple[int, int]]:
        """The first offset of each partition, and the one after its last, committed or not."""
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        begins = self._admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
        ends = self._admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        return [(begins[place].offset, ends[place].offset) for place in places]

    def newest(
        self, topic: str, partition: int, bounds: tuple[int, int], wanted: Wanted = lambda _: True
    ) -> Found | None:
        """The newest committed message that is sought; None if there is none. Raises Unreachable."""
        from kafka import TopicPartition

        place = TopicPartition(topic, partition)
        begin, end = bounds
        self._consumer.assign([place])
        deadline = time.monotonic() + self._seconds
        step = FIRST_STEP_BACK
        while end > begin:
            start = max(begin, end - step)
            if (found := self._last_between(place, start, end, wanted, deadline)) is not None:
                return found
            end, step = start, 2 * step
        return None

    def _last_between(
        self, place: "TopicPartition", start: int, end: int, wanted: Wanted, deadline: float
    ) -> Found | None:
        found = None
        self._consumer.seek(place, start)
        while self._consumer.position(place) < end:
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"The end of {place.topic} on {self._bootstrap} cannot be read yet: for {self._seconds:.0f} s a "
                    "transaction has been open there, which its producer or the brokers end in a while."
                )
            for record in self._consumer.poll(timeout_ms=_POLL_MS).get(place, []):
                if record.offset < end and wanted(record.key):
                    found = Found(place.partition, record.key, record.value, record.headers)
        return found
