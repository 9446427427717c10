"""One load, from the opened extract to its completion: what happens in which order, and what is told of it.

Killed at any point and started again with the same files, a load goes on where it was: the batch is known by its
files, the plan by the log before the batch, and each chunk by its place in the plan.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.quality.batch import Batch, accept, assess, batch_of, complete, evolve, open_batch, reject
from replayhouse.domain.quality.events import CheckResult, ContextCount, ExtractFile, FileCount
from replayhouse.domain.quality.row import BadRecord, quarantine, row_of, row_stream_id
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import batched

ROWS_AT_ONCE = 5_000
"""So many quarantined rows are appended together."""


@dataclass(frozen=True)
class Assessed:
    """What the assessment of a staged extract gives. `reasons`: why it is not believable, if it is not."""

    files: tuple[ExtractFile, ...]
    counts: tuple[FileCount, ...]
    checks: tuple[CheckResult, ...]
    score: Decimal
    reasons: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Records of all files."""
        return sum(file.rows for file in self.files)

    @property
    def quarantined(self) -> int:
        """Records kept apart, of all files."""
        return sum(count.quarantined for count in self.counts)


class QualityLog(Protocol):
    """Where a load tells of itself and of the rows it keeps apart."""

    def known_rows(self, stream_ids: Sequence[UUID]) -> Known:
        """The streams that the log has of a batch or of quarantined rows."""

    def append_quality(self, decisions: Sequence[Decision], known: Known) -> int:
        """Appends events of the quality context; returns how many."""


def batch_id_of(files: Mapping[str, str], attempt: int) -> UUID:
    """The batch of some files (SHA-256 by short name): the same files make the same batch.

    `attempt` counts the earlier batches of the same files.
    """
    told = ",".join(f"{file}={sha256}" for file, sha256 in sorted(files.items()))
    return uuid5(NAMESPACE_URL, f"replayhouse:batch:{told}:{attempt}")


def tell_opening(log: QualityLog, batch_id: UUID, name: str, assessed: Assessed, at: datetime) -> bool:
    """Opens, assesses, and accepts or rejects a batch, in one append; returns whether it was accepted.

    Told again, by a load that goes on, it says nothing.
    """
    known = log.known_rows([batch_id])
    batch = batch_of(known.events("quality", batch_id))
    if batch.status in ("accepted", "completed", "rejected"):
        return batch.status != "rejected"
    told: list[DomainEvent] = []

    def tell(batch: Batch, events: Iterable[DomainEvent]) -> Batch:
        for event in events:
            told.append(event)
            batch = evolve(batch, event)
        return batch

    batch = tell(batch, open_batch(batch, name, assessed.files, at))
    batch = tell(batch, assess(batch, assessed.checks, assessed.score, at))
    if assessed.reasons:
        tell(batch, reject(batch, assessed.reasons, at))
    else:
        tell(batch, accept(batch, assessed.rows, assessed.quarantined, at))
    log.append_quality([Decision("quality", batch_id, event, None) for event in told], known)
    return not assessed.reasons


def keep_apart(log: QualityLog, batch_id: UUID, records: Iterable[BadRecord], at: datetime) -> None:
    """Records the quarantined rows of a load; a text that stands apart already is no second event."""
    for some in batched(records, ROWS_AT_ONCE):
        by_stream = {row_stream_id(record.file, record.text): record for record in reversed(some)}
        known = log.known_rows(list(by_stream))
        decisions = list(_quarantined(by_stream, known, at))
        if decisions:
            log.append_quality(decisions, known)


def _quarantined(records: Mapping[UUID, BadRecord], known: Known, at: datetime) -> Iterator[Decision]:
    for stream_id, record in records.items():
        row = row_of(known.events("quality", stream_id))
        for event in quarantine(row, record, at):
            yield Decision("quality", stream_id, event, f"{record.file}:{record.line}")


def tell_completion(
    log: QualityLog, batch_id: UUID, counts: tuple[FileCount, ...], events: Mapping[str, int], at: datetime
) -> None:
    """Completes a batch; `events` by context, without the completion itself, which is counted in.

    Told again, by a load that was killed between its completion and its end, it says nothing.
    """
    known = log.known_rows([batch_id])
    batch = batch_of(known.events("quality", batch_id))
    if batch.status == "completed":
        return
    counted = {**events, "quality": events.get("quality", 0) + 1}
    told = complete(batch, counts, tuple(ContextCount(*count) for count in counted.items()), at)
    log.append_quality([Decision("quality", batch_id, event, None) for event in told], known)


def evaluation_date(latest_placed_at: datetime | None) -> date | None:
    """The date as of which a load evaluates segments: that of the latest order known (R33); None where nobody is to
    be evaluated, since no order known counts: a load without orders, or with none but such as are yet to be placed.
    """
    return latest_placed_at.date() if latest_placed_at is not None else None
