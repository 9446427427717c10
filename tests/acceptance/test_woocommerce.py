"""Orders of a WooCommerce shop, loaded by the mapping that comes with the program."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
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
from tests.support.mappings import SHIPPED
from tests.support.shipped_mappings import carried, id_of, only_whole_orders, person_of
from tests.support.woocommerce_export import Export, exported, row, write

ORDERS, SEED = 120, 8
NAME = "woocommerce"
UNPAID = ("pending", "on-hold", "cancelled", "failed")

CARRIED = carried("woocommerce.md")


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
    orders = {UUID(order): id_of(NAME, "order", number) for order, number in export.numbers.items()}
    aliases = {UUID(alias): id_of(NAME, "alias", number) for alias, number in export.aliases.items()}
    products = {UUID(row["item_sku"]): id_of(NAME, "product", row["item_sku"]) for row in export.rows}
    return people | orders | aliases | products


@pytest.mark.parametrize("table", CARRIED)
def test_what_the_export_carries_is_what_the_nine_files_say(both: Both, table: str) -> None:
    names = CARRIED[table]
    direct = Counter(tuple(both.ids.get(cell, cell) for cell in row) for row in both.direct.table(table, names))
    if table == "marketplace.product":
        sold = {*both.ids.values(), UUID(int=0)}
        direct = Counter({row: number for row, number in direct.items() if row[0] in sold})
    assert Counter(both.mapped.table(table, names)) == direct


def test_sums_of_the_export_are_sums_of_the_facts(both: Both) -> None:
    """The sums are made with nothing but the rows of the export."""
    orders = {row["order_id"]: row for row in both.export.rows}
    prices = sum(Decimal(row["item_total"]) + Decimal(row["item_total_tax"]) for row in both.export.rows)
    freight = sum(Decimal(order["shipping_total"]) for order in orders.values())
    pieces = sum(int(row["item_quantity"]) for row in both.export.rows)
    paid = [Decimal(order["order_total"]) for order in orders.values() if order["status"] not in UNPAID]

    rows = both.mapped.rows
    assert rows("SELECT count(*), sum(price), sum(freight) FROM sales.fact_order_item") == [(pieces, prices, freight)]
    assert rows("SELECT count(*), sum(amount) FROM sales.fact_payment") == [(len(paid), sum(paid))]
    totals = {id_of(NAME, "order", number): Decimal(order["order_total"]) for number, order in orders.items()}
    assert dict(rows("SELECT order_id, total FROM sales.fact_order")) == totals


def test_a_history_names_the_file_and_the_lines_of_the_export(both: Both) -> None:
    number, rows = Counter(row["order_id"] for row in both.export.rows).most_common(1)[0]
    line = 2 + next(place for place, row in enumerate(both.export.rows) if row["order_id"] == number)
    told = both.mapped.run("audit", "history", "order", str(id_of(NAME, "order", number)))
    assert rows > 1
    assert f"orders-export-2018-09-01.csv:{line}" in told.out, told


def test_the_same_export_again_changes_nothing(both: Both) -> None:
    assert both.mapped.json("ingest", both.export.folder, "--source", NAME)["status"] == "unchanged"


def test_questions_are_answered_for_the_shop(both: Both) -> None:
    revenue, late = both.mapped.run("ask", "1"), both.mapped.run("ask", "22")
    assert (revenue.code, late.code) == (0, 0), (revenue, late)
    assert "delivered orders" in revenue.out


def test_a_later_export_tells_what_has_become_of_an_order(database: Database, tmp_path: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    early = write(tmp_path / "early", [row(1001, status="pending", payment_method="")])
    later = write(tmp_path / "later", [row(1001, refunded_total="10.00"), row(1002)])
    for folder in (early, later):
        assert warehouse.json("ingest", folder, "--source", NAME)["status"] == "completed"
    assert warehouse.rows("SELECT status, total, paid, payment_method FROM sales.fact_order ORDER BY paid") == [
        ("delivered", Decimal("42.50"), Decimal("32.50"), "pix"),
        ("delivered", Decimal("42.50"), Decimal("42.50"), "pix"),
    ]


def test_a_shop_elsewhere_needs_its_name_its_zone_and_its_currency(database: Database, tmp_path: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    lisbon = {"order_currency": "EUR", "billing_country": "PT", "billing_postcode": "1000-001", "billing_state": ""}
    nowhere = dict.fromkeys(("billing_country", "billing_postcode", "billing_city", "billing_state"), "")
    export = write(tmp_path / "export", [row(1001, **lisbon), row(1002, **{**lisbon, **nowhere})])
    told = warehouse.run("ingest", export, "--source", NAME, "--json")
    assert (told.code, "EUR" in told.out) == (1, True), told

    shutil.copytree(SHIPPED / NAME, tmp_path / "loja")
    toml = tmp_path / "loja" / "source.toml"
    text = toml.read_text(encoding="utf-8")
    for said, instead in (
        ('name = "woocommerce"', 'name = "loja"\ncurrency = "EUR"'),
        ("America/Sao_Paulo", "Europe/Lisbon"),
    ):
        text = text.replace(said, instead, 1)
    toml.write_text(text, encoding="utf-8")
    assert warehouse.json("ingest", export, "--source", tmp_path / "loja")["files"]["customers"]["quarantined"] == 0
    deliveries = "SELECT placed_at, destination_zip FROM fulfillment.fact_delivery ORDER BY 2"
    assert warehouse.rows(deliveries) == [
        (datetime(2018, 1, 2, 8), "PT 1000001"),
        (datetime(2018, 1, 2, 8), "UNKNOWN"),
    ]
