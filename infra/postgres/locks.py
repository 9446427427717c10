"""Locks between commands: one of a kind at a time, held by a session, gone when it ends, however it ends."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from infra.errors import Conflicting
from infra.postgres.connection import translated

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

_TRY = "SELECT pg_try_advisory_lock(%s)"
_RELEASE = "SELECT pg_advisory_unlock(%s)"
_HOLDER = """
    SELECT a.pid, a.application_name, a.backend_start
    FROM pg_locks AS l
    JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.classid::bigint << 32 | l.objid::bigint = %s
"""


@contextmanager
def exclusive(conn: psycopg.Connection, name: str, wait: float | None = None) -> Iterator[None]:
    """Nobody else holds the lock `name` in this database while the block runs; `conn` is in autocommit.

    Waits up to `wait` seconds (LONGEST_WAIT_SECONDS), for the locks of a killed client live on until the server
    notices. Then raises Conflicting, which names who holds it.
    """
    key = _key_of(name)
    with translated():
        deadline = time.monotonic() + (LONGEST_WAIT_SECONDS if wait is None else wait)
        while not _is_true(conn, _TRY, key):
            if time.monotonic() >= deadline:
                raise Conflicting(_refusal(conn, name, key))
            time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        if not conn.closed:  # a closed connection holds no locks
            with translated():
                conn.execute(_RELEASE, [key])


def is_taken(conn: psycopg.Connection, name: str) -> bool:
    """Takes the lock `name` for as long as the session lives, if nobody else has it; whether it did. Does not wait."""
    return _is_true(conn, _TRY, _key_of(name))


def let_go(conn: psycopg.Connection, name: str) -> None:
    """Gives up a lock of `is_taken`."""
    conn.execute(_RELEASE, [_key_of(name)])


def _is_true(conn: psycopg.Connection, query: str, key: int) -> bool:
    row = conn.execute(query.encode(), [key]).fetchone()
    return row is not None and bool(row[0])


def _refusal(conn: psycopg.Connection, name: str, key: int) -> str:
    holder = conn.execute(_HOLDER, [key]).fetchone()
    if holder is None:
        return f"Another command was at work ({name}) until a moment ago: try again."
    pid, application, since = holder
    who = f"{application or 'a command'} (server process {pid}, connected since {since:%Y-%m-%d %H:%M:%S %Z})"
    return f"Another command is at work ({name}): {who}. Wait until it has ended."


def _key_of(name: str) -> int:
    """A positive 63-bit number, the same in every process (Python's own hash is not)."""
    return int.from_bytes(hashlib.sha256(f"replayhouse:{name}".encode()).digest()[:8], "big") >> 1
