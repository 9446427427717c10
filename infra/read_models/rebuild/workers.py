"""What every rebuild shares, whatever becomes of the tables: the work cut into ranges, and the processes that do it.

The tables that are filled stand beside the live ones; nothing here looks at those.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import tables_as_json
from replayhouse.infra.read_models.rebuild.range_loader import Finish, Loaded, Loader, Range, ranges
from replayhouse.infra.read_models.rebuild.taken_over import Standing, TakeOver
from replayhouse.infra.read_models.schema import Model, line_writer
from replayhouse.infra.read_models.stream_reader import LOG, Source
from replayhouse.infra.read_models.windows import events_of
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.subprocesses import Pool, end_with_parent, started_pool
from replayhouse.projections.digest import NOTHING, Digest, digest_of
from replayhouse.projections.projection import Rows

_EVENTS_A_RANGE = 25_000
_MOST_RANGES = 64
_FAREWELL_SECONDS = 10.0
_EVENTS_WORTH_A_PROCESS = 30_000  # a process that is not forked takes half a second to start

_EVENTS_AS_DEAR_AS_ONE_FOLDED = 8  # so many of them, if their rows are taken over

_Task = Range | TakeOver | Finish

Parts = Callable[[int, int], None]
"""Takes how many of how many parts of the work are done."""


def untold(done: int, of: int) -> None:
    """For where nobody asks how far it is."""


@dataclass
class Rebuilt:
    """What came of a context: its new revision, the position it shows, how much was folded, its tables' digests.

    `revision` is None where the tables stand under a prefix. `differed` names the live tables whose rows were not what
    the log makes; None where nobody could tell.
    """

    revision: int | None
    position: int
    events: int = 0
    seconds: float = 0.0
    tables: dict[str, Digest] = field(default_factory=dict)
    differed: list[str] | None = None

    def as_json(self) -> dict[str, Any]:
        """As `rebuild --json` prints it: `differed` only where there is something to tell."""
        return {
            "revision": self.revision,
            "position": self.position,
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "tables": tables_as_json(self.tables),
            **({"differed": self.differed} if self.differed else {}),
        }


def load_all(
    database: Database,
    conn: psycopg.Connection,
    models: Sequence[Model],
    built: Mapping[str, Rebuilt],
    workers: int,
    occurred_before: datetime | None = None,
    source: Source = LOG,
    tell: Parts = untold,
    standing: Mapping[str, Standing] | None = None,
    with_digests: bool = True,
) -> None:
    """Fills new tables (their unknown members are in, their keys off) with all streams up to the positions of `built`.

    With `occurred_before`, a local time, with what had happened by then. What is shown is told in `built`, by context.
    Of contexts with live tables that are `standing`, only touched streams are folded, and the rows of the others are
    taken over; their digests are not taken unless that is wanted. The tables of a context are finished as soon as its
    last range is in, and linked when all are. Raises Unfoldable, and ReplayhouseError where a process dies.
    """
    started, finished = time.monotonic(), 0
    taken_over = standing or {}
    tasks, left, events = _planned(conn, models, built, occurred_before, source, taken_over, with_digests)
    of = sum(left.values()) + sum(len(built[model.projection.context].tables) for model in models)
    tell(finished, of)
    by_context = {model.projection.context: model for model in models}
    with _crew(database, min(workers, 1 + events // _EVENTS_WORTH_A_PROCESS)) as crew:
        for done, loaded in crew.do(tasks):
            finished += 1
            tell(finished, of)
            if loaded is not None:
                rebuilt = built[done.context]
                if done.context not in taken_over:
                    rebuilt.events += loaded.events
                for name, digest in loaded.tables.items():
                    rebuilt.tables[name] += digest
                left[done.context] -= 1
                if left[done.context] == 0:
                    for task in _finishes(by_context[done.context], rebuilt):
                        crew.add(task)
            built[done.context].seconds = time.monotonic() - started
    for model in models:
        model.link(conn)


def _planned(
    conn: psycopg.Connection,
    models: Sequence[Model],
    built: Mapping[str, Rebuilt],
    occurred_before: datetime | None,
    source: Source,
    standing: Mapping[str, Standing],
    with_digests: bool,
) -> tuple[list[_Task], dict[str, int], int]:
    """What there is to do at first, how many parts of each context that is, and how many events it is worth in all."""
    tasks: list[_Task] = []
    left: dict[str, int] = {}
    total = 0
    for model in models:
        context, position = model.projection.context, built[model.projection.context].position
        built[context].tables = unknown_members(model)
        if occurred_before is not None and not model.projection.has_business_time:
            tasks += _finishes(model, built[context])
            continue
        if context in standing:
            known = standing[context]
            built[context].events = known.events
            of_context = _taken_over(model, position, known, with_digests)
            total += known.folded + known.events // _EVENTS_AS_DEAR_AS_ONE_FOLDED
        else:
            events = events_of(conn, context, position, source)
            of_context = list(ranges(context, model.schema, position, _parts_of(events), occurred_before, source))
            total += events
        left[context] = len(of_context)
        tasks += of_context
    return tasks, left, total


def _taken_over(model: Model, position: int, standing: Standing, with_digests: bool) -> list[_Task]:
    """What is to be taken over, and what is to be folded beside it."""
    context = model.projection.context
    tasks: list[_Task] = [TakeOver(context, model.schema, name, standing, with_digests) for name in model.tables]
    tasks += ranges(context, model.schema, position, _parts_of(standing.folded), touched=standing.touched)
    return tasks


def _parts_of(events: int) -> int:
    return max(1, min(_MOST_RANGES, events // _EVENTS_A_RANGE))


def _finishes(model: Model, rebuilt: Rebuilt) -> list[Finish]:
    context = model.projection.context
    return [Finish(context, model.schema, name, digest.rows) for name, digest in rebuilt.tables.items()]


def unknown_members(model: Model) -> dict[str, Digest]:
    """The digests of new tables as they were made."""
    found = dict.fromkeys((table.name for table in model.projection.tables), NOTHING)
    found.update(digests_of(model, [model.projection.unknown_members]))
    return found


def digests_of(model: Model, streams: Iterable[Rows]) -> dict[str, Digest]:
    """By table, the digest of the rows of some streams."""
    rows: Rows = defaultdict(list)
    for of_stream in streams:
        for name, of_table in of_stream.items():
            rows[name] += of_table
    return {name: digest_of(line_writer(model.projection_table(name)).lines(of)) for name, of in rows.items()}


# --- processes --------------------------------------------------------------------------------------------------


_database: Database | None = None
_loader: Loader | None = None


class _Crew:
    """Does tasks, here or in processes; more may be added while they are done."""

    def __init__(self, database: Database, pool: Pool | None) -> None:
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

    def _in(self, pool: Pool) -> Iterator[tuple[_Task, Loaded | None]]:
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
    with started_pool(processes, _start, (database,)) as pool:
        try:
            yield _Crew(database, pool)
        except BaseException as error:
            if isinstance(error, BrokenProcessPool):
                pool.kill()
            with _killed_when_overdue(pool.processes):
                pool.shutdown(wait=True, cancel_futures=True)
            if isinstance(error, BrokenProcessPool):
                raise ReplayhouseError(
                    "A process of the rebuild ended unexpectedly, perhaps for want of memory. The live read models "
                    "stay as they were: run it again, with fewer --workers."
                ) from error
            raise


@contextmanager
def _killed_when_overdue(processes: Sequence[BaseProcess]) -> Iterator[None]:
    """Waiting for them in the block comes to an end, whatever they are stuck in: what they do is undone anyway."""

    def kill() -> None:
        for process in processes:
            process.kill()

    timer = threading.Timer(_FAREWELL_SECONDS, kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _start(database: Database) -> None:
    global _database  # where the loader of a process of the pool works, which its first task makes
    end_with_parent()
    _database = database


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
    if isinstance(task, TakeOver):
        return loader.take_over(task)
    loader.finish(task)
    return None
