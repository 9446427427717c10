"""The tables and views of the read models in ClickHouse, made from the declarations in `projections`.

`sales.fact_order` is the view `sales_fact_order`, on the table `sales_fact_order_rows`: that may hold several versions
of a row until ClickHouse merges them, and rows that are no more; the view shows what stands. It asks for FINAL alone,
which leaves removed rows out. A condition on `_deleted` beside it may be moved before it, and would bring them back.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)

from replayhouse.infra.clickhouse.server import Server, literal, quoted
from replayhouse.projections.links import comment_of
from replayhouse.projections.projection import Projection, View, key_width
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

VERSION = "_version"
DELETED = "_deleted"
NEXT = "_next"
"""What the name of a table ends with that is being filled, to take the place of the one without it."""

LAYOUT = 1
"""Of the tables as they are made here: raised where that changes, so that they are made anew."""

_ROWS = "_rows"
_TYPES: dict[type[Any], str] = {
    Uuid: "UUID",
    BigInteger: "Int64",
    Integer: "Int32",
    Double: "Float64",
    Boolean: "Bool",
    Date: "Date32",
    DateTime: "DateTime64(6, 'UTC')",
    Text: "String",
}
"""By type of column, the more special one first (BigInteger is an Integer). Business times are local, and have no zone:
they are kept as they are read, which is what UTC does."""

_CREATE = """
    CREATE TABLE {name} ({columns})
    ENGINE = ReplacingMergeTree({version}, {deleted})
    ORDER BY ({keys})
    COMMENT {comment}
"""
_OF_US = (
    f"{VERSION} UInt64 COMMENT 'the newest version of a row counts; it is even where the row is no more'",
    f"{DELETED} UInt8 COMMENT '1 where the row is no more'",
)
_VIEW = "CREATE OR REPLACE VIEW {name} {columns} AS {query} COMMENT {comment}"
_EXISTS = "SELECT name FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}"


def type_of(column: Column[Any]) -> str:
    """The type of a column, Nullable where it may be null."""
    kind = column.type
    if isinstance(kind, Numeric) and not isinstance(kind, Double):
        name = f"Decimal({kind.precision}, {kind.scale})"
    else:
        name = next(name for known, name in _TYPES.items() if isinstance(kind, known))
    return f"Nullable({name})" if column.nullable else name


def shown_as(table: Table) -> str:
    """The name of the view that shows a declared table."""
    return f"{table.schema}_{table.name}"


def rows_of(table: Table) -> str:
    """The name of the table below it."""
    return shown_as(table) + _ROWS


@cache
def declared() -> dict[str, tuple[Table, ...]]:
    """The tables by place: those of each context, and the calendar, which no context's fold has."""
    return {**{context: projection.tables for context, projection in PROJECTIONS.items()}, "shared": (DIM_DATE,)}


def create(server: Server, table: Table, *, suffix: str = NEXT) -> str:
    """Makes the table below a view, empty, under its name and a suffix; that name. It is not there."""
    name = rows_of(table) + suffix
    server.execute(
        _CREATE.format(
            name=server.named(name),
            columns=", ".join([*_described(table), *_OF_US]),
            version=VERSION,
            deleted=DELETED,
            keys=", ".join(keys_of(table)),
            comment=literal(f"{table.comment}: the view {shown_as(table)} shows what stands"),
        )
    )
    return name


def _described(table: Table) -> list[str]:
    """The declared columns, each with its type and comment."""
    return [f"{quoted(c.name)} {type_of(c)} COMMENT {literal(comment_of(c))}" for c in table.columns]


def keys_of(table: Table) -> list[str]:
    """The columns of the primary key, quoted."""
    return columns_of(table)[: key_width(table)]


def columns_of(table: Table) -> list[str]:
    """All declared columns, quoted."""
    return [quoted(name) for name in table.columns.keys()]  # noqa: SIM118 - a collection of columns, by its names


def show(server: Server, place: str) -> None:
    """Makes the views of a context, or of `shared`, on the tables that stand."""
    for table in declared()[place]:
        query = f"SELECT {', '.join(columns_of(table))} FROM {server.named(rows_of(table))} FINAL"
        _create_view(server, shown_as(table), query, table.comment or "", f"({', '.join(_described(table))})")
    if place in PROJECTIONS:
        for view in PROJECTIONS[place].views:
            _show_joined(server, PROJECTIONS[place], view)


def _show_joined(server: Server, projection: Projection, view: View) -> None:
    """A view inside a context: the same query as PostgreSQL has it, on the views here."""
    metadata, database = MetaData(schema=server.database), server.database
    tables = {t.name: t.to_metadata(metadata, schema=database, name=shown_as(t)) for t in projection.tables}
    name = f"{projection.context}_{view.name}"
    _create_view(server, name, f"{view.select(tables)} SETTINGS join_use_nulls = 1", view.comment)
    for column, comment in view.column_comments.items():
        server.execute(f"ALTER TABLE {server.named(name)} COMMENT COLUMN {quoted(column)} {literal(comment)}")


def _create_view(server: Server, name: str, query: str, comment: str, columns: str = "") -> None:
    named = server.named(name)
    server.execute(_VIEW.format(name=named, columns=columns, query=query, comment=literal(comment)))


def standing(server: Server, names: list[str]) -> set[str]:
    """Those of these tables and views that are there."""
    return {name for (name,) in server.rows(_EXISTS, database=server.database, names=names)}


def drop(server: Server, name: str) -> None:
    """Removes a table, its files before this returns, if it is there."""
    server.execute(f"DROP TABLE IF EXISTS {server.named(name)} SYNC")


def remove_unfinished(server: Server) -> None:
    """Removes tables that a killed command was filling. The caller holds the lock: nobody is at it."""
    names = [rows_of(table) + NEXT for of_place in declared().values() for table in of_place]
    for name in sorted(standing(server, names)):
        drop(server, name)


def put_in_place(server: Server, table: Table) -> None:
    """The table that was filled takes the place of the one that stands, whose files are removed.

    Who reads meanwhile reads the one or the other.
    """
    live, following = rows_of(table), rows_of(table) + NEXT
    if standing(server, [live]):
        server.execute(f"EXCHANGE TABLES {server.named(live)} AND {server.named(following)}")
        drop(server, following)
    else:
        server.execute(f"RENAME TABLE {server.named(following)} TO {server.named(live)}")
