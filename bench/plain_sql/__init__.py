"""The star schema without events: COPY of the nine files into staging tables, and SQL that builds the same tables.

What a team would write that wants the tables and nothing else: no log, no history, no checks of the rows. `measure`
times it in several settings, `differences` holds its tables against the program's.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql

from bench.extracts import FILES
from bench.lanes import Lane, side_by_side
from bench.timing import Best, best_of, timed
from bench.warehouse import Warehouse
from replayhouse.infra.postgres.connection import Database

DATABASE = "bench_plain_sql"

TABLES = {
    "sales": ("fact_order", "fact_order_item", "fact_payment"),
    "fulfillment": ("fact_delivery", "dim_geography"),
    "customer": ("dim_customer", "customer_alias", "address_history", "segment_history", "fact_review"),
    "marketplace": ("product", "dim_product", "dim_seller", "dim_category"),
}
"""All of the star schema but quality and the calendar."""

_BLOCK = 1 << 20
_COPY = sql.SQL("COPY {}.{} FROM STDIN (FORMAT csv, HEADER, FORCE_NULL *)")
_SESSION = "SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'"
_PARALLEL = """
    SET max_parallel_workers_per_gather = 2;
    SET max_parallel_maintenance_workers = 2;
    SET min_parallel_table_scan_size = 0;
    SET parallel_setup_cost = 100;
    SET parallel_tuple_cost = 0.01
"""
_ALONE = "SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0"
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'position'
    ORDER BY attnum
"""
_CONTENT = sql.SQL("COPY (SELECT {columns} FROM {table} ORDER BY {columns}) TO STDOUT")

_FIRST_LANE = ("geolocation", "order_reviews")
_SECOND_LANE = ("orders", "customers", "order_items", "order_payments", "sellers", "products", "categories")


def measure(warehouse: Warehouse, extract: Path, only: str | None = None) -> Best:
    """The best case; `only` names one setting to be run alone. The tables of the last run stay."""
    settings: dict[str, Callable[[], float]] = {
        "text columns, 1 connection with parallel workers": partial(_run, warehouse, extract, "text", _alone),
        "typed columns, 1 connection with parallel workers": partial(_run, warehouse, extract, "typed", _alone),
        "text columns, 2 connections": partial(_run, warehouse, extract, "text", _in_two),
        "typed columns, 2 connections": partial(_run, warehouse, extract, "typed", _in_two),
    }
    return best_of(settings, only)


def differences(ours: str, theirs: str) -> list[str]:
    """Tables of the two databases whose contents differ, but for `position`: none if both did the same work."""
    found = []
    with Database(ours).connect() as program, Database(theirs).connect() as plain:
        for schema, names in TABLES.items():
            for name in names:
                columns = [column for (column,) in program.execute(_COLUMNS, [f"{schema}.{name}"])]
                if _content(program, schema, name, columns) != _content(plain, schema, name, columns):
                    found.append(f"{schema}.{name}")
    return found


def _content(connection: psycopg.Connection, schema: str, table: str, columns: Sequence[str]) -> tuple[int, str]:
    """Rows, and a hash over all of them in order."""
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = _CONTENT.format(columns=listed, table=sql.Identifier(schema, table))
    rows, digest = 0, hashlib.sha256()
    with connection.cursor().copy(query) as copy:
        for line in copy:
            rows += 1
            digest.update(line)
    return rows, digest.hexdigest()


def _run(warehouse: Warehouse, extract: Path, columns: str, build: Callable[[str, str, Path], None]) -> float:
    url = warehouse.fresh_database(DATABASE)
    return timed(lambda: build(url, columns, extract))


def _alone(url: str, columns: str, extract: Path) -> None:
    """Everything on one connection, in one transaction; the server's parallel workers take the other cores."""

    def build(connection: psycopg.Connection) -> None:
        connection.execute(_PARALLEL)
        connection.execute(_SESSION)
        _run_scripts(connection, "schemas", f"staging_{columns}")
        _copy(connection, columns, extract, FILES)
        _run_scripts(connection, "geography", "review", "sales", "marketplace", "delivery", "customer")

    side_by_side(url, [build])


def _in_two(url: str, columns: str, extract: Path) -> None:
    """Two connections, each on a core of its own: both copy, then both build; neither needs a table of the other."""
    side_by_side(url, [lambda connection: _run_scripts(connection, "schemas", f"staging_{columns}")])

    def copying(names: Iterable[str]) -> Lane:
        return lambda connection: _copy(connection, columns, extract, names)

    def building(*scripts: str) -> Lane:
        def build(connection: psycopg.Connection) -> None:
            connection.execute(_ALONE)
            connection.execute(_SESSION)
            _run_scripts(connection, *scripts)

        return build

    side_by_side(url, [copying(_FIRST_LANE), copying(_SECOND_LANE)])
    side_by_side(url, [building("geography", "review"), building("sales", "marketplace", "delivery", "customer")])


def _copy(connection: psycopg.Connection, columns: str, extract: Path, names: Iterable[str]) -> None:
    schema = "raw" if columns == "text" else "staging"
    for name in names:
        table = sql.Identifier(schema), sql.Identifier(name)
        with (extract / FILES[name]).open("rb") as source, connection.cursor().copy(_COPY.format(*table)) as copy:
            while block := source.read(_BLOCK):
                copy.write(block)
        connection.execute(sql.SQL("ANALYZE {}.{}").format(*table))


def _run_scripts(connection: psycopg.Connection, *names: str) -> None:
    for name in names:
        connection.execute(files(__name__).joinpath(f"{name}.sql").read_bytes())
