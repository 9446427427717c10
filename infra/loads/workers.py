"""The units of a load over several processes, or in this one where the work is small."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from multiprocessing.util import Finalize
from pathlib import Path

import duckdb

from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.load_log import OpenLoad, PostgresLoadLog
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.runtime import gc_pause
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.runtime.subprocesses import end_with_parent, started_pool
from replayhouse.infra.staging.work import DuckDBWork
from replayhouse.infra.telemetry.spans import Brought, Work, bring, fetched, span
from replayhouse.ingest.load import work_through
from replayhouse.ingest.ports import Unit

UNITS_WORTH_A_PROCESS = 3
"""A process that is not forked takes a third of a second to start; so many units take longer than that."""

WORKER_MEMORY = "150MB"


@dataclass(frozen=True)
class Assignment:
    """All that a process needs to work through units of a load."""

    database: Database
    staged: Path
    load: OpenLoad
    as_of: date | None


class Worker:
    """A process' connections to the staging database and the log, and what it looks up again and again."""

    def __init__(self, assignment: Assignment) -> None:
        self._staged = interruptible(
            duckdb.connect(str(assignment.staged), read_only=True, config={"threads": 1, "memory_limit": WORKER_MEMORY})
        )
        self._as_of = assignment.as_of
        self._work = DuckDBWork(self._staged)
        self._connection = assignment.database.connect("replayhouse ingest worker", autocommit=True)
        self._log = PostgresLoadLog(self._connection, EventStore(), assignment.load, self._work)
        self._seller_zips = self._work.seller_zips()

    def run(self, unit: Unit) -> int:
        """Decides and appends what is left of a unit; returns how many events that were."""
        with translated(), gc_pause.paused(), span(Work.LOAD_UNIT) as done:
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


def _run(unit: Unit) -> Brought[int]:
    """What goes wrong in making the worker is told like what goes wrong at work: an initializer would print it."""
    global _worker  # the one worker of a process of the pool, used by all its tasks
    if _worker is None:
        assert _assignment is not None, "the initializer has set it"
        _worker = Worker(_assignment)
    return bring(_worker.run(unit))


def run_units(assignment: Assignment, units: Sequence[Unit], processes: int, done: Callable[[Unit, int], None]) -> None:
    """Works through all units; `done` is told of each one with its number of events, in any order."""
    processes = min(processes, len(units) // UNITS_WORTH_A_PROCESS)
    if processes <= 1:
        worker = Worker(assignment)
        try:
            for unit in units:
                done(unit, worker.run(unit))
        finally:
            worker.close()
        return
    for unit, events in _pooled(assignment, units, processes):
        done(unit, events)


def _pooled(assignment: Assignment, units: Sequence[Unit], processes: int) -> Iterator[tuple[Unit, int]]:
    with started_pool(processes, _start, (assignment,)) as pool:
        try:
            tasks = {pool.submit(_run, unit): unit for unit in units}
            for task in as_completed(tasks):
                yield tasks[task], fetched(task.result())
        except BrokenProcessPool as error:
            pool.kill()
            raise ReplayhouseError(
                "A process of this load ended unexpectedly: nothing is lost, run the same command again to go on."
            ) from error
        except BaseException:
            # Nobody goes on after the command: it holds the lock, and owns the folder that they read from.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
