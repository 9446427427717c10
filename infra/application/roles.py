"""Who has which role of the warehouse: given, taken away, and listed."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import psycopg

from replayhouse.domain.kernel.places import REGION_OF_STATE
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres import memberships
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.postgres.memberships import role_named, short
from replayhouse.infra.postgres.roles import ROLES
from replayhouse.infra.read_models import regions
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.sights import MARKETING


class Granted(NamedTuple):
    """What `grant` and `revoke` answer: who has the role now, or has it not; `states` are those that they see then.

    `is_new`: whether that was otherwise before.
    """

    role: str
    user: str
    has_it: bool
    is_new: bool
    states: list[str]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return self._asdict()


class RoleMembers(NamedTuple):
    """A role: what it may do, whether the database has it, and who has it, each with the states that limit them."""

    role: str
    name: str
    may: str
    is_there: bool
    users: dict[str, list[str]]


class Roles(NamedTuple):
    """What `roles` answers."""

    roles: list[RoleMembers]

    def document(self) -> list[dict[str, object]]:
        """As JSON shows it."""
        return [
            {**role._asdict(), "users": [{"user": user, "states": states} for user, states in role.users.items()]}
            for role in self.roles
        ]


def grant(site: Site, role: str, user: str, states: Iterable[str]) -> Granted:
    """Gives a user of the database a role of the warehouse; marketing with the states whose rows they are to see."""
    name, named = role_named(role), set(states)
    if named and name != MARKETING.role:
        raise UsageError(f"Only marketing is limited to states, and {role} is not: leave --state out.")
    with site.database.connect("replayhouse db grant", autocommit=True) as conn, translated():
        prepare(conn)
        with conn.transaction():
            wanted = _known(conn, named)
            sees = wanted or regions.of_all(conn).get(user, []) if name == MARKETING.role else []
            if name == MARKETING.role and not sees:
                raise UsageError(f"Which states is {user} to see? Name each, as in --state SP --state RJ.")
            is_new = memberships.give(conn, name, user)
            if wanted:
                regions.set_for(conn, user, wanted)
        return Granted(role, user, True, is_new, sees)


def revoke(site: Site, role: str, user: str) -> Granted:
    """Takes a role from a user; of marketing with the states, also of a user who is gone. Raises Unknown for others."""
    name = role_named(role)
    with site.database.connect("replayhouse db revoke", autocommit=True) as conn, translated(), conn.transaction():
        if name != MARKETING.role or user not in regions.of_all(conn):
            memberships.refuse_strangers(conn, user)
        is_new = memberships.take(conn, name, user)
        if name == MARKETING.role:
            regions.forget(conn, user)
        return Granted(role, user, False, is_new, [])


def roles(site: Site) -> Roles:
    """The roles of the warehouse, and who has each."""
    with site.database.connect("replayhouse db roles", autocommit=True) as conn, translated(), conn.transaction():
        states = regions.of_all(conn)
        return Roles(
            [
                RoleMembers(
                    short(role),
                    role,
                    ROLES[role],
                    is_there,
                    {user: states.get(user, []) if role == MARKETING.role else [] for user in users},
                )
                for role, is_there, users in memberships.members(conn)
            ]
        )


def _known(conn: psycopg.Connection, named: Collection[str]) -> list[str]:
    """States as they are written in the tables: one where somebody is, or one of Brazil's, whatever its case."""
    there = regions.where_somebody_is(conn, {*named, *map(str.upper, named)})
    wanted = sorted({state if state in there else state.upper() for state in named})
    if strangers := [state for state in wanted if state not in there and state not in REGION_OF_STATE]:
        raise UsageError(
            f"Brazil has no state {', '.join(strangers)}, and nobody here is in one: name "
            f"{', '.join(sorted(REGION_OF_STATE))}, or one of a customer or seller, as it is written."
        )
    return wanted
