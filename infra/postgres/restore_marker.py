"""The mark on a database into which a backup is being restored: nobody works there until all of it is in.

The mark is a schema, so that it needs no table of ours and stands before any of them; a killed restore leaves it.
"""

import psycopg
from psycopg import sql

from replayhouse.infra.runtime.errors import Conflicting

_MARK = "unfinished_restore"
_IS_MARKED = "SELECT to_regnamespace('unfinished_restore') IS NOT NULL"
_COMMENT = """
    COMMENT ON SCHEMA unfinished_restore IS 'A backup is being restored here: until it is in, nothing else works here'
"""
ONE_AFTER_THE_OTHER = f"{_COMMENT.strip()};"
"""To the end of the transaction nobody else says so of the mark: a lock that takes its owner."""

_SET = f"CREATE SCHEMA IF NOT EXISTS unfinished_restore; {_COMMENT}"
_REMOVE = sql.SQL("DROP SCHEMA IF EXISTS {}").format(sql.Identifier(_MARK))


def is_marked(conn: psycopg.Connection) -> bool:
    """Whether a restore was begun here and has not ended well."""
    return conn.execute(_IS_MARKED).fetchone() == (True,)


def mark(conn: psycopg.Connection) -> None:
    """A restore begins."""
    conn.execute(_SET.encode())


def unmark(conn: psycopg.Connection) -> None:
    """It has ended: what was restored is there for everybody, or nothing is."""
    conn.execute(_REMOVE)


def refuse_unfinished_restore(conn: psycopg.Connection) -> None:
    """Raises Conflicting in a database with the mark."""
    if is_marked(conn):
        raise Conflicting(
            "A backup is being restored into this database, or was when that command was killed: wait until it has "
            "ended, or run the same replayhouse db restore again."
        )
