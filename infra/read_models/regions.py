"""The states that each member of marketing sees, by which the views of the schema `regional` limit their rows."""

from collections.abc import Collection

import psycopg

_OF_ALL = "SELECT member, array_agg(state ORDER BY state) FROM read_model.marketing_region GROUP BY member"
_FORGET = "DELETE FROM read_model.marketing_region WHERE member = %s"
_ADD = "INSERT INTO read_model.marketing_region (member, state) SELECT %s, unnest(%s::text[])"


def of_all(conn: psycopg.Connection) -> dict[str, list[str]]:
    """By member their states."""
    return dict(conn.execute(_OF_ALL).fetchall())


def set_for(conn: psycopg.Connection, member: str, states: Collection[str]) -> None:
    """Lets a member see these states, and no others, within a transaction."""
    conn.execute(_FORGET, [member])
    conn.execute(_ADD, [member, sorted(set(states))])


def forget(conn: psycopg.Connection, member: str) -> None:
    """Lets a member see none."""
    conn.execute(_FORGET, [member])
