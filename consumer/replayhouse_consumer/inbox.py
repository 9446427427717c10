"""The inbox: a database that keeps what was handled, in the same transaction as the effects of handling it.

It holds, for one group of consumers: the offset of each partition that comes next, every event received (personal
fields still sealed), and which streams are parked. The offset is moved by compare-and-set: of two consumers that both
believe a partition to be theirs, one moves it, and the other has no effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from replayhouse_consumer.errors import Misuse
from replayhouse_consumer.received import Key, Received


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class Move(NamedTuple):
    """The offset of a partition that comes next: what it must be now, and what it is to be."""

    partition: Partition
    expected: int
    to: int


class Parked(NamedTuple):
    """A stream whose events are kept and not handed out, from the version on that could not be handled."""

    context: str
    stream: UUID
    version: int
    partition: Partition
    reason: str

    @property
    def key(self) -> Key:
        """Which stream."""
        return self.context, self.stream.bytes


class Overtaken(Exception):  # noqa: N818 - it is no error: somebody else has done the work
    """Another consumer has moved the offset of a partition: what was to be handled here has been handled there."""


class Work(Protocol):
    """An open transaction of the inbox."""

    @property
    def db(self) -> Any:
        """The connection, for handlers: sqlite3.Connection or psycopg.Connection."""

    def advance(self, moves: Sequence[Move]) -> None:
        """Moves offsets, and holds them until the end. Raises Overtaken where one is not what it must be."""

    def hold(self, partition: Partition) -> None:
        """Keeps others from handling anything of a partition until the end."""

    def versions(self, keys: Iterable[Key]) -> dict[Key, int]:
        """The newest version kept of each stream; streams without any are left out."""

    def parked(self, keys: Iterable[Key]) -> set[Key]:
        """Which of these streams are parked."""

    def keep(self, runs: Iterable[Sequence[Received]]) -> None:
        """Keeps runs of events: each of one stream, what follows what is kept of it, without a gap."""

    def histories(self, keys: Iterable[Key]) -> dict[Key, list[Received]]:
        """All events kept of each stream, in order."""

    def park(self, parked: Parked) -> None:
        """Parks a stream."""

    def unpark(self, key: Key, handed: Sequence[int]) -> None:
        """A parked stream goes on; the events of these versions were handed out."""


class Inbox(Protocol):
    """The database. One inbox object is used by one thread."""

    def transaction(self) -> AbstractContextManager[Work]:
        """A transaction: committed at the end, rolled back where something is raised.

        Raises Misuse, at its end, where a handler has ended it.
        """

    def begin(self, starts: Mapping[Partition, int]) -> dict[Partition, int]:
        """The offsets that come next, after partitions seen for the first time were given where they start."""

    def offsets(self) -> dict[Partition, int]:
        """The offset that comes next of each partition that was ever read."""

    def topic_ids(self) -> dict[str, str]:
        """The id, given by the brokers, of each topic that was ever read."""

    def remember_topics(self, ids: Mapping[str, str]) -> None:
        """Writes down the ids of topics read for the first time."""

    def all_parked(self) -> list[Parked]:
        """The parked streams."""

    def make_tables(self, sql: str) -> None:
        """Runs SQL, of any number of statements, that makes what handlers need."""

    def is_passing(self, error: BaseException) -> bool:
        """Whether an error tells of trouble of the database that passes: it is locked, restarts, is full."""

    def close(self) -> None:
        """Lets the database go."""


def must_be_ours(owner: tuple[str, str] | None, group: str, prefix: str) -> None:
    """Raises Misuse where an inbox belongs to another group, or reads another warehouse's topics."""
    if owner is not None and owner != (group, prefix):
        raise Misuse(
            f"The inbox belongs to the group {owner[0]} on topics {owner[1]}.*, not to {group} on {prefix}.*: "
            "each group has an inbox of its own."
        )
