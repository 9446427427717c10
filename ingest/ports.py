"""What a load needs of the outside: the staged work, and the log."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol
from uuid import UUID

from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.work import Family


class Due(NamedTuple):
    """The date from which a person counts as lapsed, should they buy nothing; None if never, or already."""

    customer_id: UUID
    at: date | None


class Place(NamedTuple):
    """Where a family stands in the plan of a load: plans are worked through in this order."""

    bucket: int
    kind: int
    key: UUID


class Unit(NamedTuple):
    """A run of neighbouring buckets, worked through by one process at a time; both ends included."""

    first_bucket: int
    last_bucket: int

    @property
    def start(self) -> Place:
        """The place before its first family."""
        return Place(self.first_bucket, 0, UUID(int=0))

    @property
    def end(self) -> Place:
        """The place after its last family."""
        return Place(self.last_bucket, 9, UUID(int=0))


@dataclass(slots=True)
class Chunk:
    """What is appended in one transaction: the decisions on the families after one place, up to and with another."""

    unit: Unit
    part: int
    after: Place
    up_to: Place
    decisions: list[Decision] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)


class Progress(NamedTuple):
    """How far a unit is: the next chunk's number and the place after which it begins."""

    next_part: int
    after: Place
    is_done: bool


class StagedWork(Protocol):
    """The work of a load, staged and planned."""

    def families(self, unit: Unit, after: Place) -> Iterator[tuple[Place, Family]]:
        """The families of a unit after a place, in order."""

    def seller_zips(self) -> Mapping[UUID, str]:
        """The zip prefix of each seller, by this extract and the log."""


class LoadLog(Protocol):
    """The log as one load sees it: what it holds of families, and where their decisions go."""

    def progress(self, unit: Unit) -> Progress:
        """How far a unit is, should an earlier process have begun it."""

    def known(self, families: Sequence[Family]) -> tuple[Known, Mapping[UUID, list[UUID]]]:
        """The streams that the log has of some families, and the review streams of their orders."""

    def known_customers(self, customer_ids: Collection[UUID]) -> Known:
        """The streams that the log has of some persons."""

    def append(self, chunk: Chunk, known: Known) -> int:
        """Appends a chunk with its reference rows and its progress, in one transaction; returns the events."""

    def append_lapsed(self, decisions: Sequence[Decision], due: Sequence[Due], known: Known) -> int:
        """Appends the evaluation of persons whom the extract does not show; returns the events."""

    def due_customers(self, as_of: date, limit: int) -> list[UUID]:
        """Persons whose last purchase is so long ago, as of a date, that their evaluation is due; `limit` at most."""
