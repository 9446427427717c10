"""How far the read models have come: the rows of schema `read_model`."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import psycopg

from infra.errors import Conflicting

_PROJECTED = "SELECT revision, position FROM read_model.projection WHERE context = %s"
_LOCK = "SELECT revision, position FROM read_model.projection WHERE context = %s FOR UPDATE"
_MOVE = "UPDATE read_model.projection SET position = %s WHERE context = %s AND revision = %s AND position = %s"
_PARKED = "SELECT originator_id, folded_to FROM read_model.parked WHERE context = %s"
_PARK = """
    INSERT INTO read_model.parked (context, originator_id, folded_to, position, error)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (context, originator_id) DO UPDATE
    SET position = excluded.position, error = excluded.error, parked_at = clock_timestamp()
"""
_RELEASE = "DELETE FROM read_model.parked WHERE context = %s AND originator_id = ANY(%s)"


class Projected(NamedTuple):
    """Which revision of a context is live, and up to which position of the log its tables show events."""

    revision: int
    position: int


class Parked(NamedTuple):
    """A stream that could not be folded. Its rows are those of `folded_to`; `position` is that of its newest event."""

    originator_id: UUID
    folded_to: int
    position: int
    error: str


def projected(conn: psycopg.Connection, context: str) -> Projected | None:
    """How far the context has come; None while it has no read model."""
    row = conn.execute(_PROJECTED, [context]).fetchone()
    return None if row is None else Projected(*row)


def lock(conn: psycopg.Connection, context: str) -> Projected:
    """The same; and nobody else writes the live tables of the context until the transaction ends."""
    row = conn.execute(_LOCK, [context]).fetchone()
    if row is None:
        raise Conflicting(f"The read model of {context} was removed while this command was at work. Try again.")
    return Projected(*row)


def move(conn: psycopg.Connection, context: str, known: Projected, position: int) -> None:
    """Compare and set: from the position known to a newer one."""
    moved = conn.execute(_MOVE, [position, context, known.revision, known.position])
    if moved.rowcount != 1:
        raise Conflicting(f"Another command has moved the read model of {context} meanwhile. Try again.")


def parked(conn: psycopg.Connection, context: str) -> dict[UUID, int]:
    """The streams that are parked, each with the position that its rows show."""
    return dict(conn.execute(_PARKED, [context]).fetchall())


def park(conn: psycopg.Connection, context: str, streams: Iterable[Parked]) -> None:
    """These streams could not be folded; those that were parked already keep their `folded_to`."""
    with conn.cursor() as cursor:
        cursor.executemany(_PARK, [(context, s.originator_id, s.folded_to, s.position, s.error) for s in streams])


def release(conn: psycopg.Connection, context: str, streams: Iterable[UUID]) -> None:
    """These streams are folded again."""
    conn.execute(_RELEASE, [context, list(streams)])
