"""Whoever asks over HTTP as any role, and a login of a server by which that is read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from fastapi import Request
from psycopg import conninfo, sql

from replayhouse.infra.postgres import askers
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.roles import ACTED_AS
from replayhouse.infra.runtime.identity import Identity, Role

NAME = "ines"

_NUMBERS = count()


class Whoever:
    """Believes a header: what a proxy does, without its proofs."""

    def who(self, request: Request) -> Identity:
        """Who the header says it is."""
        return Identity(NAME, Role(request.headers["x-role"]), "test")


def a_role(role: str) -> dict[str, str]:
    """The headers of somebody with a role."""
    return {"x-role": role}


@contextmanager
def a_login(database: Database) -> Iterator[Database]:
    """The database as it is reached by a login without rights, which may act as the roles of askers."""
    name = f"asking {os.getpid()} {next(_NUMBERS)}"
    with database.connect(autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(sql.Identifier(name)))
        assert askers.let(conn, list(ACTED_AS.values()), name)
    try:
        yield Database(conninfo.make_conninfo(database.url, user=name))
    finally:
        with database.connect(autocommit=True) as conn:
            end_sessions_of(conn, name)
            conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def end_sessions_of(conn: psycopg.Connection, user: str) -> None:
    """Ends what is left of a user's connections."""
    conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [user])
