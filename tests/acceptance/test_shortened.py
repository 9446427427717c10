"""Ids and names of loads need not be written out, as long as what stands there is the beginning of one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import a_customer, an_id, an_order
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse, refused

ORDER = 0xABCD << 112
"""An order whose id begins as no other does; those of all others begin with zeros."""


@pytest.fixture(scope="module")
def warehouse(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """With the loads april and april-2, and a row that is kept apart."""
    folder = tmp_path_factory.mktemp("loaded")
    lines = changed(
        a_good_extract(),
        orders=adding(an_order(ORDER), an_order(6, "Delivered")),
        customers=adding(a_customer(100 + ORDER, 0xABCD << 112)),
    )
    with copied(server) as database:
        found = Warehouse(database, folder / "home")
        found.ingest(write(folder / "april", lines))
        found.ingest(write(folder / "april-2", changed(lines, orders=adding(an_order(7, "created")))))
        yield found


def batch(warehouse: Warehouse, name: str) -> str:
    return str(next(load["batch"] for load in warehouse.json("batches") if load["name"] == name))


def test_the_beginning_of_an_id_stands_for_the_one_that_has_it(warehouse: Warehouse) -> None:
    history = warehouse.json("audit", "history", "order", "ABCD")
    assert history == warehouse.json("audit", "history", "order", an_id(ORDER))
    assert warehouse.json("audit", "history", "customer", "abcd")[0]["event"] == "CustomerRegistered"
    whole = warehouse.json("audit", "lineage", "sales.fact_order", an_id(ORDER))
    assert warehouse.json("audit", "lineage", "fact_order", "abcd-0") == whole
    [row] = warehouse.json("quality", "quarantine", "--limit", "1")
    assert warehouse.json("audit", "history", "row", row["row"][:9])[0]["stream"] == row["row"]
    refused(warehouse.run("quality", "release", row["row"][:9], "--reason", " ", "--json"), 2, "--reason")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("audit", "history", "order", "0000"), "more than one order"),
        (("audit", "history", "order", "abce"), "no order whose id begins with abce"),
        (("audit", "history", "order", "abc"), "the first 4 or more"),
        (("audit", "history", "shipment", "0000"), "more than one shipment"),
        (("audit", "lineage", "fact_order", "0000"), "more than one row in sales.fact_order"),
        (("audit", "lineage", "fact_orders", "0000"), "no table fact_orders"),
        (("quality", "discard", "0", "--reason", "none"), "is not an id"),
        (("quality", "report", "apr"), "may be one of 2 loads"),
        (("quality", "report", "may"), "no load may"),
        (("retract", "apr", "--reason", "none"), "may be one of 2 loads"),
        (("customer", "erase", "abcd", "--reason", "none", "--yes"), "is not an id"),
    ],
)
def test_what_may_be_several_things_or_none_is_refused(warehouse: Warehouse, words: tuple[str, ...], told: str) -> None:
    refused(warehouse.run(*words, "--json"), 2, told)


@pytest.mark.parametrize("shortened", [8, 20, 36])
def test_a_load_is_called_by_its_id_its_name_or_the_beginning_of_either(warehouse: Warehouse, shortened: int) -> None:
    later = batch(warehouse, "april-2")
    for named in (later[:shortened], "april-2", "april-"):
        assert warehouse.json("quality", "report", named)["batch"] == later
        assert warehouse.json("audit", "history", "batch", named)[0]["stream"] == later
    assert warehouse.json("quality", "report", "april")["batch"] == batch(warehouse, "april"), (
        "a whole name counts more"
    )
    assert warehouse.json("retract", "april-2", "--dry-run")["batch"] == later
    assert [row["batch"] for row in warehouse.json("quality", "quarantine", "--batch", "april")] != []


def test_of_loads_of_one_name_the_one_that_stands_is_meant(
    server: EmbeddedServer, warehouse: Warehouse, tmp_path: Path
) -> None:
    def load() -> str:
        return str(found.json("ingest", again, "--name", "again")["batch"])

    with copied(server, warehouse.database) as database:
        found = Warehouse(database, tmp_path / "home")
        lines = changed(a_good_extract(), orders=adding(an_order(8, "created")))
        again = write(tmp_path / "again", lines)
        first = load()
        assert found.json("retract", "again", "--reason", "none")["batch"] == first
        refused(found.run("retract", "again", "--reason", "none", "--json"), 2, "already")
        second = load()
        assert second != first
        for named in ("again", "aga"):
            assert found.json("retract", named, "--dry-run")["batch"] == second
            assert found.json("audit", "history", "batch", named)[0]["stream"] == second
        assert found.json("retract", "again", "--reason", "none")["batch"] == second
        refused(found.run("retract", "again", "--reason", "none", "--json"), 2, "may be one of 2 loads")
        for order in (9, 10):
            again = write(tmp_path / str(order), changed(lines, orders=adding(an_order(order, "created"))))
            load()
        refused(found.run("retract", "again", "--reason", "none", "--json"), 2, "may be one of 2 loads")
