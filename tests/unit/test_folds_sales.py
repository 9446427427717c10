"""Given the events of an order, when they are folded, then these are its rows (R18 to R22)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales import order as sales
from replayhouse.domain.sales.events import OrderCanceled, OrderCompleted, OrderPaid, OrderPlaced, PaymentReceived
from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.projections.projection import Stream
from replayhouse.projections.sales import FACT_ORDER, fold
from tests.support.read_side import HOUR, MONDAY, PROMISED, a_header, a_line, a_payment, an_id, brl

ORDER = an_id(1)


def folded(*events: DomainEvent) -> dict[str, list[tuple[Any, ...]]]:
    return fold(Stream(ORDER, 17, events))


def fact_order(*events: DomainEvent) -> dict[str, Any]:
    [row] = folded(*events)["fact_order"]
    return dict(zip((column.name for column in FACT_ORDER.columns), row, strict=True))


def test_an_order_as_its_events_tell_it() -> None:
    lines = [a_line(1, price="10.00", freight="2.50"), a_line(2, price="0.99", freight="0.00")]
    events = observe(NEW_ORDER, an_id(9), a_header("delivered"), lines, [a_payment(2, "13.49", installments=3)])
    assert fact_order(*events) == {
        "order_id": ORDER,
        "customer_id": an_id(9),
        "customer_alias": an_id(500),
        "status": "delivered",
        "placed_at": MONDAY,
        "date_key": 20180108,
        "approved_at": MONDAY + HOUR,
        "shipped_at": MONDAY + 24 * HOUR,
        "completed_at": MONDAY + 100 * HOUR,
        "promised_by": PROMISED,
        "item_count": 2,
        "seller_count": 1,
        "price": brl("10.99"),
        "freight": brl("2.50"),
        "total": brl("13.49"),
        "paid": brl("13.49"),
        "payment_count": 1,
        "max_installments": 3,
        "payment_method": "boleto",
        "is_paid": True,
        "position": 17,
    }


def test_lines_and_payments_take_person_status_and_date_from_their_order() -> None:
    rows = folded(*observe(NEW_ORDER, an_id(9), a_header("approved"), [a_line(3)], [a_payment(2)]))
    line = (ORDER, 3, an_id(70), an_id(50), an_id(9), 20180108, "approved")
    assert rows["fact_order_item"] == [
        (*line, brl("10.00"), brl("2.50"), brl("12.50"), MONDAY + 48 * HOUR, 17),
    ]
    assert rows["fact_payment"] == [(ORDER, 2, "boleto", 1, brl("12.50"), 20180108, 17)]


def test_the_largest_payment_names_the_method_and_of_equal_ones_the_first() -> None:
    payments = [a_payment(3, "5.00", "voucher"), a_payment(1, "4.00", "boleto"), a_payment(2, "5.00", "credit_card")]
    row = fact_order(*observe(NEW_ORDER, None, a_header("approved"), [], payments))
    assert (row["payment_method"], row["payment_count"], row["paid"]) == ("credit_card", 3, brl("14.00"))


def test_an_order_without_lines_and_payments_has_sums_of_nothing() -> None:
    row = fact_order(*observe(NEW_ORDER, None, a_header("created")))
    assert (row["item_count"], row["seller_count"], row["payment_count"]) == (0, 0, 0)
    assert [str(row[name]) for name in ("price", "freight", "total", "paid")] == ["0.00"] * 4
    assert (row["max_installments"], row["payment_method"], row["is_paid"]) == (None, "unknown", False)


def test_an_order_is_paid_to_the_cent_by_its_amounts_as_they_are_now() -> None:
    paid = observe(NEW_ORDER, None, a_header("approved"), [a_line()], [a_payment(1, "12.50")])
    assert fact_order(*paid)["is_paid"]
    assert not fact_order(*paid, *observe(order_of(paid), None, None, [], [a_payment(1, "12.49")]))["is_paid"]
    assert not fact_order(*observe(NEW_ORDER, None, a_header("approved"), [], [a_payment(1, "0.00")]))["is_paid"]
    assert fact_order(*observe(NEW_ORDER, None, a_header("approved"), [], [a_payment(1, "0.01")]))["is_paid"]


def test_a_time_shows_only_where_the_status_allows_its_step() -> None:
    def times(status: str) -> list[bool]:
        row = fact_order(*observe(NEW_ORDER, None, a_header(status)))
        return [row[name] is not None for name in ("approved_at", "shipped_at", "completed_at")]

    assert times("created") == [False, False, False]
    assert times("invoiced") == [True, False, False]
    assert times("shipped") == [True, True, False]
    assert times("delivered") == [True, True, True]
    assert times("canceled") == [True, True, False]


def test_a_delivered_order_that_is_canceled_was_not_completed() -> None:
    events = observe(NEW_ORDER, None, a_header("delivered"))
    row = fact_order(*events, OrderCanceled(MONDAY + timedelta(days=9), "delivered"))
    assert (row["status"], row["completed_at"], row["shipped_at"]) == ("canceled", None, MONDAY + 24 * HOUR)


def test_an_order_that_is_not_placed_has_no_rows() -> None:
    assert folded() == {}
    assert folded(PaymentReceived(MONDAY, 1, "boleto", 1, Decimal("1.00"))) == {}


def test_what_counts_is_what_happened_not_in_which_order() -> None:
    events = observe(NEW_ORDER, an_id(9), a_header("delivered"), [a_line()], [a_payment()])
    shuffled = [event for event in events if not isinstance(event, OrderPlaced | OrderCompleted)]
    placed, completed = events[0], events[-1]
    assert fact_order(placed, completed, *shuffled) == fact_order(*events)


def test_which_times_a_status_allows_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sales.SHOWN_WHILE, "approved_at", frozenset({"delivered"}))
    monkeypatch.setitem(sales.SHOWN_WHILE, "shipped_at", frozenset({"canceled"}))
    monkeypatch.setitem(sales.SHOWN_WHILE, "completed_at", frozenset())
    canceled = order_of(observe(NEW_ORDER, None, a_header("canceled")))
    assert (canceled.approved_at, canceled.shipped_at) == (None, MONDAY + 24 * HOUR)
    delivered = fact_order(*observe(NEW_ORDER, None, a_header("delivered")))
    assert (delivered["approved_at"], delivered["shipped_at"], delivered["completed_at"]) == (MONDAY + HOUR, None, None)


@pytest.mark.parametrize("is_paid", [True, False])
def test_what_pays_an_order_is_said_once(monkeypatch: pytest.MonkeyPatch, is_paid: bool) -> None:
    monkeypatch.setattr(sales, "pays", lambda paid, total: is_paid)
    events = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
    assert any(isinstance(event, OrderPaid) for event in events) is is_paid
    assert fact_order(*events)["is_paid"] is is_paid
