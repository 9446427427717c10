"""The events of a run of commits, held against what the log says of them: leaves, positions, roots and batches.

One pass in the order of positions, in bounded memory: the server sends each event in the binary COPY format, in which
all but the first bytes and the last 68 are exactly what its leaf was made of (see merkle). Runs are looked at here, or
by several processes that see the log as it was at one moment.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.breaks import (
    ANOTHER_BATCH,
    ONE_DIED,
    REMOVED,
    TWICE,
    BreakFound,
    Broken,
    other_events,
)
from replayhouse.infra.event_store.commits import Commit
from replayhouse.infra.event_store.log_tables import ALL_EVENTS, OWN_NAMES
from replayhouse.infra.event_store.merkle import leaf_of, root_of
from replayhouse.infra.postgres.binary_copy import unframed
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.planner import IN_ORDER_HERE
from replayhouse.infra.runtime.subprocesses import Pool, end_with_parent, ending, started_pool

EVENTS_WORTH_A_PROCESS = 150_000
"""A process that is not forked takes the better part of a second to start."""

_RUNS_AHEAD = 3  # a process has the next run at hand; what was found is taken in order

_SNAPSHOT = "SELECT pg_export_snapshot()"
_SAME_SNAPSHOT = sql.SQL("SET TRANSACTION SNAPSHOT {}")
PLANS = f"""
    {OWN_NAMES};
    -- The events lie in the order of their positions, more or less: reading them by index needs no sort on disk.
    {IN_ORDER_HERE};
"""
"""How `first_break` reads; for the transaction at hand."""

_CONTEXTS = ", ".join(f"'{context}'" for context in CONTEXTS)
_NO_LEAF, _MISPLACED = b"\x00" * 32, b"\x01" * 32  # what stands for a leaf that is never compared: no hash is this
_EVENTS = f"""
    COPY (
        SELECT context, originator_id, originator_version, topic, state, batch_id, source,
            coalesce(batch_id, '00000000-0000-0000-0000-000000000000'), notification_id,
            CASE WHEN octet_length(leaf) IS DISTINCT FROM 32 THEN '\\x{_NO_LEAF.hex()}'
                WHEN split_part(topic, '.', 1) <> context AND split_part(topic, '.', 1) IN ({_CONTEXTS})
                    THEN '\\x{_MISPLACED.hex()}' ELSE leaf END
        FROM ({ALL_EVENTS}) AS log WHERE notification_id BETWEEN %s AND %s ORDER BY notification_id
    ) TO STDOUT (FORMAT binary)
"""
_CHANGED = {
    _NO_LEAF: "the event has no leaf: none of 32 bytes",
    _MISPLACED: "the event has a topic of another context than that of its table",
}

# A row of _EVENTS: the number of fields, then each with its length before it; the last three are of fixed length.
_HASHED, _BATCH, _POSITION, _LEAF = slice(2, -68), slice(-64, -48), slice(-44, -36), slice(-32, None)


Run = Sequence[Commit]
"""Neighbouring commits that are looked at together."""


def first_break(conn: psycopg.Connection, run: Run) -> Broken | None:
    """The first event of a run that is not as it was recorded, or commit that is not of its events.

    A commit that does not begin where the one before it ends is as far as it looks: that is for the chain to tell.
    """
    expected = run[0].first
    try:
        with closing(_rows(conn, run[0].first, run[-1].last)) as rows:
            for commit in run:
                if commit.first != expected:
                    return None
                _refuse_other_events(commit, rows)
                expected = commit.last + 1
            for row in rows:
                return Broken(int.from_bytes(row[_POSITION], "big"), TWICE)
    except BreakFound as found:
        return found.broken
    return None


def _refuse_other_events(commit: Commit, rows: Iterator[bytes]) -> None:
    own, batches = _own_leaves(rows, commit.first, commit.last)
    if root_of(own) != commit.root:
        raise BreakFound(commit.first, other_events(commit.last))
    if commit.batch_id != _common_batch(batches):
        raise BreakFound(commit.first, ANOTHER_BATCH)


def _rows(conn: psycopg.Connection, first: int, last: int) -> Generator[bytes, None, None]:
    """The events by position, each as a row of the binary COPY format."""
    with conn.cursor().copy(_EVENTS.encode(), [first, last]) as copy:
        yield from map(bytes, unframed(map(memoryview, copy)))


def _own_leaves(rows: Iterator[bytes], first: int, last: int) -> tuple[list[bytes], set[bytes]]:
    """The leaves of the events from a position to another, recomputed and found to be as stored; and their batches.

    This is the hot loop: 3 microseconds an event.
    """
    leaves, batches = [], set()
    for position in range(first, last + 1):
        row = next(rows, None)
        found = last + 1 if row is None else int.from_bytes(row[_POSITION], "big")
        if row is None or found > position:
            raise BreakFound(position, REMOVED)
        if found < position:
            raise BreakFound(found, TWICE)
        leaf = leaf_of(row[_HASHED])
        if leaf != row[_LEAF]:
            raise BreakFound(position, _CHANGED.get(row[_LEAF], "the event was changed: its leaf is another one"))
        leaves.append(leaf)
        batches.add(row[_BATCH])
    return leaves, batches


def _common_batch(batches: set[bytes]) -> UUID | None:
    """The batch of all events of a commit; None where they have none, or several."""
    [batch, *others] = batches
    return None if others or not any(batch) else UUID(bytes=batch)


# --- processes --------------------------------------------------------------------------------------------------


class Crew:
    """Looks at runs, here or in processes, and tells of them in their order."""

    def __init__(self, conn: psycopg.Connection, pool: Pool | None, processes: int) -> None:
        self._conn = conn
        self._pool = pool
        self._ahead = processes * _RUNS_AHEAD

    def look_at(self, runs: Iterable[Run]) -> Iterator[tuple[Run, Broken | None]]:
        """Each run, with the first break in it. `runs` is drawn on as they are done: memory stays bounded."""
        if self._pool is None:
            for run in runs:
                yield run, first_break(self._conn, run)
            return
        waiting: deque[tuple[Run, Future[Broken | None]]] = deque()
        for run in runs:
            waiting.append((run, self._pool.submit(_look, run)))
            if len(waiting) >= self._ahead:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()


@contextmanager
def crew(conn: psycopg.Connection, database: Database | None, processes: int) -> Iterator[Crew]:
    """`conn` is in the transaction whose snapshot all processes see; without a database it does everything itself."""
    if database is None or processes <= 1:
        yield Crew(conn, None, 1)
        return
    row = conn.execute(_SNAPSHOT).fetchone()
    assert row is not None  # a function always gives a row
    pool = started_pool(processes, _start, (database, str(row[0])))
    with ending(pool, ONE_DIED):
        yield Crew(conn, pool, processes)


_seen: tuple[Database, str] | None = None
_conn: psycopg.Connection | None = None


def _start(database: Database, snapshot: str) -> None:
    global _seen  # what the connection of a process of the pool is made of, by its first task
    end_with_parent()
    _seen = database, snapshot


def _look(run: Run) -> Broken | None:
    """What goes wrong in connecting is told like what goes wrong at work: an initializer would print it."""
    global _conn  # a process of the pool has one, in one transaction
    with translated():
        if _conn is None:
            assert _seen is not None, "the initializer has set it"
            database, snapshot = _seen
            _conn = database.connect("replayhouse audit verify")
            _conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            _conn.read_only = True
            _conn.execute(_SAME_SNAPSHOT.format(sql.Literal(snapshot)))
            _conn.execute(PLANS)
        return first_break(_conn, run)
