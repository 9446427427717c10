"""Tables of two read models, compared by two connections that see the same moment, where they are large enough.

The server's own workers share one join, and wait for one another at its end; two joins at once do not.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
from psycopg import IsolationLevel, errors, sql
from sqlalchemy import Table

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.planner import WORKERS_HERE
from replayhouse.infra.read_models.snapshots.diff import SETTINGS, Side
from replayhouse.infra.runtime.errors import ReplayhouseError

Tables = Sequence[tuple[str, Table]]
"""Tables to compare, each with its context."""
T = TypeVar("T")
Work = Callable[[psycopg.Connection, str, Table], T]

WORTH_A_CONNECTION = 16 * 2**20
"""Bytes of the tables of one side: less is compared before another connection is there."""

_SIZE = "SELECT sum(pg_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name"
_SNAPSHOT = "SELECT pg_export_snapshot()"
_SAME_SNAPSHOT = sql.SQL("SET TRANSACTION SNAPSHOT {}")
# Whoever waits to swap a table waits for the first connection, and the second one behind that: it must not wait.
_LOCK_AT_ONCE = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT")
_SHARE = sql.SQL(WORKERS_HERE)


def each_of(
    database: Database,
    conn: psycopg.Connection,
    sides: Sequence[Side],
    tables: Tables,
    processes: int,
    work: Work[T],
    progress: Callable[[int], None],
) -> list[T]:
    """What `work` makes of each table, in their order; `conn` is within `one_moment`, and so is whatever `work` gets.

    `processes` are those of the server that may be at work at once. `progress` takes how many tables are done; it is
    called by the thread that waits for all of them.
    """
    results: dict[int, T] = {}
    left = deque(enumerate(tables))

    def take(one: psycopg.Connection) -> None:
        with translated():
            for place, table in _taken_from(left):
                if one is conn:
                    progress(len(results))
                results[place] = work(one, *table)

    with _another(database, conn, sides, tables, processes) as beside:
        if beside is None:
            take(conn)
        else:
            with ThreadPoolExecutor(1) as pool:
                other = pool.submit(take, beside)
                try:
                    take(conn)
                    other.result()
                except BaseException:
                    left.clear()
                    beside.cancel_safe()
                    raise
    return [results[place] for place in range(len(tables))]


def _taken_from(left: deque[T]) -> Iterator[T]:
    """What is left, one after the other, while others take from it too."""
    with suppress(IndexError):
        while True:
            yield left.popleft()


@contextmanager
def _another(
    database: Database, conn: psycopg.Connection, sides: Sequence[Side], tables: Tables, processes: int
) -> Iterator[psycopg.Connection | None]:
    """One connection more that sees what `conn` sees; None where it is not worth it, or cannot be had at once."""
    if processes < 2 or _bytes_of(conn, sides[-1], tables) < WORTH_A_CONNECTION:
        yield None
        return
    [(snapshot,)] = conn.execute(_SNAPSHOT).fetchall()
    try:
        beside = database.connect("replayhouse audit compare", autocommit=True)
    except ReplayhouseError:  # the server has no place for another one
        yield None
        return
    with beside:
        beside.isolation_level = IsolationLevel.REPEATABLE_READ
        with beside.transaction():
            beside.execute(_SAME_SNAPSHOT.format(sql.Literal(snapshot)))
            if not _locked(beside, sides, tables):
                yield None
                return
            share = _SHARE.format(sql.Literal(processes // 2 - 1))
            beside.execute(SETTINGS)
            for one in (conn, beside):
                one.execute(share)
            yield beside


def _locked(conn: psycopg.Connection, sides: Sequence[Side], tables: Tables) -> bool:
    names = [sql.Identifier(side.schemas[context], table.name) for side in sides for context, table in tables]
    try:
        with conn.transaction():
            conn.execute(_LOCK_AT_ONCE.format(sql.SQL(", ").join(names)))
    except errors.LockNotAvailable:
        return False
    return True


def _bytes_of(conn: psycopg.Connection, side: Side, tables: Tables) -> int:
    names = [sql.Identifier(side.schemas[context], table.name).as_string(conn) for context, table in tables]
    [(size,)] = conn.execute(_SIZE, [names]).fetchall()
    return int(size or 0)
