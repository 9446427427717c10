"""Databases for tests: one embedded server a test process, a fresh and migrated database each test."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from infra.postgres.connection import Database, open_database
from infra.postgres.embedded import EmbeddedServer
from infra.settings import Settings

_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A running server whose database `replayhouse` is migrated; nobody connects to it but to copy it.

    Each process of pytest-xdist has one, in a folder with a short path (sockets). It ends with the session.
    """
    with tempfile.TemporaryDirectory(prefix="replayhouse-") as home:
        embedded = EmbeddedServer(Path(home))
        try:
            template = open_database(Settings(home=Path(home), database_url=None))
            with template.connect(autocommit=True) as conn:  # these databases need not survive a crash of the machine
                conn.execute("ALTER SYSTEM SET fsync = off")
                conn.execute("SELECT pg_reload_conf()")
            yield embedded
        finally:
            embedded.stop()


@contextmanager
def a_database(server: EmbeddedServer) -> Iterator[Database]:
    """A database with nothing in it, not even the schema; it is gone afterwards."""
    name = f"bare_{next(_numbers)}"
    url = server.url()
    with psycopg.connect(url.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield Database(url.replace("/replayhouse?", f"/{name}?"))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Database]:
    """A database of its own for the test, with the schema and no events."""
    with copied(server) as copy:
        yield copy


@contextmanager
def copied(server: EmbeddedServer, template: Database | None = None) -> Iterator[Database]:
    """A new database: a copy of another one that nobody is connected to, or one with the schema and no events."""
    name, url = f"test_{next(_numbers)}", server.url()
    of = conninfo_to_dict(template.url)["dbname"] if template is not None else "replayhouse"
    with psycopg.connect(url.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(str(of)))
        conn.execute(copy)
        yield Database(url.replace("/replayhouse?", f"/{name}?"))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def lose_keys(conn: psycopg.Connection, subjects: Iterable[UUID] | None = None) -> None:
    """Takes rows of keys away, all of them if no subjects are named, as a backup restored without them would."""
    lost = None if subjects is None else list(subjects)
    conn.execute("ALTER TABLE event_store.subject_key DISABLE TRIGGER append_only")
    conn.execute("DELETE FROM event_store.subject_key WHERE %s::uuid[] IS NULL OR subject_id = ANY(%s)", [lost, lost])
    conn.execute("ALTER TABLE event_store.subject_key ENABLE ALWAYS TRIGGER append_only")


@pytest.fixture
def conn(database: Database) -> Iterator[psycopg.Connection]:
    """A connection to the test's database, in autocommit, as the database's superuser."""
    with database.connect("replayhouse test", autocommit=True) as connection:
        yield connection
