"""What is known of backups, noted in the database for those who watch over it: the newest one, and the drills.

They are of this database alone: a backup holds neither, and what was restored has none yet.
"""

from datetime import datetime
from typing import NamedTuple

import psycopg

_SOON = "SET LOCAL lock_timeout = '1s'"
_NOTE_BACKUP = """
    INSERT INTO event_store.backup (made_at, position, bytes, is_encrypted)
    VALUES (clock_timestamp(), %s, %s, %s)
    ON CONFLICT (one_row) DO UPDATE
    SET made_at = excluded.made_at, position = excluded.position, bytes = excluded.bytes,
        is_encrypted = excluded.is_encrypted
"""
_LAST_BACKUP = "SELECT made_at, position, bytes, is_encrypted FROM event_store.backup"
_NOTE_DRILL = """
    INSERT INTO event_store.restore_drill (file, position, seconds_to_answers, events_lost, seconds_lost, failure)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_LAST_DRILL = """
    SELECT drilled_at, file, position, seconds_to_answers, events_lost, seconds_lost, failure
    FROM event_store.restore_drill ORDER BY drill_id DESC LIMIT 1
"""


class LastBackup(NamedTuple):
    """The newest backup: when its files stood in their places (UTC), up to which position, and how large they are."""

    made_at: datetime
    position: int
    bytes: int
    is_encrypted: bool


class Drilled(NamedTuple):
    """What a drill has found. All but `file` is None where it did not come so far; `failure` where it did not fail.

    `events_lost` is how many events the log had that the backup has not, `seconds_lost` how much younger its newest
    one was; both are None where there was no log to compare with.
    """

    file: str
    position: int | None
    seconds_to_answers: float | None
    events_lost: int | None
    seconds_lost: float | None
    failure: str | None


class LastDrill(NamedTuple):
    """The newest drill, and when it ended (UTC)."""

    drilled_at: datetime
    found: Drilled


def note_backup(conn: psycopg.Connection, position: int, size: int, *, is_encrypted: bool) -> None:
    """Notes that a backup was made, in the place of the one before; `conn` is in autocommit. Raises psycopg.Error."""
    with conn.transaction():
        conn.execute(_SOON)
        conn.execute(_NOTE_BACKUP, [position, size, is_encrypted])


def last_backup(conn: psycopg.Connection) -> LastBackup | None:
    """The newest backup of this database; None where none was made."""
    row = conn.execute(_LAST_BACKUP).fetchone()
    return LastBackup(*row) if row is not None else None


def note_drill(conn: psycopg.Connection, found: Drilled) -> None:
    """Notes what a drill has found; `conn` is in autocommit. Raises psycopg.Error."""
    with conn.transaction():
        conn.execute(_SOON)
        conn.execute(_NOTE_DRILL, found)


def last_drill(conn: psycopg.Connection) -> LastDrill | None:
    """The newest drill; None where there was none."""
    row = conn.execute(_LAST_DRILL).fetchone()
    return LastDrill(row[0], Drilled(*row[1:])) if row is not None else None
