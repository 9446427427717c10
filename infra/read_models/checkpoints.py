"""How far the read models have come: the rows of schema `read_model`."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.runtime.errors import Conflicting

_PROJECTED = "SELECT revision, position FROM read_model.projection WHERE context = %s"
_LOCK = "SELECT revision, position FROM read_model.projection WHERE context = %s FOR UPDATE"
_MOVE = """
    UPDATE read_model.projection SET position = %s, moved_at = clock_timestamp()
    WHERE context = %s AND revision = %s AND position = %s
"""
_LIVE = "SELECT revision FROM read_model.projection WHERE context = %(context)s"
_PARKED = f"""
    SELECT originator_id, folded_to FROM read_model.parked
    WHERE context = %(context)s AND revision = coalesce(%(revision)s, ({_LIVE}))
"""
_PARK = f"""
    INSERT INTO read_model.parked (context, revision, originator_id, folded_to, position, error)
    VALUES (%(context)s, coalesce(%(revision)s, ({_LIVE})), %(stream)s, %(folded_to)s, %(position)s, %(error)s)
    ON CONFLICT (context, revision, originator_id) DO UPDATE
    SET position = excluded.position, error = excluded.error, parked_at = clock_timestamp()
"""
_RELEASE = f"""
    DELETE FROM read_model.parked
    WHERE context = %(context)s AND revision = coalesce(%(revision)s, ({_LIVE})) AND originator_id = ANY(%(streams)s)
"""


class Projected(NamedTuple):
    """Which revision of a context is live, and up to which position of the log its tables show events."""

    revision: int
    position: int


class Parked(NamedTuple):
    """A stream that could not be folded. Its rows are those of `folded_to`; `position` is that of its newest event."""

    stream_id: UUID
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


def parked(conn: psycopg.Connection, context: str, revision: int | None = None) -> dict[UUID, int]:
    """The streams that are parked, each with the position that its rows show; of the live revision if none is named."""
    return dict(conn.execute(_PARKED, {"context": context, "revision": revision}).fetchall())


def park(conn: psycopg.Connection, context: str, streams: Iterable[Parked], revision: int | None = None) -> None:
    """These streams could not be folded; those that were parked already keep their `folded_to`."""
    rows = [
        {
            "context": context,
            "revision": revision,
            "stream": stream.stream_id,
            "folded_to": stream.folded_to,
            "position": stream.position,
            "error": stream.error,
        }
        for stream in streams
    ]
    if rows:
        with conn.cursor() as cursor:
            cursor.executemany(_PARK, rows)


def release(conn: psycopg.Connection, context: str, streams: Iterable[UUID], revision: int | None = None) -> None:
    """These streams are folded again."""
    conn.execute(_RELEASE, {"context": context, "revision": revision, "streams": list(streams)})
