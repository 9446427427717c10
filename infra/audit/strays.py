"""What no hash covers, since no commit leads there: events and commits outside of all positions, gaps in streams."""

from typing import Any

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.breaks import VERSIONS_ARE_MISSING, Broken

_TABLES = [f"event_store.{context}_events" for context in CONTEXTS]
_NO_COMMIT = "the event belongs to no commit"


def _first_of(*queries: str) -> bytes:
    """The first of the positions that queries find, null where they find none, with what they say of it."""
    found = " UNION ALL ".join(f"({query})" for query in queries)
    first = f"SELECT * FROM ({found}) AS found (position, why) WHERE position IS NOT NULL ORDER BY position LIMIT 1"
    return first.encode()


def _without(column: str, table: str, why: str) -> str:
    return f"SELECT %(last)s::bigint + 1, '{why}' FROM {table} WHERE {column} IS NULL LIMIT 1"


_BEFORE = _first_of(
    *(f"SELECT min(notification_id), '{_NO_COMMIT}' FROM {table} WHERE notification_id < 1" for table in _TABLES),
    "SELECT min(last_position), 'a commit ends here, and positions begin at 1' FROM event_store.commit"
    " WHERE last_position < 1",
)
_AFTER = _first_of(
    *(
        f"SELECT min(notification_id), '{_NO_COMMIT}' FROM {table} WHERE notification_id > %(last)s"
        for table in _TABLES
    ),
    *(_without("notification_id", table, f"an event of {table} has no position") for table in _TABLES),
    _without("last_position", "event_store.commit", "a commit has no position"),
)
_HAS_GAPS = sql.SQL("""
    SELECT EXISTS (
        SELECT FROM event_store.{events} WHERE {streams} GROUP BY originator_id
        HAVING min(originator_version) <> 1 OR max(originator_version) <> count(*)
    )
""")
_FIRST_GAP = sql.SQL("""
    SELECT min(notification_id), {why} FROM (
        SELECT notification_id, originator_version,
            row_number() OVER (PARTITION BY originator_id ORDER BY originator_version) AS place
        FROM event_store.{events} WHERE {streams}
    ) AS numbered WHERE originator_version <> place
""")
_GROWN = sql.SQL("originator_id IN (SELECT originator_id FROM event_store.{events} WHERE notification_id > {after})")
_ALL = sql.SQL("true")


def before_the_first(conn: psycopg.Connection) -> Broken | None:
    """The lowest position below 1 that an event or a commit has."""
    return _broken(conn.execute(_BEFORE).fetchone())


def after_the_last(conn: psycopg.Connection, last: int) -> Broken | None:
    """The first event after the last commit; or one without any position, which is said to be there as well."""
    return _broken(conn.execute(_AFTER, {"last": last}).fetchone())


def first_gap(conn: psycopg.Connection, context: str, after: int) -> Broken | None:
    """The first event of a context whose stream lacks an earlier version, among those that grew after a position."""
    events = sql.Identifier(f"{context}_events")
    grown = _GROWN.format(events=events, after=sql.Literal(after))
    among = {"events": events, "streams": grown if after else _ALL}
    if conn.execute(_HAS_GAPS.format(**among)).fetchone() == (False,):
        return None
    return _broken(conn.execute(_FIRST_GAP.format(why=VERSIONS_ARE_MISSING, **among)).fetchone())


def _broken(found: tuple[Any, ...] | None) -> Broken | None:
    return None if found is None else Broken(*found)
