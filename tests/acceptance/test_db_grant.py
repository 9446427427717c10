"""Roles are given to users of the database, taken from them and listed; who may see what follows from it."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.roles import ROLES
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused

ALICE, BOB = f"alice_{os.getpid()}", f'Bob "of" {os.getpid()}'
SEES = "SELECT state FROM regional.dim_customer ORDER BY 1"


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.begin(write(tmp_path / "extract", a_good_extract()))
    return warehouse


@pytest.fixture
def conn(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """An administrator, who has made two users."""
    with warehouse.database.connect(autocommit=True) as found:
        for user in (ALICE, BOB):
            found.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(user)))
        yield found
        for user in (ALICE, BOB):
            found.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(user)))


def read(conn: psycopg.Connection, user: str, query: str) -> list[str]:
    """The first column of what a user finds."""
    with conn.transaction():
        conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(user)))
        return [str(row[0]) for row in conn.execute(query.encode()).fetchall()]


def holders(warehouse: Warehouse) -> dict[str, dict[str, list[str]]]:
    """Who has which role, as the command lists it, by role and user, each with their states; of our two users."""
    return {
        role["role"]: {one["user"]: one["states"] for one in role["users"] if one["user"] in (ALICE, BOB)}
        for role in warehouse.json("db", "roles")
    }


def test_a_role_is_given_listed_and_taken(warehouse: Warehouse, conn: psycopg.Connection) -> None:
    query = "SELECT zip_prefix FROM masked.dim_customer"
    with pytest.raises(errors.InsufficientPrivilege):
        read(conn, BOB, query)
    told = warehouse.json("db", "grant", "analyst", BOB)
    assert told == {"role": "analyst", "user": BOB, "has_it": True, "is_new": True, "states": []}
    assert "01" in read(conn, BOB, query)
    assert f"{BOB} had the role analyst already" in warehouse.run("db", "grant", "analyst", BOB).out
    warehouse.json("db", "grant", "auditor", BOB)
    assert read(conn, BOB, "SELECT count(*) > 0 FROM event_store.log") == ["True"]
    with pytest.raises(errors.InsufficientPrivilege):
        read(conn, BOB, "SELECT count(*) FROM event_store.subject_key")

    found = holders(warehouse)
    assert list(found) == [role.removeprefix("replayhouse_") for role in ROLES]
    assert {role for role, users in found.items() if BOB in users} == {"analyst", "auditor"}
    assert BOB in warehouse.run("db", "roles").out

    assert warehouse.json("db", "revoke", "analyst", BOB)["is_new"] is True
    with pytest.raises(errors.InsufficientPrivilege):
        read(conn, BOB, query)
    again = warehouse.run("db", "revoke", "analyst", BOB)
    assert (again.code, again.out) == (0, f"{BOB} did not have the role analyst.\n")
    assert {role for role, users in holders(warehouse).items() if BOB in users} == {"auditor"}
    warehouse.json("db", "revoke", "auditor", BOB)


def test_marketing_sees_the_states_that_were_named_last(warehouse: Warehouse, conn: psycopg.Connection) -> None:
    refused(warehouse.run("db", "grant", "marketing", ALICE, "--json"), 2, "Which states", "--state SP")
    assert holders(warehouse)["marketing"] == {}
    warehouse.json("db", "grant", "marketing", ALICE, "--state", "sp", "--state", "AC")
    told = warehouse.json("db", "grant", "marketing", BOB, "--state", "RJ")
    assert told["states"] == ["RJ"]
    assert read(conn, ALICE, SEES) == ["AC", "SP"]
    assert read(conn, BOB, SEES) == ["RJ", "RJ"]
    assert f"{ALICE} (AC SP)" in warehouse.run("db", "roles").out

    assert warehouse.json("db", "grant", "marketing", ALICE)["states"] == ["AC", "SP"]
    warehouse.json("rebuild", "customer")
    assert read(conn, ALICE, SEES) == ["AC", "SP"]
    assert "sees RJ" in warehouse.run("db", "grant", "marketing", ALICE, "--state", "RJ").out
    assert read(conn, ALICE, SEES) == ["RJ", "RJ"]
    warehouse.json("db", "revoke", "marketing", ALICE)
    assert holders(warehouse)["marketing"] == {BOB: ["RJ"]}
    conn.execute(sql.SQL("GRANT replayhouse_marketing TO {}").format(sql.Identifier(ALICE)))
    assert read(conn, ALICE, SEES) == [], "whose states are gone"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grant", "chief", "{alice}"), ("no role 'chief'", "owner, writer, reader, analyst")),
        (("revoke", "replayhouse_analyst", "{alice}"), ("no role 'replayhouse_analyst'",)),
        (("grant", "analyst", "nobody of that name"), ("no user 'nobody of that name'", "CREATE ROLE")),
        (("grant", "analyst", "replayhouse_reader"), ("itself one of the roles",)),
        (("grant", "analyst", "{alice}", "--state", "SP"), ("leave --state out",)),
        (("grant", "marketing", "{alice}", "--state", "SP", "--state", "XX"), ("no state XX", "AC, AL")),
        (("grant", "analyst", "a\0b"), ("NUL",)),
        (("grant", "marketing", "nobody", "--state", "SP"), ("no user 'nobody': it has ", "{alice}", "db psql --role")),
        (("revoke", "analyst", "nobody"), ("no user 'nobody'",)),
        (("grant", "analyst", ""), ("can be called ''",)),
        (("grant", "analyst", "pg_monitor"), ("can be called 'pg_monitor'",)),
        (("grant", "analyst", "x" * 64), ("can be called 'xxx",)),
    ],
    ids=lambda given: " ".join(given).replace("\0", "NUL"),
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(
    warehouse: Warehouse, conn: psycopg.Connection, words: tuple[str, ...], told: tuple[str, ...]
) -> None:
    before = holders(warehouse)
    refused(
        warehouse.run("db", *(word.replace("{alice}", ALICE) for word in words), "--json"),
        2,
        *(part.replace("{alice}", ALICE) for part in told),
    )
    assert holders(warehouse) == before
