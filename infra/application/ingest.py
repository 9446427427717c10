"""Loading an extract: it becomes events of the log, and the read models follow."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb
import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.quality.events import FileCount
from replayhouse.domain.quality.row import BadRecord
from replayhouse.infra.application.ingest_report import IngestReport
from replayhouse.infra.application.large_loads import is_large
from replayhouse.infra.application.load_mapping import kept_mapping
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.assessment import assess
from replayhouse.infra.loads.batches import Load, Loads, time_of
from replayhouse.infra.loads.erased_records import forget_erased, forget_shown_since
from replayhouse.infra.loads.known import export_known
from replayhouse.infra.loads.load_log import CountingLoadLog, OpenLoad, PostgresLoadLog
from replayhouse.infra.loads.missing_kinds import missing_kept
from replayhouse.infra.loads.one_currency import refuse_other_currency
from replayhouse.infra.loads.opened import MEMORY, Opened, Opener, open_files
from replayhouse.infra.loads.passing import release_those_that_pass
from replayhouse.infra.loads.source_records import (
    export_source_records,
    keep_source_records,
    outcome_of_missing,
    told_of_missing,
)
from replayhouse.infra.loads.workers import Assignment, run_units
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.postgres.session import refuse_read_only
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.infra.runtime.interrupts import heard, interruptible
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import Tell
from replayhouse.infra.sources.kept_mappings import keep_mapping
from replayhouse.infra.staging.extract import Limits, refuse_what_is_none
from replayhouse.infra.staging.files import FILES
from replayhouse.infra.staging.scratch import scratch_folder
from replayhouse.infra.staging.staging import Staged
from replayhouse.infra.staging.work import DuckDBWork, plan
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.ingest.batch import Assessed, batch_id_of, evaluation_date, keep_apart, tell_completion, tell_opening
from replayhouse.ingest.load import evaluate_the_lapsed, units_of, work_through
from replayhouse.ingest.ports import Unit


def ingest(
    site: Site,
    path: Path,
    name: str | None,
    *,
    dry_run: bool,
    project: bool,
    source: str | None = None,
    answers: bool = False,
    on_columns: bool = False,
) -> IngestReport:
    """Loads an extract and catches the read models up, also where the extract brought nothing new.

    `source` is the folder of a mapping, the name of a shipped one, or that of a source whose mapping the warehouse has
    kept, where the extract is of another shape. With
    `answers`, all questions are answered then: the load is complete whatever becomes of that. `on_columns` is
    what `large_loads.run_on_columns` said before pyarrow was imported.
    """
    if answers and (dry_run or not project):
        raise UsageError(
            "Answers follow from read models that are caught up: they go with no --dry-run or --no-project."
        )
    opens = _opener(site, path, source, dry_run)  # first: a mistyped path is no reason to make a warehouse
    follow = _follower() if project and not dry_run else None
    pools = 2 if follow else 1  # the load, and filling the read models
    with site.prepare_workers(pools=pools if not dry_run and is_large(path) else 0):
        database = site.make_database()
        try:
            with heard():
                report = _Ingest(site.settings, database, site.tell, on_columns).run(path, name, opens, dry_run=dry_run)
        except KeyboardInterrupt:
            if not dry_run:
                site.warn(
                    "What was appended stays. A load that had begun is open, and the same command goes on with it."
                )
            raise
        if follow:
            follow(site)
    if not answers:
        return report
    from replayhouse.infra.application.answers_of_record import make_answers  # half a second, and hardly asked for

    return replace(report, answers=make_answers(site))


def _opener(site: Site, path: Path, source: str | None, dry_run: bool) -> Opener:
    """What opens the extract. Raises InputError where there is none at the path, UsageError for what is no source."""
    if source is None:
        refuse_what_is_none(path)
        limits = Limits(site.settings.zip_max_bytes, site.settings.zip_max_ratio)
        return lambda _, scratch: open_files(path, scratch, limits)
    from replayhouse.infra.loads.opened_source import opener_of  # mappings take their time to import

    return opener_of(source, path, may_make=not dry_run, kept=lambda name: kept_mapping(site, name))


def _follower() -> Callable[[Site], object]:
    """What brings read models up. It takes half a second to import, which processes that are forked after it share."""
    from replayhouse.infra.application.project import catch_up_all

    return catch_up_all


class _Ingest:
    """One run over one extract."""

    def __init__(self, settings: Settings, database: Database, tell: Tell, on_columns: bool) -> None:
        self._settings = settings
        self.on_columns = on_columns
        self._database = database
        self._tell = tell
        self._store = EventStore()

    def run(self, path: Path, name: str | None, opens: Opener, *, dry_run: bool) -> IngestReport:
        """Loads an extract, goes on with a killed load of the same files, or says that nothing is new.

        Raises InputError where there is no extract at `path`; Conflicting while another process ingests, another
        extract's load is open, or a load is half taken back.
        """
        with (
            self._database.connect("replayhouse ingest", autocommit=True) as connection,
            exclusive(connection, "ingest"),
            scratch_folder(self._settings.home) as scratch,
        ):
            self._tell("opening the extract", 0, 0)
            opened = opens(connection, scratch)
            given = path.resolve()
            called = name or (given.name if given.is_dir() else given.stem)
            return self._load(connection, opened, _storable(called), scratch, dry_run=dry_run)

    def _load(
        self, connection: psycopg.Connection, opened: Opened, name: str, scratch: Path, *, dry_run: bool
    ) -> IngestReport:
        loads = Loads(connection)
        files = opened.files
        refuse_other_currency(connection, opened.currency)
        newest, under_way = loads.newest_completed(opened.source_name), loads.open_load()
        if under_way is None or under_way.files != files:
            loads.refuse_while_under_way()
        if under_way is None and newest is not None and newest.files == files:
            happened(Happening.LOAD_UNCHANGED, load=newest.batch_id)
            return self._unchanged(connection, newest, opened)
        if not dry_run:
            refuse_read_only(connection, "nothing can be appended")
        seq = under_way.batch_seq if under_way else loads.next_seq()
        opened_at = under_way.opened_at if under_way else time_of(connection)
        self._tell("reading and comparing", 0, 0)
        is_first = not loads.has_any_before(seq)
        with span(Work.LOAD_STAGING) as staging:
            known = None if is_first else export_known(connection, seq, scratch / "known", opened.source_name)
            if known is not None and opened.complete is not None:
                export_source_records(connection, opened.complete.source, seq, known)
            opened_on = opened_at.astimezone(UTC).date()
            staged = opened.stage(scratch / "stage", known, opened_on, self._settings.workers)
            assessed = assess(staged, loads.files_loaded(opened.source_name), opened.complete)
            staging.tell(rows=assessed.rows)
        run = _Run(self, connection, loads, opened, staged, assessed, seq, opened_at, is_first)
        return run.run(under_way, name, dry_run=dry_run)

    def _unchanged(self, connection: psycopg.Connection, newest: Load, opened: Opened) -> IngestReport:
        head = self._store.head(connection)
        outcome: dict[str, Any] = newest.outcome or {}
        counts = {
            file: FileCount(file, 0, 0, rows, 0) if file in newest.files else FileCount(file, 0, 0, 0, 0)
            for file in FILES
            for rows in [outcome.get("rows", {}).get(file, 0)]
        }
        return IngestReport(
            newest.batch_id,
            newest.name,
            "unchanged",
            counts,
            dict.fromkeys(CONTEXTS, 0),
            head.position,
            head.chain.hex(),
            outcome.get("score"),
            passed_over=opened.passed_over,
            absent=opened.absent,
            missing_records=missing_kept(outcome),
        )


class _Run:
    """The part of a load that comes after the assessment."""

    def __init__(
        self,
        ingest: _Ingest,
        connection: psycopg.Connection,
        loads: Loads,
        opened: Opened,
        staged: Staged,
        assessed: Assessed,
        seq: int,
        opened_at: datetime,
        is_first: bool,
    ) -> None:
        self._ingest = ingest
        self._connection = connection
        self._loads = loads
        self._opened = opened
        self._staged = staged
        self._assessed = assessed
        self._seq = seq
        self._opened_at = opened_at
        self._is_first = is_first
        self._files = opened.files
        self._owner = uuid4()
        self._loaded_before = loads.loaded_before(self._files)
        self._loaded_since = loads.newest_completed(opened.source_name)
        self._now = time_of(connection)
        self._missing = told_of_missing(connection, opened.complete, staged.missing_records)

    def run(self, under_way: Load | None, name: str, *, dry_run: bool) -> IngestReport:
        if dry_run:
            return self._planned(name)
        if under_way is not None and bool(under_way.units) == bool(self._assessed.reasons):
            raise Conflicting(_judged_otherwise(under_way))
        units, as_of = self._plan() if not self._assessed.reasons else ([], None)
        if under_way is not None:
            batch_id, name, as_of = under_way.batch_id, under_way.name, under_way.as_of
            units = _units(under_way.units)
            self._loads.take_over(batch_id, self._owner, self._staged.extract.path.absolute())
        else:
            batch_id = self._begin(name, units, as_of)
        self._loads.note_run(batch_id, self._ingest._settings.actor)
        happened(Happening.LOAD_OPENED, load=batch_id, rows=self._assessed.rows, goes_on=under_way is not None)
        load = OpenLoad(batch_id, self._seq, self._owner, self._is_first, self._opened.source_name)
        log = PostgresLoadLog(self._connection, self._ingest._store, load, None)
        if not tell_opening(log, batch_id, name, self._assessed, self._opened_at):
            return self._finish(batch_id, name, "rejected")
        forget_erased(self._connection, self._staged)
        keep_apart(log, batch_id, self._bad_records(batch_id), self._now)
        if self._assessed.quarantined:
            happened(Happening.LOAD_QUARANTINED, load=batch_id, rows=self._assessed.quarantined)
        if units:
            self._append(load, units, as_of)
            evaluate_the_lapsed(log, as_of)
        if not self._is_first:
            release_those_that_pass(self._connection, log, self._staged, batch_id, self._now)
        forget_shown_since(self._connection)
        if self._opened.complete is not None:
            keep_source_records(self._connection, load, self._staged, self._staged.database.parent)
        tell_completion(
            log, batch_id, self._assessed.counts, self._loads.events_of(batch_id), time_of(self._connection)
        )
        return self._finish(batch_id, name, "completed")

    def _begin(self, name: str, units: list[Unit], as_of: date | None) -> UUID:
        """Opens the load, and keeps the mapping that made its records; returns its id."""
        if (texts := self._opened.mapping_texts) is not None:
            keep_mapping(self._connection, texts)
        attempt = self._loads.attempts(self._files)
        batch_id = batch_id_of(self._files, attempt)
        self._seq = self._loads.begin(
            batch_id,
            name,
            self._files,
            attempt,
            as_of,
            [unit.first_bucket for unit in units],
            self._owner,
            self._opened_at,
            self._staged.extract.path.absolute(),
            self._opened.source(),
        )
        return batch_id

    def _plan(self) -> tuple[list[Unit], date | None]:
        self._ingest._tell("planning", 0, 0)
        with span(Work.LOAD_PLANNING), _writing(self._staged) as connection:
            sizes = plan(connection)
        return units_of(sizes), evaluation_date(self._staged.latest_placed_at)

    def _append(self, load: OpenLoad, units: list[Unit], as_of: date | None) -> None:
        self._ingest._tell("appending", 0, len(units))
        finished = 0

        def done(unit: Unit, events: int) -> None:
            nonlocal finished
            finished += 1
            self._ingest._tell("appending", finished, len(units))

        assignment = Assignment(self._ingest._database, self._staged.database, load, as_of, self._ingest.on_columns)
        with span(Work.LOAD_APPENDING, load=load.batch_id):
            run_units(assignment, units, self._ingest._settings.workers, done)

    def _bad_records(self, batch_id: UUID) -> Iterator[BadRecord]:
        for record in self._staged.quarantined():
            yield BadRecord(batch_id, record.file, record.line, record.rule, record.reason, record.text)

    def _finish(self, batch_id: UUID, name: str, status: str) -> IngestReport:
        rows = {file.file: file.rows for file in self._assessed.files}
        outcome = {"score": self._score, "rows": rows, **outcome_of_missing(self._opened.complete, self._missing)}
        self._loads.finish(batch_id, self._owner, status, outcome)
        report = self._report(batch_id, name, status, self._loads.events_of(batch_id))
        if report.score is None:
            happened(Happening.LOAD_REJECTED, load=batch_id, reasons=len(report.reasons))
        else:
            events = sum(report.events.values())
            happened(
                Happening.LOAD_COMPLETED, load=batch_id, events=events, position=report.position, score=report.score
            )
        return report

    @property
    def _score(self) -> float | None:
        """None of a load that is rejected: what could be checked of it says little about the rest."""
        return None if self._assessed.reasons else float(self._assessed.score)

    def _planned(self, name: str) -> IngestReport:
        """The same work into a store that counts."""
        batch_id = batch_id_of(self._files, self._loads.attempts(self._files))
        load = OpenLoad(batch_id, self._seq, self._owner, self._is_first, self._opened.source_name)
        log = CountingLoadLog(self._connection, self._ingest._store, load)
        if tell_opening(log, batch_id, name, self._assessed, self._opened_at):
            keep_apart(log, batch_id, self._bad_records(batch_id), self._now)
            units, as_of = self._plan()
            with interruptible(duckdb.connect(str(self._staged.database), read_only=True)) as staged:
                work = DuckDBWork(staged)
                for number, unit in enumerate(units):
                    self._ingest._tell("deciding", number, len(units))
                    work_through(unit, work, log, as_of, work.seller_zips())
            evaluate_the_lapsed(log, as_of)
            if not self._is_first:
                release_those_that_pass(self._connection, log, self._staged, batch_id, self._now)
            log.events["quality"] += 1  # the completion, which only a load that was opened can tell
        return self._report(batch_id, name, "planned", log.events)

    def _report(self, batch_id: UUID, name: str, status: str, events: Mapping[str, int]) -> IngestReport:
        head = self._ingest._store.head(self._connection)
        counts = {count.file: count for count in self._assessed.counts}
        if self._assessed.reasons:
            counts = {file: FileCount(file, 0, 0, 0, count.quarantined) for file, count in counts.items()}
        return IngestReport(
            batch_id,
            name,
            status,
            {file: counts.get(file, FileCount(file, 0, 0, 0, 0)) for file in FILES},
            {context: events.get(context, 0) for context in CONTEXTS},
            head.position,
            head.chain.hex(),
            self._score,
            self._assessed.reasons,
            self._staged.missing,
            self._staged.set_aside,
            self._staged.extract.passed_over,
            self._loaded_before,
            self._loaded_since,
            absent=self._opened.absent,
            missing_records=self._missing,
        )


def _judged_otherwise(load: Load) -> str:
    """What is said of an open load that was opened as acceptable and is not so by the rules of now, or reversely."""
    return (
        f"The load {load.batch_id} ({load.name}) was opened by another version of replayhouse, whose rules say "
        "something else of its files: take it back with "
        f"replayhouse retract {load.batch_id} --reason TEXT. Then ingest them again."
    )


def _storable(name: str) -> str:
    """A name as the log can hold it: bytes of a path that are no UTF-8 are written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _units(firsts: list[int]) -> list[Unit]:
    """Units by their first buckets: each ends before the next one begins. A rejected load has none."""
    return [Unit(first, after - 1) for first, after in pairwise([*firsts, 256])]


@contextmanager
def _writing(staged: Staged) -> Iterator[duckdb.DuckDBPyConnection]:
    with interruptible(duckdb.connect(str(staged.database), config={"memory_limit": MEMORY})) as connection:
        yield connection
