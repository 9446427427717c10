"""An order's steps: what a first look at an extract tells, and what a second one adds."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import Rewound
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.sales.events import (
    Line,
    OrderApproved,
    OrderCanceled,
    OrderCompleted,
    OrderInvoiced,
    OrderMadeUnavailable,
    OrderPaid,
    OrderPlaced,
    OrderProcessingStarted,
    OrderShipped,
    PaymentReceived,
)
from replayhouse.domain.sales.order import NEW_ORDER, RANK, observe, observed, order_of
from tests.support.orders import (
    ALIAS,
    FRIDAY,
    MONDAY,
    OTHER_ALIAS,
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

PLACED = OrderPlaced(MONDAY, PERSON, ALIAS, MONDAY, PROMISE, (line(),))

# --- first sight ------------------------------------------------------------------------------------------------


def test_a_delivered_order_took_all_steps_each_at_its_own_time() -> None:
    events = observe(NEW_ORDER, PERSON, delivered(), [line()], [payment()])
    assert events == (
        PLACED,
        PaymentReceived(MONDAY, 1, "credit_card", 3, brl("100.00")),
        OrderPaid(MONDAY, brl("100.00"), brl("100.00")),
        OrderApproved(TUESDAY, TUESDAY),
        OrderShipped(WEDNESDAY, WEDNESDAY),
        OrderCompleted(FRIDAY, PERSON, MONDAY, FRIDAY, brl("100.00")),
    )


def test_a_canceled_order_with_an_approval_was_approved_before() -> None:
    events = observe(NEW_ORDER, PERSON, header("canceled", approved_at=TUESDAY), [line()])
    assert events == (PLACED, OrderApproved(TUESDAY, TUESDAY), OrderCanceled(TUESDAY, "approved"))


def test_a_canceled_order_without_any_time_took_no_step_before() -> None:
    assert observe(NEW_ORDER, PERSON, header("canceled"), [line()]) == (PLACED, OrderCanceled(MONDAY, "created"))


def test_an_unavailable_order_that_the_carrier_had_was_shipped_before() -> None:
    events = observe(NEW_ORDER, PERSON, header("unavailable", shipped_at=THURSDAY), [line()])
    assert events == (PLACED, OrderShipped(THURSDAY, THURSDAY), OrderMadeUnavailable(THURSDAY, "shipped"))


@pytest.mark.parametrize(("status", "step"), [("invoiced", OrderInvoiced), ("processing", OrderProcessingStarted)])
def test_a_step_without_a_time_in_the_source_stands_at_the_latest_time_known(
    status: str, step: type[OrderInvoiced] | type[OrderProcessingStarted]
) -> None:
    events = observe(NEW_ORDER, PERSON, header(status, approved_at=TUESDAY), [line()])
    assert events == (PLACED, OrderApproved(TUESDAY, TUESDAY), step(TUESDAY))


def test_steps_of_which_only_the_status_tells_have_no_time_and_stand_at_the_latest_time_known() -> None:
    events = observe(NEW_ORDER, PERSON, delivered(approved_at=None, shipped_at=WEDNESDAY, completed_at=None), [line()])
    assert events[1:] == (
        OrderApproved(MONDAY, None),
        OrderShipped(WEDNESDAY, WEDNESDAY),
        OrderCompleted(WEDNESDAY, PERSON, MONDAY, None, brl("100.00")),
    )


def test_an_order_shipped_before_its_approval_keeps_both_times() -> None:
    events = observe(NEW_ORDER, PERSON, delivered(approved_at=THURSDAY, shipped_at=TUESDAY), [line()])
    assert [event.occurred_at for event in events if isinstance(event, OrderApproved | OrderShipped)] == [
        THURSDAY,
        TUESDAY,
    ]
    assert order_of(events).latest_time == FRIDAY


def test_an_order_placed_by_nobody_we_know_has_no_person() -> None:
    (event,) = observe(NEW_ORDER, None, header("created"), [])
    assert isinstance(event, OrderPlaced)
    assert event.customer_id == UNKNOWN_ID


def test_the_lines_of_a_placed_order_stand_in_the_order_of_their_numbers() -> None:
    events = observe(NEW_ORDER, PERSON, header("created"), [line(3), line(1), line(2)])
    assert isinstance(events[0], OrderPlaced)
    assert [placed.item_no for placed in events[0].lines] == [1, 2, 3]


def test_an_order_that_nobody_placed_has_no_payments() -> None:
    with pytest.raises(DomainError, match="an order is placed before anything else"):
        observe(NEW_ORDER, PERSON, None, [], [payment()])


@pytest.mark.parametrize("bad", [line(price="-0.01"), line(freight="-0.01")])
def test_price_and_freight_are_not_negative(bad: Line) -> None:
    with pytest.raises(DomainError, match="not negative"):
        observe(NEW_ORDER, PERSON, header("created"), [bad])
    with pytest.raises(DomainError, match="not negative"):
        observe(shown(header("created")), PERSON, None, [bad])


# --- times that the status allows (R18) -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "approved", "shipped", "completed"),
    [
        ("created", None, None, None),
        ("approved", TUESDAY, None, None),
        ("invoiced", TUESDAY, None, None),
        ("processing", TUESDAY, None, None),
        ("shipped", TUESDAY, WEDNESDAY, None),
        ("delivered", TUESDAY, WEDNESDAY, FRIDAY),
        ("canceled", TUESDAY, WEDNESDAY, None),
        ("unavailable", TUESDAY, WEDNESDAY, None),
    ],
)
def test_a_time_counts_only_where_the_status_allows_its_step(
    status: str, approved: object, shipped: object, completed: object
) -> None:
    order = shown(replace(delivered(), status=status))
    assert order.status == status
    assert (order.approved_at, order.shipped_at, order.completed_at) == (approved, shipped, completed)


@pytest.mark.parametrize("status", ["approved", "processing"])
def test_a_time_that_becomes_allowed_is_told_then(status: str) -> None:
    early = header(status, approved_at=TUESDAY, shipped_at=WEDNESDAY)
    order = shown(early)
    events = observe(order, PERSON, replace(early, status="shipped"), [line()])
    assert events == (OrderShipped(WEDNESDAY, WEDNESDAY),)


# --- a second look ----------------------------------------------------------------------------------------------


def test_an_order_that_did_not_change_is_no_news() -> None:
    assert observe(shown(delivered()), PERSON, delivered(), [line()]) == ()


def test_a_later_extract_tells_only_the_steps_since() -> None:
    order = shown(header("approved", approved_at=TUESDAY))
    assert observe(order, PERSON, delivered(), [line()]) == (
        OrderShipped(WEDNESDAY, WEDNESDAY),
        OrderCompleted(FRIDAY, PERSON, MONDAY, FRIDAY, brl("100.00")),
    )


def test_invoiced_and_processing_may_follow_each_other_either_way() -> None:
    invoiced, processing = (header(status, approved_at=TUESDAY) for status in ("invoiced", "processing"))
    order = shown(invoiced, processing)
    assert order.status == "processing"
    assert observe(order, PERSON, invoiced, [line()]) == (OrderInvoiced(TUESDAY),)
    assert shown(invoiced, processing, invoiced).status == "invoiced"


def test_a_delivered_order_that_is_canceled_is_complete_no_longer() -> None:
    order = shown(delivered())
    events = observe(order, PERSON, replace(delivered(), status="canceled"), [line()])
    assert events == (OrderCanceled(FRIDAY, "delivered"),)
    canceled = after(order, events)
    assert not canceled.is_completed
    assert canceled.shown_completed_at is None
    assert canceled.shipped_at == WEDNESDAY


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (known, told)
        for known in RANK
        for told in RANK
        if RANK[told] < RANK[known] or (RANK[known] == 5 and told != known)
    ],
)
def test_an_order_does_not_go_backwards(known: str, told: str) -> None:
    with pytest.raises(DomainError, match="an order does not go backwards") as error:
        observe(shown(header(known)), PERSON, header(told), [line()])
    assert (error.value.values["known"], error.value.values["shown"]) == (known, told)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (known, told)
        for known in RANK
        for told in RANK
        if RANK[told] > RANK[known] or known == told or {known, told} == {"invoiced", "processing"}
    ],
)
def test_an_order_goes_up_or_stays_whatever_steps_it_skips(known: str, told: str) -> None:
    assert shown(header(known), header(told)).status == told


def test_an_order_keeps_its_alias() -> None:
    with pytest.raises(DomainError, match="keeps its customer_id"):
        observe(shown(header("created")), PERSON, replace(header("created"), customer_alias=OTHER_ALIAS), [])


def test_an_order_whose_load_was_taken_back_is_placed_anew() -> None:
    """The decision sees only the events that count: here none."""
    assert observe(order_of([]), PERSON, header("created"), [line()]) == (PLACED,)
    assert order_of([Rewound(MONDAY, UUID(int=1), 0)]) == NEW_ORDER


def test_who_observes_gets_the_order_that_the_events_make() -> None:
    events, order = observed(NEW_ORDER, PERSON, delivered(), [line()], [payment()])
    assert order == order_of(events)
    assert events == observe(NEW_ORDER, PERSON, delivered(), [line()], [payment()])


# --- on the axis of business time -------------------------------------------------------------------------------


def test_before_its_approval_an_order_may_have_been_shipped() -> None:
    events = observe(NEW_ORDER, PERSON, delivered(approved_at=THURSDAY, shipped_at=TUESDAY), [line()])
    on_wednesday = order_of(event for event in events if event.occurred_at <= WEDNESDAY)  # type: ignore[attr-defined] # orders' events have times
    assert (on_wednesday.status, on_wednesday.approved_at, on_wednesday.shipped_at) == ("shipped", None, TUESDAY)


def test_an_approval_after_the_delivery_takes_nothing_back() -> None:
    late = FRIDAY + timedelta(days=1)
    assert shown(delivered(approved_at=late)).status == "delivered"


def test_an_order_is_not_placed_before_it_was() -> None:
    events = observe(NEW_ORDER, PERSON, delivered(), [line()])
    assert not order_of(events[1:]).is_placed
    assert order_of(events[:1]).is_placed
