"""`audit history` and `audit verify`, as an auditor calls them."""

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.kernel.events import Rewound
from replayhouse.infra.event_store.keys import destroy_keys
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from tests.support.cli import Loaded, Program
from tests.support.databases import lose_keys

KEYS = {
    "context",
    "stream",
    "version",
    "position",
    "event",
    "topic",
    "occurred_at",
    "recorded_at",
    "batch",
    "source",
    "rewound",
    "facts",
}
A_REVIEW = """
    SELECT review_id FROM event_store.review_reference
    GROUP BY review_id HAVING count(DISTINCT order_id) = %s ORDER BY review_id LIMIT 1
"""
A_DELIVERED_ORDER = "SELECT order_id FROM sales.fact_order WHERE status = 'delivered' ORDER BY order_id LIMIT 1"
ONE_OF = {
    "order": ("sales", A_DELIVERED_ORDER, "OrderPlaced"),
    "shipment": ("fulfillment", A_DELIVERED_ORDER, "ShipmentPlanned"),
    "customer": ("customer", "SELECT max(customer_id::text)::uuid FROM customer.dim_customer", "CustomerRegistered"),
    "review": ("customer", "SELECT max(review_id::text)::uuid FROM customer.fact_review", "ReviewSubmitted"),
    "product": ("marketplace", "SELECT max(product_id::text)::uuid FROM marketplace.dim_product", "ProductListed"),
    "seller": ("marketplace", "SELECT max(seller_id::text)::uuid FROM marketplace.dim_seller", "SellerRegistered"),
    "batch": ("quality", "SELECT batch_id FROM quality.batch", "BatchOpened"),
}
CHANGE_AN_EVENT = """
    ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only;
    UPDATE event_store.sales_events SET state = convert_to(replace(convert_from(state, 'UTF8'), '":"', '":" '), 'UTF8')
    WHERE notification_id = (
        SELECT notification_id FROM event_store.sales_events ORDER BY notification_id OFFSET 5 LIMIT 1
    )
    RETURNING notification_id
"""


def history(loaded: Loaded, kind: str, key: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = loaded.program.json("audit", "history", kind, str(key))
    return told


def lines(extract: Path, file: str) -> list[str]:
    name = "product_category_name_translation.csv" if file == "categories" else f"olist_{file}_dataset.csv"
    return (extract / name).read_text(encoding="utf-8").split("\n")


@pytest.mark.parametrize("kind", ONE_OF)
def test_every_kind_of_thing_has_its_history(kind: str, loaded: Loaded) -> None:
    context, query, first = ONE_OF[kind]
    key = loaded.value(query)
    events = history(loaded, kind, key)
    assert events[0]["event"] == first
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert set(event) == KEYS
        assert (event["context"], event["rewound"]) == (context, False)
        assert event["batch"] == loaded.told["batch"]
        assert event["topic"].startswith(f"{context}.{event['event']}.v")
        assert event["recorded_at"].endswith("+00:00")
        assert "occurred_at" not in event["facts"]
    positions = [event["position"] for event in events]
    assert positions == sorted(positions)
    assert history(loaded, kind, UUID(str(key)).hex.upper()) == events


def test_an_order_is_told_with_its_times_its_facts_and_its_lines(loaded: Loaded) -> None:
    order = loaded.value(A_DELIVERED_ORDER)
    events = history(loaded, "order", order)
    assert {"OrderPlaced", "PaymentReceived", "OrderApproved", "OrderShipped", "OrderCompleted"} <= {
        event["event"] for event in events
    }
    placed = events[0]
    assert datetime.fromisoformat(placed["occurred_at"]) == loaded.value(
        "SELECT placed_at FROM sales.fact_order WHERE order_id = %s", order
    )
    sources = re.findall(r"(\w+):(\d+)", placed["source"])
    assert {"orders", "customers"} <= {file for file, _ in sources}
    for file, line in sources:
        text = lines(loaded.extract, file)[int(line) - 1]
        assert order.hex in text or UUID(placed["facts"]["customer_alias"]).hex in text, (file, line, text)
    plain = loaded.program.succeed("audit", "history", "order", order.hex).out
    assert placed["source"] in plain
    assert loaded.told["batch"] in plain
    for event in events:
        assert f"position {event['position']:,}" in plain
        assert f"  {event['event']}\n" in plain


def test_a_review_at_several_orders_is_shown_with_all_its_streams(loaded: Loaded) -> None:
    review, several = next(
        (found, number)
        for number in (3, 2)
        if (found := loaded.value(f"SELECT max(x::text)::uuid FROM ({A_REVIEW}) AS one (x)", number)) is not None
    )
    events = history(loaded, "review", review)
    orders = {event["facts"]["order_id"] for event in events}
    assert len(orders) == several
    assert {event["stream"] for event in events} == {str(review_stream_id(review, UUID(order))) for order in orders}
    plain = loaded.program.succeed("audit", "history", "review", str(review)).out
    assert plain.count("1  ReviewSubmitted") == several


def test_personal_fields_are_shown_while_their_key_exists(loaded: Loaded) -> None:
    with (loaded.extract / "olist_customers_dataset.csv").open(encoding="utf-8", newline="") as file:
        row = next(iter(csv.DictReader(file)))
    (registered, *_) = history(loaded, "customer", row["customer_unique_id"])
    shown = [
        event["facts"]["city"]
        for event in history(loaded, "customer", row["customer_unique_id"])
        if event["event"] in ("CustomerRegistered", "AliasLinked")
    ]
    assert registered["event"] == "CustomerRegistered"
    assert row["customer_city"] in shown


@pytest.mark.parametrize("kind", ONE_OF)
def test_an_id_that_the_log_does_not_know_is_wrong_input(kind: str, loaded: Loaded) -> None:
    done = loaded.program.run("audit", "history", kind, "0" * 31 + "1", "--json")
    assert done.code == 2
    assert f"knows no {kind}" in done.document["error"]


def test_a_thing_of_another_kind_is_not_found(loaded: Loaded) -> None:
    product = loaded.value("SELECT max(product_id::text) FROM marketplace.dim_product")
    assert loaded.program.run("audit", "history", "seller", product).code == 2


def test_what_was_rewound_or_erased_is_still_told(empty: Program, loaded: Loaded) -> None:
    told = empty.json("ingest", loaded.extract, "--no-project")
    url = empty.environment["REPLAYHOUSE_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT originator_id FROM event_store.customer_events LIMIT 1").fetchone()
        assert found is not None
        customer: UUID = found[0]
        versions = connection.execute(
            "SELECT count(*) FROM event_store.customer_events WHERE originator_id = %s", [customer]
        ).fetchone()
        assert versions is not None
        rewound = Rewound(datetime(2026, 1, 1), UUID(told["batch"]), 1)
        EventStore().append(connection, [Recorded("customer", customer, versions[0] + 1, rewound)], None)
        destroy_keys(connection, [customer])
    *events, last = empty.json("audit", "history", "customer", customer.hex)
    assert [event["rewound"] for event in events] == [False] + [True] * (len(events) - 1)
    assert (last["event"], last["rewound"], last["batch"]) == ("Rewound", False, None)
    assert events[0]["facts"]["zip_prefix"] == events[0]["facts"]["city"] == "erased"
    assert len(events[0]["facts"]["state"]) == 2
    plain = empty.succeed("audit", "history", "customer", customer.hex).out
    assert plain.count("REWOUND") == len(events) - 1
    assert "erased" in plain


def test_a_lost_key_is_no_erasure(empty: Program, loaded: Loaded) -> None:
    empty.json("ingest", loaded.extract, "--no-project")
    customer = loaded.value(ONE_OF["customer"][1])
    with psycopg.connect(empty.environment["REPLAYHOUSE_DATABASE_URL"], autocommit=True) as connection:
        lose_keys(connection, [customer])
    done = empty.run("audit", "history", "customer", str(customer), "--json")
    assert done.code == 1
    assert f"{customer} is lost" in done.document["error"]
    assert "Restore the keys" in done.document["error"]
    done = empty.run("project")
    assert (done.code, done.err.count("is lost")) == (1, 1)
    assert "Traceback" not in done.err


def test_a_log_that_holds_is_verified_with_its_counts(loaded: Loaded) -> None:
    told = loaded.program.json("audit", "verify")
    assert set(told) == {"valid", "position", "chain", "events", "commits", "seconds"}
    assert told["valid"] is True
    assert (told["position"], told["chain"]) == (loaded.told["position"], loaded.told["chain"])
    assert told["events"] == loaded.told["position"]
    assert told["commits"] == loaded.value("SELECT count(*) FROM event_store.commit")
    assert "The log holds" in loaded.program.succeed("audit", "verify").out


def test_an_empty_log_holds(empty: Program) -> None:
    assert empty.json("audit", "verify")["valid"] is True


def test_a_changed_event_is_named_by_its_position(empty: Program, loaded: Loaded) -> None:
    empty.succeed("ingest", loaded.extract, "--no-project")
    with psycopg.connect(empty.environment["REPLAYHOUSE_DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(CHANGE_AN_EVENT)
        while cursor.description is None:
            assert cursor.nextset()
        row = cursor.fetchone()
    assert row is not None
    done = empty.run("audit", "verify", "--json")
    assert done.code == 1
    assert set(done.document) == {"valid", "position", "reason", "seconds"}
    assert (done.document["valid"], done.document["position"]) == (False, row[0])
    plain = empty.run("audit", "verify")
    assert plain.code == 1
    assert f"from position {row[0]:,} on: {done.document['reason']}" in plain.out


def test_the_log_before_anything_was_recorded_can_be_compared_with_now(loaded: Loaded) -> None:
    told = loaded.program.json("audit", "compare", "0", "live", "--table", "dim_customer")
    one = told["tables"]["customer.dim_customer"]
    assert one["added"] == loaded.value("SELECT count(*) FROM customer.dim_customer") - 1
    assert (one["removed"], one["changed"]) == (0, 0)
    assert UUID(one["rows"][0]["key"]["customer_id"])
