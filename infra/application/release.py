"""Letting in a record that was kept apart, perhaps corrected.

It goes the way of any record: an extract of that one record is staged, compared and decided on. Its events
belong to no load; what later loads look up of it stands under the number of a batch of its own kind.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import duckdb
import psycopg

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import natural_id
from replayhouse.domain.quality.row import QuarantinedRow
from replayhouse.domain.quality.row import release as let_in
from replayhouse.infra.application.decisions import (
    Decided,
    caught_up,
    counted,
    decider,
    deciding,
    quarantined,
    row_named,
)
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.store import LARGEST_APPEND, EventStore
from replayhouse.infra.loads.batches import Loads, time_of
from replayhouse.infra.loads.known import export_known
from replayhouse.infra.loads.load_log import OpenLoad, PostgresLoadLog, copy_due, copy_references, recorded_of
from replayhouse.infra.privacy.erasure import forget_rows_of_erased
from replayhouse.infra.runtime.errors import Rejected, UsageError
from replayhouse.infra.runtime.given_texts import read_reason
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.runtime.short_ids import read_id_start
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.staging.extract import open_extract
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.scratch import scratch_folder
from replayhouse.infra.staging.staging import Staged, stage
from replayhouse.infra.staging.work import DuckDBWork, plan
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import batched, work_through
from replayhouse.ingest.ports import Chunk, Due, Progress, Unit

EVERYTHING = Unit(0, 255)
MEMORY = "400MB"


class Refused(NamedTuple):
    """The record does not pass: the rule that it breaks, and how. Nothing was appended."""

    row_id: UUID
    row: QuarantinedRow
    rule: str
    reason: str

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "row": self.row_id,
            "file": self.row.file,
            "line": self.row.line,
            "status": self.row.status,
            "rule": self.rule,
            "reason": self.reason,
        }


def release(site: Site, row: str, text: str | None, reason: str) -> Decided | Refused:
    """Lets in the row whose id is, or begins, so, with a corrected text if one is given, and catches the models up.

    Raises UsageError if there is no such row, it is not quarantined, or there is no text to let in; Rejected of a
    sample of geolocation; Conflicting while a load is at work, open, or half taken back.
    """
    start, why = read_id_start(row), read_reason(reason)
    row_id = row_named(site, start)
    site.tell("holding the record against the log", 0, 0)
    with caught_up(site), deciding(site) as connection, scratch_folder(site.settings.home) as scratch:
        found, known = quarantined(connection, row_id)
        corrected = None if text == found.text else text
        record = _record_of(row_id, found, corrected)
        if fault := _malformed(found.file, record):
            return Refused(row_id, found, *fault)
        staged = _staged(connection, found.batch_id, found.file, record, scratch)
        if fault := _fault(staged):
            return Refused(row_id, found, *fault)
        by = decider(site)
        try:
            released = let_in(found, by, why, time_of(connection), corrected)
            decided = _append(connection, _LettingIn(row_id, found, by, released, known), staged)
        except DomainError as error:
            return Refused(row_id, found, error.rule, str(error))
        forget_rows_of_erased(connection)
        return decided._replace(is_corrected=corrected is not None)


class _LettingIn(NamedTuple):
    """What a person has decided: the events of the row itself; `known` has its stream."""

    row_id: UUID
    row: QuarantinedRow
    by: str
    events: Sequence[DomainEvent]
    known: Known


def _append(connection: psycopg.Connection, letting_in: _LettingIn, staged: Staged) -> Decided:
    """Decides on what was staged, and appends all that follows in one transaction."""
    store, loads, (row_id, row, by, _, known) = EventStore(), Loads(connection), letting_in
    source = loads.source_of(row.batch_id)
    newest = loads.newest_completed(source)
    as_of = newest.as_of if newest is not None else None
    with interruptible(duckdb.connect(str(staged.database), config={"memory_limit": MEMORY})) as writing:
        plan(writing)
    with interruptible(duckdb.connect(str(staged.database), read_only=True)) as reading:
        work = DuckDBWork(reading)
        batch_id = natural_id("decision", f"{row_id}:{known.last_version('quality', row_id)}")
        load = OpenLoad(batch_id, loads.next_seq(), uuid4(), is_first=False, source=source)
        log = _ReleaseLog(connection, store, load)
        work_through(EVERYTHING, work, log, as_of, work.seller_zips())
        decisions = _with_causes(letting_in, log.decisions)
        recorded = recorded_of(decisions, log.seen.with_streams_of(known))
        with connection.transaction():
            batch_seq = loads.decide(batch_id, f"release of {row.file}:{row.line}", as_of, row.batch_id)
            loads.note_run(batch_id, by)
            copy_references(connection, work, EVERYTHING.start, EVERYTHING.end, batch_seq)
            copy_due(connection, batch_seq, log.due)
            for some in batched(recorded, LARGEST_APPEND):
                head = store.append(connection, some, None)
    happened(Happening.ROW_RELEASED, events=len(decisions), position=head.position)
    return Decided(row_id, row, "released", counted(decisions), head.position, head.chain.hex())


def _with_causes(letting_in: _LettingIn, following: Sequence[Decision]) -> list[Decision]:
    """The decision on the row and those that follow from it, each with the release as its cause."""
    row = letting_in.row
    cause, place = f"release:{letting_in.row_id}", f"{row.file}:{row.line}"
    decisions = [Decision("quality", letting_in.row_id, event, f"{cause} {place}") for event in letting_in.events]
    return decisions + [
        decision._replace(source=cause if decision.source is None else f"{cause} {place}") for decision in following
    ]


class _ReleaseLog(PostgresLoadLog):
    """Reads like that of a load, and keeps what is decided, to be appended at once."""

    def __init__(self, connection: psycopg.Connection, store: EventStore, load: OpenLoad) -> None:
        super().__init__(connection, store, load, None)
        self.decisions: list[Decision] = []
        self.due: list[Due] = []
        self.seen = Known()

    def progress(self, unit: Unit) -> Progress:
        """Always the beginning: there is nothing to go on with."""
        return Progress(0, unit.start, is_done=False)

    def append(self, chunk: Chunk, known: Known) -> int:
        """Keeps a chunk."""
        self.decisions += chunk.decisions
        self.due += chunk.due
        self.seen = self.seen.with_streams_of(known)
        return len(chunk.decisions)


def _record_of(row_id: UUID, row: QuarantinedRow, text: str | None) -> str:
    """The record to let in: one, without the line end that closes it."""
    record = row.text if text is None else text.removesuffix("\n").removesuffix("\r")
    if record is None:
        raise UsageError(f"The text of the row {row_id} was erased: to let a record in, give it with --text.")
    if row.file == "geolocation":
        raise Rejected(
            "A sample of geolocation is not let in by itself, for all samples of a zip prefix count together: "
            "load an extract with the corrected file."
        )
    return record


def _malformed(file: str, record: str) -> tuple[str, str] | None:
    """What is wrong with a text as a record of a file; what is wrong with its quotes, the staging says."""
    widths = sorted({len(SOURCE_FILES[file].required_columns), len(SOURCE_FILES[file].columns)})
    records = _records(record)
    if records is None:
        return None
    if len(records) != 1:
        return "records_well_formed", f"the text holds {len(records)} records, and one is to be let in"
    cells = len(records[0])
    if cells in widths:
        return None
    expected = " or ".join(map(str, widths))
    return "records_well_formed", f"the record has {count(cells, 'cell')}, the file {expected}"


def _records(text: str) -> list[list[str]] | None:
    """The cells of the records that a text holds; None where its quotes are wrong."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None


def _staged(connection: psycopg.Connection, load_id: UUID, file: str, record: str, scratch: Path) -> Staged:
    """An extract of one record, compared with all that the log knows.

    The columns are those of the source, in order: all of them, or the required ones if the record has no more cells.
    """
    folder = scratch / "extract"
    folder.mkdir()
    source = SOURCE_FILES[file]
    has_all = any(len(cells) == len(source.columns) for cells in _records(record) or ())
    columns = source.columns if has_all else source.required_columns
    try:
        content = f"{','.join(columns)}\n{record}\n".encode()
    except UnicodeEncodeError as error:
        raise UsageError("The text is not UTF-8.") from error
    (folder / source.name).write_bytes(content)
    loads = Loads(connection)
    known = export_known(connection, loads.next_seq(), scratch / "known", loads.source_of(load_id))
    return stage(open_extract(folder, scratch), scratch / "stage", known, memory_limit=MEMORY, threads=1)


def _fault(staged: Staged) -> tuple[str, str] | None:
    """The rule that the one record breaks, and how; None if it passes."""
    for unreadable in staged.unreadable:
        return unreadable.rule, unreadable.reason
    for record in staged.quarantined():
        return record.rule, record.reason
    return None
