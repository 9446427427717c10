"""The events of a run of commits, held against what the log says of them: leaves, positions, roots and batches.

A run is looked at as a whole, in bounded memory: table by table, as its rows come quickest, and put in order here. Only
where it does not hold is it read once more, one event after the other, for what is wrong (broken_runs). Runs are looked
at here, or by several processes that see the log as it was at one moment.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import pairwise
from struct import Struct
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.audit.broken_runs import named_break
from replayhouse.infra.audit.strays import first_gap
from replayhouse.infra.event_store.breaks import ONE_DIED, Broken
from replayhouse.infra.event_store.commits import Commit
from replayhouse.infra.event_store.log_tables import OWN_NAMES
from replayhouse.infra.event_store.merkle import root_of
from replayhouse.infra.postgres.binary_copy import field
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.copy_out import copied_rows
from replayhouse.infra.postgres.planner import AS_THEY_LIE_HERE, IN_ORDER_HERE
from replayhouse.infra.runtime import gc_pause
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

_NOBODYS = bytes(16)  # stands for the batch of an event that has none
_UNLIKE_ANY = bytes(32)  # stands for a leaf that is none, or is in the table of another context: no hash is this
# First what has a fixed length, then what a leaf is made of (see merkle), but for the context: that is the table's.
_EVENTS = {
    context: f"""
        COPY (
            SELECT notification_id, coalesce(batch_id, '{UUID(bytes=_NOBODYS)}'),
                CASE WHEN octet_length(leaf) = 32 AND starts_with(topic, '{context}.') THEN leaf
                    ELSE '\\x{_UNLIKE_ANY.hex()}' END,
                originator_id, originator_version, topic, state, batch_id, source
            FROM event_store.{context}_events WHERE notification_id BETWEEN %(first)s AND %(last)s
        ) TO STDOUT (FORMAT binary)
    """.encode()
    for context in CONTEXTS
}
_LEAF_BEGINS = {context: b"\x00" + field(context.encode()) for context in CONTEXTS}
_FIXED = Struct(">6xq4x16s4x32s")  # number of fields, then position, batch and leaf, each after its length


Run = Sequence[Commit]
"""Neighbouring commits that are looked at together."""


def first_break(conn: psycopg.Connection, run: Run) -> Broken | None:
    """The first event of a run that is not as it was recorded, or commit that is not of its events.

    A commit that does not begin where the one before it ends is as far as it looks: that is for the chain to tell.
    """
    return None if _holds(conn, run) else named_break(conn, run)


def _holds(conn: psycopg.Connection, run: Run) -> bool:
    """Whether commits that follow on each other are of their events, and these as they were recorded."""
    if any(before.last + 1 != commit.first for before, commit in pairwise(run)):
        return False
    with gc_pause.paused():
        found = _recomputed(conn, run[0].first, run[-1].last)
        if found is None:
            return False
        leaves, batches = found
        of_all = set(batches.values())
        return all(_is_of(commit, leaves, of_all if len(of_all) == 1 else batches) for commit in run)


def _recomputed(conn: psycopg.Connection, first: int, last: int) -> tuple[dict[int, bytes], dict[int, bytes]] | None:
    """The leaves of the events from a position to another, made anew, and their batches; both by position.

    None where a position has no event that is as it was recorded, or several. This is the hot loop: less than 2
    microseconds an event.
    """
    leaves, batches = dict[int, bytes](), dict[int, bytes]()
    unpack, size = _FIXED.unpack_from, _FIXED.size
    seen = 0
    conn.execute(AS_THEY_LIE_HERE)
    for context, events in _EVENTS.items():
        begin = _LEAF_BEGINS[context]
        with closing(copied_rows(conn, events, {"first": first, "last": last})) as rows:
            for row in rows:
                position, batch, stored = unpack(row)
                leaf = sha256(begin + row[size:]).digest()
                seen += 1
                if leaf == stored:
                    leaves[position], batches[position] = leaf, batch
    conn.execute(IN_ORDER_HERE)
    return (leaves, batches) if seen == len(leaves) == 1 + last - first else None


def _is_of(commit: Commit, leaves: Mapping[int, bytes], batches: Mapping[int, bytes] | Set[bytes]) -> bool:
    """Whether a commit is of the events at its positions, and names the batch of all of them, if they have one."""
    places = range(commit.first, commit.last + 1)
    named = batches if isinstance(batches, Set) else {batches[place] for place in places}
    batch = _NOBODYS if commit.batch_id is None else commit.batch_id.bytes
    return named == {batch} and root_of([leaves[place] for place in places]) == commit.root


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

    def gaps(self, after: int) -> Callable[[], Broken | None]:
        """Looks for gaps in streams that have grown after a position, beside the runs where processes do.

        What it returns says which is the first one.
        """
        found: Iterable[Broken | None]
        if self._pool is None:
            found = (first_gap(self._conn, context, after) for context in CONTEXTS)
        else:
            futures = [self._pool.submit(_look_for_gap, context, after) for context in CONTEXTS]
            found = (future.result() for future in futures)
        return lambda: min((gap for gap in found if gap is not None), key=lambda gap: gap.position, default=None)


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
    with translated():
        return first_break(_connected(), run)


def _look_for_gap(context: str, after: int) -> Broken | None:
    with translated():
        return first_gap(_connected(), context, after)


def _connected() -> psycopg.Connection:
    """What goes wrong in connecting is told like what goes wrong at work: an initializer would print it."""
    global _conn  # a process of the pool has one, in one transaction
    if _conn is None:
        assert _seen is not None, "the initializer has set it"
        database, snapshot = _seen
        _conn = database.connect("replayhouse audit verify")
        _conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        _conn.read_only = True
        _conn.execute(_SAME_SNAPSHOT.format(sql.Literal(snapshot)))
        _conn.execute(PLANS)
    return _conn
