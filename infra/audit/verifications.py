"""What the last verification found, noted for those who watch over the warehouse. It proves nothing to anybody."""

from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import psycopg

_NOTE = """
    INSERT INTO event_store.verification AS known (verified_at, position, reason)
    VALUES (clock_timestamp(), %(position)s, %(reason)s)
    ON CONFLICT (one_row) DO UPDATE
    SET verified_at = excluded.verified_at, position = excluded.position, reason = excluded.reason
    WHERE NOT %(is_part)s OR excluded.reason IS NOT NULL OR known.reason IS NULL
"""
_NO_LONGER = "SET LOCAL lock_timeout = '1s'"
_LATEST = "SELECT verified_at, position, reason FROM event_store.verification"


class Verification(NamedTuple):
    """What was found last (UTC): the log held up to `position`, or, with a `reason`, not from `position` on."""

    verified_at: datetime
    position: int
    reason: str | None


def note(conn: psycopg.Connection, position: int, reason: str | None, *, is_part: bool) -> None:
    """Notes what a verification found (see Verification), if that can be done; `conn` is in autocommit.

    The answer of a verification does not depend on its note: the server may take no writes, somebody may hold the
    table, or have put another one in its place. A verification of a part of the log that holds does not wipe out that
    another part was found not to.
    """
    with suppress(psycopg.Error), conn.transaction():
        conn.execute(_NO_LONGER)
        conn.execute(_NOTE, {"position": position, "reason": reason, "is_part": is_part})


def latest(conn: psycopg.Connection) -> Verification | None:
    """What was found last; None where nobody has looked yet."""
    row = conn.execute(_LATEST).fetchone()
    return Verification(*row) if row is not None else None
