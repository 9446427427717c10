"""What every cluster keeps for a relay (ports Cluster and TransactionalProducer).

They are real brokers, those in memory, and the example of the page that tells how a sink is added.
"""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from kafka.partitioner.default import murmur2

from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.publishing.ports import Cluster, Fenced, Found, Outgoing, TooLarge, TransactionalProducer
from tests.support.brokers import settings_for
from tests.support.fakes.brokers import MemoryCluster
from tests.support.published import committed_messages, make_topic

PARTITIONS = 3
PAGE = Path(__file__).parents[2] / "docs/how-to/add-a-sink.md"


class Topics(Protocol):
    """A cluster for one test, where topics are made and read."""

    @property
    def cluster(self) -> Cluster:
        """Where they are."""

    def make(self, partitions: int) -> str:
        """Makes a topic; its name."""

    def committed(self, topic: str) -> list[list[Found]]:
        """The messages of each partition, as a reader of what is committed sees them."""


class MemoryTopics:
    def __init__(self) -> None:
        self.cluster = MemoryCluster()

    def make(self, partitions: int) -> str:
        name = f"topic-{uuid4()}"
        self.cluster.make_topic(name, partitions)
        return name

    def committed(self, topic: str) -> list[list[Found]]:
        return self.cluster.committed(topic)


class KafkaTopics:
    def __init__(self, broker: Broker) -> None:
        self._bootstrap = broker.bootstrap
        self.cluster = KafkaCluster(settings_for(broker), broker.bootstrap)

    def make(self, partitions: int) -> str:
        name = f"topic-{uuid4()}"
        make_topic(self._bootstrap, name, partitions)
        return name

    def committed(self, topic: str) -> list[list[Found]]:
        return committed_messages(self._bootstrap, topic)


class FileTopics:
    """The sink of the how-to page, as it stands there."""

    def __init__(self, folder: Path) -> None:
        example = re.search(r"^```python\n(# cluster\.py\n.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        assert example, "the page shows its adapter"
        (folder / "cluster.py").write_text(example[1])
        self.cluster = runpy.run_path(str(folder / "cluster.py"))["FileCluster"](folder / "sink")

    def make(self, partitions: int) -> str:
        name = f"topic-{uuid4()}"
        self.cluster.make_topic(name, partitions)
        return name

    def committed(self, topic: str) -> list[list[Found]]:
        found = self.cluster.committed(topic)
        of = self.cluster.facts([topic])[topic].partitions
        return [[message for message in found if message.partition == number] for number in range(of)]


@pytest.fixture(params=["memory", "kafka", "files"])
def topics(request: pytest.FixtureRequest, tmp_path: Path) -> Topics:
    if request.param == "memory":
        return MemoryTopics()
    if request.param == "files":
        return FileTopics(tmp_path)
    return KafkaTopics(request.getfixturevalue("broker"))


@pytest.fixture
def producer(topics: Topics) -> Iterator[TransactionalProducer]:
    producer = topics.cluster.producer("a")
    producer.start()
    yield producer
    producer.close()


def messages(topic: str, count: int, first: int = 0) -> list[Outgoing]:
    return [Outgoing(topic, f"key {n % 7}".encode(), f"{n}".encode(), [("n", b"%d" % n)]) for n in range(first, count)]


def test_what_was_published_is_there_once_and_in_the_order_of_each_key(
    topics: Topics, producer: TransactionalProducer
) -> None:
    topic = topics.make(PARTITIONS)
    sent = messages(topic, 200)
    producer.publish(sent[:150])
    producer.publish(sent[150:])
    found = [message for partition in topics.committed(topic) for message in partition]
    assert len(found) == len(sent)
    for key in {message.key for message in sent}:
        assert [(m.value, list(m.headers)) for m in found if m.key == key] == [
            (m.value, m.headers) for m in sent if m.key == key
        ]


def test_a_key_has_the_partition_that_java_clients_give_it(topics: Topics, producer: TransactionalProducer) -> None:
    topic = topics.make(PARTITIONS)
    producer.publish([Outgoing(topic, str(uuid4()).encode(), b"", []) for _ in range(50)])
    for partition, found in enumerate(topics.committed(topic)):
        assert found, "fifty keys are on all of three partitions, or the hash is none"
        for message in found:
            assert message.partition == partition
            assert (murmur2(message.key) & 0x7FFFFFFF) % PARTITIONS == partition


def test_one_transaction_writes_to_several_topics(topics: Topics, producer: TransactionalProducer) -> None:
    one, other = topics.make(PARTITIONS), topics.make(1)
    producer.publish([*messages(one, 5), Outgoing(other, b"sales", b"5", [])])
    assert sum(map(len, topics.committed(one))) == 5
    assert topics.cluster.last_of_key(other, b"sales") == Found(0, b"sales", b"5", [])


def test_a_tombstone_has_a_key_and_no_value(topics: Topics, producer: TransactionalProducer) -> None:
    topic = topics.make(1)
    producer.publish([Outgoing(topic, b"gone", None, [])])
    assert topics.committed(topic) == [[Found(0, b"gone", None, [])]]


def test_who_starts_later_fences_the_earlier_one(topics: Topics, producer: TransactionalProducer) -> None:
    topic = topics.make(1)
    producer.publish(messages(topic, 1))
    later = topics.cluster.producer("a")
    later.start()
    later.publish(messages(topic, 2, first=1))
    with pytest.raises(Fenced):
        producer.publish(messages(topic, 3, first=2))
    later.publish(messages(topic, 4, first=3))
    assert [message.value for message in topics.committed(topic)[0]] == [b"0", b"1", b"3"]
    later.close()


def test_producers_of_other_ids_are_let_alone(topics: Topics, producer: TransactionalProducer) -> None:
    topic = topics.make(1)
    other = topics.cluster.producer("b")
    other.start()
    producer.publish(messages(topic, 1))
    other.publish(messages(topic, 2, first=1))
    assert len(topics.committed(topic)[0]) == 2
    other.close()


def test_of_a_transaction_with_a_message_too_large_nothing_is_there(
    topics: Topics, producer: TransactionalProducer
) -> None:
    topic = topics.make(1)
    noise = "".join(str(uuid4()) for _ in range(60_000)).encode()  # hardly to be compressed below a megabyte
    with pytest.raises(TooLarge, match=topic):
        producer.publish([*messages(topic, 3), Outgoing(topic, b"large", noise, [])])
    assert topics.committed(topic) == [[]]


def test_the_newest_message_of_a_key_is_found_behind_those_of_others(
    topics: Topics, producer: TransactionalProducer
) -> None:
    topic = topics.make(1)
    assert topics.cluster.last_of_key(topic, b"sales") is None
    producer.publish([Outgoing(topic, b"sales", b"1", []), Outgoing(topic, b"sales", b"2", [])])
    for _ in range(3):
        producer.publish([Outgoing(topic, b"customer", b"9", [])] * 40)
    assert topics.cluster.last_of_key(topic, b"sales") == Found(0, b"sales", b"2", [])
    assert topics.cluster.last_of_key(topic, b"quality") is None


def test_the_newest_message_of_each_partition_is_found(topics: Topics, producer: TransactionalProducer) -> None:
    topic = topics.make(PARTITIONS)
    assert topics.cluster.last_messages(topic, PARTITIONS) == []
    producer.publish(messages(topic, 100))
    expected = [partition[-1] for partition in topics.committed(topic) if partition]
    assert [m.value for m in topics.cluster.last_messages(topic, PARTITIONS)] == [m.value for m in expected]
    assert not topics.cluster.has_lost_messages(topic, PARTITIONS)


def test_only_topics_that_exist_have_facts(topics: Topics) -> None:
    one, other = topics.make(2), topics.make(5)
    found = topics.cluster.facts([one, other, "topic-of-nobody"])
    assert {name: facts.partitions for name, facts in found.items()} == {one: 2, other: 5}
    assert found[one].topic_id != found[other].topic_id
