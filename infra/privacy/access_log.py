"""The access log: who was shown personal fields in clear, about whom, and what for. Never what they say."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.runtime.identity import Asked

_WRITE = """
    INSERT INTO event_store.access (who, role, subjects, purpose, resource, request)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_ABOUT = """
    SELECT at, who, role, subjects, purpose, resource, request FROM event_store.access
    WHERE subjects && %s OR subjects = '{}' ORDER BY access_id DESC LIMIT %s
"""


class Access(NamedTuple):
    """An entry. `subjects` are those of its ids that the question was about."""

    at: datetime
    who: str
    role: str
    subjects: Sequence[UUID]
    purpose: str
    resource: str
    request: str | None

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return self._asdict()


def write(conn: psycopg.Connection, asked: Asked, resource: str, subjects: Iterable[UUID]) -> None:
    """Writes an entry; `conn` is in autocommit, and nobody else's."""
    by = asked.by
    conn.execute(_WRITE, [by.name, by.role.value, list(subjects), asked.purpose, resource, asked.request])


def about(conn: psycopg.Connection, subjects: Collection[UUID], limit: int) -> list[Access]:
    """The newest entries about any of these, and those about anybody, which name nobody."""
    rows = conn.execute(_ABOUT, [list(subjects), limit]).fetchall()
    return [Access(*row)._replace(subjects=[one for one in row[3] if one in subjects]) for row in rows]
