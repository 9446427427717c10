"""Extracts of another shape, loaded by a mapping: what comes of them is what would have come of the nine files."""

from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

import replayhouse
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused, rejected
from tests.support.other_dialect import mapping, rewritten
from tests.support.shop import LINES, SELECTS, TOTALS, write_export, write_mapping
from tests.support.the_sample import SAMPLE


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse with the orders of a shop."""
    source = write_mapping(tmp_path / "shop")
    told = warehouse.json("ingest", write_export(tmp_path / "export", LINES), "--source", source)
    assert told["status"] == "completed"
    return warehouse


def the_same(server: EmbeddedServer, extract: Path, folder: Path) -> None:
    """All tables are equal, whether the extract is loaded or what another source would have made of it."""
    source, other = mapping(folder / "mapping"), rewritten(extract, folder / "other")
    with copied(server) as one, copied(server) as two:
        direct, mapped = Warehouse(one, folder / "one"), Warehouse(two, folder / "two")
        told, other_told = direct.ingest(extract), mapped.json("ingest", other, "--source", source)
        assert (other_told["files"], other_told["events"]) == (told["files"], told["events"])
        assert mapped.digests() == direct.digests()


@pytest.fixture(params=["generated", "the sample"])
def extract(request: pytest.FixtureRequest, server: EmbeddedServer, tmp_path: Path) -> Path:
    """Generated orders with their dirt; and the sample, or where it is not at hand, others."""
    if request.param == "the sample" and SAMPLE.is_dir():
        return SAMPLE
    seed = "5" if request.param == "generated" else "6"
    with copied(server) as database:
        generator = Warehouse(database, tmp_path / "generator")
        assert generator.run("generate", tmp_path / "extract", "--orders", "120", "--seed", seed).code == 0
    return tmp_path / "extract"


def test_an_extract_in_another_dialect_makes_equal_tables(
    extract: Path, server: EmbeddedServer, tmp_path: Path
) -> None:
    the_same(server, extract, tmp_path)


def test_only_what_another_mapping_says_otherwise_is_new(warehouse: Warehouse, tmp_path: Path) -> None:
    extract = rewritten(write(tmp_path / "extract", a_good_extract()), tmp_path / "other")
    source = mapping(tmp_path / "mapping")
    first = warehouse.json("ingest", extract, "--source", source)
    assert warehouse.json("ingest", extract, "--source", source)["status"] == "unchanged"

    with (source / "source.toml").open("a") as toml:
        toml.write("# a remark\n")
    again = warehouse.json("ingest", extract, "--source", source)
    assert (again["status"], again["batch"] == first["batch"]) == ("completed", False)
    assert {context: number for context, number in again["events"].items() if number} == {"quality": 4}


def test_the_mapping_of_a_load_is_shown_as_it_was_whatever_became_of_its_files(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    export, source = write_export(tmp_path / "export", LINES), write_mapping(tmp_path / "shop")
    first = warehouse.json("ingest", export, "--source", source, "--name", "first")
    texts = {path.name: path.read_text(encoding="utf-8") for path in source.iterdir()}
    with (source / "orders.sql").open("a", encoding="utf-8") as select:
        select.write("-- of another day\n")
    warehouse.json("ingest", export, "--source", source, "--name", "second")
    shown = warehouse.json("sources", "show", "first")
    assert (shown["batch"], shown["source"], shown["files"]) == (first["batch"], "shop", texts)
    assert "-- of another day" in warehouse.run("sources", "show", "second").out
    warehouse.json("ingest", write(tmp_path / "nine", a_good_extract()), "--name", "nine")
    refused(warehouse.run("sources", "show", "nine", "--json"), 2, "is of the nine files")

    changed = "UPDATE event_store.source_mapping SET files = jsonb_set(files, '{source.toml}', '\"\"') RETURNING sha256"
    assert len(warehouse.rows(changed)) == 2
    done = warehouse.run("sources", "show", "first")
    assert (done.code, "was changed since" in done.err) == (1, True)


def test_a_dry_run_says_what_a_load_would_append_and_appends_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    source, export = write_mapping(tmp_path / "shop"), write_export(tmp_path / "export", LINES)
    planned = warehouse.json("ingest", export, "--source", source, "--dry-run")
    assert (planned["status"], warehouse.events()) == ("planned", {})
    assert warehouse.rows("SELECT count(*) FROM event_store.subject_key") == [(0,)]
    loaded = warehouse.json("ingest", export, "--source", source)
    assert (planned["events"], planned["files"]) == (loaded["events"], loaded["files"])


def test_a_line_of_an_export_holds_an_order_and_an_item(shop: Warehouse) -> None:
    totals = shop.rows("SELECT total FROM sales.fact_order ORDER BY placed_at")
    assert totals == [(Decimal(total),) for total in TOTALS.values()]
    assert shop.rows("SELECT count(*), sum(price) FROM sales.fact_order_item") == [(5, Decimal("1191.50"))]
    assert shop.rows("SELECT count(*) FROM sales.fact_payment") == [(3,)]


def test_a_person_who_buys_again_is_the_same_one(shop: Warehouse, tmp_path: Path) -> None:
    orders = "SELECT count(DISTINCT customer_id) FROM customer.customer_alias"
    assert shop.rows(orders) == [(2,)]
    later = write_export(tmp_path / "later", [*LINES, LINES[4].replace("#1003", "#1004")])
    shop.json("ingest", later, "--source", tmp_path / "shop")
    assert shop.rows(orders) == [(2,)]
    keys = "SELECT count(*) FROM event_store.subject_key WHERE octet_length(key) = 32"
    assert shop.rows(f"SELECT ({keys}) > 2") == [(True,)]


def test_a_history_names_the_file_that_the_load_had(shop: Warehouse) -> None:
    [(order,)] = shop.rows("SELECT order_id::text FROM sales.fact_order ORDER BY placed_at LIMIT 1")
    history = shop.json("audit", "history", "order", order)
    assert history[0]["source"] == "orders:2 order_items:2-3 customers:2"
    assert history[0]["files"]["orders"] == "orders_export_1.csv"
    told = shop.run("audit", "history", "order", order).out
    assert "orders_export_1.csv:2" in told
    lineage = shop.run("audit", "lineage", "sales.fact_order", order)
    assert "orders_export_1.csv:2  not shown, for a line of this file may be about a person" in lineage.out
    assert "ana@example.com" not in lineage.out + told


def test_lines_of_a_file_that_is_about_nobody_are_shown(warehouse: Warehouse, tmp_path: Path) -> None:
    extract = rewritten(write(tmp_path / "extract", a_good_extract()), tmp_path / "other")
    warehouse.json("ingest", extract, "--source", mapping(tmp_path / "mapping"))
    [(product,)] = warehouse.rows("SELECT product_id::text FROM marketplace.product WHERE photos > 0")
    lines = (extract / "export_products.txt").read_text(encoding="latin-1").splitlines()
    told = warehouse.run("audit", "lineage", "marketplace.product", product).out
    assert f"export_products.txt:2  {lines[1]}" in told


def test_a_bad_record_is_kept_apart_with_its_line_and_can_be_let_in(warehouse: Warehouse, tmp_path: Path) -> None:
    lines = [LINES[0].replace(";30,50;", ";thirty;"), *LINES[1:]]
    source, export = write_mapping(tmp_path / "shop"), write_export(tmp_path / "export", lines)
    told = warehouse.json("ingest", export, "--source", source)
    assert told["files"]["order_items"]["quarantined"] == 1
    [row] = warehouse.json("quality", "quarantine")
    assert (row["file"], row["line"], row["real_file"]) == ("order_items", 2, "orders_export_1.csv")
    assert "orders_export_1.csv:2  values_readable" in warehouse.run("quality", "quarantine").out
    corrected = row["text"].replace("thirty", "30.50")
    released = warehouse.run("quality", "release", row["row"], "--text", corrected, "--reason", "a typing error")
    assert released.code == 0, released
    assert warehouse.rows("SELECT count(*) FROM sales.fact_order_item") == [(5,)]


def test_a_record_that_passes_later_is_let_in_by_that_load(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write_mapping(tmp_path / "shop")
    early = write_export(tmp_path / "early", LINES[:3])
    warehouse.json("ingest", early, "--source", source)
    orphan = write_export(tmp_path / "orphan", [*LINES[:3], LINES[1].replace("#1001", "#1003")])
    warehouse.json("ingest", orphan, "--source", source)
    assert [row["rule"] for row in warehouse.json("quality", "quarantine")] == ["required_cells_filled"]


def test_a_line_with_too_few_cells_is_kept_apart_without_its_text(warehouse: Warehouse, tmp_path: Path) -> None:
    source, export = write_mapping(tmp_path / "shop"), write_export(tmp_path / "export", ["#1;x@example.com", *LINES])
    warehouse.json("ingest", export, "--source", source)
    [row] = warehouse.json("quality", "quarantine")
    assert (row["line"], row["rule"], row["reason"]) == (
        2,
        "records_well_formed",
        "the record has 2 cells, the header 10",
    )
    assert row["text"].startswith("sha256:")


def test_no_reason_quotes_a_cell_that_the_mapping_calls_personal(warehouse: Warehouse, tmp_path: Path) -> None:
    carelessly = SELECTS["sellers"].replace("id('seller', 'the shop')", 'min("Email")')
    source = write_mapping(tmp_path / "shop", sellers=carelessly)
    done = warehouse.run("ingest", write_export(tmp_path / "export", LINES), "--source", source, "--json")
    told = rejected(done, "the first, line 2: seller_id is not 32 hexadecimal digits")
    assert "@" not in str(told)


def test_a_person_of_another_source_is_forgotten(shop: Warehouse) -> None:
    [(person,)] = shop.rows("SELECT customer_id::text FROM customer.dim_customer WHERE city = 'são paulo' LIMIT 1")
    assert shop.run("customer", "erase", person, "--reason", "asked for it", "--yes").code == 0
    [(shown,)] = shop.rows(
        f"SELECT count(*) FROM customer.dim_customer WHERE customer_id = '{person}' AND city = 'são paulo'"
    )
    assert shown == 0


def test_without_the_secret_nobody_is_taken_for_somebody_else(shop: Warehouse, tmp_path: Path) -> None:
    with psycopg.connect(shop.database.url) as connection:
        connection.execute("UPDATE event_store.subject_key SET key = NULL")
    later = write_export(tmp_path / "later", [*LINES, LINES[4].replace("#1003", "#1004")])
    refused(shop.run("ingest", later, "--source", tmp_path / "shop", "--json"), 2, "secret", "Restore the keys")


FINDINGS_WITHOUT_A_PROMISE = {
    22: "Of no delivery since 2018-01 is known until when it was promised.",
    23: "A delivery is quickest to RJ, in 5.00 days, and slowest to RJ, in 5.00.",
    24: "There is nothing to show yet.",  # it has no reviews
    25: "A delivery with 0-10 of freight takes longest, 5.00 days.",
    26: "An order needs 5.00 days from placing to the customer: 0.00 to approval, 2.00 to the carrier, 3.00 on the "
    "way; one in ten takes 5.00 days or more.",
    27: "Of no delivery is known until when it was promised, not even of the 3 of the seller with most.",
    28: "Of no delivery from Southeast to Southeast or elsewhere is known until when it was promised.",
    29: "No order is under way.",
    30: "The shortest way of all is from SP to Southeast, 5.00 days; of the best origins, the slowest is SP for "
    "Southeast, with 5.00 days.",
}


def test_what_a_source_does_not_know_is_not_made_up(warehouse: Warehouse, tmp_path: Path) -> None:
    promised = """,
            "Placed at"::DATE + 10 AS order_estimated_delivery_date"""
    orders = SELECTS["orders"].replace(promised, "")
    source = write_mapping(tmp_path / "shop", orders=orders)
    export = write_export(tmp_path / "export", LINES)
    refused(warehouse.run("ingest", export, "--source", source, "--json"), 2, "lacks order_estimated_delivery_date")
    with (source / "source.toml").open("a") as toml:
        toml.write('[expectations]\nunknown = ["order_estimated_delivery_date"]\n')
    warehouse.json("ingest", export, "--source", source)
    [(deliveries, with_promise)] = warehouse.rows(
        "SELECT count(*), count(promised_by) FROM mart.orders WHERE is_delivery"
    )
    assert (deliveries > 0, with_promise) == (True, 0)
    for number, says in FINDINGS_WITHOUT_A_PROMISE.items():
        small = ("--set", "min_orders=1") if number in (23, 27, 30) else ()
        assert warehouse.json("ask", str(number), *small)["finding"] == says

    some = promised.replace("+ 10", "+ CASE WHEN \"Name\" = '#1001' THEN 3 WHEN \"Name\" = '#1002' THEN 10 END")
    lines = SELECTS["order_items"].replace(
        "id('seller', 'the shop')", "CASE WHEN \"Name\" = '#1001' THEN id('seller', 'A') END"
    )
    write_mapping(source, orders=SELECTS["orders"].replace(promised, some), order_items=lines)
    with (source / "source.toml").open("a") as toml:
        toml.write('[expectations]\nunknown = ["order_estimated_delivery_date", "seller_id"]\n')
    assert warehouse.json("ingest", export, "--source", source)["status"] == "completed"
    [by_month] = warehouse.json("ask", "22")["rows"]
    assert by_month[:4] == ["2018-01", 3, 1, 50.0]
    [revenue] = warehouse.json("ask", "1")["rows"]
    [of_sellers] = warehouse.json("ask", "53")["rows"]
    assert (revenue[:3], of_sellers[:4]) == (["2018-01", 3, 1211.5], ["2018-01", 1, 142.5, 142.5])


def test_a_source_is_held_against_what_its_mapping_expects(warehouse: Warehouse, tmp_path: Path) -> None:
    worded = SELECTS["orders"].replace("'delivered'", """CASE "Name" WHEN '#1003' THEN 'lost' ELSE 'handed over' END""")
    paid = SELECTS["order_payments"].replace("'credit_card'", "'pix'")
    there = SELECTS["sellers"].replace("'01001'", "'sw1a'")
    source = write_mapping(tmp_path / "shop", orders=worded, order_payments=paid, sellers=there)
    (source / "order_reviews.sql").unlink()
    export = write_export(tmp_path / "export", LINES)
    done = warehouse.run("ingest", export, "--source", source, "--json")
    rejected(
        done,
        "The file order_reviews is missing",
        'without = ["order_reviews"], under [expectations]',
        "seller_zip_code_prefix is not one to five digits",
    )

    with (source / "source.toml").open("a") as toml:
        toml.write(EXPECTATIONS)
    told = warehouse.json("ingest", export, "--source", source)
    assert (told["status"], "order_reviews" in told["files"]) == ("completed", True)
    assert warehouse.rows("SELECT DISTINCT zip_prefix FROM marketplace.dim_seller ORDER BY 1") == [
        ("SW1A",),
        ("unknown",),
    ]
    assert dict(warehouse.rows("SELECT status, count(*) FROM sales.fact_order GROUP BY 1")) == {"delivered": 2}
    [row] = warehouse.json("quality", "quarantine", "--rule", "statuses_known")
    assert row["reason"] == 'order_status is "lost", none of the eight'
    report = {check["rule"]: check for check in warehouse.json("quality", "report")["checks"]}
    assert report["payment_methods_known"]["failed"] == 0
    assert (report["states_known"]["failed"], report["states_known"]["checked"]) == (3, 4)
    assert not {"products_have_measures", "products_have_category"} & set(report)
    loads = "SELECT count(*) FROM quality.fact_check WHERE rule ="
    assert warehouse.rows(f"{loads} 'statuses_known'") == [(2,)]
    assert warehouse.rows(f"{loads} 'products_have_measures'") == [(1,)], "of the load that was rejected"


EXPECTATIONS = """
[expectations]
without = ["order_reviews"]
off = ["products_have_measures", "products_have_category", "products_have_description"]
methods = ["pix"]
states = ["RJ", "MG"]
zips = "text"
[expectations.statuses]
"handed over" = "delivered"
"""


def test_a_warehouse_has_the_currency_of_its_first_load(warehouse: Warehouse, tmp_path: Path) -> None:
    source, export = write_mapping(tmp_path / "shop"), write_export(tmp_path / "export", LINES)
    toml = source / "source.toml"
    in_reais = toml.read_text("utf-8")
    toml.write_text(in_reais.replace("[source]", '[source]\ncurrency = "EUR"'), encoding="utf-8")
    load = warehouse.json("ingest", export, "--source", source)["batch"]
    assert warehouse.json("ask", "1")["finding"].startswith("Revenue peaked at EUR 1,211.50 in 2018-01")
    with replayhouse.open(home=tmp_path / "home", database_url=warehouse.database.url) as opened:
        shown = opened.overview((1,))
        assert shown is not None
        assert shown.currency == "EUR"

    olist = write(tmp_path / "olist", a_good_extract())
    in_brl = ("in BRL", "in EUR", "load it into a warehouse of its own")
    refused(warehouse.run("ingest", olist, "--json"), 1, *in_brl)
    refused(warehouse.run("ingest", olist, "--dry-run", "--json"), 1, *in_brl)

    warehouse.json("retract", load, "--reason", "the currency was a mistake")
    warehouse.json("ingest", olist)
    assert warehouse.rows("SELECT code FROM read_model.currency") == [("BRL",)]
    toml.write_text(in_reais, encoding="utf-8")
    assert warehouse.json("ingest", export, "--source", source)["status"] == "completed"


def test_a_file_that_lacks_a_column_is_told_and_nothing_is_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", LINES)
    file = export / "orders_export_1.csv"
    file.write_bytes(file.read_bytes().replace(b";Shipping State", b";State"))
    done = warehouse.run("ingest", export, "--source", write_mapping(tmp_path / "shop"), "--json")
    assert (done.code, warehouse.events()) == (1, {})
    assert "lacks the column Shipping State" in done.document["error"]


def test_a_source_without_a_required_kind_of_record_is_rejected(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write_mapping(tmp_path / "shop")
    (source / "sellers.sql").unlink()
    done = warehouse.run("ingest", write_export(tmp_path / "export", LINES), "--source", source, "--json")
    rejected(done, "The file sellers is missing")


def test_a_select_that_doubles_records_is_seen_in_its_counts(warehouse: Warehouse, tmp_path: Path) -> None:
    doubled = SELLERS_DOUBLED
    source = write_mapping(tmp_path / "shop", sellers=doubled)
    told = warehouse.json("ingest", write_export(tmp_path / "export", LINES), "--source", source)
    assert told["files"]["sellers"] == {"rows": 5, "new": 1, "changed": 0, "unchanged": 4, "quarantined": 0}


SELLERS_DOUBLED = """
    SELECT line, id('seller', 'the shop') AS seller_id, '01001' AS seller_zip_code_prefix, 'são paulo' AS seller_city,
        'SP' AS seller_state
    FROM export
"""


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        ("nobody", "export", ["nobody", "olist-spreadsheet"]),
        ("empty", "export", ["source.toml"]),
        ("shop", "nowhere", ["nowhere", "does not exist", "orders_export*.csv"]),
        ("shop", "empty", ["is empty"]),
    ],
)
def test_a_wrong_source_or_path_is_told_before_a_warehouse_is_made(
    tmp_path: Path, database: Database, source: str, path: str, words: list[str]
) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    write_mapping(tmp_path / "shop")
    write_export(tmp_path / "export", LINES)
    (tmp_path / "empty").mkdir()
    named = source if source == "nobody" else tmp_path / source
    refused(warehouse.run("ingest", tmp_path / path, "--source", named, "--json"), 2, *words)


def test_python_takes_a_source_as_well(database: Database, tmp_path: Path) -> None:
    source, export = write_mapping(tmp_path / "shop"), write_export(tmp_path / "export", LINES)
    with replayhouse.open(home=tmp_path / "home", database_url=database.url) as warehouse:
        assert warehouse.ingest(export, source=source).status == "completed"
