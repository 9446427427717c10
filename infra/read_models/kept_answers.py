"""Answers of record in PostgreSQL: kept by what they follow from, found again, and gone with a person they name."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import errors
from psycopg.types.json import Jsonb

_KEY = """
    question = %(question)s AND definition = %(definition)s AND parameters = %(parameters)s AND erasures = %(erasures)s
        AND occurred_before = coalesce(%(occurred_before)s::timestamp, 'infinity')
"""
_FIND = f"""
    SELECT question, rows, finding, made_at, position FROM read_model.answer
    WHERE {_KEY} AND position = %(position)s
"""
_HISTORY = f"""
    SELECT question, rows, finding, made_at, position FROM read_model.answer WHERE {_KEY} ORDER BY position
"""
# Rows are long, and not of all answers wanted.
_FIND_ALL = """
    SELECT question, CASE WHEN question = ANY(%(with_rows)s) THEN rows ELSE '[]' END, finding, made_at, position
    FROM unnest(%(questions)s::int[], %(definitions)s::text[], %(parameters)s::jsonb[])
        AS wanted (question, definition, parameters)
    JOIN read_model.answer USING (question, definition, parameters)
    WHERE position = %(position)s AND erasures = %(erasures)s
        AND occurred_before = coalesce(%(occurred_before)s::timestamp, 'infinity')
"""
_COUNT = """
    SELECT position, nullif(occurred_before, 'infinity'), count(DISTINCT question) FROM read_model.answer
    WHERE definition = ANY(%s) AND erasures = %s
    GROUP BY 1, 2
"""
# An erasure writes to `refold` before it forgets answers: it waits for who keeps one, or the other way round.
_NO_ERASURE = "SET LOCAL lock_timeout = '2s'; LOCK TABLE read_model.refold IN SHARE MODE"
_KEEP = """
    INSERT INTO read_model.answer
        (question, definition, parameters, position, occurred_before, erasures, rows, finding, named)
    SELECT %(question)s, %(definition)s, %(parameters)s, %(position)s,
        coalesce(%(occurred_before)s::timestamp, 'infinity'), %(erasures)s, %(rows)s,
        %(finding)s, %(named)s
    WHERE %(erasures)s = (SELECT coalesce(max(seq), 0) FROM read_model.refold WHERE context <> 'quality')
    ON CONFLICT DO NOTHING
"""
# A place with few people, or a group of one, shows what somebody told without naming them.
_FORGET = """
    DELETE FROM read_model.answer
    WHERE named <> '{}' AND named && %s
        OR erasures < (SELECT coalesce(max(seq), 0) FROM read_model.refold WHERE context <> 'quality')
"""

MAY_NOT = (
    errors.ReadOnlySqlTransaction,
    errors.InsufficientPrivilege,
    errors.UndefinedTable,
    errors.LockNotAvailable,
    errors.ObjectNotInPrerequisiteState,
)
"""What a reader meets, and a server that takes no writes: a standby knows no such lock. Or an erasure is under way."""


class Origin(NamedTuple):
    """What an answer follows from, besides the question's number: the same gives the same answer.

    `definition` is the SHA-256 of how it is answered; `erasures` grows with each erasure of what marts show.
    """

    definition: str
    parameters: Mapping[str, int | Decimal]
    position: int
    occurred_before: datetime | None
    erasures: int

    @property
    def tag(self) -> str:
        """32 hexadecimal digits that tell it from another."""
        values = {name: str(value) for name, value in sorted(self.parameters.items())}
        told = (self.definition, values, self.position, str(self.occurred_before), self.erasures)
        return sha256(json.dumps(told).encode()).hexdigest()[:32]


class KeptAnswer(NamedTuple):
    """An answer that is kept; of its rows, numbers with decimals and dates are texts."""

    question: int
    rows: list[list[Any]]
    finding: str
    made_at: datetime
    position: int


def find(conn: psycopg.Connection, question: int, origin: Origin) -> KeptAnswer | None:
    """The answer that is kept of a question, if there is one."""
    row = conn.execute(_FIND, _values(question, origin)).fetchone()
    return None if row is None else KeptAnswer(*row)


def find_all(conn: psycopg.Connection, origins: Mapping[int, Origin], with_rows: Collection[int]) -> list[KeptAnswer]:
    """What is kept of several questions as of one moment; with the rows of these, and without those of the others."""
    values = [_values(question, origin) for question, origin in origins.items()]
    if not values:
        return []
    wanted = {
        "questions": list(origins),
        "definitions": [one["definition"] for one in values],
        "parameters": [one["parameters"] for one in values],
        "with_rows": list(with_rows),
    }
    return [KeptAnswer(*row) for row in conn.execute(_FIND_ALL, {**values[0], **wanted}).fetchall()]


def history(conn: psycopg.Connection, question: int, origin: Origin) -> list[KeptAnswer]:
    """What is kept of a question with the same origin but for its position, by position."""
    return [KeptAnswer(*row) for row in conn.execute(_HISTORY, _values(question, origin)).fetchall()]


def counted(
    conn: psycopg.Connection, definitions: Collection[str], erasures: int
) -> dict[tuple[int, datetime | None], int]:
    """To how many questions answers are kept, by position and business time; these are the questions' definitions."""
    rows = conn.execute(_COUNT, [list(definitions), erasures]).fetchall()
    return {(position, before): number for position, before, number in rows}


def keep(
    conn: psycopg.Connection,
    question: int,
    origin: Origin,
    rows: Sequence[Sequence[Any]],
    finding: str,
    named: Collection[UUID],
) -> bool:
    """Keeps an answer; whether that was done: not if it is kept already. `conn` in autocommit.

    Readers and standbys keep none, nor is any kept that an erasure has overtaken, or is about to: it may show what was
    erased. Of the rows, numbers with decimals and dates are texts. `named` are the people whose ids stand in them.
    """
    values = {**_values(question, origin), "rows": Jsonb(rows), "finding": finding, "named": sorted(named)}
    try:
        with conn.transaction():
            conn.execute(_NO_ERASURE)
            return conn.execute(_KEEP, values).rowcount == 1
    except MAY_NOT:
        return False


def forget(conn: psycopg.Connection, people: Iterable[UUID]) -> None:
    """Removes every answer that names one of these people, or may show what was erased: all that were computed before.

    Within the transaction that erases them, after it has asked for streams to be folded again.
    """
    conn.execute(_FORGET, [list(people)])


def _values(question: int, origin: Origin) -> dict[str, Any]:
    values = origin._asdict()
    values["parameters"] = Jsonb({name: str(value) for name, value in origin.parameters.items()})
    return {"question": question, **values}
