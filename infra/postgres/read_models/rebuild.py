"""Rebuilding read models: everything is folded again, beside the live tables, by several processes, and swapped in.

It appends nothing, publishes nothing, and gives the same rows with any number of processes. Killed at any moment, it
leaves the live tables as they were, and what it had made is removed by the next rebuild.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from typing import Any

import psycopg

from infra.errors import ReplayhouseError
from infra.postgres.connection import Database, translated
from infra.postgres.locks import exclusive
from infra.postgres.read_models import revisions, tracking
from infra.postgres.read_models.calendar import keep_calendar
from infra.postgres.read_models.digests import tables_as_json
from infra.postgres.read_models.following import Follower, Window, events_of, head_of
from infra.postgres.read_models.loading import (
    Finish,
    Loaded,
    Loader,
    Range,
    ranges,
    unfoldable,
)
from infra.postgres.read_models.preparing import prepare
from infra.postgres.read_models.revisions import NextRevision
from infra.postgres.read_models.schema import line_writer
from projections.digest import NOTHING, Digest, digest_of
from projections.projection import Rows
from projections.warehouse import PROJECTIONS

LOCK = "rebuild"

_EVENTS_A_RANGE = 25_000
_MOST_RANGES = 64
_LAST_OF_A_KILLED_SECONDS = 2.0  # the server looks each second whether its clients live
_EVENTS_WORTH_A_PROCESS = 30_000  # a process takes half a second to start


@dataclass
class Rebuilt:
    """What came of a context: its new revision, the position it shows, how much was folded, its tables' digests."""

    revision: int
    position: int
    events: int = 0
    seconds: float = 0.0
    tables: dict[str, Digest] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `rebuild --json` prints it."""
        return {
            "revision": self.revision,
            "position": self.position,
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "tables": tables_as_json(self.tables),
        }


def rebuild(
    database: Database,
    contexts: Iterable[str] = tuple(PROJECTIONS),
    workers: int | None = None,
    wait: float = 10.0,
) -> dict[str, Rebuilt]:
    """Folds the contexts' streams into next revisions and swaps them in, all at once.

    `workers` processes share the work, by default as many as there are processors. Raises Conflicting if another
    rebuild is still at work after `wait` seconds, Unfoldable where a stream cannot be folded, and what `translated`
    says; the live read models are then as they were.
    """
    return _rebuild(database, contexts, workers, wait, revisions.begin)


def fill(database: Database, contexts: Iterable[str], workers: int | None = None) -> dict[str, Rebuilt]:
    """Does the same for read models that are empty yet: they are filled, and keep their revision.

    Waits no longer than the lock of a killed command may live on.
    """
    return _rebuild(database, contexts, workers, _LAST_OF_A_KILLED_SECONDS, revisions.begin_filling)


def _rebuild(
    database: Database,
    contexts: Iterable[str],
    workers: int | None,
    wait: float,
    begin: Callable[[psycopg.Connection, str], NextRevision],
) -> dict[str, Rebuilt]:
    with database.connect("replayhouse rebuild", autocommit=True) as conn, translated():
        prepare(conn)
        with exclusive(conn, LOCK, wait):
            revisions.remove_unfinished(conn)
            begun: list[NextRevision] = []
            try:
                begun.extend(begin(conn, context) for context in contexts)
                return _Rebuild(database, conn, begun).run(workers or os.cpu_count() or 1)
            except BaseException:
                for revision in begun:
                    if not conn.closed:
                        revisions.abandon(conn, revision)
                raise


class _Rebuild:
    """One rebuild of some contexts, on a connection that holds the lock."""

    def __init__(self, database: Database, conn: psycopg.Connection, begun: Sequence[NextRevision]) -> None:
        self._database = database
        self._conn = conn
        self._begun = begun
        self._started = time.monotonic()
        self._built: dict[str, Rebuilt] = {}

    def run(self, workers: int) -> dict[str, Rebuilt]:
        head = head_of(self._conn)
        tasks: list[Range] = []
        total = 0
        for revision in self._begun:
            rebuilt = Rebuilt(revision.revision, head, tables=_unknown_members(revision))
            self._built[revision.context] = rebuilt
            events = events_of(self._conn, revision.context, head)
            total += events
            number = max(1, min(_MOST_RANGES, events // _EVENTS_A_RANGE))
            tasks += ranges(revision.context, revision.schema, head, number)
        with _crew(self._database, min(workers, 1 + total // _EVENTS_WORTH_A_PROCESS)) as crew:
            self._load(crew, tasks)
        for revision in self._begun:
            self._follow(revision, self._built[revision.context])
        revisions.wait_for_old_snapshots(self._conn)
        shown: dict[str, Rebuilt] = {}

        def last_steps(known: dict[str, tracking.Projected]) -> dict[str, tuple[int, int]]:
            shown.update(self._last_steps(known))
            return {context: (rebuilt.position, rebuilt.events) for context, rebuilt in shown.items()}

        revisions.swap(self._conn, self._begun, last_steps)
        with self._conn.transaction():
            keep_calendar(self._conn)
        revisions.drop_retired(self._conn)
        return shown

    def _load(self, crew: "_Crew", tasks: Sequence[Range]) -> None:
        """Loads all ranges; the tables of a context are finished as soon as its last range is in."""
        left: dict[str, int] = defaultdict(int)
        schemas = {revision.context: revision.schema for revision in self._begun}
        for context in (task.context for task in tasks):
            left[context] += 1
        for task, loaded in crew.do(tasks):
            if loaded is not None:
                rebuilt = self._built[task.context]
                rebuilt.events += loaded.events
                for name, digest in loaded.tables.items():
                    rebuilt.tables[name] += digest
                left[task.context] -= 1
                if left[task.context] == 0:
                    for name, digest in rebuilt.tables.items():
                        crew.add(Finish(task.context, schemas[task.context], name, digest.rows))
            self._built[task.context].seconds = time.monotonic() - self._started

    def _follow(self, revision: NextRevision, rebuilt: Rebuilt) -> None:
        """Brings a loaded revision up to the head of the log, window by window."""
        follower = Follower(self._conn, revision.model)
        head = head_of(self._conn)
        while rebuilt.position < head:
            with self._conn.transaction():
                events, end = follower.window_after(rebuilt.position, head)
                if events:
                    window = _all_folded(follower.follow(rebuilt.position, end, {}), revision.context)
                    _tell_apart(revision, window, rebuilt)
            rebuilt.events += events
            rebuilt.position = end

    def _last_steps(self, known: dict[str, tracking.Projected]) -> dict[str, Rebuilt]:
        """The revisions at the head, which all are when the swap commits, within its transaction."""
        shown = {}
        for revision in self._begun:
            rebuilt = self._built[revision.context]
            copy = Rebuilt(rebuilt.revision, rebuilt.position, rebuilt.events, rebuilt.seconds, dict(rebuilt.tables))
            self._follow(revision, copy)
            assert copy.position >= known[revision.context].position
            copy.seconds = time.monotonic() - self._started
            shown[revision.context] = copy
        return shown


def _unknown_members(revision: NextRevision) -> dict[str, Digest]:
    """The digests of the new tables as they were made."""
    projection = revision.model.projection
    found = dict.fromkeys((table.name for table in projection.tables), NOTHING)
    found.update(_digests(revision, [projection.unknown_members]))
    return found


def _digests(revision: NextRevision, streams: Iterable[Rows]) -> dict[str, Digest]:
    rows: Rows = defaultdict(list)
    for of_stream in streams:
        for name, of_table in of_stream.items():
            rows[name] += of_table
    model = revision.model
    return {name: digest_of(line_writer(model.projection_table(name)).lines(of)) for name, of in rows.items()}


def _all_folded(window: Window, context: str) -> Window:
    for stream in window.parked:
        raise unfoldable(context, stream.originator_id, stream.error)
    return window


def _tell_apart(revision: NextRevision, window: Window, rebuilt: Rebuilt) -> None:
    """Corrects the digests by the rows that a window has replaced: they are sums, so the old ones are taken off."""
    folded = window.folded.values()
    for name, digest in _digests(revision, (stream.after for stream in folded)).items():
        rebuilt.tables[name] += digest
    for name, digest in _digests(revision, (stream.before for stream in folded)).items():
        rebuilt.tables[name] -= digest


# --- processes --------------------------------------------------------------------------------------------------

_Task = Range | Finish
_database: Database | None = None
_loader: Loader | None = None


class _Crew:
    """Does tasks, here or in processes; more may be added while they are done."""

    def __init__(self, database: Database, pool: ProcessPoolExecutor | None) -> None:
        self._database = database
        self._pool = pool
        self._waiting: list[_Task] = []

    def add(self, task: _Task) -> None:
        """One more task."""
        self._waiting.append(task)

    def do(self, tasks: Iterable[_Task]) -> Iterator[tuple[_Task, Loaded | None]]:
        """Each task, as it is done, with what came of it."""
        self._waiting += tasks
        return self._here() if self._pool is None else self._in(self._pool)

    def _here(self) -> Iterator[tuple[_Task, Loaded | None]]:
        loader = Loader(self._database)
        try:
            while self._waiting:
                task = self._waiting.pop(0)
                yield task, _done(loader, task)
        finally:
            loader.close()

    def _in(self, pool: ProcessPoolExecutor) -> Iterator[tuple[_Task, Loaded | None]]:
        running: dict[Future[Loaded | None], _Task] = {}
        while self._waiting or running:
            running.update({pool.submit(_do, task): task for task in self._waiting})
            self._waiting.clear()
            for future in wait_for(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


@contextmanager
def _crew(database: Database, processes: int) -> Iterator[_Crew]:
    if processes <= 1:
        yield _Crew(database, None)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (database,)) as pool:
        try:
            yield _Crew(database, pool)
        except BrokenProcessPool as error:
            raise ReplayhouseError(
                "A process of the rebuild ended unexpectedly, perhaps for want of memory. The live read models stay as "
                "they were: run it again, with fewer --workers."
            ) from error
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _start(database: Database) -> None:
    global _database  # where the loader of a process of the pool works, which its first task makes
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _database = database


def _end_with_parent() -> None:
    """A pool's process would wait for ever for a parent that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: _Task) -> Loaded | None:
    """What goes wrong in making the loader is told like what goes wrong at work: an initializer would print it."""
    global _loader  # a process of the pool has one, used by all its tasks
    if _loader is None:
        assert _database is not None, "the initializer has set it"
        _loader = Loader(_database)
    return _done(_loader, task)


def _done(loader: Loader, task: _Task) -> Loaded | None:
    if isinstance(task, Range):
        return loader.load(task)
    loader.finish(task)
    return None
