"""The query of each kind of record: as a SELECT of the mapping says it, or made of the columns that it names."""

from typing import NamedTuple

import duckdb

from replayhouse.infra.sources.document import Record, Sql, Value
from replayhouse.infra.sources.mapping import NAME, Mapping
from replayhouse.infra.sources.selects import RefusedError

END_OF_EXPRESSION = ') AS "'
"""How the line begins that ends an expression of a table, before its column; it is a line of its own."""


class Query(NamedTuple):
    """How the records of one kind are made: the SELECT, where it stands in the mapping, and the file that it names.

    `file` is None of a SELECT of the mapping's own: the columns tell. `is_own`: the author wrote SQL.
    """

    record: str
    text: str
    place: str
    file: str | None
    is_own: bool


def query_of(mapping: Mapping, record: str) -> Query:
    """The query for a kind of record that the mapping makes. Raises RefusedError for an expression that is none."""
    if record in mapping.selects:
        return Query(record, mapping.selects[record], f"{record}.sql", None, is_own=True)
    told = mapping.records[record]
    cells = [_expression(told, column) for column in told.columns]
    where = f"\nWHERE ({_checked('where', told.where)})" if told.where is not None else ""
    text = f"SELECT line, lines, {', '.join(cells)}\nFROM {quoted(told.from_)}{where}"
    is_own = told.where is not None or any(isinstance(cell, Sql) for cell in told.columns.values())
    return Query(record, text, f"{NAME}, records.{record}", told.from_, is_own)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text as SQL takes it, whatever stands in it."""
    return "'" + value.replace("'", "''") + "'"


def _expression(record: Record, column: str) -> str:
    match record.columns[column]:
        case Sql(sql=sql):
            made = f"({_checked(column, sql)})"
        case Value(value=value):
            made = literal(value)
        case name:
            made = quoted(name)
    return f"{made} AS {quoted(column)}"


def _checked(key: str, sql: str) -> str:
    """An expression on lines of its own, so that a comment in it ends there."""
    try:
        duckdb.SQLExpression(sql)
    except duckdb.Error as error:
        raise RefusedError(f"has in {key} no expression: {str(error).splitlines()[0]}") from error
    return f"\n{sql}\n"
