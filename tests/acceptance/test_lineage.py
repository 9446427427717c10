"""`audit lineage`: from a row to the events that made it, to the lines of the extracts that they came from."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from replayhouse.domain.kernel.events import Rewound
from replayhouse.infra.event_store.keys import destroy_keys
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres.connection import Database
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.expected import FILES
from tests.oracle.lines import a_payment, an_id, an_order
from tests.support.extracts import COMMENT, a_good_extract, adding, changed, instead, replacing, times, write, zipped
from tests.support.in_process import Warehouse, refused

WITHOUT_LINES = {"customer.segment_history", "quality.batch", "quality.batch_file", "quality.fact_check"}
"""A segment follows from a person's purchases and a date, and a load tells of its files as a whole."""

DELIVERED = an_order(3, "delivered", placed="2017-05-01 10:00:00", **times(2, 4, 9, month=5))


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def lineage(warehouse: Warehouse, table: str, *key: object, options: Sequence[object] = ()) -> Any:
    return warehouse.json("audit", "lineage", table, *map(str, (*key, *options)))


def effects(told: Any) -> list[tuple[str, str, list[str]]]:
    return [(event["event"], event["effect"], event["columns"]) for event in told["events"]]


def texts(event: Any) -> dict[str, list[str]]:
    """The texts of the lines of an event, by file."""
    return {lines["file"]: [text["text"] for text in lines["texts"]] for lines in event["lines"]}


def statuses(told: Any) -> set[str]:
    return {lines["status"] for event in told["events"] for lines in event["lines"]}


def test_a_row_leads_to_the_events_that_made_it_and_to_the_lines_of_both_loads(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first, second = a_good_extract(), changed(a_good_extract(), orders=instead(2, DELIVERED))
    one = warehouse.ingest(write(tmp_path / "one", first))
    two = warehouse.ingest(zipped(write(tmp_path / "two", second), tmp_path / "two.zip"))

    told = lineage(warehouse, "sales.fact_order", an_id(3))
    assert (told["key"], told["row"]["status"]) == ({"order_id": str(UUID(an_id(3)))}, "delivered")
    assert told["note"] is None
    placed, *_, completed = told["events"]
    assert (placed["event"], placed["effect"], placed["batch"]) == ("OrderPlaced", "made", one["batch"])
    assert texts(placed)["orders"] == [first["orders"][2]]
    assert texts(placed)["order_items"] == [first["order_items"][3]]
    assert (completed["event"], completed["batch"]) == ("OrderCompleted", two["batch"])
    assert set(completed["columns"]) == {"status", "completed_at"}
    assert texts(completed)["orders"] == [DELIVERED]
    assert statuses(told) == {"found"}
    places = {lines["place"] for event in told["events"] for lines in event["lines"]}
    assert str(tmp_path / "one" / FILES["orders"]) in places
    assert f"{tmp_path / 'two.zip'}, {FILES['orders']}" in places

    of_payment = lineage(warehouse, "sales.fact_payment", f"{an_id(3)},1")
    did = [(event["event"], event["effect"]) for event in of_payment["events"] if event["effect"] != "none"]
    assert did == [("PaymentReceived", "made")], "nothing else of the order touched this row"

    plain = warehouse.run("audit", "lineage", "sales.fact_order", an_id(3)).out
    assert "changed status, completed_at" in plain
    assert f"orders:4  {DELIVERED}\n" in plain
    assert re.search(r"^ +did +made this row$", plain, re.MULTILINE)


def test_a_line_is_shown_only_from_a_file_that_is_still_the_one_that_was_loaded(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    extract = a_good_extract()
    loaded = write(tmp_path / "loaded", extract)
    warehouse.ingest(loaded)
    review = ("customer.fact_review", an_id(801), an_id(1))

    told = lineage(warehouse, *review)
    assert texts(told["events"][0])["order_reviews"] == [extract["order_reviews"][0]]
    assert COMMENT in extract["order_reviews"][0], "a record of several lines, quotes and commas"

    file = loaded / FILES["order_reviews"]
    whole = file.read_bytes()
    file.write_bytes(whole + b"\n")
    assert statuses(lineage(warehouse, *review)) == {"changed"}
    assert "the file was changed since it was loaded" in warehouse.run("audit", "lineage", *review).out
    file.unlink()
    gone = lineage(warehouse, *review)
    assert (statuses(gone), texts(gone["events"][0])) == ({"gone"}, {"order_reviews": []})
    elsewhere = write(tmp_path / "elsewhere", extract)
    assert statuses(lineage(warehouse, *review, options=("--from", elsewhere))) == {"found"}
    archive = zipped(elsewhere, tmp_path / "archive.zip")
    assert statuses(lineage(warehouse, *review, options=("--from", archive))) == {"found"}
    archive.write_bytes(b"no zip")
    assert statuses(lineage(warehouse, *review, options=("--from", archive))) == {"unreadable"}
    done = warehouse.run("audit", "lineage", *review, "--from", tmp_path / "nowhere", "--json")
    refused(done, 2, "nowhere does not exist")
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute("UPDATE event_store.batch SET origin = NULL")
    assert statuses(lineage(warehouse, *review)) == {"not noted"}
    assert "--from PATH says where it is" in warehouse.run("audit", "lineage", *review).out


def keys_of(warehouse: Warehouse, table: str, columns: Sequence[str]) -> tuple[Any, ...]:
    """The key of some row of a table that a stream made."""
    names = ", ".join(columns)
    return warehouse.rows(f"SELECT {names} FROM {table} WHERE position > 0 ORDER BY {names} DESC LIMIT 1")[0]


def test_a_row_of_every_table_is_traced(warehouse: Warehouse, tmp_path: Path) -> None:
    bad = changed(
        a_good_extract(), orders=adding(an_order(6, "nonsense")), order_payments=adding(a_payment(77, 1, "1.00"))
    )
    warehouse.ingest(write(tmp_path / "extract", bad))
    tables = {
        f"{context}.{table.name}": [column.name for column in table.primary_key.columns]
        for context, projection in PROJECTIONS.items()
        for table in projection.tables
    }
    for name, columns in (tables | {"marketplace.dim_product": ["product_id"]}).items():
        key = keys_of(warehouse, name, columns)
        told = lineage(warehouse, name, *key)
        made = [event for event in told["events"] if event["effect"] == "made"]
        assert len(made) == 1, f"{name} {key}"
        assert told["row"]["position"] == max(event["position"] for event in told["events"])
        assert statuses(told) <= {"found"}
        if name not in WITHOUT_LINES:
            assert made[0]["lines"], name

    quarantined = keys_of(warehouse, "quality.quarantine", ["row_id"])
    told = lineage(warehouse, "quality.quarantine", *quarantined)
    assert [list(texts(event).values()) for event in told["events"]] == [[[told["row"]["text"]]]]
    product = lineage(warehouse, "marketplace.dim_product", an_id(70))
    assert product["beside"] == [{"table": "marketplace.dim_category", "key": "casa"}]
    assert (
        "audit lineage marketplace.dim_category casa"
        in warehouse.run("audit", "lineage", "marketplace.dim_product", an_id(70)).out
    )
    area = lineage(warehouse, "fulfillment.dim_geography", "01001", options=("--limit", 2))
    [lines] = area["events"][0]["lines"]
    assert (lines["lines"], [text["line"] for text in lines["texts"]], lines["left_out"]) == ("2-4", [2, 3], 1)


def test_a_row_that_no_stream_made_says_so(warehouse: Warehouse, tmp_path: Path) -> None:
    for table, key in (
        ("marketplace.dim_seller", "0" * 32),
        ("fulfillment.dim_geography", "unknown"),
        ("marketplace.dim_product", "0" * 32),
        ("shared.dim_date", "20160101"),
    ):
        told = lineage(warehouse, table, key)
        assert told["events"] == []
        assert told["note"].startswith("No event made this row")
        assert "No event made this row" in warehouse.run("audit", "lineage", table, key).out


def test_what_does_not_exist_is_wrong_input_that_says_what_does(warehouse: Warehouse, tmp_path: Path) -> None:
    def refuses(*arguments: str, words: str) -> None:
        refused(warehouse.run("audit", "lineage", *arguments, "--json"), 2, words)

    refuses("sales.orders", an_id(1), words="there are sales.fact_order, sales.fact_order_item")
    refuses("pg_catalog.pg_class", "1", words="There is no table pg_catalog.pg_class")
    refuses("sales.fact_order", an_id(1), words=f"has no row with order_id {UUID(an_id(1))}")
    refuses("sales.fact_order", "x", words="'x' is not an id")
    refuses("sales.fact_order_item", an_id(1), words="is ORDER_ID ITEM_NO, and 1 of 2 values were given")
    refuses("sales.fact_order_item", an_id(1), "one", words="'one' cannot be the item_no")
    refuses("shared.dim_date", "20150101", words="has no row with date_key 20150101")
    warehouse.json("ingest", write(tmp_path / "extract", a_good_extract()), "--no-project")
    refuses("sales.fact_order", an_id(1), words="replayhouse project")


def test_rewound_events_and_erased_people_are_shown_as_such(warehouse: Warehouse, tmp_path: Path) -> None:
    told = warehouse.ingest(write(tmp_path / "one", a_good_extract()))
    moved = changed(a_good_extract(), customers=replacing("rio branco", "xapuri"))
    later = warehouse.ingest(write(tmp_path / "two", moved))
    person = UUID(an_id(904))
    before = lineage(warehouse, "customer.dim_customer", person)
    assert before["row"]["city"] == "xapuri"
    assert any("xapuri" in text for event in before["events"] for text in texts(event).get("customers", []))
    with warehouse.database.connect(autocommit=True) as connection:
        versions = [event["version"] for event in before["events"] if event["batch"] == told["batch"]]
        rewound = Rewound(datetime(2026, 1, 1), UUID(later["batch"]), max(versions))
        EventStore().append(connection, [Recorded("customer", person, len(before["events"]) + 1, rewound)], None)
    warehouse.json("project")
    after = lineage(warehouse, "customer.dim_customer", person)
    assert after["row"]["city"] == "rio branco"
    assert [event["rewound"] for event in after["events"]] == [
        event["batch"] == later["batch"] for event in after["events"]
    ]
    assert after["events"][-1]["event"] == "Rewound"
    assert "city" in after["events"][-1]["columns"], "it takes the column back"
    assert "REWOUND" in warehouse.run("audit", "lineage", "customer.dim_customer", str(person)).out

    with warehouse.database.connect(autocommit=True) as connection:
        destroy_keys(connection, [person])
    for table, *key in (("customer.dim_customer", person), ("sales.fact_order", an_id(5))):
        document = lineage(warehouse, table, *key)
        shown = {text for event in document["events"] for text in texts(event).get("customers", [])}
        assert shown == {"erased"}, "the file still has the line, and it is not told"
        plain = warehouse.run("audit", "lineage", table, *map(str, key)).out
        assert "rio branco" not in plain.split("Made of the stream")[1]
        assert "xapuri" not in plain
    assert {event["facts"]["city"] for event in after["events"] if "city" in event["facts"]} == {"rio branco", "xapuri"}
    erased = lineage(warehouse, "customer.dim_customer", person)["events"]
    assert {event["facts"]["city"] for event in erased if "city" in event["facts"]} == {"erased"}
    others = lineage(warehouse, "sales.fact_order", an_id(1))["events"]
    assert "erased" not in {text for event in others for of_file in texts(event).values() for text in of_file}


SCORES = """
    CREATE VIEW mart.sold AS
        SELECT i.seller_id, p.category, sum(i.price) AS price
        FROM sales.fact_order_item AS i LEFT JOIN marketplace.dim_product AS p USING (product_id)
        GROUP BY i.seller_id, p.category;
    CREATE MATERIALIZED VIEW mart.scores AS
        SELECT seller_id, city, sum(price) AS price FROM mart.sold JOIN marketplace.dim_seller USING (seller_id)
        GROUP BY seller_id, city
"""


def test_a_row_of_a_mart_leads_to_the_rows_behind_it(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.ingest(write(tmp_path / "extract", a_good_extract()))
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute(SCORES.encode())
    seller = UUID(an_id(50))
    told = lineage(warehouse, "mart.scores", seller, options=("--limit", 2))
    assert told["key"] == {"seller_id": str(seller)}
    assert [row["city"] for row in told["rows"]] == ["são paulo"]
    behind = {table["table"]: table for table in told["behind"]}
    assert set(behind) == {
        "marketplace.dim_category", "marketplace.dim_seller", "marketplace.product", "sales.fact_order_item"
    }  # fmt: skip
    items = behind["sales.fact_order_item"]
    assert (items["by"], items["found"], len(items["rows"])) == (["seller_id"], 3, 2)
    assert set(items["rows"][0]) == {"order_id", "item_no", "position"}
    assert behind["marketplace.product"]["by"] == []
    plain = warehouse.run("audit", "lineage", "mart.scores", str(seller), "--limit", "2").out
    assert "sales.fact_order_item: 3 rows with this seller_id" in plain
    assert "and 1 more (--limit)" in plain
    command = re.search(r"replayhouse (audit lineage sales\.fact_order_item .*)", plain)
    assert command is not None
    assert warehouse.run(*command[1].split()).code == 0, "what it names can be asked for"

    by_two = lineage(warehouse, "mart.sold", seller, "casa")
    assert {table["table"]: table["by"] for table in by_two["behind"]} == {
        "marketplace.dim_category": ["category"],
        "marketplace.product": ["category"],
        "sales.fact_order_item": ["seller_id"],
    }
    for key, words in (
        ([an_id(9)], "mart.scores has no row with seller_id"),
        (["x"], "That is no key of mart.scores (seller_id)"),
        (["1", "2", "3", "4"], "has 3 columns, and 4 values were given"),
    ):
        refused(warehouse.run("audit", "lineage", "mart.scores", *key, "--json"), 2, words)
    refused(warehouse.run("audit", "lineage", "mart.none", "1", "--json"), 2, "mart.scores", "mart.sold")


def test_a_row_of_a_mart_of_the_program_leads_to_the_rows_behind_it(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.begin(write(tmp_path / "first", a_good_extract()))
    told = lineage(warehouse, "mart.orders", UUID(an_id(1)))
    behind = {table["table"]: table["found"] for table in told["behind"]}
    assert [row["order_id"] for row in told["rows"]] == [str(UUID(an_id(1)))]
    assert (behind["sales.fact_order"], behind["fulfillment.fact_delivery"]) == (1, 1)
