"""From a row of a mart to the rows of the star schema behind it.

A mart is SQL over the star schema; which rows went into one of its rows, only that SQL knows. What can be said without
it: the tables that it reads, and of those the rows that have the same values in the columns of the mart's key.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from replayhouse.infra.audit.lineage.rows import declared_tables
from replayhouse.infra.runtime.errors import Unknown, UsageError
from replayhouse.projections.projection import POSITION

MART = "mart"

_VIEWS = """
    SELECT c.relname FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('mart') AND c.relkind IN ('v', 'm') ORDER BY c.relname
"""
_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, NULL)
    FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# A view depends on what it reads through its rule; views that it reads are followed to what they read.
_READS = """
    WITH RECURSIVE reads (oid) AS (
        SELECT to_regclass(%s)::oid
        UNION
        SELECT d.refobjid
        FROM reads
        JOIN pg_rewrite AS r ON r.ev_class = reads.oid
        JOIN pg_depend AS d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> reads.oid
    )
    SELECT n.nspname || '.' || c.relname
    FROM reads JOIN pg_class AS c USING (oid) JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') ORDER BY 1
"""
_ROWS = sql.SQL("SELECT * FROM {table} WHERE {conditions} LIMIT {limit}")
_BEHIND = sql.SQL("SELECT {columns} FROM {table} WHERE {conditions} ORDER BY {columns} LIMIT {limit}")
_COUNT = sql.SQL("SELECT count(*) FROM {table} WHERE {conditions}")


class RowsBehind(NamedTuple):
    """The rows of one table behind a mart's row: those with the same values in the columns `by`.

    `rows` holds the keys of the first of them, `found` is how many there are. Without a column in common there are no
    rows, and nothing is said of the table but that the mart reads it.
    """

    table: str
    by: tuple[str, ...]
    found: int
    rows: list[dict[str, Any]]


class MartLineage(NamedTuple):
    """Rows of a mart with a key (several, if the key is no key), and what they come from."""

    name: str
    key: dict[str, Any]
    rows: list[dict[str, Any]]
    behind: list[RowsBehind]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "table": self.name,
            "key": self.key,
            "rows": self.rows,
            "behind": [behind._asdict() for behind in self.behind],
        }


def marts(conn: psycopg.Connection) -> list[str]:
    """The views in the schema mart, by their names with it."""
    return [f"{MART}.{name}" for (name,) in conn.execute(_VIEWS)]


def find_mart_row(conn: psycopg.Connection, name: str, given: Sequence[str], limit: int) -> MartLineage:
    """The rows of a mart whose first columns have the values given, and the rows behind them, `limit` of each table.

    Raises UsageError where there is none, or a value is none of its column's.
    """
    columns = mart_columns(conn, name)
    if len(given) > len(columns):
        raise UsageError(f"{name} has {len(columns)} columns, and {len(given)} values were given.")
    key_columns = list(columns)[: len(given)]
    rows = _rows(conn, name, key_columns, given, limit)
    if not rows:
        told = ", ".join(f"{column} {value}" for column, value in zip(key_columns, given, strict=True))
        raise Unknown(f"{name} has no row with {told}: the key is the values of its first columns.")
    key = {column: rows[0][column] for column in key_columns}
    types = {column: columns[column] for column in key}
    behind = [_behind(conn, table, key, types, limit) for (table,) in conn.execute(_READS, [name]).fetchall()]
    return MartLineage(name, key, rows, behind)


def _rows(
    conn: psycopg.Connection, name: str, columns: Sequence[str], given: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    table = sql.Identifier(*name.split("."))
    query = _ROWS.format(table=table, conditions=_all_of(columns), limit=sql.Literal(limit))
    try:
        with conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, [str(value) for value in given]).fetchall()
    except psycopg.DataError as error:
        told = (error.diag.message_primary or "").rstrip(".")
        raise UsageError(f"That is no key of {name} ({', '.join(columns)}): {told}.") from error


def _behind(
    conn: psycopg.Connection, table: str, key: Mapping[str, Any], types: Mapping[str, str], limit: int
) -> RowsBehind:
    """Columns of the same name and type are compared; a table of ours is shown by its primary key and position."""
    columns = mart_columns(conn, table)
    by = tuple(column for column in key if columns.get(column) == types[column])
    if not by:
        return RowsBehind(table, (), 0, [])
    declared = declared_tables().get(table)
    shown = [column.name for column in declared.primary_key.columns] if declared is not None else list(columns)
    shown += [POSITION] if POSITION in columns and POSITION not in shown else []
    values = [key[column] for column in by]
    parts = {"table": sql.Identifier(*table.split(".")), "conditions": _all_of(by)}
    names = sql.SQL(", ").join(map(sql.Identifier, shown))
    counted = conn.execute(_COUNT.format(**parts), values).fetchone()
    with conn.cursor(row_factory=dict_row) as cursor:
        query = _BEHIND.format(columns=names, limit=sql.Literal(limit), **parts)
        rows = cursor.execute(query, values).fetchall()
    return RowsBehind(table, by, int(counted[0]) if counted else 0, rows)


def mart_columns(conn: psycopg.Connection, name: str) -> dict[str, str]:
    """The columns of a table or view, in order, with their types."""
    return {str(column): str(kind) for column, kind in conn.execute(_COLUMNS, [name])}


def _all_of(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(c)) for c in columns)
