"""The schema of the database: numbered SQL files, each run once, by whoever comes first.

The missing ones run in one transaction, with the roles after them. Files are never edited once released; a change is
a new file.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import errors

from replayhouse.infra.runtime.errors import WrongServer

_FOLDER = Path(__file__).parent / "migrations"
_ROLES = Path(__file__).parent / "roles.sql"
_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_ONE_AT_A_TIME = "LOCK TABLE event_store.schema_version IN EXCLUSIVE MODE"

_KNOWN_VERSION = "SELECT to_regclass('event_store.schema_version') IS NOT NULL"
_NEWEST_VERSION = "SELECT coalesce(max(version), 0) FROM event_store.schema_version"
_FIRST_TABLE = """
    CREATE SCHEMA IF NOT EXISTS event_store;
    CREATE TABLE IF NOT EXISTS event_store.schema_version (
        version int PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    COMMENT ON SCHEMA event_store IS 'The log of all events, append-only and hashed, and what the loads keep beside it';
    COMMENT ON TABLE event_store.schema_version IS 'The migrations that have run, by number';
    COMMENT ON COLUMN event_store.schema_version.version IS 'Number of the migration';
    COMMENT ON COLUMN event_store.schema_version.name IS 'What it brought';
    COMMENT ON COLUMN event_store.schema_version.applied_at IS 'When it ran';
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    statements: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations of this program, 1, 2, 3, ... without gaps."""
    found: list[Migration] = []
    for path in sorted(_FOLDER.glob("*.sql")):
        matched = _NAME.fullmatch(path.name)
        if matched is None or int(matched[1]) != len(found) + 1:
            raise ValueError(f"{path.name} is not the migration number {len(found) + 1}")
        found.append(Migration(int(matched[1]), matched[2], path.read_text("utf-8")))
    return tuple(found)


def schema_version(conn: psycopg.Connection) -> int:
    """The number of the newest migration that ran in this database; 0 if none did."""
    if not is_begun(conn):
        return 0
    return int(_single(conn, _NEWEST_VERSION))


def is_begun(conn: psycopg.Connection) -> bool:
    """Whether there is a schema of ours, or somebody is about to make it."""
    return bool(_single(conn, _KNOWN_VERSION))


def migrate(conn: psycopg.Connection) -> int:
    """Runs the migrations that are missing, one process at a time; returns how many. `conn` is in autocommit.

    Raises WrongServer if the schema is newer than this program.
    """
    wanted = migrations()
    present = schema_version(conn)
    _refuse_newer(present, len(wanted))
    if present == len(wanted):
        return 0
    conn.execute("SET lock_timeout = '60s'")
    try:
        while not is_begun(conn):
            with suppress(errors.UniqueViolation, errors.DuplicateSchema, errors.DuplicateTable):  # others make it too
                conn.execute(_FIRST_TABLE)
        with conn.transaction():  # all or none: the roles are made by nobody who finds the newest version
            conn.execute(_ONE_AT_A_TIME)
            present = schema_version(conn)
            _refuse_newer(present, len(wanted))
            for migration in wanted[present:]:
                conn.execute(migration.statements.encode())
                conn.execute(
                    "INSERT INTO event_store.schema_version (version, name) VALUES (%s, %s)",
                    [migration.version, migration.name],
                )
            make_roles(conn)
        return len(wanted) - present
    finally:
        if not conn.closed:
            conn.execute("RESET lock_timeout")


def make_roles(conn: psycopg.Connection) -> None:
    """Makes the roles and gives them their rights on the schema as it is, if the user may; safe to repeat."""
    conn.execute(_ROLES.read_bytes())


def _refuse_newer(present: int, known: int) -> None:
    if present > known:
        raise WrongServer(
            f"The database has schema version {present}, and this program knows versions up to {known}: "
            "use a newer replayhouse."
        )


def _single(conn: psycopg.Connection, query: str) -> int:
    """The one value of a query that always has one row."""
    row = conn.execute(query.encode()).fetchone()
    assert row is not None  # aggregates and functions always give a row
    return int(row[0])
