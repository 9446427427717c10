"""`--key`: things are asked for by the keys that their sources know them by."""

import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx2 import Response

import replayhouse
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import Forbidden
from replayhouse.infra.runtime.identity import Asked, Identity, Role
from tests.oracle.lines import an_id
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused
from tests.support.shop import LINES, write_export, write_mapping
from tests.support.web import asking

ANA = "ana@example.com"


@pytest.fixture(scope="module")
def shops(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with the nine files, and with two shops that both have an order #1001. Nobody changes it."""
    folder = tmp_path_factory.mktemp("keys")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "olist", a_good_extract()))
        for name, lines in (("shop", LINES), ("other", LINES[:2])):
            source, export = write_mapping(folder / name, name), write_export(folder / f"export of {name}", lines)
            assert warehouse.json("ingest", export, "--source", source)["status"] == "completed"
        yield warehouse


def history(warehouse: Warehouse, kind: str, *given: str) -> Any:
    return warehouse.json("audit", "history", kind, *given)


@pytest.mark.parametrize(
    ("kind", "key", "events"),
    [
        ("order", "#1003", "OrderPlaced"),
        ("shipment", "#1003", "ShipmentPlanned"),
        ("product", "Sofa", "ProductListed"),
    ],
)
def test_a_history_is_told_by_the_sources_own_key(shops: Warehouse, kind: str, key: str, events: str) -> None:
    by_key = history(shops, kind, "--key", key)
    assert by_key[0]["event"] == events
    assert by_key == history(shops, kind, by_key[0]["stream"])


def test_what_two_sources_have_is_asked_for_by_the_source(shops: Warehouse) -> None:
    refused(shops.run("audit", "history", "order", "--key", "#1001", "--json"), 2, "other and shop", "--source")
    orders = {source: history(shops, "order", "--key", "#1001", "--source", source) for source in ("shop", "other")}
    assert orders["shop"][0]["stream"] != orders["other"][0]["stream"]
    totals = "SELECT total FROM sales.fact_order WHERE order_id = %s"
    assert shops.rows(totals, orders["shop"][0]["stream"]) == [(Decimal("142.50"),)]


def test_a_key_of_the_nine_files_is_an_id(shops: Warehouse) -> None:
    assert history(shops, "order", "--key", an_id(1)) == history(shops, "order", an_id(1))
    assert history(shops, "order", "--key", an_id(1), "--source", "olist")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("order", "--key", "#1009"), ("No order has the key '#1009' in olist or other or shop", "id('order', key)")),
        (("order", "--key", " #1002"), ("without the blanks around it",)),
        (("order", "--key", "1002"), ("with # before it",)),
        (("product", "--key", "SOFA "), ("No product has the key 'SOFA '",)),
        (("seller", "--key", "THE SHOP"), ("in small letters",)),
        (("order", "--key", "#1002", "--source", "shopp"), ("no load of a source 'shopp'", "did you mean shop?")),
        (("order", "--key", "#1002", "--source", "olist"), ("in olist.", "32 hexadecimal digits")),
        (("order", "--key", "#1002", "--id-kind", "purchase"), ("id('purchase', key)",)),
        (("order", "--key", "\udce9"), ("not text in UTF-8",)),
        (("batch", "--key", "export"), ("A batch has no key of its source",)),
        (("order", "#1002", "--key", "#1002"), ("Name one thing",)),
        (("order",), ("Name one thing",)),
        (("order", "#1002"), ("is not an id", "goes with --key")),
        (("order", "abcd", "--source", "shop"), ("go with --key",)),
    ],
)
def test_a_key_that_means_nothing_is_told_with_what_was_tried(
    shops: Warehouse, given: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(shops.run("audit", "history", *given, "--json"), 2, *words)


def test_a_person_is_asked_for_by_the_key_in_the_source_and_nothing_repeats_it(shops: Warehouse) -> None:
    by_key = history(shops, "customer", "--key", "rui@example.com")
    assert by_key == history(shops, "customer", "--key", "#1002", "--id-kind", "alias")
    assert history(shops, "customer", "--key", ANA, "--source", "shop")
    refused(shops.run("audit", "history", "customer", "--key", ANA, "--json"), 2, "other and shop each have a customer")
    nobody = shops.run("audit", "history", "customer", "--key", "Rui@Example.com", "--json")
    refused(nobody, 2, "the key that was given", "in small letters")
    assert "@" not in nobody.out + nobody.err
    assert shops.rows("SELECT count(*) FROM event_store.access AS entry WHERE entry::text LIKE '%%@%%'") == [(0,)]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_who_may_not_read_keys_finds_nobody_by_a_key(shops: Warehouse, role: Role, tmp_path: Path) -> None:
    asked = Asked(Identity("somebody", role, "token"), "to find somebody")
    with (
        replayhouse.open(home=tmp_path, database_url=shops.database.url) as warehouse,
        warehouse.on_behalf_of(asked),
    ):
        with pytest.raises(Forbidden, match="the database refuses it"):
            warehouse.id_of("customer", "rui@example.com")
        assert warehouse.id_of("order", "#1002") == warehouse.id_of("order", "#1002", source="shop")


@pytest.mark.parametrize(
    ("table", "given", "row"),
    [
        ("fact_order", ("--key", "#1002"), "SELECT order_id FROM sales.fact_order WHERE total = 1030.50"),
        (
            "sales.fact_order_item",
            ("--key", "#1002", "2"),
            "SELECT order_id, item_no FROM sales.fact_order_item WHERE price = 1000",
        ),
        ("marketplace.dim_product", ("--key", "Sofa"), "SELECT product_id FROM marketplace.dim_product LIMIT 0"),
        ("dim_customer", ("--key", "rui@example.com"), "SELECT customer_id FROM customer.dim_customer LIMIT 0"),
        ("customer_alias", ("--key", "#1002"), "SELECT customer_alias FROM customer.customer_alias LIMIT 0"),
    ],
)
def test_a_row_is_named_by_the_key_in_the_source(shops: Warehouse, table: str, given: Sequence[str], row: str) -> None:
    told = shops.json("audit", "lineage", table, *given)
    assert told["events"]
    for values in shops.rows(row):
        assert told == shops.json("audit", "lineage", table, *map(str, values))


@pytest.mark.parametrize(
    ("mart", "given", "key"),
    [
        ("mart.lines", ("2", "--key", "#1002"), ["order_id", "item_no"]),
        ("customer_rfm", ("--key", "rui@example.com"), ["customer_id"]),
    ],
)
def test_a_row_of_a_mart_is_too(shops: Warehouse, mart: str, given: Sequence[str], key: list[str]) -> None:
    told = shops.json("audit", "lineage", mart, *given)
    assert list(told["key"]) == key
    assert len(told["rows"]) == 1


def test_a_key_stands_for_ids_only(shops: Warehouse) -> None:
    line = ("audit", "lineage", "sales.fact_order", "--json")
    refused(shops.run(*line), 2, "The key of the row is missing")
    refused(shops.run(*line, "abcd", "--source", "shop"), 2, "go with --key")
    refused(shops.run(*line, "--key", "#1002", "--key", "#1002"), 2, "begins with ORDER_ID", "2 times")
    refused(shops.run(*line, "2", "--key", "#1002"), 2, "2 of 1 values were given")
    area = ("audit", "lineage", "fulfillment.dim_geography", "--key", "01001", "--json")
    refused(shops.run(*area), 2, "begins with ZIP_PREFIX")


def test_the_rows_behind_a_figure_are_asked_for_by_the_key_in_the_source(shops: Warehouse) -> None:
    of_sellers = ("ask", "27", "--set", "min_orders=1", "--rows")
    [(seller,)] = shops.rows("SELECT seller_id::text FROM sales.fact_order_item WHERE price = 1000")
    told = shops.json(*of_sellers, seller, "deliveries")
    refused(shops.run(*of_sellers, "the shop", "deliveries", "--json"), 2, "Several sources have a seller", "in shop")
    of_shop = shops.json(*of_sellers, "the shop", "deliveries", "--source", "shop")
    assert [row["key"] for row in of_shop["rows"]] == [row["key"] for row in told["rows"]]
    refused(shops.run(*of_sellers, "a shop", "deliveries", "--json"), 2, "has no row a shop")
    assert len(told["rows"]) == 3


def test_the_search_of_the_browser_takes_keys_of_things_and_none_of_people(shops: Warehouse, tmp_path: Path) -> None:
    [order] = {event["stream"] for event in history(shops, "order", "--key", "#1002")}
    with asking(shops.database, tmp_path) as client:

        def search(text: str) -> Response:
            return client.get("/find", params={"q": text}, follow_redirects=False)

        assert search(" #1002 ").headers["location"] == f"/orders/{UUID(order).hex}"
        assert search("Sofa").headers["location"].startswith("/products/")
        both = search("#1001")
        assert both.status_code == 200
        assert "its key in other" in both.text
        assert "its key in shop" in both.text
        thing = client.get("/api/things/order/%231001", params={"source": "shop"})
        assert thing.json()["id"] == history(shops, "order", "--key", "#1001", "--source", "shop")[0]["stream"]
        person = client.get("/api/things/customer/rui@example.com", params={"source": "shop"})
        assert (person.status_code, "asked for by their ids" in person.text) == (400, True)
        for nobody in ("rui@example.com", "#1009"):
            assert "Nothing found" in search(nobody).text


@pytest.mark.parametrize(("given", "found"), [("rui@example.com\n", True), ("rui@example.com\r\n", True), ("", False)])
def test_a_key_may_stand_on_standard_input(
    shops: Warehouse, monkeypatch: pytest.MonkeyPatch, given: str, found: bool
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    line = ("audit", "history", "customer", "--key", "-")
    if found:
        assert history(shops, "customer", "--key", "-")[0]["event"] == "CustomerRegistered"
    else:
        refused(shops.run(*line, "--json"), 2, "no line stands there")


def test_a_person_is_erased_by_the_key_in_the_source(server: EmbeddedServer, shops: Warehouse, tmp_path: Path) -> None:
    with copied(server, Database(shops.database.url)) as database:
        own = Warehouse(database, tmp_path / "home")
        line = ("customer", "erase", "--key", "rui@example.com", "--reason", "asked for it")
        refused(own.run(*line, "--json"), 2, "--yes")
        done = own.run(*line, "--yes", "--json", REPLAYHOUSE_LOG="json")
        assert done.code == 0, done
        assert done.document["status"] == "erased"
        assert "rui" not in done.out + done.err
        assert own.json(*line, "--yes")["customer"] == done.document["customer"]
        by_id = own.json("customer", "access", done.document["customer"])
        assert own.json("customer", "access", "--key", "rui@example.com") == by_id
        assert "rui" not in str(by_id)
        assert history(own, "customer", "--key", "rui@example.com")[0]["facts"]["city"] == "erased"
        with database.connect(autocommit=True) as conn:
            conn.execute("UPDATE event_store.batch SET status = 'open', completed_at = NULL WHERE batch_seq = 1")
        nobody = own.run("customer", "erase", "--key", "eva@example.com", "--reason", "asked for it", "--yes", "--json")
        refused(nobody, 4, "No customer has the key that was given", "A load is open, which may bring it yet")
