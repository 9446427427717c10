"""What later extracts correct in an order, and when it counts as paid."""

from dataclasses import replace
from datetime import datetime

import pytest

from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.sales.events import (
    AmendedFact,
    OrderAmended,
    OrderCanceled,
    OrderLineAdded,
    OrderLineAmended,
    OrderPaid,
    OrderShipped,
    PaymentAmended,
    PaymentReceived,
)
from replayhouse.domain.sales.order import NEW_ORDER, Order, OrderHeader, Payment, observe
from tests.support.orders import (
    FRIDAY,
    MONDAY,
    NEIGHBOUR,
    PERSON,
    PROMISE,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    after,
    brl,
    delivered,
    header,
    line,
    payment,
    shown,
)

# --- the header -------------------------------------------------------------------------------------------------


def test_a_time_filled_in_late_is_told_at_that_time() -> None:
    order = shown(delivered(approved_at=None))
    assert observe(order, PERSON, delivered(), [line()]) == (OrderAmended(TUESDAY, "approved_at", time=TUESDAY),)


def test_a_corrected_time_is_told_at_the_new_time() -> None:
    order = shown(delivered())
    events = observe(order, PERSON, delivered(shipped_at=THURSDAY), [line()])
    assert events == (OrderAmended(THURSDAY, "shipped_at", time=THURSDAY),)
    assert after(order, events).shipped_at == THURSDAY


@pytest.mark.parametrize(
    ("what", "at"), [("approved_at", TUESDAY), ("shipped_at", WEDNESDAY), ("completed_at", FRIDAY)]
)
def test_a_time_taken_back_is_corrected_to_none_at_the_old_time(what: AmendedFact, at: datetime) -> None:
    order = shown(delivered())
    events = observe(order, PERSON, delivered(**{what: None}), [line()])
    assert events == (OrderAmended(at, what, time=None),)
    assert getattr(after(order, events), what) is None
    assert after(order, events).status == "delivered"


def test_a_time_that_was_never_known_and_is_not_shown_is_no_news() -> None:
    empty = delivered(approved_at=None, shipped_at=None, completed_at=None)
    assert observe(shown(empty), PERSON, empty, [line()]) == ()


def test_several_corrections_are_several_events_each_at_the_time_of_its_fact() -> None:
    order = shown(delivered())
    told = delivered(placed_at=TUESDAY, promised_by=FRIDAY, completed_at=THURSDAY)
    assert observe(order, PERSON, told, [line()]) == (
        OrderAmended(TUESDAY, "placed_at", time=TUESDAY),
        OrderAmended(TUESDAY, "promised_by", time=FRIDAY),
        OrderAmended(THURSDAY, "completed_at", time=THURSDAY),
    )


def test_a_corrected_promise_is_a_fact_of_the_placing() -> None:
    events = observe(shown(delivered()), PERSON, delivered(promised_by=THURSDAY), [line()])
    assert events == (OrderAmended(MONDAY, "promised_by", time=THURSDAY),)


def test_missing_times_of_earlier_steps_may_be_corrected_after_the_end_of_an_order() -> None:
    order = shown(header("canceled"))
    told = header("canceled", approved_at=TUESDAY, shipped_at=WEDNESDAY)
    events = observe(order, PERSON, told, [line()])
    assert events == (
        OrderAmended(TUESDAY, "approved_at", time=TUESDAY),
        OrderAmended(WEDNESDAY, "shipped_at", time=WEDNESDAY),
    )
    assert after(order, events).status == "canceled"


def test_a_cancellation_that_takes_the_shipping_back_says_so() -> None:
    order = shown(header("shipped", approved_at=TUESDAY, shipped_at=WEDNESDAY))
    events = observe(order, PERSON, header("canceled", approved_at=TUESDAY), [line()])
    assert events == (OrderAmended(WEDNESDAY, "shipped_at", time=None), OrderCanceled(WEDNESDAY, "shipped"))


def test_a_step_is_told_after_the_corrections_of_earlier_ones() -> None:
    order = shown(header("approved"))
    events = observe(order, PERSON, header("shipped", approved_at=TUESDAY), [line()])
    assert events == (OrderAmended(TUESDAY, "approved_at", time=TUESDAY), OrderShipped(TUESDAY, None))


def test_the_person_behind_an_order_may_become_known_without_a_word_of_the_order_itself() -> None:
    order = shown(delivered(), person=None)
    events = observe(order, PERSON, None)
    assert events == (OrderAmended(MONDAY, "customer_id", customer_id=PERSON),)
    assert after(order, events).customer_id == PERSON
    assert observe(after(order, events), PERSON, None) == ()


def test_a_corrected_person_is_told_at_the_corrected_placing() -> None:
    events = observe(shown(header("created")), NEIGHBOUR, header("created", placed_at=TUESDAY), [line()])
    assert events == (
        OrderAmended(TUESDAY, "placed_at", time=TUESDAY),
        OrderAmended(TUESDAY, "customer_id", customer_id=NEIGHBOUR),
    )


def test_an_extract_that_does_not_say_whose_order_it_is_takes_nobody_away() -> None:
    assert observe(shown(delivered()), None, delivered(), [line()]) == ()


# --- lines and payments -----------------------------------------------------------------------------------------


def test_a_later_extract_adds_and_corrects_lines_at_the_placing() -> None:
    order = shown(delivered())
    cheaper = line(price="70.00")
    assert observe(order, PERSON, None, [line(2), cheaper]) == (
        OrderLineAmended(MONDAY, cheaper),
        OrderLineAdded(MONDAY, line(2)),
    )


def test_lines_and_payments_that_a_later_extract_lacks_stay() -> None:
    order = after(NEW_ORDER, observe(NEW_ORDER, PERSON, delivered(), [line(1), line(2)], [payment()]))
    assert observe(order, PERSON, delivered(), [line(2)], []) == ()
    assert observe(order, PERSON, delivered()) == ()


@pytest.mark.parametrize(
    "corrected",
    [
        payment(amount="99.99"),
        payment(method="boleto"),
        payment(installments=0),
    ],
)
def test_anything_of_a_payment_may_be_corrected_at_the_placing(corrected: Payment) -> None:
    order = after(NEW_ORDER, observe(NEW_ORDER, PERSON, delivered(), [line()], [payment()]))
    events = observe(order, PERSON, None, [], [corrected])
    facts = (corrected.payment_no, corrected.method, corrected.installments, corrected.amount)
    assert events == (PaymentAmended(MONDAY, *facts),)
    assert after(order, events).payments[1] == corrected


def test_payments_need_not_start_at_one_and_stand_in_the_order_of_their_numbers() -> None:
    events = observe(NEW_ORDER, PERSON, header("created"), [], [payment(7, "1.00"), payment(2, "0.00")])
    assert [event.payment_no for event in events if isinstance(event, PaymentReceived)] == [2, 7]


# --- paid (R21) -------------------------------------------------------------------------------------------------


def paid_with(*payments: Payment) -> Order:
    return after(NEW_ORDER, observe(NEW_ORDER, PERSON, header("created"), [line()], payments))


def paying(order: Order, *payments: Payment, told: OrderHeader | None = None) -> list[OrderPaid]:
    events = observe(order, PERSON, told, [], payments)
    return [event for event in events if isinstance(event, OrderPaid)]


def test_an_order_is_paid_once_payments_first_reach_the_total() -> None:
    order = paid_with(payment(1, "60.00"))
    assert not order.is_paid
    assert paying(order, payment(2, "39.99")) == []
    assert paying(order, payment(2, "40.00")) == [OrderPaid(MONDAY, brl("100.00"), brl("100.00"))]


def test_an_order_is_paid_only_once() -> None:
    order = paid_with(payment(1, "100.00"))
    assert order.was_paid
    assert paying(order, payment(2, "5.00")) == []


def test_whether_an_order_is_paid_follows_the_amounts_as_they_are_now() -> None:
    order = paid_with(payment(1, "100.00"))
    order = after(order, observe(order, PERSON, None, [], [payment(1, "99.99")]))
    assert order.was_paid
    assert not order.is_paid


def test_a_lower_price_may_make_an_order_paid() -> None:
    order = paid_with(payment(1, "90.00"))
    events = observe(order, PERSON, None, [line(price="70.00")])
    assert events[-1] == OrderPaid(MONDAY, brl("90.00"), brl("90.00"))


def test_an_order_without_lines_is_paid_by_any_payment_above_zero() -> None:
    def paid(amount: str) -> bool:
        events = observe(NEW_ORDER, PERSON, header("created"), [], [payment(1, amount)])
        return any(isinstance(event, OrderPaid) for event in events)

    assert paid("0.01")
    assert not paid("0.00")


def test_amounts_add_up_to_the_cent() -> None:
    order = after(
        NEW_ORDER,
        observe(
            NEW_ORDER,
            PERSON,
            header("created", promised_by=PROMISE),
            [line(1, "0.10", "0.20"), line(2, "0.70", "0.01")],
            [payment(1, "1.00"), payment(2, "0.01")],
        ),
    )
    assert (order.price, order.freight, order.total, order.paid) == (brl("0.80"), brl("0.21"), brl("1.01"), brl("1.01"))
    assert order.is_paid


def test_nothing_adds_up_to_nothing() -> None:
    assert [str(amount) for amount in (NEW_ORDER.price, NEW_ORDER.total, NEW_ORDER.paid)] == ["0.00"] * 3
    assert not NEW_ORDER.is_paid


# --- what nobody knows -------------------------------------------------------------------------------------------


def test_a_promise_that_becomes_known_is_a_correction_and_so_is_one_that_is_taken_back() -> None:
    unknown, known = delivered(promised_by=None), delivered()
    told = observe(shown(unknown), PERSON, known, [line()])
    assert told == (OrderAmended(MONDAY, "promised_by", time=PROMISE),)
    taken_back = observe(shown(known), PERSON, unknown, [line()])
    assert taken_back == (OrderAmended(MONDAY, "promised_by", time=None),)
    assert after(shown(known), taken_back) == shown(unknown)


def test_an_order_of_which_no_promise_is_known_is_not_told_again() -> None:
    order = shown(delivered(promised_by=None))
    assert order.promised_by is None
    assert observe(order, PERSON, delivered(promised_by=None), [line()]) == ()


def test_a_day_to_ship_by_and_a_seller_that_become_known_amend_the_line() -> None:
    bare = replace(line(), ship_by=None, seller_id=UNKNOWN_ID)
    order = after(NEW_ORDER, observe(NEW_ORDER, PERSON, delivered(), [bare]))
    assert observe(order, PERSON, delivered(), [bare]) == ()
    assert observe(order, PERSON, delivered(), [line()]) == (OrderLineAmended(MONDAY, line()),)


def test_a_seller_whom_nobody_knows_is_none() -> None:
    lines = [line(1), line(2), replace(line(3), seller_id=UNKNOWN_ID)]
    assert after(NEW_ORDER, observe(NEW_ORDER, PERSON, delivered(), lines)).seller_count == 1
    assert after(NEW_ORDER, observe(NEW_ORDER, PERSON, delivered(), lines[2:])).seller_count == 0
