"""How the oracle compares rows with those of the program, and how it makes snapshots."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest

from tests.oracle.expected import described, differences, expected, rows
from tests.oracle.lines import (
    PLACED,
    PROMISED,
    a_customer,
    a_payment,
    an_id,
    an_item,
    an_order,
    line,
    moment,
    shown,
    write_extract,
)
from tests.oracle.snapshots import Order, as_known, snapshot

Given = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Gives the oracle of an extract that holds the lines of each file."""
    return lambda **lines: expected(write_extract(tmp_path, lines))


def test_differences_name_missing_and_unexpected_rows_and_unlike_types(given: Given) -> None:
    oracle = given(categories=["casa,home"], order_payments=[a_payment(1, 1, "1.00")], orders=[an_order(1)])

    def fetch(table: str, names: Any) -> list[tuple[Any, ...]]:
        found = rows(oracle, table, names)
        if table == "marketplace.dim_category":
            return [*found[:-1], ("lar", "home"), *found[:-1]]
        if table == "sales.fact_payment":
            return [
                tuple(Decimal("1.0") if cell == 1 and isinstance(cell, Decimal) else cell for cell in row)
                for row in found
            ]
        return found

    wrong = differences(oracle, fetch, leaving_out=())
    assert wrong.keys() == {"marketplace.dim_category", "sales.fact_payment"}
    assert len(wrong["marketplace.dim_category"].missing) == 1
    assert len(wrong["marketplace.dim_category"].unexpected) == 2
    assert described(wrong).splitlines()[0] == "sales.fact_payment: 1 missing, 1 unexpected"
    assert differences(oracle, fetch, ("marketplace.dim_category", "sales.fact_payment.amount")) == {}


@pytest.mark.parametrize(
    ("status", "times", "day", "shown_status", "shown_times"),
    [
        # placed 1, approved 3, carrier 2 (before the approval), delivered 5; promised 20 March
        ("delivered", (3, 2, 5), 1, "created", (None, None, None)),
        ("delivered", (3, 2, 5), 2, "created", (None, None, None)),
        ("delivered", (3, 2, 5), 3, "shipped", (3, 2, None)),
        ("delivered", (3, 2, 5), 5, "delivered", (3, 2, 5)),
        ("delivered", (3, 4, None), 19, "shipped", (3, 4, None)),
        ("delivered", (3, 4, None), 20, "delivered", (3, 4, None)),
        ("processing", (3, None, None), 2, "created", (None, None, None)),
        ("processing", (3, None, None), 3, "processing", (3, None, None)),
        ("canceled", (3, None, None), 19, "approved", (3, None, None)),
        ("canceled", (3, 4, 5), 6, "delivered", (3, 4, 5)),
        ("canceled", (3, 4, 5), 20, "canceled", (3, 4, 5)),
        ("unavailable", (25, None, None), 24, "created", (None, None, None)),
        ("unavailable", (25, None, None), 25, "unavailable", (25, None, None)),
    ],
)
def test_an_order_shows_in_a_snapshot_the_steps_known_by_then(
    status: str,
    times: tuple[int | None, ...],
    day: int,
    shown_status: str,
    shown_times: tuple[int | None, ...],
) -> None:
    cells = ("order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date")
    at = [None if time is None else datetime(2017, 3, time, 12) for time in times]
    order = Order(status, moment(PLACED), at[0], at[1], at[2], moment(PROMISED))
    record = {"order_status": status} | {cell: str(time or "") for cell, time in zip(cells, at, strict=True)}
    found = as_known(record, order, datetime(2017, 3, day, 23, 59, 59))
    wanted = ["" if time is None else f"2017-03-{time:02} 12:00:00" for time in shown_times]
    assert (found["order_status"], [found[cell] for cell in cells]) == (shown_status, wanted)


def test_a_snapshot_holds_what_was_placed_and_answered_by_its_day(given: Given, tmp_path: Path) -> None:
    answers = {8: "2017-03-09 00:00:00", 9: "2017-03-10 23:59:59", 10: "2017-03-11 00:00:00", 11: ""}
    oracle = given(
        orders=[an_order(1), an_order(2, placed="2017-03-11 00:00:00")],
        customers=[a_customer(101, 1), a_customer(102, 2), a_customer(103, 3)],
        order_items=[an_item(1), an_item(2)],
        order_payments=[a_payment(1, 1, "1.00"), a_payment(2, 1, "1.00")],
        order_reviews=[line(an_id(n), an_id(1), 5, "", "", PLACED, at) for n, at in answers.items()],
        categories=["casa,home"],
    )
    early = expected(snapshot(tmp_path, oracle, date(2017, 3, 10), tmp_path / "early"))
    assert shown(early, "customer.dim_customer", "customer_id") == [(UUID(int=1),)]
    for table in ("sales.fact_order", "sales.fact_order_item", "sales.fact_payment"):
        assert shown(early, table, "order_id") == [(UUID(int=1),)]
    assert shown(early, "customer.fact_review", "review_id") == [(UUID(int=8),), (UUID(int=9),)]
    assert shown(early, "marketplace.dim_category", "category") == [("casa",)]
