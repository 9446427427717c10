"""Answering a question from the marts, and listing the rows behind a figure of the answer.

An answer is computed in one transaction that sees one moment and writes nothing; its statements find the marts, and
the calendar, by names without a schema, wherever those stand: live, or under a prefix.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, NoReturn, TypeVar
from uuid import UUID

import psycopg
from psycopg import IsolationLevel, errors, sql

from replayhouse.infra.read_models.marts_shown import Replaced
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.questions import Question
from replayhouse.projections.questions.question import Value
from replayhouse.projections.sql_files import Statement

Cell = str | int | Decimal | Any
"""A value of an answer: text, whole number, Decimal, date, or None."""

Row = tuple[Cell, ...]

T = TypeVar("T")

_READ_ONLY = "SET TRANSACTION READ ONLY"
_FIND_IN = "SELECT set_config('search_path', %s, true)"
# By the transaction's snapshot on the left, and as names are looked up now on the right.
_ARE_THOSE = """
    SELECT coalesce(bool_and(c.oid = to_regclass(format('%%I.%%I', n.nspname, c.relname))), true)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s) AND c.relkind = 'm'
"""
_TRIES = 5
_BEHIND = """
    SELECT "table", key, part FROM (
{rows}
) AS behind ({columns}) WHERE measure = %(measure_)s{conditions} ORDER BY "table", key"""
_SOME_BEHIND = """
    SELECT "table", key, part, count(*) OVER (), sum(part) OVER () FROM (
{rows}
) AS behind ({columns}) WHERE measure = %(measure_)s{conditions}
    ORDER BY part DESC, "table", key LIMIT %(limit_)s OFFSET %(offset_)s"""


class FaultyQuestion(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """The SQL of a question failed: it is named by file and line."""

    exit_code = 2


class Behind(NamedTuple):
    """A row behind a figure: its table and key there (several values joined by a slash), and the part it brings."""

    table: str
    key: str
    part: int | Decimal


class SomeBehind(NamedTuple):
    """Some of the rows behind a figure, those with the largest parts first; how many there are, and their sum."""

    rows: list[Behind]
    number: int
    total: int | Decimal


def in_one_moment(conn: psycopg.Connection, schemas: Sequence[str], work: Callable[[], T]) -> T:
    """Does some work that sees the marts and the calendar in these schemas as of one moment. `conn` in autocommit.

    Where marts were exchanged between the moment and the first look at one, to which the new ones would seem empty, the
    work is done again. Once one is looked at, nobody exchanges any before the work has ended.
    """
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        for left in reversed(range(_TRIES)):
            try:
                with conn.transaction():
                    conn.execute(_READ_ONLY)
                    path = sql.SQL(", ").join(map(sql.Identifier, (*schemas, "pg_temp")))
                    conn.execute(_FIND_IN, [path.as_string(conn)])
                    done = work()
                    if conn.execute(_ARE_THOSE, [list(schemas)]).fetchone() == (True,):
                        return done
            except Replaced:
                if not left:
                    raise
        raise Replaced("The marts were exchanged again and again while they were read. Try again.")
    finally:
        if not conn.closed:
            conn.isolation_level = None


def compute(conn: psycopg.Connection, question: Question, parameters: Mapping[str, Value]) -> list[Row]:
    """The rows of an answer, within `in_one_moment`. Raises FaultyQuestion."""
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
    """The rows behind a measure of the answer's row with a key, within `in_one_moment`. Raises FaultyQuestion."""
    found = _read_behind(conn, question, parameters, key, measure, _BEHIND, {})
    return [Behind(table, key_of(told), part) for table, told, part in found]


def some_behind(
    conn: psycopg.Connection,
    question: Question,
    parameters: Mapping[str, Value],
    key: Sequence[str],
    measure: str,
    limit: int,
    offset: int,
) -> SomeBehind:
    """So many of them from a place on, within `in_one_moment`. Raises FaultyQuestion."""
    page = {"limit_": limit, "offset_": offset}
    found = _read_behind(conn, question, parameters, key, measure, _SOME_BEHIND, page)
    if not found and offset:  # beyond the last one nothing tells how many there are
        return some_behind(conn, question, parameters, key, measure, 1, 0)._replace(rows=[])
    rows = [Behind(table, key_of(told), part) for table, told, part, _, _ in found]
    return SomeBehind(rows, *found[0][3:]) if found else SomeBehind(rows, 0, 0)


def _read_behind(
    conn: psycopg.Connection,
    question: Question,
    parameters: Mapping[str, Value],
    key: Sequence[str],
    measure: str,
    template: str,
    more: Mapping[str, int],
) -> list[tuple[Any, ...]]:
    conditions = "".join(
        f" AND key_{place}::text IN (%(key_{place})s, %(key_{place}_id)s)" for place in range(len(key))
    )
    values = {f"key_{place}": value for place, value in enumerate(key)}
    values |= {f"key_{place}_id": _as_id(value) for place, value in enumerate(key)}
    rows = _positional(question.statements["rows"])
    query = template.format(rows=rows, columns=", ".join(columns_of_rows(question)), conditions=conditions)
    given = {**parameters, **values, **more, "measure_": measure}
    return _run(conn, question, "rows", query, given, before=2).fetchall()


def columns_of_rows(question: Question) -> tuple[str, ...]:
    """What to call the columns of the statement `rows`: those of the key by place, for one may be called measure."""
    return (*(f"key_{place}" for place in range(len(question.key))), "measure", '"table"', "key", "part")


def key_of(told: str) -> str:
    """A key as answers show it: ids without hyphens."""
    return told.replace("-", "") if told.count("-") % 4 == 0 else told


def _as_id(value: str) -> str:
    """A value of a key with the hyphens that PostgreSQL writes into ids, where it is one."""
    return str(UUID(value)) if len(value) == 32 and value.isalnum() and value.isascii() else value


@cache
def _positional(statement: Statement) -> str:
    """A statement as psycopg takes it: `:name` becomes `%(name)s`."""
    from sqlalchemy import text
    from sqlalchemy.dialects import postgresql  # a tenth of a second, which no answer that is kept should wait for

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
        raise Replaced("The marts were replaced or removed a moment ago. Try again.") from error
    except errors.InsufficientPrivilege:
        raise  # it is no fault of the question's
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
