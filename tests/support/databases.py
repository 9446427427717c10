"""Databases for tests: copies of one that is prepared, and what tests do with them."""

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from replayhouse.infra.postgres.connection import Database, database_of, make_database
from replayhouse.infra.postgres.embedded import DATABASE, EmbeddedServer, Role
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.runtime.settings import Settings
from tests.support.folders import quick_folder
from tests.support.prepared import furnish

COPY = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")  # half the work of what is its default
LONGEST_WAIT_S = 60.0

OUTSIDE = "REPLAYHOUSE_TEST_SERVER"
"""The environment's name for the URL of a server that tests are to use instead of the embedded one."""

NO_DATABASE = Database("postgresql://nobody@127.0.0.1:1/none")
"""For commands that ask for none."""

_numbers = count(1)


@contextmanager
def running_server(prepared: Path) -> Iterator[EmbeddedServer]:
    """A running server whose database `replayhouse` is an empty warehouse; nobody connects to it but to copy it."""
    with quick_folder() as home:
        furnish(home, prepared)
        embedded = EmbeddedServer(home)
        try:
            embedded.start()
            yield embedded
        finally:
            embedded.stop()


class OutsideServer(EmbeddedServer):
    """A server that somebody else runs, in the place of the embedded one: tests make their databases there.

    Made of the URL of any database there, of a superuser.
    """

    def __init__(self, url: str) -> None:
        super().__init__(Path("nowhere"))
        self._place = database_of(url, OUTSIDE).url.partition("?")[0].rpartition("/")[0]

    def url(self, role: Role = "administrator") -> str:
        assert role == "administrator", "the embedded server alone has a reader of its own"
        return f"{self._place}/{DATABASE}?connect_timeout=10"


@contextmanager
def outside_server(url: str) -> Iterator[OutsideServer]:
    """A server of somebody else whose database `replayhouse` is an empty warehouse, made here and gone afterwards.

    There is none before: a warehouse is not taken for one of tests.
    """
    server, name = OutsideServer(url), sql.Identifier(DATABASE)
    with psycopg.connect(server.url().replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(name))
        try:
            with make_database(Settings(database_url=server.url())).connect(autocommit=True) as made:
                prepare(made)
            yield server
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def a_database(server: EmbeddedServer) -> Iterator[Database]:
    """A database with nothing in it, not even the schema; it is gone afterwards."""
    name = f"bare_{next(_numbers)}"
    url = server.url()
    with psycopg.connect(url.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        conn.execute(COPY.format(sql.Identifier(name), sql.Identifier("template0")))
        yield Database(url.replace("/replayhouse?", f"/{name}?"))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def copied(server: EmbeddedServer, template: Database | None = None) -> Iterator[Database]:
    """A new database: a copy of another one that nobody is connected to, or one with the schema and no events."""
    name, url = f"test_{next(_numbers)}", server.url()
    of = conninfo_to_dict(template.url)["dbname"] if template is not None else "replayhouse"
    with psycopg.connect(url.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        _copy(conn, name, str(of))
        yield Database(url.replace("/replayhouse?", f"/{name}?"))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _copy(conn: psycopg.Connection, name: str, of: str) -> None:
    """Connections that were closed a moment ago are waited for: on a busy machine longer than PostgreSQL does."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            conn.execute(COPY.format(sql.Identifier(name), sql.Identifier(of)))
            return
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise


class Beginnings:
    """Databases that something was done with, kept to be copied instead of doing it again."""

    def __init__(self) -> None:
        self._kept: dict[object, tuple[str, Any]] = {}

    def made(self, database: Database, key: object, make: Callable[[], Any]) -> Any:
        """What `make` gives, which it does with an untouched database; from its second time on that becomes a copy.

        Nobody is connected to the database. The key says all that what is made depends on.
        """
        server, _, name = database.url.partition("?")[0].rpartition("/")
        place = sql.Identifier(name)
        administered = database.url.replace(f"{server}/{name}?", f"{server}/postgres?")
        known = self._kept.get((administered, key))
        told = make() if known is None else known[1]
        with psycopg.connect(administered, autocommit=True) as conn:
            if known is None:
                kept = f"kept_{next(_numbers)}"
                _copy(conn, kept, name)
                self._kept[administered, key] = (kept, told)
            else:
                conn.execute(sql.SQL("DROP DATABASE {}").format(place))
                _copy(conn, name, known[0])
        return copy.deepcopy(told)


def lose_keys(conn: psycopg.Connection, subjects: Iterable[UUID] | None = None) -> None:
    """Takes rows of keys away, all of them if no subjects are named, as a backup restored without them would."""
    lost = None if subjects is None else list(subjects)
    conn.execute("ALTER TABLE event_store.subject_key DISABLE TRIGGER append_only")
    conn.execute("DELETE FROM event_store.subject_key WHERE %s::uuid[] IS NULL OR subject_id = ANY(%s)", [lost, lost])
    conn.execute("ALTER TABLE event_store.subject_key ENABLE ALWAYS TRIGGER append_only")
