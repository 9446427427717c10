"""A warehouse whose read models an earlier version of the program has made: every command answers plainly.

Those that bring read models up to date leave what a fresh warehouse would have.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.projections.sights import relations
from tests.oracle.lines import an_order
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse, refused

PERSON = str(UUID(int=901))
BECAUSE = ("--reason", "a test")

# What the tables were before they got a column more, a wider one, and another table; no marts, no views
# for roles, and nobody took fingerprints.
AS_EARLIER = """
    DROP SCHEMA masked, regional CASCADE;
    DROP MATERIALIZED VIEW mart.orders CASCADE;
    ALTER TABLE sales.fact_payment DROP COLUMN installments;
    ALTER TABLE fulfillment.fact_delivery DROP COLUMN destination_zip;
    ALTER TABLE customer.dim_customer ADD COLUMN nickname text;
    DROP TABLE customer.address_history;
    ALTER TABLE marketplace.product DROP COLUMN photos CASCADE;
    ALTER TABLE quality.quarantine ALTER COLUMN line TYPE bigint;
    UPDATE read_model.revision SET fingerprint = NULL
"""


def an_extract() -> dict[str, list[str]]:
    """The good one, with a record that cannot be read."""
    return changed(a_good_extract(), orders=adding(an_order(6, "Delivered")))


@pytest.fixture(scope="module")
def earlier(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Any]]:
    """A warehouse with a load, a copy under a prefix and a kept revision, before the upgrade; and its digests."""
    folder = tmp_path_factory.mktemp("earlier")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "first", an_extract()))
        warehouse.json("rebuild", "--into", "before")
        warehouse.json("rebuild", "customer")
        warehouse.json("rebuild", "customer")
        fresh = warehouse.digests()
        _as_earlier(warehouse)
        yield database, fresh


def _as_earlier(warehouse: Warehouse) -> None:
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute(AS_EARLIER)


@pytest.fixture
def warehouse(server: EmbeddedServer, earlier: tuple[Database, Any], tmp_path: Path) -> Iterator[Warehouse]:
    with copied(server, earlier[0]) as database:
        yield Warehouse(database, tmp_path / "home")


def test_commands_that_read_say_what_is_the_matter(warehouse: Warehouse) -> None:
    contexts = warehouse.json("status")["contexts"]
    assert {context: told["made_by"] for context, told in contexts.items()} == dict.fromkeys(contexts, "earlier")
    assert "sales was made by an earlier version of this program" in warehouse.run("status").out
    warehouse.json("revisions", "list")
    for reading in (
        ("digest",),
        ("quality", "quarantine"),
        ("audit", "lineage", "sales.fact_order", str(UUID(int=1))),
        ("audit", "lineage", "marketplace.dim_product", str(UUID(int=70))),
    ):
        refused(warehouse.run(*reading, "--json"), 2, "earlier version", "replayhouse project")
    compared = warehouse.json("audit", "compare", "before", "live")
    assert compared["tables"]["sales.fact_payment"]["columns_of_one_side"] == ["installments"]
    assert compared["tables_of_one_side"] == ["customer.address_history"]
    assert warehouse.json("rebuild", "--into", "before")
    refused(warehouse.run("revert", "sales", "--json"), 2, "no earlier revision")
    assert "replayhouse project makes them later" in warehouse.run("revert", "customer").err
    assert warehouse.json("status")["contexts"]["customer"]["made_by"] == "this"


@pytest.mark.parametrize(
    "command",
    [
        ("project", "sales"),
        ("rebuild", "sales"),
        ("ingest", "{first}"),
        ("retract", "{load}", "--dry-run"),
        ("quality", "discard", "{row}", *BECAUSE),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_what_brings_them_up_to_date_fills_them_anew(
    warehouse: Warehouse, earlier: tuple[Database, Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    [(load, row)] = warehouse.rows(
        "SELECT (SELECT batch_id FROM event_store.batch)::text, (SELECT row_id FROM quality.quarantine)::text"
    )
    places = {"first": write(tmp_path / "first", an_extract()), "load": load, "row": row}
    warehouse.json(*(word.format(**places) for word in command))
    assert warehouse.digests() == earlier[1]
    seen = warehouse.rows("SELECT relname FROM pg_class WHERE relnamespace = 'masked'::regnamespace")
    assert {name for (name,) in seen} == {relation.name for relation in relations()}
    assert warehouse.digests((*earlier[1], "quality")) == warehouse.rebuilt_digests()


def test_a_load_and_an_erasure_after_the_upgrade_leave_what_a_rebuild_makes(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    warehouse.ingest(write(tmp_path / "second", changed(an_extract(), orders=adding(an_order(7, "created")))))
    _as_earlier(warehouse)
    warehouse.json("customer", "erase", "--yes", PERSON, *BECAUSE)
    assert warehouse.rebuilt_digests() == warehouse.digests((*warehouse.digests(), "quality"))
