"""`audit verify`, which recomputes every hash of the log, against nothing but reading that log once.

The baseline is a binary COPY of all events out of the server, thrown away as it comes: as the tables lie, on one
connection or two, or in the order of positions as a verification needs it. The quickest counts.
"""

from collections.abc import Callable, Sequence
from functools import partial

import psycopg
from psycopg import sql

from bench.lanes import Lane, side_by_side
from bench.raw_copy import LANES
from bench.timing import Best, Timing, best_of, repeated, timed
from bench.warehouse import Warehouse
from replayhouse.domain.contexts import CONTEXTS

_TABLE = sql.SQL("COPY event_store.{} TO STDOUT (FORMAT binary)")
_IN_ORDER = sql.SQL("""
    COPY (SELECT * FROM event_store.log ORDER BY notification_id) TO STDOUT (FORMAT binary)
""")
_BY_INDEX = "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"


def verify(warehouse: Warehouse) -> Timing:
    """Seconds of the command, from its start to its end."""
    return repeated(lambda: warehouse.timed("audit", "verify").seconds)


def read(warehouse: Warehouse) -> Best:
    """The best case of reading every event once."""
    settings: dict[str, Callable[[], float]] = {
        f"table by table, {name}": partial(_read, warehouse, [_tables(contexts) for contexts in lanes])
        for name, lanes in LANES.items()
    }
    settings["in the order of positions"] = partial(_read, warehouse, [_in_order])
    return best_of(settings)


def _read(warehouse: Warehouse, lanes: Sequence[Lane]) -> float:
    warehouse.settle()
    return timed(lambda: side_by_side(warehouse.url(), lanes))


def _tables(contexts: Sequence[str]) -> Lane:
    assert set(contexts) <= set(CONTEXTS)

    def read_all(connection: psycopg.Connection) -> None:
        for context in contexts:
            _throw_away(connection, _TABLE.format(sql.Identifier(f"{context}_events")))

    return read_all


def _in_order(connection: psycopg.Connection) -> None:
    connection.execute(_BY_INDEX)
    _throw_away(connection, _IN_ORDER)


def _throw_away(connection: psycopg.Connection, query: sql.SQL | sql.Composed) -> None:
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for _ in copy:
            pass
