"""The units of a load over several processes, or in this one where the work is small."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from replayhouse.infra.event_store.serialization.mapper import mapper_of_our_events
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.load_log import OpenLoad, PostgresLoadLog
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.runtime import gc_pause
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.runtime.subprocesses import end_with_parent, started_pool
from replayhouse.infra.staging.work import DuckDBWork
from replayhouse.infra.telemetry.spans import Brought, Work, bring, fetched, span
from replayhouse.ingest.load import EVENTS_A_CHUNK, work_through
from replayhouse.ingest.ports import Unit

if TYPE_CHECKING:
    from replayhouse.infra.loads.on_columns.working import ColumnWorker

UNITS_WORTH_A_PROCESS = 3
"""A process that is not forked takes a third of a second to start; so many units take longer than that."""

UNITS_AT_ONCE = 6
"""So many neighbouring units are decided together at most: with more of them two processes would take over 1 GB."""

EVENTS_AT_ONCE = UNITS_AT_ONCE * EVENTS_A_CHUNK
"""So many events, more or less, are decided together on columns at most, for all of them are in memory: a unit is a
bucket at least, however much that holds.
"""

RUNS_A_PROCESS = 4
"""So many times as many runs of units as processes there are at least, where there are units enough."""

WORKER_MEMORY = "150MB"

NEW_PERSONS = 300
"""In a later load, fewer new persons together are decided as quickly one by one."""

SHARE_OF_NEW = 0.25
"""Where fewer of the persons are new, nearly all are decided by themselves: then in chunks, which takes less memory."""

_PERSONS = """
    SELECT count(*), count(*) FILTER (k.customer_id IS NULL AND p.customer_id IS NOT NULL)
    FROM work_person AS p
    LEFT JOIN (SELECT DISTINCT customer_id FROM known_alias) AS k ON k.customer_id = p.customer_id
    WHERE p.bucket BETWEEN $first AND $last
"""


@dataclass(frozen=True)
class Assignment:
    """All that a process needs to work through units of a load."""

    database: Database
    staged: Path
    load: OpenLoad
    as_of: date | None
    on_columns: bool


class Worker:
    """A process' connections to the staging database and the log, and what it looks up again and again."""

    def __init__(self, assignment: Assignment) -> None:
        self._staged = interruptible(
            duckdb.connect(str(assignment.staged), read_only=True, config={"threads": 1, "memory_limit": WORKER_MEMORY})
        )
        self._as_of, self._on_columns = assignment.as_of, assignment.on_columns
        self._work = DuckDBWork(self._staged)
        self._connection = assignment.database.connect("replayhouse ingest worker", autocommit=True)
        self._log = PostgresLoadLog(self._connection, EventStore(), assignment.load, self._work)
        self._seller_zips = self._work.seller_zips()

    def run(self, units: Sequence[Unit]) -> list[tuple[Unit, int]]:
        """Decides and appends what is left of neighbouring units; returns with each how many events that were."""
        with translated(), gc_pause.paused():
            if self._on_columns and not self._work.lacks_columns:
                return list(self._run_on_columns(units))
            return [(unit, self._run(unit)) for unit in units]

    def _run_on_columns(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, int]]:
        for some, events in together(units, self._work.sizes(), EVENTS_AT_ONCE):
            if events > EVENTS_AT_ONCE or not self._brings_many(some):
                yield from ((unit, self._run(unit)) for unit in some)  # family by family, memory holds a chunk of it
            else:
                yield from self._run_within_memory(some)

    @cached_property
    def _column_worker(self) -> "ColumnWorker":
        from replayhouse.infra.loads.on_columns.working import ColumnWorker  # most loads need no numpy

        return ColumnWorker(self._connection, self._staged, self._log, self._as_of, mapper_of_our_events())

    def _brings_many(self, units: Sequence[Unit]) -> bool:
        """Whether so many persons are new, as far as the extract and earlier ones tell, that columns pay."""
        buckets = {"first": units[0].first_bucket, "last": units[-1].last_bucket}
        persons, new = self._staged.execute(_PERSONS, buckets).fetchall()[0]
        return self._log.is_first or (new >= NEW_PERSONS and new >= persons * SHARE_OF_NEW)

    def _run_within_memory(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, int]]:
        """All of them together, or, where memory does not hold that, one half after the other; of a single unit, family
        by family. What was appended till then is not done again: a unit knows its progress.
        """
        left = list(units)
        with suppress(MemoryError):
            for unit, events in self._column_worker.run(units):
                left.remove(unit)
                yield unit, events
        half = len(left) // 2
        if half:
            yield from self._run_within_memory(left[:half])
            yield from self._run_within_memory(left[half:])
        else:
            yield from ((unit, self._run(unit)) for unit in left)

    def _run(self, unit: Unit) -> int:
        with span(Work.LOAD_UNIT) as done:
            events = work_through(unit, self._work, self._log, self._as_of, self._seller_zips)
            done.tell(events=events)
            return events

    def close(self) -> None:
        """Closes the connections."""
        self._connection.close()
        self._staged.close()


_assignment: Assignment | None = None
_worker: Worker | None = None


def _start(assignment: Assignment) -> None:
    global _assignment  # what the one worker of a process of the pool is made of, by its first task
    end_with_parent()
    Finalize(None, _stop, exitpriority=1)
    _assignment = assignment


def _stop() -> None:
    """Ends the process without taking the interpreter apart: DuckDB's binding reports leaks of its own when that is."""
    if _worker is not None:
        _worker.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _run(units: Sequence[Unit]) -> Brought[list[tuple[Unit, int]]]:
    """What goes wrong in making the worker is told like what goes wrong at work: an initializer would print it."""
    global _worker  # the one worker of a process of the pool, used by all its tasks
    if _worker is None:
        assert _assignment is not None, "the initializer has set it"
        _worker = Worker(_assignment)
    return bring(_worker.run(units))


def run_units(assignment: Assignment, units: Sequence[Unit], processes: int, done: Callable[[Unit, int], None]) -> None:
    """Works through all units; `done` is told of each one with its number of events, in any order."""
    processes = min(processes, len(units) // UNITS_WORTH_A_PROCESS)
    if processes <= 1:
        worker = Worker(assignment)
        try:
            for run in _runs(units, 1):
                for unit, events in worker.run(run):
                    done(unit, events)
        finally:
            worker.close()
        return
    for unit, events in _pooled(assignment, units, processes):
        done(unit, events)


def _runs(units: Sequence[Unit], processes: int) -> list[Sequence[Unit]]:
    """Neighbouring units that are worked through together: many, but so few that no process is long without work."""
    size = max(1, min(UNITS_AT_ONCE, -(-len(units) // (processes * RUNS_A_PROCESS))))
    return [units[at : at + size] for at in range(0, len(units), size)]


def together(units: Sequence[Unit], sizes: Mapping[int, int], most: int) -> Iterator[tuple[list[Unit], int]]:
    """Runs of neighbouring units that hold `most` events together, and how many that are; a unit that holds more is by
    itself. `sizes` maps buckets to events, estimated.
    """
    run: list[Unit] = []
    held = 0
    for unit in units:
        size = sum(sizes.get(bucket, 0) for bucket in range(unit.first_bucket, unit.last_bucket + 1))
        if run and held + size > most:
            yield run, held
            run, held = [], 0
        run.append(unit)
        held += size
    if run:
        yield run, held


def _pooled(assignment: Assignment, units: Sequence[Unit], processes: int) -> Iterator[tuple[Unit, int]]:
    with started_pool(processes, _start, (assignment,)) as pool:
        try:
            for task in as_completed([pool.submit(_run, run) for run in _runs(units, processes)]):
                yield from fetched(task.result())
        except BrokenProcessPool as error:
            pool.kill()
            raise ReplayhouseError(
                "A process of this load ended unexpectedly: nothing is lost, run the same command again to go on."
            ) from error
        except BaseException:
            # Nobody goes on after the command: it holds the lock, and owns the folder that they read from.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
