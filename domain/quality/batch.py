"""The batch: one load of an extract, from opening it to its completion, its rejection, or its being taken back.

    open -> (assessed) -> accepted -> completed -> retracted
                       -> rejected

An open or accepted batch can be taken back too. Every step told once more in the same words is no event, so that a
load that was killed can tell its story again; a step that does not fit the status raises DomainError.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded
from replayhouse.domain.quality.events import (
    BatchAccepted,
    BatchAssessed,
    BatchCompleted,
    BatchOpened,
    BatchRejected,
    BatchRetracted,
    CheckResult,
    ContextCount,
    ExtractFile,
    FileCount,
)

OWN_CONTEXT = "quality"
"""What a load says of itself is not counted among the events that it brought."""


@dataclass(frozen=True)
class Batch:
    """What is known of a load. `status` is open, accepted, rejected, completed or retracted; empty until it is opened.

    Times are recorded times in UTC. `rows` counts the records of all files, quarantined ones too; `score` is None and
    `checks` empty until it was assessed. `appended` and `rewound` count events per context.
    """

    status: str = ""
    name: str = ""
    opened_at: datetime = datetime.min
    files: tuple[ExtractFile, ...] = ()
    rows: int = 0
    checks: tuple[CheckResult, ...] = ()
    score: Decimal | None = None
    quarantined: int = 0
    reasons: tuple[str, ...] = ()
    completed_at: datetime | None = None
    file_counts: tuple[FileCount, ...] = ()
    appended: tuple[ContextCount, ...] = ()
    retracted_because: str | None = None
    retracted_by: str | None = None
    rewound: tuple[ContextCount, ...] = ()

    @property
    def is_opened(self) -> bool:
        """Whether the load ever began."""
        return self.status != ""

    @property
    def is_assessed(self) -> bool:
        """Whether the rules were held against the extract."""
        return self.score is not None

    @property
    def events(self) -> int:
        """How many events the load appended, those of the quality context not counted; 0 until it is completed."""
        return sum(count.events for count in self.appended if count.context != OWN_CONTEXT)


NEW_BATCH = Batch()


def batch_of(events: Iterable[DomainEvent]) -> Batch:
    """The load that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_BATCH, events, _EVOLUTION)


def evolve(batch: Batch, event: DomainEvent) -> Batch:
    """The load after an event. An event of another kind leaves it as it is."""
    return evolved(batch, event, _EVOLUTION)


def _opened(batch: Batch, event: BatchOpened) -> Changes:
    return {
        "status": "open",
        "name": event.name,
        "opened_at": event.opened_at,
        "files": event.files,
        "rows": sum(file.rows for file in event.files),
    }


def _assessed(batch: Batch, event: BatchAssessed) -> Changes:
    return {"checks": event.checks, "score": event.score}


def _accepted(batch: Batch, event: BatchAccepted) -> Changes:
    return {"status": "accepted", "rows": event.rows, "quarantined": event.quarantined}


def _rejected(batch: Batch, event: BatchRejected) -> Changes:
    return {"status": "rejected", "reasons": event.reasons}


def _completed(batch: Batch, event: BatchCompleted) -> Changes:
    return {
        "status": "completed",
        "completed_at": event.completed_at,
        "file_counts": event.files,
        "appended": event.events,
    }


def _retracted(batch: Batch, event: BatchRetracted) -> Changes:
    return {
        "status": "retracted",
        "retracted_because": event.reason,
        "retracted_by": event.by,
        "rewound": event.events,
    }


_EVOLUTION: Steps[Batch] = {
    BatchOpened: _opened,
    BatchAssessed: _assessed,
    BatchAccepted: _accepted,
    BatchRejected: _rejected,
    BatchCompleted: _completed,
    BatchRetracted: _retracted,
}


def open_batch(batch: Batch, name: str, files: Sequence[ExtractFile], at: datetime) -> tuple[DomainEvent, ...]:
    """A load begins with these files. A resumed one, open or accepted still, with the same files, is no event.

    Raises DomainError if it has ended, or is under way with other files: another attempt is another batch.
    """
    if batch.status in ("open", "accepted") and batch.files == tuple(files):
        return ()
    if batch.is_opened:
        raise DomainError("a batch is opened once", "batch", name=batch.name, status=batch.status)
    return (BatchOpened(occurred_at=at, opened_at=at, name=name, files=tuple(files)),)


def assess(batch: Batch, checks: Sequence[CheckResult], score: Decimal, at: datetime) -> tuple[DomainEvent, ...]:
    """The rules were held against the extract; `score` from 0 to 100. Assessed anew, the last result counts.

    Raises DomainError unless the batch is open and neither accepted nor rejected.
    """
    if batch.checks == tuple(checks) and batch.score == score:
        return ()
    _must_be(batch, "open", "only an open batch is assessed")
    return (BatchAssessed(occurred_at=at, checks=tuple(checks), score=score),)


def accept(batch: Batch, rows: int, quarantined: int, at: datetime) -> tuple[DomainEvent, ...]:
    """The extract is believable: all its `rows` records become events, but for the `quarantined` ones.

    Raises DomainError unless the batch is open and assessed.
    """
    if batch.status == "accepted" and (batch.rows, batch.quarantined) == (rows, quarantined):
        return ()
    _must_be(batch, "open", "only an open batch is accepted")
    if not batch.is_assessed:
        raise DomainError("a batch is assessed before it is accepted", "batch", name=batch.name)
    return (BatchAccepted(occurred_at=at, rows=rows, quarantined=quarantined),)


def reject(batch: Batch, reasons: Sequence[str], at: datetime) -> tuple[DomainEvent, ...]:
    """The extract as a whole is not believable, for these reasons, whether it could be assessed in full or not.

    Raises DomainError unless the batch is open, and without a reason.
    """
    if batch.status == "rejected" and batch.reasons == tuple(reasons):
        return ()
    _must_be(batch, "open", "only an open batch is rejected")
    if not reasons:
        raise DomainError("a batch is rejected for a reason", "batch", name=batch.name)
    return (BatchRejected(occurred_at=at, reasons=tuple(reasons)),)


def complete(
    batch: Batch, files: Sequence[FileCount], events: Sequence[ContextCount], at: datetime
) -> tuple[DomainEvent, ...]:
    """All of the extract stands in the log: what became of each file's records, how many events each context got.

    Raises DomainError unless the batch is accepted.
    """
    if batch.status == "completed" and (batch.file_counts, batch.appended) == (tuple(files), tuple(events)):
        return ()
    _must_be(batch, "accepted", "only an accepted batch is completed")
    return (BatchCompleted(occurred_at=at, completed_at=at, files=tuple(files), events=tuple(events)),)


def retract(
    batch: Batch, reason: str, by: str, events: Sequence[ContextCount], at: datetime
) -> tuple[DomainEvent, ...]:
    """The load is taken back: `events` counts those of each context that no longer count.

    Raises DomainError if it was never opened, was rejected (nothing of it stands in the log), or is retracted already.
    """
    told = (batch.retracted_because, batch.retracted_by, batch.rewound)
    if batch.status == "retracted" and told == (reason, by, tuple(events)):
        return ()
    if batch.status not in ("open", "accepted", "completed"):
        rule = "only a batch that appended events, or may have, is retracted"
        raise DomainError(rule, "batch", name=batch.name, status=batch.status)
    return (BatchRetracted(occurred_at=at, reason=reason, by=by, events=tuple(events)),)


def _must_be(batch: Batch, status: str, rule: str) -> None:
    if batch.status != status:
        raise DomainError(rule, "batch", name=batch.name, status=batch.status)
