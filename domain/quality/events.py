"""What happens to a load (stream = batch_id) and to a row that was kept apart (stream = UUIDv5 of file and text).

Times are recorded times, in UTC: when we did it, not when it happened in the marketplace.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent, personal
from replayhouse.domain.kernel.meaning import UTC, Means, RecordedAt

FileName = Annotated[str, Means("short name of the file in the extract", example="orders")]
By = Annotated[str, Means("who did it; `load` where a later load did", example="ana")]
Why = Annotated[str, Means("why, in their words", example="the zip prefix was a typing error")]


@dataclass(frozen=True, slots=True)
class ExtractFile:
    """One file of an extract, unpacked."""

    file: FileName
    bytes: Annotated[int, Means("its size", "byte", 731042)]
    sha256: Annotated[str, Means("its SHA-256 in lower-case hexadecimal", example="ab" * 32)]
    rows: Annotated[int, Means("how many records it has", "record", 4100)]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How many records a rule was held against, and how many broke it."""

    rule: Annotated[str, Means("name of the rule", example="items_have_product")]
    dimension: Annotated[str, Means("the dimension of quality that it belongs to", example="consistency")]
    severity: Annotated[str, Means("how much it matters: LOW, MEDIUM, HIGH or CRITICAL", example="MEDIUM")]
    checked: Annotated[int, Means("how many records it was held against", "record", 4650)]
    failed: Annotated[int, Means("how many of them broke it", "record", 2)]
    passed: Annotated[bool, Means("whether the others reach the target of the dimension")]


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of the records of one file; the four kinds add up to its rows."""

    file: FileName
    new: Annotated[int, Means("records seen for the first time", "record", 4100)]
    changed: Annotated[int, Means("records that were otherwise in an earlier load", "record", 0)]
    unchanged: Annotated[int, Means("records known as they are", "record", 0)]
    quarantined: Annotated[int, Means("records kept apart", "record", 0)]


@dataclass(frozen=True, slots=True)
class ContextCount:
    """How many events a load appended, or rewound, in one context."""

    context: Annotated[str, Means("the bounded context", example="sales")]
    events: Annotated[int, Means("how many events", "event", 20123)]


@dataclass(frozen=True, slots=True)
class BatchOpened(DomainEvent):
    """A load began."""

    occurred_at: RecordedAt
    opened_at: Annotated[datetime, Means("when it began", UTC)]
    name: Annotated[str, Means("what the load is called", example="2018-09")]
    files: Annotated[tuple[ExtractFile, ...], Means("the files of the extract")]


@dataclass(frozen=True, slots=True)
class BatchAssessed(DomainEvent):
    """The rules were held against the extract."""

    occurred_at: RecordedAt
    checks: Annotated[tuple[CheckResult, ...], Means("what each rule found")]
    score: Annotated[Decimal, Means("how good the extract is, from 0 to 100; above 95 is the goal", example="98.70")]


@dataclass(frozen=True, slots=True)
class BatchAccepted(DomainEvent):
    """The extract is believable: its records become events, but for the quarantined ones."""

    occurred_at: RecordedAt
    rows: Annotated[int, Means("records in all files, quarantined ones too", "record", 4100)]
    quarantined: Annotated[int, Means("records kept apart", "record", 1)]


@dataclass(frozen=True, slots=True)
class BatchRejected(DomainEvent):
    """The extract as a whole is not believable: nothing of it becomes an event."""

    occurred_at: RecordedAt
    reasons: Annotated[tuple[str, ...], Means("what makes it so", example="the file orders is missing")]


@dataclass(frozen=True, slots=True)
class BatchCompleted(DomainEvent):
    """All of the extract stands in the log."""

    occurred_at: RecordedAt
    completed_at: Annotated[datetime, Means("when the last of it was there", UTC)]
    files: Annotated[tuple[FileCount, ...], Means("what became of the records of each file")]
    events: Annotated[tuple[ContextCount, ...], Means("events appended in each context")]


@dataclass(frozen=True, slots=True)
class BatchRetracted(DomainEvent):
    """The load was taken back: what it appended counts no longer."""

    occurred_at: RecordedAt
    reason: Annotated[str, Means("why, in their words", example="the extract of the wrong month")]
    by: Annotated[str, Means("who took it back", example="ana")]
    events: Annotated[tuple[ContextCount, ...], Means("events rewound in each context")]


@dataclass(frozen=True, slots=True)
class RowQuarantined(DomainEvent):
    """A record was kept apart: it cannot become an event as it is."""

    occurred_at: RecordedAt
    batch_id: Annotated[UUID, Means("the load that kept it apart")]
    file: FileName
    line: Annotated[int, Means("the physical line on which it starts, the header being 1", example=1042)]
    rule: Annotated[str, Means("name of the rule that it breaks", example="values_readable")]
    reason: Annotated[str, Means("what is wrong with it", example="customer_zip_code_prefix is not one to five digits")]
    text: Annotated[str | None, Means("the record as it stands in the file")] = personal()


@dataclass(frozen=True, slots=True)
class RowReleased(DomainEvent):
    """The record was let in after all, by a person or by a later load in which it passes."""

    occurred_at: RecordedAt
    by: By
    why: Why
    text: Annotated[str | None, Means("the corrected text; null where it was let in as it is")] = personal()


@dataclass(frozen=True, slots=True)
class RowDiscarded(DomainEvent):
    """A person decided that the record is worth nothing."""

    occurred_at: RecordedAt
    by: By
    why: Why


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
