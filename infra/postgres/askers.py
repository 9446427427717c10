"""The login by which a server reads on behalf of those who ask it, and that it may act as each of their roles.

It has no right of its own: a connection on which nobody has said on whose behalf it is may read nothing.
"""

from collections.abc import Sequence

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.roles import ACTED_AS

LOGIN = "replayhouse_web"
"""The login that the embedded server has for it."""

_KNOWN = "SELECT 1 FROM pg_roles WHERE rolname = %s"
_MAKE = sql.SQL("CREATE ROLE {} LOGIN")
_SET_RIGHT = sql.SQL(
    "ALTER ROLE {0} NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS; ALTER ROLE {0} RESET ALL"
)
_MAY_NOT = "SELECT role FROM unnest(%s::text[]) AS role WHERE NOT pg_has_role(session_user, role, 'SET')"
_LET = sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE")


def set_right(conn: psycopg.Connection) -> None:
    """Makes the login where it is missing, and what it should be; `conn` is the administrator's, in autocommit."""
    login = sql.Identifier(LOGIN)
    with conn.transaction():
        if not conn.execute(_KNOWN, [LOGIN]).fetchone():
            conn.execute(_MAKE.format(login))
        conn.execute(_SET_RIGHT.format(login))
        conn.execute(_let(list(ACTED_AS.values()), LOGIN))


def missing(conn: psycopg.Connection) -> list[str]:
    """The roles, all of which are there, that whoever is connected may not act as."""
    return [role for (role,) in conn.execute(_MAY_NOT, [list(ACTED_AS.values())])]


def let(conn: psycopg.Connection, roles: Sequence[str], user: str) -> bool:
    """Lets a user act as roles, without having their rights; whether we may give that. `conn` in autocommit."""
    try:
        conn.execute(_let(roles, user))
    except errors.InsufficientPrivilege:
        return False
    return True


def recipe(roles: Sequence[str], user: str) -> str:
    """What an administrator does so that a user may act as roles."""
    return _let(roles, user).as_string() + ";"


def _let(roles: Sequence[str], user: str) -> sql.Composed:
    return _LET.format(sql.SQL(", ").join(map(sql.Identifier, roles)), sql.Identifier(user))
