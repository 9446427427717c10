"""Locks between commands: one of a kind at a time, held by a session, gone when it ends, however it ends.

An advisory lock does that, and anybody who may connect can take one whose number they know. So the number is drawn anew
each time, and a row of `event_store.lock`, which readers cannot write, says which session holds with it what: a lock
counts as taken while just that session has the advisory lock of just that number.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg import errors

from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.postgres.restore_marker import refuse_unfinished_restore
from replayhouse.infra.runtime.errors import Conflicting

WRITING = "ingest"
"""The lock of who writes the log: loads, retractions, decisions, erasures."""

LONGEST_WAIT_SECONDS = 10.0
"""How long another command is waited for, where the caller does not say."""

_POLL_SECONDS = 0.05

# An autovacuum gives way to whoever waits for longer than deadlock_timeout, a second by default, which a wait of 50 ms
# never is. Only a superuser may shorten it: others wait until the autovacuum is through.
QUICK_LOCK = """
    SET LOCAL lock_timeout = '50ms';
    SELECT set_config('deadlock_timeout', '10ms', true) FROM pg_roles WHERE rolname = current_user AND rolsuper
"""
"""From here to the end of the transaction, waiting for a lock ends after 50 ms, and no autovacuum is waited for."""

GIVEN_UP = (errors.LockNotAvailable, errors.DeadlockDetected)
"""What such a wait ends with; who looks for deadlocks so soon is the first to find one, and gives way."""

_HOLDER = """
    SELECT a.pid, a.application_name, a.backend_start
    FROM event_store.lock AS held
    JOIN pg_locks AS l ON l.pid = held.pid AND l.classid::bigint << 32 | l.objid::bigint = held.key
    JOIN pg_stat_activity AS a ON a.pid = held.pid AND a.usesysid = held.role
    WHERE held.name = %s AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_ROW = "INSERT INTO event_store.lock (name) VALUES (%s) ON CONFLICT DO NOTHING"
_ALONE = "SELECT FROM event_store.lock WHERE name = %s FOR UPDATE"
_TRY = "SELECT pg_try_advisory_lock(%s)"
_TAKE = """
    UPDATE event_store.lock
    SET key = %(key)s, pid = a.pid, role = a.usesysid
    FROM pg_stat_activity AS a
    WHERE name = %(name)s AND a.pid = pg_backend_pid()
"""
_RELEASE = "SELECT pg_advisory_unlock(key) FROM event_store.lock WHERE name = %s AND pid = pg_backend_pid()"
_UNLOCK = "SELECT pg_advisory_unlock(%s)"


class _Holder(NamedTuple):
    """A session that has a lock; when it began is hidden from those who are not of its role."""

    pid: int
    application: str
    since: object


@contextmanager
def exclusive(conn: psycopg.Connection, name: str, wait: float | None = None) -> Iterator[None]:
    """Nobody else holds the lock `name` in this database while the block runs; `conn` is in autocommit.

    Waits up to `wait` seconds (LONGEST_WAIT_SECONDS), for the locks of a killed client live on until the server
    notices. Then raises Conflicting, which names who holds it; so it does where a backup is being restored and the log
    was to be written.
    """
    with translated():
        deadline = time.monotonic() + (LONGEST_WAIT_SECONDS if wait is None else wait)
        while not try_acquire(conn, name):
            if time.monotonic() >= deadline:
                raise Conflicting(_refusal(conn, name))
            time.sleep(_POLL_SECONDS)
    try:
        if name == WRITING:
            refuse_unfinished_restore(conn)
        yield
    finally:
        if not conn.closed:  # a closed connection holds no locks
            with translated():
                release(conn, name)


def try_acquire(conn: psycopg.Connection, name: str) -> bool:
    """Takes the lock `name` for as long as the session lives, if nobody else has it; whether it did. Does not wait."""
    if _holder(conn, name) is not None:
        return False
    conn.execute(_ROW, [name])
    key = secrets.randbits(63)
    try:
        with conn.transaction():  # who else is about to take it waits here for the row, and then finds us
            conn.execute(_ALONE, [name])
            if _holder(conn, name) is not None or conn.execute(_TRY, [key]).fetchone() != (True,):
                return False
            conn.execute(_TAKE, {"key": key, "name": name})
    except errors.LockNotAvailable:
        return False
    except BaseException:
        if not conn.closed:
            conn.execute(_UNLOCK, [key])
        raise
    return True


def release(conn: psycopg.Connection, name: str) -> None:
    """Gives up a lock of `is_taken`."""
    conn.execute(_RELEASE, [name])


def _holder(conn: psycopg.Connection, name: str) -> _Holder | None:
    try:
        found = conn.execute(_HOLDER, [name]).fetchone()
    except errors.UndefinedTable as error:
        raise Conflicting("A backup is being restored into this database: wait until it has ended.") from error
    return None if found is None else _Holder(*found)


def _refusal(conn: psycopg.Connection, name: str) -> str:
    holder = _holder(conn, name)
    if holder is None:
        return f"Another command was at work ({name}) until a moment ago: try again."
    since = f", connected since {holder.since:%Y-%m-%d %H:%M:%S %Z}" if holder.since else ""
    who = f"{holder.application or 'a command'} (server process {holder.pid}{since})"
    return f"Another command is at work ({name}): {who}. Wait until it has ended."
