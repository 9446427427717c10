"""Which users of the database have which of our roles: given, taken away, and listed.

A user is any role of the server that is none of ours. Memberships are the server's, of all its databases; the rights
that come with them are those of each warehouse.
"""

from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.roles import ROLES, complete
from replayhouse.infra.runtime.errors import Unknown, UsageError, WrongServer

_PREFIX = "replayhouse_"

_IS_THERE = "SELECT to_regrole(quote_ident(%s)) IS NOT NULL"
_HAS = """
    SELECT EXISTS (
        SELECT FROM pg_auth_members
        WHERE roleid = to_regrole(quote_ident(%s)) AND member = to_regrole(quote_ident(%s))
    )
"""
_MEMBERS = """
    SELECT role, to_regrole(role) IS NOT NULL, array(
        SELECT DISTINCT pg_get_userbyid(member)::text FROM pg_auth_members
        WHERE roleid = to_regrole(role) AND inherit_option ORDER BY 1
    )
    FROM unnest(%s::text[]) WITH ORDINALITY AS ours (role, place)
    ORDER BY place
"""
_GIVE = sql.SQL("GRANT {} TO {}")
_TAKE = sql.SQL("REVOKE {} FROM {}")
_USERS = """
    SELECT rolname::text FROM pg_roles WHERE NOT starts_with(rolname, 'pg_') AND rolname <> ALL(%s) ORDER BY rolname
"""
_CREATE = sql.SQL("CREATE ROLE {} LOGIN PASSWORD '...'")
_AS_ADMINISTRATOR = "replayhouse db psql --role administrator"
_NAMED = 8
_RESERVED = ("", "public", "none", "current_role", "current_user", "session_user", "user")
_LONGEST_NAME = 63  # bytes


class Members(NamedTuple):
    """A role of ours, whether it is there, and the users who were given it themselves."""

    role: str
    is_there: bool
    users: list[str]


def role_named(name: str) -> str:
    """The role of the database that is called so, without what all begin with. Raises UsageError for no role."""
    if _PREFIX + name not in ROLES:
        raise UsageError(f"There is no role '{name}': name {', '.join(map(short, ROLES))}.")
    return _PREFIX + name


def short(role: str) -> str:
    """What commands call a role."""
    return role.removeprefix(_PREFIX)


def members(conn: psycopg.Connection) -> list[Members]:
    """Of each role, in the order in which they are told, who has its rights; not who may only act as it."""
    return [Members(*row) for row in conn.execute(_MEMBERS, [list(ROLES)]).fetchall()]


def give(conn: psycopg.Connection, role: str, user: str) -> bool:
    """Gives a user a role, within a transaction; whether they had it not.

    Raises UsageError or Unknown for what is no user, WrongServer with what an administrator has to do where the roles
    are missing, or we may not give them.
    """
    if user in ROLES:
        raise UsageError(f"'{user}' is itself one of the roles: name a user of the database.")
    if user.startswith("pg_") or user in _RESERVED or len(user.encode()) > _LONGEST_NAME:
        raise UsageError(f"No user of PostgreSQL can be called '{user}': name a user of the database.")
    if not _is(conn, _IS_THERE, user):
        raise _no_user(conn, user)
    if _is(conn, _HAS, role, user):
        return False
    if (missing := complete(conn)) is not None:
        gist, *lines = missing.recipe.splitlines()
        raise WrongServer(gist, then=lines)
    _change(conn, _GIVE, role, user)
    return True


def take(conn: psycopg.Connection, role: str, user: str) -> bool:
    """Takes a role from a user, within a transaction; whether they had it. Raises WrongServer as `give` does."""
    if not _is(conn, _HAS, role, user):
        return False
    _change(conn, _TAKE, role, user)
    if _is(conn, _HAS, role, user):  # somebody else has given it, and PostgreSQL has only warned
        raise _not_ours_to(conn, _TAKE, role, user)
    return True


def refuse_strangers(conn: psycopg.Connection, user: str) -> None:
    """Raises Unknown where the database has no such user."""
    if not _is(conn, _IS_THERE, user):
        raise _no_user(conn, user)


def _no_user(conn: psycopg.Connection, user: str) -> Unknown:
    names = [name for (name,) in conn.execute(_USERS, [list(ROLES)]).fetchall()]
    told = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    made = _CREATE.format(sql.Identifier(user)).as_string()
    return Unknown(
        f"The database has no user '{user}': it has {told}. Spell the name as there, or have an administrator make "
        f"such a user first, in {_AS_ADMINISTRATOR}:",
        then=[f"{made};"],
    )


def _is(conn: psycopg.Connection, query: str, *parameters: str) -> bool:
    return conn.execute(query.encode(), parameters).fetchone() == (True,)


def _change(conn: psycopg.Connection, statement: sql.SQL, role: str, user: str) -> None:
    try:
        with conn.transaction():
            conn.execute(statement.format(sql.Identifier(role), sql.Identifier(user)))
    except errors.InsufficientPrivilege as error:
        raise _not_ours_to(conn, statement, role, user) from error


def _not_ours_to(conn: psycopg.Connection, statement: sql.SQL, role: str, user: str) -> WrongServer:
    done = statement.format(sql.Identifier(role), sql.Identifier(user)).as_string()
    return WrongServer(
        f"The database user {conn.info.user} may not give or take {role}. An administrator does it:", then=[done + ";"]
    )
