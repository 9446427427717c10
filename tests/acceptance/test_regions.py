"""Regions of a source that has its own: its mapping says which states lie in which."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from replayhouse.infra.postgres.connection import Database
from tests.support.in_process import Warehouse, refused
from tests.support.loads import Loads
from tests.support.shop import SELECTS, write_export, write_mapping

LINES = [
    "#1001;ana@example.com;02/01/2018 10:00:00;30,50;12,00;Mug;30,50;94103;san francisco;CA",
    "#1002;ana@example.com;05/01/2018 09:30:00;30,50;8,00;Mug;30,50;10001;new york;NY",
    "#1003;rui@example.com;09/01/2018 20:15:00;30,50;8,00;Mug;30,50;94110;san francisco;CA",
    "#1004;eva@example.com;12/01/2018 08:00:00;30,50;8,00;Mug;30,50;60601;chicago;IL",
    "#1005;lia@example.com;14/01/2018 08:00:00;30,50;8,00;Mug;30,50;97201;portland;OR",
]
SELLERS = SELECTS["sellers"].replace("'SP'", "'OR'")
WEST_AND_EAST = '\n[regions]\n"West" = ["CA", "OR"]\n"East" = ["NY", "PA"]\n'

CUSTOMERS = "SELECT state, region FROM customer.dim_customer WHERE position > 0 ORDER BY 1, 2"
ORDERS = "SELECT state, region, origin_region FROM mart.orders ORDER BY placed_at"
SHOWN = "SELECT count(*) FROM event_store.log WHERE topic ~ 'RegionShown'"


@pytest.fixture
def loads(database: Database, tmp_path: Path) -> Loads:
    return Loads(Warehouse(database, tmp_path / "home"), tmp_path)


@contextmanager
def somebody(conn: psycopg.Connection) -> Iterator[str]:
    """A user of the database, for the block."""
    user = f"ann_{os.getpid()}"
    conn.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(user)))
    try:
        yield user
    finally:
        conn.execute(sql.SQL("RESET ROLE; DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(user)))


def mapping_with(folder: Path, regions: str) -> Path:
    source = write_mapping(folder, sellers=SELLERS)
    with (source / "source.toml").open("a", encoding="utf-8") as toml:
        toml.write(regions)
    return source


def test_regions_are_those_that_the_mapping_says(loads: Loads, tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", LINES)
    source = mapping_with(tmp_path / "shop", "")
    loads.warehouse.json("ingest", export, "--source", source)
    assert {region for _, region in loads.shown(CUSTOMERS)} == {"unknown"}
    assert loads.shown(SHOWN) == [(0,)]

    mapping_with(source, WEST_AND_EAST)  # it is another mapping then, so its extract is another load
    told = loads.warehouse.json("ingest", export, "--source", source)
    people = [("CA", "West"), ("IL", "unknown"), ("NY", "East"), ("OR", "West")]
    assert loads.shown(CUSTOMERS) == people
    assert loads.shown("SELECT state, region FROM marketplace.dim_seller WHERE position > 0") == [("OR", "West")]
    assert loads.shown(ORDERS) == [
        ("CA", "West", "West"),  # where that person lived then
        ("NY", "East", "West"),
        ("CA", "West", "West"),
        ("IL", "unknown", "West"),
        ("OR", "West", "West"),
    ]
    assert told["events"]["customer"] == 5  # one for each state of each person
    loads.check()

    mapping_with(source, WEST_AND_EAST.replace('"PA"', '"IL"'))
    told = loads.warehouse.json("ingest", export, "--source", source)
    assert (told["events"]["customer"], told["events"]["marketplace"]) == (1, 0)
    assert ("IL", "East") in loads.shown(CUSTOMERS)
    loads.check()
    loads.warehouse.json("retract", told["batch"], "--reason", "a test")
    assert loads.shown(CUSTOMERS) == people


def test_answers_have_each_state_once_though_only_newer_loads_tell_its_region(loads: Loads, tmp_path: Path) -> None:
    source = mapping_with(tmp_path / "shop", "")
    loads.warehouse.json("ingest", write_export(tmp_path / "old", LINES[2:4]), "--source", source)
    mapping_with(source, WEST_AND_EAST)
    newer = ["#1006;ivo@example.com;15/01/2018 10:00:00;30,50;8,00;Mug;30,50;94103;san francisco;CA", LINES[0]]
    loads.warehouse.json("ingest", write_export(tmp_path / "new", newer), "--source", source)
    assert loads.shown(CUSTOMERS) == [("CA", "West"), ("CA", "West"), ("CA", "unknown"), ("IL", "unknown")]
    asked = loads.warehouse.json("ask", "61")
    assert sorted((state, region, orders) for state, region, _, orders, *_ in asked["rows"] if state != "all") == [
        ("CA", "West", 3),
        ("IL", "unknown", 1),
    ]
    loads.check()


def test_marketing_may_be_granted_a_state_of_the_source(loads: Loads, tmp_path: Path) -> None:
    lines = [line.replace(";NY", ";New York") for line in LINES]
    source = mapping_with(tmp_path / "shop", WEST_AND_EAST.replace('"NY"', '"New York"'))
    loads.warehouse.json("ingest", write_export(tmp_path / "export", lines), "--source", source)
    with loads.warehouse.database.connect(autocommit=True) as conn, somebody(conn) as user:
        told = loads.warehouse.json("db", "grant", "marketing", user, "--state", "or", "--state", "New York")
        assert told["states"] == ["New York", "OR"]
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(user)))
        seen = (
            "SELECT state, region FROM regional.dim_customer UNION SELECT state, region FROM regional.orders ORDER BY 1"
        )
        assert conn.execute(seen).fetchall() == [("New York", "East"), ("OR", "West")]
        conn.execute("RESET ROLE")
        run = loads.warehouse.run("db", "grant", "marketing", user, "--state", "TX", "--json")
        refused(run, 2, "Brazil has no state TX, and nobody here is in one")
