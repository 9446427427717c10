"""Rows of the star schema by their keys, wherever a moment stands: live, or under a prefix."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from replayhouse.projections.projection import personal_columns

_THERE = "SELECT to_regclass(%s) IS NOT NULL"
_ROWS = sql.SQL("""
    SELECT wanted.place - 1 AS place_, {columns}
    FROM unnest({arrays}) WITH ORDINALITY AS wanted ({keys}, place) JOIN {table} AS found USING ({keys})
""")


def rows_at(
    conn: psycopg.Connection, schema: str, table: Table, keys: Sequence[Sequence[str]]
) -> Mapping[int, dict[str, Any]]:
    """The rows of a table in a schema by the place of their key among these, without personal columns.

    None where the table does not stand there. Raises psycopg.DataError for what can be no key.
    """
    name = sql.Identifier(schema, table.name)
    if conn.execute(_THERE, [name.as_string(conn)]).fetchone() != (True,):
        return {}
    columns = list(table.primary_key.columns)
    shown = [column.name for column in table.columns if column.name not in personal_columns(table)]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy does not annotate it
    arrays = [
        sql.SQL("{}::text[]::" + column.type.compile(dialect) + "[]").format(sql.Placeholder()) for column in columns
    ]
    query = _ROWS.format(
        columns=sql.SQL(", ").join(map(sql.Identifier, shown)),
        arrays=sql.SQL(", ").join(arrays),
        keys=sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        table=name,
    )
    values = [list(several) for several in zip(*keys, strict=True)]
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, values).fetchall()
    return {row.pop("place_"): row for row in found}
