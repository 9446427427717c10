"""How far each context's read model is behind the log.

The tables themselves, and SQLAlchemy with them, are imported only where they must be made, or may be another program's:
that is a quarter of the time of `status`.
"""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.projections.versions import VERSIONS, Version

_STATUS = sql.SQL("""
    SELECT coalesce((SELECT max(notification_id) FROM event_store.{events}), 0), p.position,
        (SELECT count(*) FROM event_store.{events} WHERE notification_id > p.position),
        p.revision,
        (SELECT count(*) FROM event_store.{events}),
        (SELECT count(*) FROM read_model.parked WHERE (parked.context, parked.revision) = (p.context, p.revision))
    FROM read_model.projection AS p
    WHERE p.context = %s
""")
_MADE = """
    SELECT context, fold_version, fingerprint
    FROM read_model.projection JOIN read_model.revision USING (context, revision)
"""
_PARKED = """
    SELECT context, originator_id, folded_to, parked.position, error
    FROM read_model.parked JOIN read_model.projection USING (context, revision)
    ORDER BY context, originator_id
"""


class ContextStatus(NamedTuple):
    """`head` is the position of the context's newest event, `lag` counts its events that are not projected yet.

    `made_by` is `this`, an `earlier` or a `newer` version of the program.
    """

    head: int
    projected: int
    lag: int
    revision: int
    events: int
    parked: int
    made_by: str


class ParkedStream(NamedTuple):
    """A stream that could not be folded: its rows are those of `folded_to`, its newest event stands at `position`."""

    context: str
    stream_id: UUID
    folded_to: int
    position: int
    error: str


def status(database: Database) -> dict[str, ContextStatus]:
    """The status of every context; `_asdict()` of one is what `status --json` prints."""
    with database.connect("replayhouse status", autocommit=True) as conn, translated():
        others = _prepared(conn)
        return {context: _status(conn, context, others) for context in CONTEXTS}


def _prepared(conn: psycopg.Connection) -> dict[str, bool]:
    """The contexts that another program has made, and whether a newer one, once all of them have a read model."""
    made = {context: Version(*version) for context, *version in conn.execute(_MADE).fetchall()}
    if made == VERSIONS:
        return {}
    from replayhouse.infra.read_models.preparing import prepare
    from replayhouse.infra.read_models.versions import others

    prepare(conn)
    return others(conn)


def _status(conn: psycopg.Connection, context: str, others: Mapping[str, bool]) -> ContextStatus:
    row = conn.execute(_STATUS.format(events=sql.Identifier(f"{context}_events")), [context]).fetchone()
    assert row is not None  # prepared a moment ago
    made_by = "this" if context not in others else "newer" if others[context] else "earlier"
    return ContextStatus._make((*row, made_by))


def parked_streams(conn: psycopg.Connection) -> list[ParkedStream]:
    """The streams that could not be folded, of all contexts."""
    return [ParkedStream(*row) for row in conn.execute(_PARKED).fetchall()]
