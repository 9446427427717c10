"""The tour of docs/audit.md on the real sample where it is at hand, else on an extract that the program generates.

No row of the sample is quoted: what is compared with the lines shown are the files themselves.
"""

import csv
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.oracle.expected import FILES
from tests.support.in_process import Warehouse
from tests.support.the_sample import SAMPLE

AN_ORDER = """
    SELECT o.order_id, i.item_no, i.seller_id, c.customer_id
    FROM sales.fact_order AS o JOIN sales.fact_order_item AS i USING (order_id)
    JOIN customer.dim_customer AS c ON c.customer_id = o.customer_id
    WHERE o.status = 'delivered'
    ORDER BY c.alias_count DESC, o.item_count DESC, o.order_id, i.item_no LIMIT 1
"""
A_REVIEW = """
    SELECT review_id, order_id FROM customer.fact_review
    ORDER BY coalesce(strpos(comment, chr(10)), 0) = 0, review_id, order_id LIMIT 1
"""
"""Of several lines, if there is one."""

AN_AREA = "SELECT zip_prefix FROM fulfillment.dim_geography ORDER BY samples DESC, zip_prefix LIMIT 1"


@pytest.fixture
def extract(tmp_path: Path, database: Database) -> Path:
    if SAMPLE.is_dir():
        return SAMPLE
    Warehouse(database, tmp_path / "home").json("generate", tmp_path / "extract", "--orders", "600", "--seed", "7")
    return tmp_path / "extract"


def record_at(extract: Path, file: str, line: int) -> list[str]:
    """The record that starts on a physical line of a file."""
    with (extract / FILES[file]).open(encoding="utf-8-sig", newline="") as lines:
        for _ in range(line - 1):
            next(lines)
        return next(csv.reader(lines))


def test_the_tour_of_the_audit_on_the_sample(database: Database, tmp_path: Path, extract: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    loaded = warehouse.ingest(extract)
    [(order, item, seller, customer)] = warehouse.rows(AN_ORDER)
    [review] = warehouse.rows(A_REVIEW)
    [area] = warehouse.rows(AN_AREA)

    for kind, key in (("order", order), ("shipment", order), ("customer", customer), ("seller", seller)):
        assert {event["batch"] for event in warehouse.json("audit", "history", kind, str(key))} == {loaded["batch"]}

    rows: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("sales.fact_order", (order,)),
        ("sales.fact_order_item", (order, item)),
        ("fulfillment.fact_delivery", (order,)),
        ("customer.dim_customer", (customer,)),
        ("customer.fact_review", review),
        ("marketplace.dim_seller", (seller,)),
        ("fulfillment.dim_geography", area),
    )
    positions = set()
    for table, key in rows:
        told = warehouse.json("audit", "lineage", table, *map(str, key))
        made = next(event for event in told["events"] if event["effect"] == "made")
        positions.add(made["position"])
        for lines in made["lines"]:
            assert (lines["status"], bool(lines["texts"])) == ("found", True), (table, lines["file"])
            for text in lines["texts"][:3]:
                shown = next(csv.reader(text["text"].splitlines(keepends=True)))
                assert shown == record_at(extract, lines["file"], text["line"]), (table, lines["file"], text["line"])

    public_key = warehouse.json("audit", "keygen")["public_key"]
    kept = tmp_path / "sample.checkpoint"
    assert warehouse.json("audit", "checkpoint", kept)["position"] == loaded["position"]
    verified = warehouse.json("audit", "verify", "--checkpoint", kept)
    assert (verified["valid"], verified["events"], verified["chain"]) == (True, loaded["position"], loaded["chain"])
    for position in sorted(positions):
        proof = tmp_path / f"{position}.proof"
        assert warehouse.run("audit", "prove", str(position), "--checkpoint", kept, "--out", proof).code == 0
        checked = ("audit", "check-proof", proof, "--checkpoint", kept, "--public-key", public_key)
        assert warehouse.json(*checked)["position"] == position
