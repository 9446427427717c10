"""Writing what changed in the tables of one context: rows that are no more go first, then the others come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import psycopg
from psycopg import sql
from sqlalchemy import Table

from replayhouse.infra.read_models.copy_text import copy_data, line_writer
from replayhouse.infra.read_models.schema import Model, copy_into, qualified
from replayhouse.projections.projection import POSITION, Row, key_width
from replayhouse.projections.replay import Difference

# They may have been filled before in the same transaction: a swap takes several last steps in one.
_MAKE = sql.SQL("""
    CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {table}) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS {outgoing} ON COMMIT DELETE ROWS AS
    SELECT {keys}, position FROM {table} WITH NO DATA;
    DELETE FROM {incoming};
    DELETE FROM {outgoing}
""")
# A row that belongs to another stream by now has another position: it stays.
_REMOVE = sql.SQL("DELETE FROM {table} AS t USING {outgoing} AS o WHERE {same_key} AND t.position = o.position")
_UPSERT = sql.SQL("INSERT INTO {table} SELECT * FROM {incoming} ON CONFLICT ({keys}) DO UPDATE SET {values}")


@dataclass
class TableLines:
    """What to do to a table, ready to be sent: lines to write and lines of keys to remove, each with its position."""

    written: bytes = b""
    gone: bytes = b""


@dataclass
class _Rows:
    written: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)


def encode(model: Model, changes: Iterable[dict[str, Difference]]) -> dict[str, TableLines]:
    """The changes of many streams as lines, by table. Raises DoesNotFit."""
    rows: dict[str, _Rows] = {}
    for of_stream in changes:
        for name, (written, gone) in of_stream.items():
            table_rows = rows.setdefault(name, _Rows())
            table_rows.written += written
            table_rows.gone += gone
    return {name: _encoded(model.projection_table(name), table_rows) for name, table_rows in rows.items()}


def _encoded(table: Table, rows: _Rows) -> TableLines:
    writer, keys = line_writer(table), key_width(table)
    encoded = TableLines()
    if rows.written:
        encoded.written = copy_data(writer.lines(rows.written), [row[-1] for row in rows.written])
    if rows.gone:
        lines = [b"\t".join(line.split(b"\t")[:keys]) for line in writer.lines(rows.gone)]
        encoded.gone = copy_data(lines, [row[-1] for row in rows.gone])
    return encoded


def write(conn: psycopg.Connection, model: Model, lines: dict[str, TableLines]) -> None:
    """Brings the tables up to date, within a transaction."""
    for name, table_lines in lines.items():
        table = model.tables[name]
        statements = _statements(table)
        if table_lines.written or table_lines.gone:
            conn.execute(statements.make)
        if table_lines.gone:
            copy_into(conn, statements.outgoing, table_lines.gone)
            conn.execute(statements.remove)
        if table_lines.written:
            copy_into(conn, statements.incoming, table_lines.written)
            conn.execute(statements.upsert)


@dataclass(frozen=True)
class _Statements:
    make: sql.Composed
    remove: sql.Composed
    upsert: sql.Composed
    incoming: sql.Identifier
    outgoing: sql.Identifier


@cache
def _statements(table: Table) -> _Statements:
    """The statements for a table. The temporary tables live as long as the session, one pair for each table."""
    names = [column.name for column in table.columns]
    keys, values = names[: key_width(table)], names[key_width(table) :]
    assert names[-1] == POSITION
    parts = {
        "table": qualified(table),
        "incoming": sql.Identifier(f"incoming_{table.schema}_{table.name}"),
        "outgoing": sql.Identifier(f"outgoing_{table.schema}_{table.name}"),
        "keys": sql.SQL(", ").join(map(sql.Identifier, keys)),
        "same_key": sql.SQL(" AND ").join(sql.SQL("t.{0} = o.{0}").format(sql.Identifier(key)) for key in keys),
        "values": sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(v)) for v in values),
    }
    return _Statements(
        make=_MAKE.format(**parts),
        remove=_REMOVE.format(**parts),
        upsert=_UPSERT.format(**parts),
        incoming=sql.Identifier(f"incoming_{table.schema}_{table.name}"),
        outgoing=sql.Identifier(f"outgoing_{table.schema}_{table.name}"),
    )
