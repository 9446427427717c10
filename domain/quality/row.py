"""The quarantined row: a record of an extract that was kept apart, until it is let in or given up.

It is known by its file and its text, wherever it stands in whatever extract: shown again, it is the same row.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID, natural_id
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded
from replayhouse.domain.quality.events import RowDiscarded, RowQuarantined, RowReleased

BY_LOAD = "load"
"""Who lets in a record that passes in a later extract; persons are called otherwise."""


class BadRecord(NamedTuple):
    """A record that cannot become an event: where it starts (physical line, the header being 1), and why not."""

    batch_id: UUID
    file: str
    line: int
    rule: str
    reason: str
    text: str


@dataclass(frozen=True)
class QuarantinedRow:
    """What is known of the row. `status` is quarantined, released or discarded; empty until it is quarantined.

    `batch_id` to `text` are of the load that quarantined it (again). `text` is None once its key is destroyed;
    `corrected` is the text it was released with, if that is another one. `by` and `why` are of who decided on it.
    """

    status: str = ""
    batch_id: UUID = UNKNOWN_ID
    file: str = ""
    line: int = 0
    rule: str = ""
    reason: str = ""
    text: str | None = None
    corrected: str | None = None
    by: str | None = None
    why: str | None = None

    @property
    def was_quarantined(self) -> bool:
        """Whether any load kept it apart."""
        return self.status != ""

    @property
    def is_decided(self) -> bool:
        """Whether a person let it in or gave it up. What a load let in is judged again by later ones."""
        return self.status == "discarded" or (self.status == "released" and self.by != BY_LOAD)


NEW_ROW = QuarantinedRow()


def row_stream_id(file: str, text: str) -> UUID:
    """The stream of a row: `file` is the extract's short name, `text` the record as it stands there."""
    return natural_id("row", f"{file}:{hashlib.sha256(text.encode()).hexdigest()}")


def row_of(events: Iterable[DomainEvent]) -> QuarantinedRow:
    """The row that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_ROW, events, _EVOLUTION)


def evolve(row: QuarantinedRow, event: DomainEvent) -> QuarantinedRow:
    """The row after an event. An event of another kind leaves it as it is."""
    return evolved(row, event, _EVOLUTION)


def _quarantined(_: QuarantinedRow, event: RowQuarantined) -> Changes:
    return {
        "status": "quarantined",
        "batch_id": event.batch_id,
        "file": event.file,
        "line": event.line,
        "rule": event.rule,
        "reason": event.reason,
        "text": event.text,
        "corrected": None,
        "by": None,
        "why": None,
    }


def _released(row: QuarantinedRow, event: RowReleased) -> Changes:
    return {"status": "released", "corrected": event.text, "by": event.by, "why": event.why}


def _discarded(row: QuarantinedRow, event: RowDiscarded) -> Changes:
    return {"status": "discarded", "by": event.by, "why": event.why}


_EVOLUTION: Steps[QuarantinedRow] = {
    RowQuarantined: _quarantined,
    RowReleased: _released,
    RowDiscarded: _discarded,
}


def quarantine(row: QuarantinedRow, record: BadRecord, at: datetime) -> tuple[DomainEvent, ...]:
    """A load keeps the record apart, for the first time or after another load had let it in.

    Nothing if it stands apart already, for whatever rule: the stream is the text's, so it is the same text, also where
    its key is destroyed and nobody can compare. Nothing either if a person has let it in, corrected perhaps, or given
    it up: that decision stands.
    """
    if row.status == "quarantined" or row.is_decided:
        return ()
    return (RowQuarantined(at, *record),)


def release(row: QuarantinedRow, by: str, why: str, at: datetime, text: str | None = None) -> tuple[DomainEvent, ...]:
    """The record is let in: `by` a person, perhaps with a corrected `text`, or by a later load in which it passes.

    Raises DomainError unless it is quarantined.
    """
    if (row.status, row.by, row.why, row.corrected) == ("released", by, why, text):
        return ()
    _must_be_quarantined(row, "only a quarantined row is released")
    return (RowReleased(occurred_at=at, by=by, why=why, text=text),)


def discard(row: QuarantinedRow, by: str, why: str, at: datetime) -> tuple[DomainEvent, ...]:
    """A person decides that the record is worth nothing.

    Raises DomainError unless it is quarantined.
    """
    if (row.status, row.by, row.why) == ("discarded", by, why):
        return ()
    _must_be_quarantined(row, "only a quarantined row is discarded")
    return (RowDiscarded(occurred_at=at, by=by, why=why),)


def _must_be_quarantined(row: QuarantinedRow, rule: str) -> None:
    if row.status != "quarantined":
        raise DomainError(rule, "quarantined row", file=row.file, line=row.line, status=row.status)
