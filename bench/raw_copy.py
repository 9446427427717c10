"""The bare cost of storing the events of a load: binary COPY of the very same rows into tables of the same shape.

No reading, no decisions, no encoding, no hashing, none of the other tables of the write side. The rows are taken out in
the order in which the load wrote them, or sorted by stream, which the indexes like best.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from bench.lanes import Lane, side_by_side
from bench.timing import Best, best_of, timed
from bench.warehouse import Warehouse
from replayhouse.domain.contexts import CONTEXTS

LANES = {
    "1 connection": (CONTEXTS,),
    "2 connections": (("sales", "marketplace"), ("customer", "fulfillment", "quality")),
}

ORDERS = {"as loaded": sql.SQL("notification_id"), "sorted by stream": sql.SQL("originator_id, originator_version")}

_BLOCK = 1 << 20
_TAKE_OUT = sql.SQL("COPY (SELECT * FROM event_store.{} ORDER BY {}) TO STDOUT (FORMAT binary)")
_PUT_IN = sql.SQL("COPY bench_raw.{} FROM STDIN (FORMAT binary)")
_SAME_SHAPE = sql.SQL("CREATE TABLE bench_raw.{} (LIKE event_store.{} INCLUDING ALL)")


def measure(warehouse: Warehouse, scratch: Path, only: str | None = None) -> Best:
    """The best case for the events that the warehouse holds; `only` names one setting to be run alone."""
    url = warehouse.url()
    settings: dict[str, Callable[[], float]] = {}
    for order, columns in ORDERS.items():
        if only is not None and not only.startswith(order):
            continue
        folder = scratch / order.replace(" ", "-")
        _take_out(url, folder, columns)
        for lanes, contexts in LANES.items():
            settings[f"{order}, {lanes}"] = partial(_run, warehouse, url, folder, contexts)
    try:
        return best_of(settings, only)
    finally:
        with psycopg.connect(url) as connection:
            connection.execute("DROP SCHEMA IF EXISTS bench_raw CASCADE")


def _take_out(url: str, folder: Path, order: sql.SQL) -> None:
    folder.mkdir(parents=True)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for context in CONTEXTS:
            query = _TAKE_OUT.format(sql.Identifier(f"{context}_events"), order)
            with (folder / context).open("wb") as target, cursor.copy(query) as copy:
                for block in copy:
                    target.write(block)


def _run(warehouse: Warehouse, url: str, folder: Path, lanes: Sequence[Sequence[str]]) -> float:
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS bench_raw CASCADE")
        connection.execute("CREATE SCHEMA bench_raw")
        for context in CONTEXTS:
            table = sql.Identifier(f"{context}_events")
            connection.execute(_SAME_SHAPE.format(table, table))
    warehouse.settle()
    return timed(lambda: side_by_side(url, [_lane(folder, contexts) for contexts in lanes]))


def _lane(folder: Path, contexts: Sequence[str]) -> Lane:
    def put_in(connection: psycopg.Connection) -> None:
        with connection.cursor() as cursor:
            for context in contexts:
                query = _PUT_IN.format(sql.Identifier(f"{context}_events"))
                with (folder / context).open("rb") as source, cursor.copy(query) as copy:
                    while block := source.read(_BLOCK):
                        copy.write(block)

    return put_in
