"""Orders of a Shopify shop, loaded by the mapping that comes with the program."""

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.ingest.synthetic.generate import generate
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.shipped_mappings import carried, id_of, only_whole_orders, person_of
from tests.support.shopify_export import FILE, Export, exported, row, write, write_products

ORDERS, SEED = 500, 8
NAME = "shopify"
UNPAID = ("pending", "voided")

CARRIED = carried("shopify.md")


class Both(NamedTuple):
    """A warehouse of the nine files, and one of the same orders as a shop exported them."""

    direct: Warehouse
    mapped: Warehouse
    export: Export
    ids: dict[UUID, UUID]
    """Ids of the nine files, and those that the mapping made for the same things."""


@pytest.fixture(scope="module")
def both(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp(NAME)
    generate(folder / "generated", ORDERS, SEED)
    extract = only_whole_orders(folder / "generated", folder / "nine")
    export = exported(extract, folder / "export")
    with copied(server) as one, copied(server) as two:
        direct, mapped = Warehouse(one, folder / "one"), Warehouse(two, folder / "two")
        direct.ingest(extract)
        told = mapped.json("ingest", export.folder, "--source", NAME)
        assert told["status"] == "completed", told
        assert [file for file, counts in told["files"].items() if counts["quarantined"]] == []
        yield Both(direct, mapped, export, ids_of(export, mapped))


def ids_of(export: Export, mapped: Warehouse) -> dict[UUID, UUID]:
    with mapped.database.connect("replayhouse test") as connection:
        people = {UUID(one): person_of(NAME, email, connection) for one, email in export.emails.items()}
    orders = {UUID(order): id_of(NAME, "order", name) for order, name in export.names.items()}
    aliases = {UUID(alias): id_of(NAME, "alias", name) for alias, name in export.aliases.items()}
    products = {UUID(sku): id_of(NAME, "product", sku) for sku in export.products}
    sellers = {UUID(row["Vendor"]): id_of(NAME, "seller", row["Vendor"]) for row in export.rows}
    return people | orders | aliases | products | sellers


@pytest.mark.parametrize("table", CARRIED)
def test_what_the_export_carries_is_what_the_nine_files_say(both: Both, table: str) -> None:
    names = CARRIED[table]
    direct = Counter(tuple(both.ids.get(cell, cell) for cell in row) for row in both.direct.table(table, names))
    if table == "marketplace.dim_seller":
        sold = {*both.ids.values(), UUID(int=0)}
        direct = Counter({row: number for row, number in direct.items() if row[0] in sold})
    assert Counter(both.mapped.table(table, names)) == direct


def test_sums_of_the_export_are_sums_of_the_facts(both: Both) -> None:
    """The sums are made with nothing but the file: 500 orders, of which those without items were left out."""
    with (both.export.folder / FILE).open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    orders = {line["Name"]: line for line in lines if line["Total"]}
    pieces = sum(int(line["Lineitem quantity"]) for line in lines)
    prices = sum(Decimal(line["Lineitem price"]) * int(line["Lineitem quantity"]) for line in lines)
    freight = sum(Decimal(order["Shipping"]) for order in orders.values())
    paid = [Decimal(order["Total"]) for order in orders.values() if order["Financial Status"] not in UNPAID]

    rows = both.mapped.rows
    assert len(lines) > len(orders) > 400
    assert rows("SELECT count(*), sum(price), sum(freight) FROM sales.fact_order_item") == [(pieces, prices, freight)]
    assert rows("SELECT count(*), sum(amount) FROM sales.fact_payment") == [(len(paid), sum(paid))]
    totals = {id_of(NAME, "order", name): Decimal(order["Total"]) for name, order in orders.items()}
    assert dict(rows("SELECT order_id, total FROM sales.fact_order")) == totals


def test_a_history_names_the_file_and_the_lines_of_the_export(both: Both) -> None:
    name, rows = Counter(row["Name"] for row in both.export.rows).most_common(1)[0]
    line = 2 + next(place for place, row in enumerate(both.export.rows) if row["Name"] == name)
    told = both.mapped.run("audit", "history", "order", "--key", name)
    assert rows > 1
    assert f"{FILE}:{line}" in told.out, told


def test_the_same_export_again_changes_nothing(both: Both) -> None:
    assert both.mapped.json("ingest", both.export.folder, "--source", NAME)["status"] == "unchanged"


def test_questions_are_answered_for_the_shop(both: Both) -> None:
    revenue, late = both.mapped.run("ask", "1"), both.mapped.run("ask", "22")
    assert (revenue.code, late.code) == (0, 0), (revenue, late)
    assert "delivered orders" in revenue.out


def test_a_later_export_tells_what_has_become_of_an_order(database: Database, tmp_path: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    waits = {"Financial_Status": "pending", "Fulfillment_Status": "unfulfilled", "Paid_at": "", "Fulfilled_at": ""}
    early = write(tmp_path / "early", [row(1001, **waits, Payment_Method="")])
    later = write(tmp_path / "later", [row(1001, Refunded_Amount="10.00"), row(1002)])
    for folder in (early, later):
        assert warehouse.json("ingest", folder, "--source", NAME)["status"] == "completed"
    assert warehouse.rows("SELECT status, total, paid, payment_method FROM sales.fact_order ORDER BY paid") == [
        ("delivered", Decimal("42.50"), Decimal("32.50"), "pix"),
        ("delivered", Decimal("42.50"), Decimal("42.50"), "pix"),
    ]


def test_photos_and_weights_are_those_of_the_nine_files_but_for_none(both: Both) -> None:
    names = ["product_id", "photos", "weight_g"]
    known = {both.ids.get(one, one): facts for one, *facts in both.direct.table("marketplace.product", names)}
    found = {one: facts for one, *facts in both.mapped.table("marketplace.product", names)}
    assert len(found) > 100
    assert {one: [photos or None, weight] for one, (photos, weight) in found.items()} == {
        one: [photos, weight or None] for one, (photos, weight) in known.items()
    }


def test_an_export_of_products_that_comes_later_tells_of_them_and_doubles_nothing(
    database: Database, tmp_path: Path
) -> None:
    """And one that is left out afterwards takes nothing away."""
    warehouse = Warehouse(database, tmp_path / "home")
    mug = {"Handle": "mug", "Title": "Mug", "Type": "mugs", "Variant SKU": "MUG", "Variant Grams": "350.0"}
    lamp = {"Handle": "lamp", "Title": "Lamp", "Type": "lights", "Variant SKU": "LAMP", "Body (HTML)": "<b>Bright</b>"}
    products = "SELECT category, name_length, description_length, photos, weight_g FROM marketplace.product"
    real = f"{products} WHERE product_id <> '{UUID(int=0)}' ORDER BY category"
    told = warehouse.json("ingest", write(tmp_path / "orders", [row(1001)]), "--source", NAME)
    assert (told["status"], told["absent"]) == ("completed", ["products*.csv"])
    assert warehouse.rows(real) == [("unknown", 3, None, None, None)]

    both_files = write_products(write(tmp_path / "both", [row(1001)]), [mug, lamp])
    told = warehouse.json("ingest", both_files, "--source", NAME)
    assert (told["files"]["products"]["new"], told["files"]["products"]["changed"]) == (1, 1)
    full = [("lights", 4, 6, 0, None), ("mugs", 3, None, 0, 350)]
    assert warehouse.rows(real) == full
    assert "products_export_1.csv:2" in warehouse.run("audit", "history", "product", "--key", "MUG").out

    told = warehouse.json("ingest", write(tmp_path / "later", [row(1001), row(1002)]), "--source", NAME)
    assert (told["status"], warehouse.rows(real)) == ("completed", full)
    assert warehouse.rows("SELECT count(DISTINCT product_id) FROM sales.fact_order_item") == [(1,)]


def test_an_article_that_the_export_of_products_lacks_stands_on_its_header(database: Database, tmp_path: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    export = write_products(write(tmp_path / "export", [row(1001)]), [{"Handle": "lamp", "Title": "Lamp"}])
    assert warehouse.json("ingest", export, "--source", NAME)["files"]["products"]["new"] == 2
    told = warehouse.run("audit", "lineage", "marketplace.product", "--key", "MUG")
    assert (told.code, "products_export_1.csv:1" in told.out) == (0, True), told
