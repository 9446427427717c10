"""What a later extract may not do: contradict an earlier one; and the rows kept apart that pass in the end."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.oracle.lines import a_customer, a_payment, an_id, an_item, an_order, line, money
from tests.support.extracts import COMMENT, a_good_extract, a_review, adding, changed, instead, write
from tests.support.in_process import Warehouse
from tests.support.loads import NO_EVENTS, Loads, events_of, of_file


@pytest.fixture
def loads(database: Database, tmp_path: Path) -> Iterator[Loads]:
    """No loads yet; when the test is through, a rebuild must not change anything."""
    loads = Loads(Warehouse(database, tmp_path / "home"), tmp_path)
    yield loads
    loads.check()


# --- what a later extract may not do ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "row", "rule", "reason"),
    [
        (0, an_order(1, "shipped"), "statuses_go_up", "is delivered since an earlier load and cannot become shipped"),
        (2, an_order(3, "processing"), "statuses_go_up", "is shipped since an earlier load"),
        (4, an_order(5, "unavailable"), "statuses_go_up", "is canceled since an earlier load"),
        (4, an_order(5, "delivered"), "statuses_go_up", "is canceled since an earlier load"),
        (
            *(3, an_order(4, "created").replace(an_id(104), an_id(105))),
            *("orders_keep_customer", f"is of customer_id {UUID(an_id(104))} since an earlier load"),
        ),
    ],
)
def test_an_order_that_contradicts_an_earlier_load_is_kept_apart_but_its_parts_are_not(
    loads: Loads, number: int, row: str, rule: str, reason: str
) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    before = loads.warehouse.digests(("fulfillment", "marketplace"))
    order = number + 1

    harmed = changed(lines, orders=instead(number, row), order_payments=adding(a_payment(order, 9, "1.00")))
    told = loads.load(harmed)

    assert (of_file(told, "orders"), of_file(told, "order_payments")[0]) == ((0, 0, 4, 1), 1)
    assert loads.shown("SELECT rule, text, status FROM quality.quarantine") == [(rule, row, "quarantined")]
    assert reason in loads.shown("SELECT reason FROM quality.quarantine")[0][0]
    assert loads.warehouse.digests(("fulfillment", "marketplace")) == before
    paid = loads.shown(f"SELECT amount FROM sales.fact_payment WHERE order_id = '{an_id(order)}' AND payment_no = 9")
    assert paid == [(money("1.00"),)]


def test_an_alias_is_not_given_to_another_person(loads: Loads) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    before = loads.warehouse.digests()
    told = loads.load(changed(lines, customers=instead(2, a_customer(103, 950))))
    assert of_file(told, "customers") == (0, 0, 4, 1)
    assert events_of(told) == NO_EVENTS
    assert loads.kept_apart() == [("customers", 4, "aliases_keep_person", "quarantined")]
    assert loads.warehouse.digests() == before


def test_a_bad_row_of_an_order_that_is_known_leaves_it_and_its_new_parts_alone(loads: Loads) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    harmed = changed(lines, orders=instead(3, an_order(4, "lost")), order_items=adding(an_item(4)))
    told = loads.load(harmed)
    assert (of_file(told, "orders"), of_file(told, "order_items")) == ((0, 0, 4, 1), (1, 0, 5, 0))
    assert loads.shown(f"SELECT status, item_count FROM sales.fact_order WHERE order_id = '{an_id(4)}'") == [
        ("created", 1)
    ]


# --- rows that pass in the end ---------------------------------------------------------------------------------------


def test_rows_that_pass_in_a_later_extract_are_let_in_by_that_load(loads: Loads) -> None:
    lines = a_good_extract()
    item, review, bad = an_item(6), a_review(806, 6, comment=COMMENT), an_item(6, 2, "x")
    orphans = changed(lines, order_items=adding(item, bad), order_reviews=adding(review))
    first = loads.load_whole(orphans)
    apart = [
        ("order_items", 7, "orders_known"),
        ("order_items", 8, "values_readable"),
        ("order_reviews", 5, "orders_known"),
    ]
    assert loads.kept_apart() == [(*row, "quarantined") for row in apart]

    # The same text, at other lines: the order has arrived.
    whole = changed(orphans, orders=adding(an_order(6)), order_items=lambda some: [item, *some[:-2], bad])
    dry = loads.warehouse.json("ingest", write(loads.folder / "dry", whole), "--dry-run")
    told = loads.load_whole(whole)

    assert loads.kept_apart() == [
        (*row, status) for row, status in zip(apart, ("released", "quarantined", "released"), strict=True)
    ]
    assert (of_file(told, "order_items"), of_file(told, "order_reviews")) == ((1, 0, 5, 1), (1, 0, 2, 0))
    assert dry["events"] == told["events"]
    assert told["events"]["quality"] == 4 + 2
    assert loads.shown("SELECT DISTINCT batch_id::text FROM quality.quarantine") == [(first["batch"],)]

    # Bad once more: kept apart once more, by the load that shows it.
    again = loads.load(changed(whole, order_items=adding(an_item(6, price="7.00"))))
    assert of_file(again, "order_items") == (0, 0, 6, 2)
    last = loads.load(changed(whole, order_items=lambda some: [an_item(6, price="7.00"), *some]))
    assert of_file(last, "order_items") == (0, 1, 5, 2)
    assert ("order_items", 3, "keys_unique", "quarantined") in loads.kept_apart()


def test_a_row_with_the_key_of_another_passes_once_it_stands_alone(loads: Loads) -> None:
    lines = a_good_extract()
    other = line(an_id(70), "livros", *[""] * 7)
    loads.load_whole(changed(lines, products=adding(other)))
    assert loads.kept_apart() == [("products", 4, "keys_unique", "quarantined")]
    told = loads.load_whole(changed(lines, products=instead(0, other)))
    assert of_file(told, "products") == (0, 1, 1, 0)
    assert loads.kept_apart() == [("products", 4, "keys_unique", "released")]
