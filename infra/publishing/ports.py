"""What the relay needs of the log, of the brokers and of whoever runs it, as ports.

The brokers have two adapters: the real one (infra/kafka/cluster_client.py, with producer.py), and one in memory for
tests (tests/support/fakes/brokers.py). docs/how-to/add-a-sink.md tells how another one is added.
"""

# ruff: noqa: N818 - errors are named for what happened, as all of infra/runtime/errors.py

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from replayhouse.infra.publishing.message import Headers
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError, Unreachable


class Fenced(Conflicting):
    """Another producer has the transactional id now, or the brokers have ended a transaction that took too long.

    Brokers and client do not tell the two apart, nor whether a commit under way came through before.
    """


class Refused(Unreachable):
    """The brokers are there, and waiting for them will not change that they do not let us in."""


class Uncertain(Unreachable):
    """Nobody knows whether the transaction was committed: throw the producer away and look at what is there."""


class TooLarge(ReplayhouseError):
    """The brokers take no message of this size. Nothing of its transaction was committed."""


class Outgoing(NamedTuple):
    """A message and where it goes; a `value` of None is a tombstone. Its key decides on its partition."""

    topic: str
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Found(NamedTuple):
    """A committed message."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class TopicFacts(NamedTuple):
    """A topic as it is. `topic_id` is another one when the topic was deleted and made again."""

    partitions: int
    topic_id: UUID


class Advice(NamedTuple):
    """What a person is told to do about the brokers: the command that makes topics which are missing, and the setting
    that names `Publication.prefix`.
    """

    make_topics: str
    prefix: str


class Publication(Protocol):
    """What the settings say of what is published, whoever the brokers are."""

    @property
    def prefix(self) -> str:
        """First part of the names of topics and transactional ids."""

    @property
    def personal(self) -> Literal["sealed", "omitted"]:
        """Whether personal fields leave as ciphertext, or not at all."""

    @property
    def with_state(self) -> tuple[str, ...]:
        """The contexts whose rows are published too. Raises UsageError where the setting names what is none."""


class TransactionalProducer(Protocol):
    """One of a transactional id. After any error it is of no more use but to be closed."""

    def start(self) -> None:
        """Takes the transactional id over: older producers are fenced, and their open transaction is undone.

        Raises Unreachable.
        """

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publishes all of them in one transaction, those of one key in order; they are committed when this returns.

        Raises TooLarge (nothing was committed), Fenced and Uncertain (nobody knows).
        """

    def close(self) -> None:
        """Gives up what is under way; does not wait for anybody."""


class Cluster(Protocol):
    """The brokers, as the relay sees them. All of it raises Unreachable."""

    @property
    def advice(self) -> Advice:
        """What a person can do about them."""

    def facts(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """Those of the topics that exist."""

    def producer(self, transactional_id: str) -> TransactionalProducer:
        """A producer that is not started yet."""

    def last_of_key(self, topic: str, key: bytes) -> Found | None:
        """The newest committed message of a key, on a topic of one partition."""

    def last_messages(self, topic: str, partitions: int) -> list[Found]:
        """The newest committed message of each partition that has any."""

    def end_hanging(self, transactional_id: str, topics: Mapping[str, int]) -> int:
        """Ends what earlier producers of an id have left open and nobody else would end; on how many partitions.

        `topics`: those that are looked at, with their numbers of partitions. A newer producer of that id must have
        started.
        """

    def has_lost_messages(self, topic: str, partitions: int) -> bool:
        """Whether the beginning of a partition was deleted, as retention does."""


class LogEntry(NamedTuple):
    """An event's place in the log: its leaf, and recorded time and hash chain of the commit that brought it."""

    leaf: bytes
    recorded_at: datetime
    chain: bytes


class History(Protocol):
    """What is asked of the log."""

    def head(self) -> int:
        """The position of its newest event, of any context."""

    def store(self) -> bytes | None:
        """The hash chain at its first commit; None while it is empty."""

    def standing(self, position: int) -> LogEntry | None:
        """The event of the relay's context at a position; None where there is none."""
