"""Brokers in memory, for tests of what publishes: topics, transactions that are all or none, fencing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from replayhouse.infra.publishing.ports import Advice, Fenced, Found, Outgoing, TooLarge, TopicFacts

LARGEST_BYTES = 1_048_588


@dataclass
class _Topic:
    topic_id: UUID
    partitions: list[list[Found]] = field(default_factory=list)


class MemoryCluster:
    """A cluster of one process (port Cluster)."""

    advice = Advice(make_topics="replayhouse kafka topics --apply", prefix="REPLAYHOUSE_KAFKA_PREFIX")

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self._epochs: dict[str, int] = {}

    def make_topic(self, name: str, partitions: int) -> None:
        """Makes a topic, with nothing in it; one of that name is deleted before."""
        self._topics[name] = _Topic(uuid4(), [[] for _ in range(partitions)])

    def committed(self, topic: str) -> list[list[Found]]:
        """All messages of each partition."""
        return [list(messages) for messages in self._topics[topic].partitions]

    def facts(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """Those of the topics that exist."""
        found = {name: self._topics[name] for name in topics if name in self._topics}
        return {name: TopicFacts(len(topic.partitions), topic.topic_id) for name, topic in found.items()}

    def producer(self, transactional_id: str) -> "MemoryProducer":
        """A producer that is not started yet."""
        return MemoryProducer(self, transactional_id)

    def last_of_key(self, topic: str, key: bytes) -> Found | None:
        """The newest message of a key, on a topic of one partition."""
        (messages,) = self._topics[topic].partitions
        return next((message for message in reversed(messages) if message.key == key), None)

    def last_messages(self, topic: str, partitions: int) -> list[Found]:
        """The newest message of each partition that has any."""
        return [messages[-1] for messages in self._topics[topic].partitions[:partitions] if messages]

    def end_hanging(self, transactional_id: str, topics: Mapping[str, int]) -> int:
        """Nothing to end: what was not committed was never there."""
        return 0

    def has_lost_messages(self, topic: str, partitions: int) -> bool:
        """Never: nothing is ever deleted from the beginning."""
        return False

    def _start(self, transactional_id: str) -> int:
        epoch = self._epochs[transactional_id] = self._epochs.get(transactional_id, -1) + 1
        return epoch

    def _commit(self, transactional_id: str, epoch: int | None, messages: Sequence[Outgoing]) -> None:
        if epoch != self._epochs.get(transactional_id):
            raise Fenced("Another relay has taken over.")
        for topic, key, value, headers in messages:
            if len(key) + len(value or b"") + sum(len(name) + len(text) for name, text in headers) > LARGEST_BYTES:
                raise TooLarge(f"The brokers take no message as large as one for {topic}.")
        for topic, key, value, headers in messages:
            partitions = self._topics[topic].partitions
            partition = _partition_of(key, len(partitions))
            partitions[partition].append(Found(partition, key, value, list(headers)))


class MemoryProducer:
    """A transactional producer (port TransactionalProducer)."""

    def __init__(self, cluster: MemoryCluster, transactional_id: str) -> None:
        self._cluster = cluster
        self._id = transactional_id
        self._epoch: int | None = None

    def start(self) -> None:
        """Takes the transactional id over."""
        self._epoch = self._cluster._start(self._id)

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publishes all of them, or none: Fenced, TooLarge."""
        self._cluster._commit(self._id, self._epoch, messages)

    def close(self) -> None:
        """Nothing is under way."""


def _partition_of(key: bytes, partitions: int) -> int:
    from kafka.partitioner.default import murmur2

    return int(murmur2(key) & 0x7FFFFFFF) % partitions
