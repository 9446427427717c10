"""Which loads there are, the newest first, some at a time."""

import sys
from uuid import UUID

import psycopg

_KNOWN = """
    FROM event_store.batch AS b
    WHERE b.kind = 'load' AND EXISTS (
        SELECT FROM event_store.quality_events AS e
        WHERE e.originator_id = b.batch_id AND e.originator_version = 1 AND e.notification_id <= %(up_to)s
    )
"""
_IDS = f"SELECT b.batch_id {_KNOWN} ORDER BY b.batch_seq DESC LIMIT %(limit)s OFFSET %(offset)s"
_NUMBER = f"SELECT count(*) {_KNOWN}"


def load_ids(conn: psycopg.Connection, up_to: int, limit: int, offset: int) -> list[UUID]:
    """The ids of loads that had begun at a position of the log: `limit` at most, after `offset` newer ones."""
    bounds = {"up_to": up_to, "limit": min(limit, sys.maxsize), "offset": min(offset, sys.maxsize)}
    return [load for (load,) in conn.execute(_IDS.encode(), bounds)]


def number_of_loads(conn: psycopg.Connection, up_to: int) -> int:
    """How many there are."""
    [(found,)] = conn.execute(_NUMBER.encode(), {"up_to": up_to}).fetchall()
    return int(found)
