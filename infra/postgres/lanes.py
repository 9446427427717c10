"""Work of one moment, done side by side: in lanes, each a connection with a thread, which share one snapshot.

The server works on the statement of each lane with a processor of its own; the threads only wait for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from threading import Condition
from typing import NamedTuple

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.planner import WORKERS_HERE
from replayhouse.infra.runtime.errors import Unreachable

Lanes = Sequence[psycopg.Connection]
"""None of them, or two and more, in autocommit."""

_EXPORT = "SELECT pg_export_snapshot()"
# Other processors have lanes of their own.
_IMPORT = sql.SQL(f"""
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET TRANSACTION SNAPSHOT {{}};
    {WORKERS_HERE.format(0)}
""")
_LIVES = "SELECT"


class Step(NamedTuple):
    """Something to do on a connection, within a transaction, when the steps named in `after` have committed."""

    name: str
    do: Callable[[psycopg.Connection], None]
    after: frozenset[str] = frozenset()


@contextmanager
def opened(database: Database, application_name: str, count: int) -> Iterator[Lanes]:
    """So many lanes; fewer, or none, where the server gives no more connections, and none in place of a single one."""
    with ExitStack() as stack:
        found: list[psycopg.Connection] = []
        with suppress(Unreachable):
            while len(found) < count and count > 1:
                found.append(stack.enter_context(database.connect(application_name, autocommit=True)))
        yield found if len(found) > 1 else []


def run(conn: psycopg.Connection, lanes: Lanes, steps: Iterable[Step]) -> None:
    """Does the steps, the first that can be done first, each in a transaction of its own, all with the snapshot of
    `conn`: that is in a REPEATABLE READ transaction, which has written nothing.

    What one commits stays, and the next see none of it but what every snapshot sees. The first error ends all lanes,
    and is raised; the error of `conn` itself, where its session has ended.
    """
    [snapshot] = conn.execute(_EXPORT).fetchone() or ()
    plan = _Plan(steps)
    with ThreadPoolExecutor(len(lanes), "lane") as threads:
        at_work = [threads.submit(_work, lane, snapshot, plan) for lane in lanes]
        try:
            for done in as_completed(at_work):
                done.result()
        except BaseException as error:
            plan.end()
            for lane in lanes:
                with suppress(psycopg.Error):  # it is lost
                    lane.cancel()
            if isinstance(error, psycopg.Error):
                conn.execute(_LIVES)
            raise


def _work(lane: psycopg.Connection, snapshot: str, plan: "_Plan") -> None:
    try:
        while (step := plan.next()) is not None:
            with lane.transaction():
                lane.execute(_IMPORT.format(sql.Literal(snapshot)))
                step.do(lane)
            plan.done(step)
    finally:  # an error ends the other lanes too; else there is nothing left to begin
        plan.end()


class _Plan:
    """Which step is to be done next: lanes ask in their threads, and wait where each of the rest waits for another."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._left = list(steps)
        self._done: set[str] = set()
        self._changed = Condition()

    def next(self) -> Step | None:
        """The first of those left that can be done; None where there is nothing left."""
        with self._changed:
            while self._left:
                for step in self._left:
                    if step.after <= self._done:
                        self._left.remove(step)
                        return step
                self._changed.wait()
            return None

    def done(self, step: Step) -> None:
        """The step has committed."""
        with self._changed:
            self._done.add(step.name)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more is begun."""
        with self._changed:
            self._left.clear()
            self._changed.notify_all()
