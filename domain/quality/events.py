"""What happens to a load (stream = batch_id) and to a row that was kept apart (stream = UUIDv5 of file and text).

Times are recorded times, in UTC: when we did it, not when it happened in the marketplace.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.kernel.events import DomainEvent, personal


@dataclass(frozen=True, slots=True)
class ExtractFile:
    """One file of an extract, unpacked: its size in bytes, SHA-256 in lower-case hexadecimal, and records."""

    file: str
    bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How many records a rule was held against, and how many broke it."""

    rule: str
    dimension: str
    severity: str
    checked: int
    failed: int
    passed: bool


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of the records of one file; the four kinds add up to its rows."""

    file: str
    new: int
    changed: int
    unchanged: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class ContextCount:
    """How many events a load appended, or rewound, in one context."""

    context: str
    events: int


@dataclass(frozen=True, slots=True)
class BatchOpened(DomainEvent):
    """A load began."""

    occurred_at: datetime
    opened_at: datetime
    name: str
    files: tuple[ExtractFile, ...]


@dataclass(frozen=True, slots=True)
class BatchAssessed(DomainEvent):
    """The rules were held against the extract; `score` from 0 to 100 with two decimals."""

    occurred_at: datetime
    checks: tuple[CheckResult, ...]
    score: Decimal


@dataclass(frozen=True, slots=True)
class BatchAccepted(DomainEvent):
    """The extract is believable: its records become events, but for the quarantined ones."""

    occurred_at: datetime
    rows: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class BatchRejected(DomainEvent):
    """The extract as a whole is not believable: nothing of it becomes an event."""

    occurred_at: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchCompleted(DomainEvent):
    """All of the extract stands in the log."""

    occurred_at: datetime
    completed_at: datetime
    files: tuple[FileCount, ...]
    events: tuple[ContextCount, ...]


@dataclass(frozen=True, slots=True)
class BatchRetracted(DomainEvent):
    """The load was taken back: what it appended counts no longer."""

    occurred_at: datetime
    reason: str
    by: str
    events: tuple[ContextCount, ...]


@dataclass(frozen=True, slots=True)
class RowQuarantined(DomainEvent):
    """A record was kept apart. `line` is the physical line it starts on, the header being 1; `rule` names the rule."""

    occurred_at: datetime
    batch_id: UUID
    file: str
    line: int
    rule: str
    reason: str
    text: str | None = personal()


@dataclass(frozen=True, slots=True)
class RowReleased(DomainEvent):
    """The record was let in after all, by a person or by a later load; `text` is the corrected text, if any."""

    occurred_at: datetime
    by: str
    why: str
    text: str | None = personal()


@dataclass(frozen=True, slots=True)
class RowDiscarded(DomainEvent):
    """A person decided that the record is worth nothing."""

    occurred_at: datetime
    by: str
    why: str


EVENTS: tuple[type[DomainEvent], ...] = (
    BatchOpened,
    BatchAssessed,
    BatchAccepted,
    BatchRejected,
    BatchCompleted,
    BatchRetracted,
    RowQuarantined,
    RowReleased,
    RowDiscarded,
)
