"""Decisions of people on quarantined rows: let in, perhaps corrected, or given up.

What is let in goes the way of any record: an extract of that one record is staged, compared and decided on. Its events
belong to no load; what later loads look up of it stands under the number of a batch of its own kind.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import duckdb
import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import natural_id
from replayhouse.domain.quality.row import BY_LOAD, NEW_ROW, QuarantinedRow, discard, release, row_of
from replayhouse.infra.event_store.store import LARGEST_APPEND, EventStore
from replayhouse.infra.loads.batches import Loads, time_of
from replayhouse.infra.loads.known import export_known
from replayhouse.infra.loads.load_log import OpenLoad, PostgresLoadLog, copy_due, copy_lines, recorded_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.privacy.erasure import forget_rows_of_erased
from replayhouse.infra.runtime.errors import Rejected, UsageError
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.staging.extract import open_extract
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.interrupts import interruptible
from replayhouse.infra.staging.scratch import scratch_folder
from replayhouse.infra.staging.staging import Staged, stage
from replayhouse.infra.staging.work import DuckDBWork, plan
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import batched, work_through
from replayhouse.ingest.ports import Chunk, Due, Progress, Unit

EVERYTHING = Unit(0, 255)
MEMORY = "400MB"


class Decided(NamedTuple):
    """What came of a decision. `events` by context, all five; `position` and `chain` are of the log's new head."""

    row_id: UUID
    row: QuarantinedRow
    events: Mapping[str, int]
    position: int
    chain: str


class Refused(NamedTuple):
    """The record does not pass: the rule that it breaks, and how. Nothing was appended."""

    row_id: UUID
    row: QuarantinedRow
    rule: str
    reason: str


class Decider:
    """Somebody who decides; `settings.actor` says who."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._store = EventStore()

    def discard(self, row_id: UUID, why: str) -> Decided:
        """Gives a row up.

        Raises UsageError if there is no such row, or it is not quarantined; Conflicting while a load is at work, open
        or half taken back: the row may be gone with it.
        """
        with self._at_work() as connection:
            row, known = self._quarantined(connection, row_id)
            discarded = discard(row, self._by, why, time_of(connection))
            decisions = [Decision("quality", row_id, event, None) for event in discarded]
            head = self._store.append(connection, list(recorded_of(decisions, known)), None)
        return Decided(row_id, row, _counted(decisions), head.position, head.chain.hex())

    def release(self, row_id: UUID, why: str, text: str | None = None) -> Decided | Refused:
        """Lets a row in, with a corrected text if one is given.

        Raises UsageError if there is no such row, it is not quarantined, or there is no text to let in; Rejected of a
        sample of geolocation; Conflicting while a load is at work, open, or half taken back.
        """
        with self._at_work() as connection, scratch_folder(self._settings.home) as scratch:
            row, known = self._quarantined(connection, row_id)
            text = None if text == row.text else text
            record = _record_of(row_id, row, text)
            if fault := _malformed(row.file, record):
                return Refused(row_id, row, *fault)
            staged = _staged(connection, row.file, record, scratch)
            if fault := _fault(staged):
                return Refused(row_id, row, *fault)
            try:
                decided = self._let_in(
                    connection, row_id, row, release(row, self._by, why, time_of(connection), text), known, staged
                )
            except DomainError as error:
                return Refused(row_id, row, error.rule, str(error))
            forget_rows_of_erased(connection)
            return decided

    @property
    def _by(self) -> str:
        if self._settings.actor == BY_LOAD:
            raise UsageError(f"REPLAYHOUSE_ACTOR is '{BY_LOAD}', which in the log means a load: give another name.")
        return self._settings.actor

    @contextmanager
    def _at_work(self) -> Iterator[psycopg.Connection]:
        with (
            self._database.connect("replayhouse quality", autocommit=True) as connection,
            exclusive(connection, "ingest"),
        ):
            Loads(connection).refuse_while_under_way()
            yield connection

    def _quarantined(self, connection: psycopg.Connection, row_id: UUID) -> tuple[QuarantinedRow, Known]:
        found = self._store.streams(connection, "quality", [row_id])
        row = row_of(found[row_id].effective_events) if row_id in found else NEW_ROW
        if not row.was_quarantined:
            raise UsageError(f"There is no quarantined row {row_id}: replayhouse quality quarantine lists them.")
        if row.status != "quarantined":
            raise UsageError(
                f"The row {row_id} ({row.file}:{row.line}) is {row.status} already, by {row.by} ({row.why}); "
                "only a quarantined row is decided on."
            )
        return row, Known({"quality": found})

    def _let_in(
        self,
        connection: psycopg.Connection,
        row_id: UUID,
        row: QuarantinedRow,
        released: Sequence[DomainEvent],
        known: Known,
        staged: Staged,
    ) -> Decided:
        """Decides on what was staged, and appends all that follows in one transaction."""
        loads = Loads(connection)
        newest = loads.newest_completed()
        as_of = newest.as_of if newest is not None else None
        with interruptible(duckdb.connect(str(staged.database), config={"memory_limit": MEMORY})) as writing:
            plan(writing)
        with interruptible(duckdb.connect(str(staged.database), read_only=True)) as reading:
            work = DuckDBWork(reading)
            batch_id = natural_id("decision", f"{row_id}:{known.last_version('quality', row_id)}")
            log = _ReleaseLog(connection, self._store, OpenLoad(batch_id, loads.next_seq(), uuid4(), is_first=False))
            work_through(EVERYTHING, work, log, as_of, work.seller_zips())
            cause = f"release:{row_id}"
            decisions = [Decision("quality", row_id, event, f"{cause} {row.file}:{row.line}") for event in released]
            decisions += [
                decision._replace(source=cause if decision.source is None else f"{cause} {row.file}:{row.line}")
                for decision in log.decisions
            ]
            recorded = recorded_of(decisions, log.seen.with_streams_of(known))
            with connection.transaction():
                batch_seq = loads.decide(batch_id, f"release of {row.file}:{row.line}", as_of)
                loads.note_run(batch_id, self._by)
                for table, lines in work.references(EVERYTHING.start, EVERYTHING.end, batch_seq):
                    copy_lines(connection, table, lines)
                copy_due(connection, batch_seq, log.due)
                for some in batched(recorded, LARGEST_APPEND):
                    head = self._store.append(connection, some, None)
        return Decided(row_id, row, _counted(decisions), head.position, head.chain.hex())


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
    width = len(SOURCE_FILES[file].columns)
    try:
        records = list(csv.reader(io.StringIO(record, newline=""), strict=True))
    except csv.Error:
        return None
    if len(records) != 1:
        return "records_well_formed", f"the text holds {len(records)} records, and one is to be let in"
    cells = len(records[0])
    if cells == width:
        return None
    return "records_well_formed", f"the record has {cells} {'cell' if cells == 1 else 'cells'}, the file {width}"


def _staged(connection: psycopg.Connection, file: str, record: str, scratch: Path) -> Staged:
    """An extract of one record, compared with all that the log knows. The columns are those of the source, in order."""
    folder = scratch / "extract"
    folder.mkdir()
    source = SOURCE_FILES[file]
    try:
        content = f"{','.join(source.columns)}\n{record}\n".encode()
    except UnicodeEncodeError as error:
        raise UsageError("The text is not UTF-8.") from error
    (folder / source.name).write_bytes(content)
    known = export_known(connection, Loads(connection).next_seq(), scratch / "known")
    return stage(open_extract(folder, scratch), scratch / "stage", known, memory_limit=MEMORY, threads=1)


def _fault(staged: Staged) -> tuple[str, str] | None:
    """The rule that the one record breaks, and how; None if it passes."""
    for unreadable in staged.unreadable:
        return unreadable.rule, unreadable.reason
    for record in staged.quarantined():
        return record.rule, record.reason
    return None


def _counted(decisions: Sequence[Decision]) -> dict[str, int]:
    return {context: sum(decision.context == context for decision in decisions) for context in CONTEXTS}
