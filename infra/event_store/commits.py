"""The commits of the log as they stand, whatever that is: each with what is wrong with it by itself.

Constraints keep such rows out; where somebody has taken these off, a row is told, and never stops who reads it.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

RECORDED_AT = "CASE WHEN recorded_at BETWEEN '0001-01-02Z' AND '9999-12-30Z' THEN recorded_at END"
"""A recorded time that Python knows; null where it is infinite, before Christ, or after the year 9999."""

_FLAW = f"""
    CASE WHEN first_position IS NULL THEN 'the commit that ends at ' || last_position || ' begins nowhere'
        WHEN first_position > last_position
            THEN 'a commit begins at ' || first_position || ' and ends before that, at ' || last_position
        WHEN recorded_at IS NULL THEN 'the commit that ends at ' || last_position || ' has no recorded time'
        WHEN {RECORDED_AT} IS NULL
            THEN 'the commit that ends at ' || last_position || ' has a time that no clock shows: ' || recorded_at
        WHEN octet_length(root) IS DISTINCT FROM 32 OR octet_length(chain) IS DISTINCT FROM 32
            THEN 'the commit that ends at ' || last_position || ' lacks a hash: one of 32 bytes'
    END
"""
_COLUMNS = f"first_position, last_position, batch_id, {RECORDED_AT}, root, chain, {_FLAW}"
_COMMITS = f"""
    SELECT {_COLUMNS}
    FROM event_store.commit WHERE last_position > %s AND last_position <= %s ORDER BY last_position LIMIT %s
"""
_NEWEST = f"""
    SELECT {_COLUMNS}
    FROM event_store.commit WHERE last_position < %s ORDER BY last_position DESC LIMIT %s
"""
_COUNT = "SELECT count(*) FROM event_store.commit WHERE last_position > %s"
_NO_END = 2**63 - 1


class Commit(NamedTuple):
    """A row of `event_store.commit`: its first and last position, and what it says of the events in between.

    Where it has a flaw, anything but `last` may be missing.
    """

    first: int
    last: int
    batch_id: UUID | None
    recorded_at: datetime
    root: bytes
    chain: bytes
    flaw: str | None = None


def commits_after(
    conn: psycopg.Connection, position: int, up_to: int = _NO_END, at_most: int | None = None
) -> list[Commit]:
    """The commits that end after a position, in their order."""
    return [Commit(*row) for row in conn.execute(_COMMITS.encode(), [position, up_to, at_most])]


def newest_before(conn: psycopg.Connection, position: int, at_most: int) -> list[Commit]:
    """The commits that end before a position, the newest first."""
    return [Commit(*row) for row in conn.execute(_NEWEST.encode(), [position, at_most])]


def count_after(conn: psycopg.Connection, position: int) -> int:
    """How many commits end after a position."""
    [(found,)] = conn.execute(_COUNT, [position]).fetchall()
    return int(found)
