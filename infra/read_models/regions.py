"""The states that each member of marketing sees, by which the views of the schema `regional` limit their rows."""

from collections.abc import Collection

import psycopg

_OF_ALL = "SELECT member, array_agg(state ORDER BY state) FROM read_model.marketing_region GROUP BY member"
_FORGET = "DELETE FROM read_model.marketing_region WHERE member = %s"
_ADD = "INSERT INTO read_model.marketing_region (member, state) SELECT %s, unnest(%s::text[])"
_WHERE_SOMEBODY_IS = """
    SELECT state FROM customer.dim_customer WHERE state = ANY(%(states)s)
    UNION
    SELECT state FROM marketplace.dim_seller WHERE state = ANY(%(states)s)
"""


def of_all(conn: psycopg.Connection) -> dict[str, list[str]]:
    """By member their states."""
    return dict(conn.execute(_OF_ALL).fetchall())


def where_somebody_is(conn: psycopg.Connection, states: Collection[str]) -> set[str]:
    """Those of these states in which people or sellers of the live tables are."""
    return {state for (state,) in conn.execute(_WHERE_SOMEBODY_IS, {"states": list(states)}).fetchall()}


def set_for(conn: psycopg.Connection, member: str, states: Collection[str]) -> None:
    """Lets a member see these states, and no others, within a transaction."""
    conn.execute(_FORGET, [member])
    conn.execute(_ADD, [member, sorted(set(states))])


def forget(conn: psycopg.Connection, member: str) -> None:
    """Lets a member see none."""
    conn.execute(_FORGET, [member])
