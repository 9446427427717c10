"""Answering a question from the marts, and listing the rows behind a figure of the answer.

An answer is computed in one transaction that sees one moment and writes nothing; its statements find the marts, and
the calendar, by names without a schema, wherever those stand: live, or under a prefix.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

import psycopg
from psycopg import IsolationLevel, errors, sql
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError
from replayhouse.projections.questions import Question
from replayhouse.projections.questions.question import Value
from replayhouse.projections.sql_files import Statement

Cell = str | int | Decimal | Any
"""A value of an answer: text, whole number, Decimal, date, or None."""

Row = tuple[Cell, ...]

_READ_ONLY = "SET TRANSACTION READ ONLY"
_FIND_IN = "SELECT set_config('search_path', %s, true)"
_BEHIND = """
    SELECT "table", key, part FROM (
{rows}
) AS behind WHERE measure = %(measure_)s{conditions} ORDER BY "table", key"""


class FaultyQuestion(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """The SQL of a question failed: it is named by file and line."""

    exit_code = 2


class Behind(NamedTuple):
    """A row behind a figure: its table and key there (several values joined by a slash), and the part it brings."""

    table: str
    key: str
    part: int | Decimal


@contextmanager
def one_moment(conn: psycopg.Connection, mart: str, shared: str) -> Iterator[None]:
    """The block sees the marts of one moment, in the schema `mart`, and the calendar in `shared`. `conn` in autocommit.

    Whatever swaps the marts meanwhile, the block goes on with those it has begun with. Raises Conflicting where they
    went before it came to them.
    """
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with conn.transaction():
            conn.execute(_READ_ONLY)
            path = sql.SQL(", ").join([sql.Identifier(mart), sql.Identifier(shared), sql.Identifier("pg_temp")])
            conn.execute(_FIND_IN, [path.as_string(conn)])
            yield
    finally:
        if not conn.closed:
            conn.isolation_level = None


def compute(conn: psycopg.Connection, question: Question, parameters: Mapping[str, Value]) -> list[Row]:
    """The rows of an answer, within `one_moment`. Raises FaultyQuestion."""
    rows = _run(conn, question, "answer", _positional(question.statements["answer"]), parameters).fetchall()
    return [tuple(map(_shown, row)) for row in rows]


def backtest(conn: psycopg.Connection, question: Question, parameters: Mapping[str, Value]) -> dict[str, Cell]:
    """The values of a question's statement `backtest`, by name; none where it has no such statement, or no row."""
    if "backtest" not in question.statements:
        return {}
    cursor = _run(conn, question, "backtest", _positional(question.statements["backtest"]), parameters)
    row = cursor.fetchone()
    return {} if row is None else dict(zip([c.name for c in cursor.description or ()], map(_shown, row), strict=True))


def behind(
    conn: psycopg.Connection, question: Question, parameters: Mapping[str, Value], key: Sequence[str], measure: str
) -> list[Behind]:
    """The rows behind a measure of the answer's row with a key, within `one_moment`. Raises FaultyQuestion."""
    conditions = "".join(
        f" AND {name}::text IS NOT DISTINCT FROM %(key_{place})s" for place, name in enumerate(question.key[: len(key)])
    )
    values = {f"key_{place}": value for place, value in enumerate(key)}
    query = _BEHIND.format(rows=_positional(question.statements["rows"]), conditions=conditions)
    rows = _run(conn, question, "rows", query, {**parameters, **values, "measure_": measure}, before=2).fetchall()
    return [Behind(table, key_of(told), part) for table, told, part in rows]


def key_of(told: str) -> str:
    """A key as answers show it: ids without hyphens."""
    return told.replace("-", "") if told.count("-") % 4 == 0 else told


@cache
def _positional(statement: Statement) -> str:
    """A statement as psycopg takes it: `:name` becomes `%(name)s`."""
    compiled = text(statement.text).compile(dialect=postgresql.dialect(paramstyle="pyformat"))  # type: ignore[no-untyped-call]  # SQLAlchemy does not annotate it
    return str(compiled)


def _run(
    conn: psycopg.Connection,
    question: Question,
    name: str,
    query: str,
    parameters: Mapping[str, Any],
    before: int = 0,
) -> psycopg.Cursor[Any]:
    """`before` is how many lines stand before the statement's own in the query."""
    try:
        return conn.execute(query.encode(), parameters)
    except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
        raise Conflicting("The marts were replaced or removed a moment ago. Try again.") from error
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError) as error:
        _fail(question, name, query, error, before)


def _fail(question: Question, name: str, query: str, error: psycopg.Error, before: int) -> NoReturn:
    position = int(error.diag.statement_position or 1)
    line = question.statements[name].line + query[: position - 1].count("\n") - before
    raise FaultyQuestion(
        f"Question {question.number} cannot be answered: {question.path}, line {line}: {error.diag.message_primary}."
    ) from error


def _shown(value: Cell) -> Cell:
    return value.hex if isinstance(value, UUID) else value
