"""Sources that say that an extract holds everything: what it lacks is a finding, and where that is much, a refusal."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from replayhouse.infra.application import ingest
from replayhouse.infra.postgres.connection import Database
from tests.support.complete_shop import complete_mapping, orders_export
from tests.support.databases import Beginnings
from tests.support.in_process import Warehouse, rejected
from tests.support.shop import SELECTS, write_mapping
from tests.support.web import asking

ALL = range(1000, 1040)
PARTS = ("customers", "order_items", "order_payments", "orders", "products")


BEGINNINGS = Beginnings()


class Shop:
    """A warehouse, and the loads of a shop whose exports hold everything."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.mapping = complete_mapping(folder / "shop")

    def load(self, name: str, orders: Any, *options: str | Path, source: Path | None = None) -> Any:
        export = orders_export(self.folder / name, orders)
        return self.warehouse.json("ingest", export, "--source", source or self.mapping, *options)

    def findings(self) -> dict[str, tuple[int, int]]:
        report = self.warehouse.json("quality", "report")
        of_source = ("records_still_there", "extract_not_shrunk")
        return {one["rule"]: (one["checked"], one["failed"]) for one in report["checks"] if one["rule"] in of_source}


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    """Forty orders are loaded as `first`, once a process."""
    shop = Shop(Warehouse(database, tmp_path / "home"), tmp_path)
    assert BEGINNINGS.made(database, "first", lambda: shop.load("first", ALL))["missing_records"] == []
    return shop


def counts(told: Any) -> dict[str, tuple[int, int]]:
    return {kind["file"]: (kind["missing"], kind["known"]) for kind in told["missing_records"]}


def test_what_is_missing_is_counted_and_named_and_nothing_is_taken_away(shop: Shop) -> None:
    assert shop.findings() == {"records_still_there": (0, 0), "extract_not_shrunk": (0, 0)}
    before = shop.warehouse.digests()
    told = shop.load("later", [order for order in ALL if order not in (1003, 1007)])
    assert counts(told) == dict.fromkeys(PARTS, (2, 40))
    orders = next(kind for kind in told["missing_records"] if kind["file"] == "orders")
    assert [(place["file"], place["line"], place["load"]["name"]) for place in orders["first"]] == [
        ("orders_export_1.csv", 5, "first"),
        ("orders_export_1.csv", 9, "first"),
    ]
    assert [(one["records"], one["last_in"]["name"], one["is_new"]) for one in orders["since"]] == [(2, "first", True)]
    assert shop.findings() == {"records_still_there": (201, 10), "extract_not_shrunk": (6, 0)}
    assert shop.warehouse.digests() == before
    printed = shop.warehouse.run("ingest", shop.folder / "later", "--source", shop.mapping).out
    assert "orders: 2 of 40; the first: orders_export_1.csv:5 of first, orders_export_1.csv:9 of first" in printed
    assert "2 stood last in first and are new here" in printed
    assert "@example.com" not in printed
    report = shop.warehouse.run("quality", "report").out
    assert "orders: 2 of 40; the first: orders_export_1.csv:5 of first" in report
    assert shop.warehouse.json("quality", "report")["missing_records"] == told["missing_records"]
    with asking(shop.warehouse.database, shop.folder / "home") as client:
        assert client.get("/api/quality/later").json()["missing_records"] == told["missing_records"]
        page = client.get("/quality/later").text
    assert "orders_export_1.csv:5 of" in page
    assert "2 stood last in" in page


def test_what_was_missing_before_is_told_with_the_load_that_had_it_last(shop: Shop) -> None:
    shop.load("second", ALL[1:])
    shop.load("third", ALL[2:])
    told = shop.load("fourth", [*ALL[3:], ALL[1]])
    orders = next(kind for kind in told["missing_records"] if kind["file"] == "orders")
    since = [(one["records"], one["last_in"]["name"], one["is_new"]) for one in orders["since"]]
    assert since == [(1, "third", True), (1, "first", False)]  # the one that came back is missed no longer
    [fourth] = [load["batch"] for load in shop.warehouse.json("batches") if load["name"] == "fourth"]
    assert shop.warehouse.run("retract", fourth, "--reason", "a mistake").code == 0
    again = shop.load("fifth", ALL[2:])
    orders = next(kind for kind in again["missing_records"] if kind["file"] == "orders")
    assert [(one["records"], one["last_in"]["name"]) for one in orders["since"]] == [(1, "second"), (1, "first")]


def test_an_extract_that_lacks_too_much_is_rejected_until_its_mapping_believes_it(shop: Shop) -> None:
    before, events = shop.warehouse.digests(), shop.warehouse.events()
    export = orders_export(shop.folder / "cut", ALL[:28])
    done = shop.warehouse.run("ingest", export, "--source", shop.mapping, "--json")
    told = rejected(done, "Of the 40 records of orders that earlier loads of this source brought, the extract lacks 12")
    assert counts(told) == dict.fromkeys(PARTS, (12, 40))
    assert (shop.warehouse.digests(), told["score"]) == (before, None)
    assert {**shop.warehouse.events(), "quality": 0} == {**events, "quality": 0}
    assert shop.findings()["extract_not_shrunk"] == (6, 5)

    complete_mapping(shop.folder / "shop", setting="shrinks_at_most = 0.3")
    told = shop.warehouse.json("ingest", export, "--source", shop.mapping)
    assert (told["status"], counts(told)) == ("completed", dict.fromkeys(PARTS, (12, 40)))
    assert shop.warehouse.digests() == before


def test_one_source_does_not_miss_what_another_brought(shop: Shop) -> None:
    other = complete_mapping(shop.folder / "other", name="other")
    assert shop.load("of_other", range(2000, 2010), source=other)["missing_records"] == []
    assert shop.load("later", ALL)["missing_records"] == []
    assert counts(shop.load("shrunk", range(2001, 2010), source=other))["orders"] == (1, 10)


def test_a_load_that_was_killed_finds_the_same_when_it_goes_on_and_a_dry_run_before_it(shop: Shop) -> None:
    planned = shop.load("later", ALL[2:], "--dry-run")
    rows = "SELECT count(*), count(line) FROM event_store.source_record"
    before = shop.warehouse.rows(rows)
    with patch.object(ingest, "tell_completion", side_effect=RuntimeError("killed")):
        done = shop.warehouse.run("ingest", shop.folder / "later", "--source", shop.mapping)
    assert done.code != 0
    told = shop.warehouse.json("ingest", shop.folder / "later", "--source", shop.mapping)
    assert (planned["status"], told["status"]) == ("planned", "completed")
    assert told["missing_records"] == planned["missing_records"] != []
    assert shop.warehouse.rows(rows) == [(before[0][0] + 10, before[0][1])]
    again = shop.warehouse.json("ingest", shop.folder / "later", "--source", shop.mapping)
    assert (again["status"], again["missing_records"]) == ("unchanged", told["missing_records"])


def test_what_earlier_loads_brought_is_missed_once_the_mapping_says_that_extracts_hold_everything(
    database: Database, tmp_path: Path
) -> None:
    shop = Shop(Warehouse(database, tmp_path / "home"), tmp_path)
    told = shop.load("early", ALL, source=write_mapping(tmp_path / "incomplete"))
    assert "missing_records" not in told
    assert shop.findings() == {}
    told = shop.load("later", ALL[1:])
    assert counts(told) == dict.fromkeys(("customers", "orders", "products"), (1, 40))
    orders = next(kind for kind in told["missing_records"] if kind["file"] == "orders")
    assert [(place["line"], place["load"]["name"]) for place in orders["first"]] == [(None, "early")]
    assert [(one["last_in"]["name"], one["is_new"]) for one in orders["since"]] == [("early", True)]
    again = shop.load("again", ALL[2:])
    orders = next(kind for kind in again["missing_records"] if kind["file"] == "orders")
    assert [(one["last_in"]["name"], one["is_new"]) for one in orders["since"]] == [("later", True), ("early", False)]


def test_neither_an_erased_person_nor_a_record_that_is_quarantined_is_missed(shop: Shop) -> None:
    [(person,)] = shop.warehouse.rows("SELECT customer_id::text FROM customer.customer_alias ORDER BY 1 LIMIT 1")
    [(order,)] = shop.warehouse.rows(f"""
        SELECT order_id::text FROM sales.fact_order JOIN customer.customer_alias USING (customer_alias)
        WHERE customer_alias.customer_id = '{person}'""")
    erased = shop.warehouse.run("customer", "erase", person, "--reason", "asked for it", "--yes")
    assert erased.code == 0, erased
    placed = shop.warehouse.json("audit", "history", "order", order)[0]["source"]  # orders:2 order_items:2 ...
    number = ALL[int(placed.split("orders:")[1].split()[0]) - 2]
    export = orders_export(shop.folder / "later", [one for one in ALL if one != number])
    file = export / "orders_export_1.csv"
    spoilt = next(one for one in ALL if one != number)
    file.write_bytes(file.read_bytes().replace(f"Article {spoilt};30,50".encode(), f"Article {spoilt};thirty".encode()))
    told = shop.warehouse.json("ingest", export, "--source", shop.mapping)
    assert told["files"]["order_items"]["quarantined"] == 1
    assert counts(told) == {"products": (1, 40)}


def test_a_source_that_is_not_held_against_it_is_not_told_what_is_missing(shop: Shop) -> None:
    toml = shop.mapping / "source.toml"
    toml.write_text(f'{toml.read_text(encoding="utf-8")}\n[expectations]\noff = ["records_still_there"]\n', "utf-8")
    assert shop.load("later", ALL[1:])["missing_records"] == []
    assert "records_still_there" not in shop.findings()


def test_a_line_that_cannot_be_read_may_be_what_is_missing(shop: Shop) -> None:
    export = orders_export(shop.folder / "later", ALL)
    file = export / "orders_export_1.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:5], b"#" + lines[5][-9:], b"x;y\r\n", *lines[7:-1]]))
    told = shop.warehouse.json("ingest", export, "--source", shop.mapping)
    assert counts(told) == dict.fromkeys(PARTS, (3, 40))
    assert {kind["unreadable"] for kind in told["missing_records"]} == {2}
    assert shop.findings()["records_still_there"] == (201, len(PARTS))


def test_a_kind_without_records_is_missed_and_one_that_is_not_made_is_not_looked_for(shop: Shop) -> None:
    products = shop.mapping / "products.sql"
    products.write_text(SELECTS["products"].replace("GROUP BY", "WHERE false GROUP BY"))
    export = orders_export(shop.folder / "later", ALL[1:])
    done = shop.warehouse.run("ingest", export, "--source", shop.mapping, "--dry-run", "--json")
    assert done.code == 1, done
    [reason, *_] = [one for one in done.document["reasons"] if "products" in one and "earlier loads" in one]
    assert "the extract lacks 40: more than 20 %" in reason
    products.unlink()
    told = shop.warehouse.json("ingest", export, "--source", shop.mapping)
    assert counts(told) == {file: (1, 40) for file in PARTS if file != "products"}
