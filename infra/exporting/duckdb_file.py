"""`warehouse.duckdb`: the exported tables with their keys, comments and views, loaded from the Parquet files.

DuckDB enforces every foreign key, and knows none between schemas. So those are declared that always hold, where one
stream makes both rows; where any other leads, the comment of its column tells. DuckDB holds the indexes of all keys in
memory while it loads, about 65 bytes a row. So only so many rows have keys; of larger tables their comments tell.
"""

from collections.abc import Collection, Iterator, Sequence
from hashlib import file_digest
from pathlib import Path

import duckdb
from sqlalchemy import Table

from replayhouse.infra.exporting.duckdb_paths import literal, named, rows_of
from replayhouse.infra.exporting.folder import WAREHOUSE
from replayhouse.infra.exporting.manifest import File, Manifest
from replayhouse.infra.exporting.recomputed import MEMORY, first_line, identifier
from replayhouse.infra.exporting.relations import Relation
from replayhouse.infra.read_models.schema import Model, compiled
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.projections.links import Link, links_within
from replayhouse.projections.warehouse import PROJECTIONS

MOST_ROWS_WITH_KEYS = 5_000_000
"""Of all tables together, the smaller ones first."""

_ABOUT = """
    CREATE TABLE main.about (
        store UUID, moment VARCHAR, position BIGINT, chain VARCHAR, made_at TIMESTAMP, is_in_clear BOOLEAN
    )
"""
_COMMENT_ON_ABOUT = "Which log this shows, and up to where: what manifest.json tells, in one row; made_at is in UTC"


def write_warehouse(folder: Path, found: Sequence[Relation], told: Manifest) -> File:
    """Writes the file beside the Parquet files of a folder, which the manifest names.

    Raises ReplayhouseError where rows do not keep their keys.
    """
    path, scratch = folder / WAREHOUSE, folder / ".scratch"
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(scratch),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with interruptible(duckdb.connect(named(path), config=settings)) as connection:
        path.chmod(0o600)
        _write(connection, folder, found, told)
    for left in (scratch, path.with_name(f"{path.name}.wal")):
        if left.is_dir():
            left.rmdir()
    with path.open("rb") as file:
        hashed = file_digest(file, "sha256").hexdigest()
    return File(WAREHOUSE, path.stat().st_size, hashed)


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, found: Sequence[Relation], told: Manifest) -> None:
    connection.execute(_ABOUT)
    connection.execute(f"COMMENT ON TABLE main.about IS {literal(_COMMENT_ON_ABOUT)}")
    about = [told.store, told.moment, told.position, told.chain, told.made_at.replace(tzinfo=None), told.is_in_clear]
    connection.execute("INSERT INTO main.about VALUES (?, ?, ?, ?, ?, ?)", about)
    for place in dict.fromkeys(one.place for one in found):
        connection.execute(f"CREATE SCHEMA {identifier(place)}")
    keyed = _keyed(found, told)
    try:
        for one in _ordered(found):
            if one.is_view:
                _create_view(connection, one)
            else:
                _create_table(connection, one, folder, told, keyed)
            _comment(connection, one, keyed)
        connection.execute("CHECKPOINT")
    except duckdb.OutOfMemoryException as error:
        raise ReplayhouseError(
            f"DuckDB cannot make {WAREHOUSE} with {MEMORY} of memory: name fewer contexts. {first_line(error)}"
        ) from error


def _keyed(found: Sequence[Relation], told: Manifest) -> set[str]:
    """The tables whose keys are declared, by their addresses."""
    rows = {one.address: told.places[one.place].tables[one.name].rows for one in found if one.key}
    kept: set[str] = set()
    for address in sorted(rows, key=rows.__getitem__):
        if sum(rows[one] for one in kept) + rows[address] <= MOST_ROWS_WITH_KEYS:
            kept.add(address)
    return kept


def _ordered(found: Sequence[Relation]) -> Iterator[Relation]:
    """Tables before those that lead to them, views last."""
    led_to = {(link.schema, link.table) for one in found for _, link in _enforced(one)}
    yield from (one for one in found if not one.is_view and (one.place, one.name) in led_to)
    yield from (one for one in found if not one.is_view and (one.place, one.name) not in led_to)
    yield from (one for one in found if one.is_view)


def _enforced(one: Relation) -> list[tuple[str, Link]]:
    """The columns that lead to a row of the same schema which is always there."""
    if not one.is_folded:
        return []
    names = [column.name for column in one.columns]
    return [
        (column.name, link)
        for column, link in links_within(PROJECTIONS[one.place].tables)
        if column.table.name == one.name and column.name in names and link.is_certain
    ]


def _create_table(
    connection: duckdb.DuckDBPyConnection, one: Relation, folder: Path, told: Manifest, keyed: Collection[str]
) -> None:
    table, file = identifier(one.place, one.name), told.places[one.place].tables[one.name].file
    rows = rows_of([folder / file])
    types = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}
    withheld = set(told.withheld.get(one.address, ()))
    columns = [
        f"{identifier(column.name)} {'UUID' if column.is_id else types[column.name]}"
        f"{'' if column.is_null or column.name in withheld else ' NOT NULL'}"
        for column in one.columns
    ]
    if one.address in keyed:
        columns.append(f"PRIMARY KEY ({', '.join(map(identifier, one.key))})")
    columns += [
        f"FOREIGN KEY ({identifier(name)}) REFERENCES {identifier(link.schema, link.table)} ({identifier(link.column)})"
        for name, link in _enforced(one)
        if {one.address, f"{link.schema}.{link.table}"} <= set(keyed)
    ]
    connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
    try:
        connection.execute(f"INSERT INTO {table} SELECT * FROM {rows}")
    except duckdb.ConstraintException as error:
        raise ReplayhouseError(
            f"The rows of {one.address} do not keep the keys that every fold keeps: somebody has changed them. "
            f"replayhouse rebuild makes them anew. {first_line(error)}"
        ) from error


def _create_view(connection: duckdb.DuckDBPyConnection, one: Relation) -> None:
    tables: dict[str, Table] = Model(PROJECTIONS[one.place], one.place).tables
    view = next(view for view in PROJECTIONS[one.place].views if view.name == one.name)
    query = compiled(view.select(tables)).decode()
    connection.execute(f"CREATE VIEW {identifier(one.place, one.name)} AS {query}")


def _comment(connection: duckdb.DuckDBPyConnection, one: Relation, keyed: Collection[str]) -> None:
    name = identifier(one.place, one.name)
    kind = "VIEW" if one.is_view else "TABLE"
    key = "" if one.address in keyed or not one.key else f" (key: {', '.join(one.key)})"
    connection.execute(f"COMMENT ON {kind} {name} IS {literal(one.comment + key)}")
    for column in one.columns:
        connection.execute(f"COMMENT ON COLUMN {name}.{identifier(column.name)} IS {literal(column.comment)}")
