"""What holds for every order, whatever the extracts show of it and in whatever steps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.fulfillment.shipment import (
    NEW_SHIPMENT,
    OrderProgress,
    Route,
    Shipment,
    days_late,
    follow,
    shipment_of,
)
from replayhouse.domain.fulfillment.shipment import evolve as evolve_shipment
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import Line, OrderPaid, OrderPlaced
from replayhouse.domain.sales.order import (
    ENDED,
    NEW_ORDER,
    RANK,
    Order,
    OrderHeader,
    Payment,
    evolve,
    observe,
    order_of,
)
from tests.support.orders import ALIAS, MONDAY, OTHER_SELLER, PERSON, PRODUCT, SELLER, after, facts_of

TIMES = st.integers(-40, 200).map(lambda hours: MONDAY + timedelta(hours=5 * hours))
CENTS = st.integers(0, 20_000).map(lambda cents: Decimal(cents) / 100)
LINES = st.lists(
    st.builds(Line, st.integers(1, 3), st.just(PRODUCT), st.sampled_from([SELLER, OTHER_SELLER]), CENTS, CENTS, TIMES),
    max_size=3,
    unique_by=lambda line: line.item_no,
)
PAYMENTS = st.lists(
    st.builds(Payment, st.integers(1, 3), st.sampled_from(["boleto", "voucher"]), st.integers(0, 3), CENTS),
    max_size=3,
    unique_by=lambda payment: payment.payment_no,
)
HEADERS = st.builds(
    OrderHeader,
    st.just(ALIAS),
    st.sampled_from(list(RANK)),
    TIMES,
    TIMES.map(lambda time: time.replace(hour=0, minute=0)),
    st.none() | TIMES,
    st.none() | TIMES,
    st.none() | TIMES,
)
Snapshot = tuple[OrderHeader, list[Line], list[Payment]]
SNAPSHOTS = st.tuples(HEADERS, LINES, PAYMENTS)


def follows(earlier: str, later: str) -> bool:
    return RANK[earlier] < RANK[later] or earlier == later or RANK[earlier] == RANK[later] == 2


@st.composite
def paths(draw: st.DrawFn) -> list[Snapshot]:
    """What extracts show one after the other: statuses go up, times come, change and go, so do lines and payments."""
    told: list[Snapshot] = []
    for snapshot in draw(st.lists(SNAPSHOTS, min_size=1, max_size=4)):
        if not told or follows(told[-1][0].status, snapshot[0].status):
            told.append(snapshot)
    return told


def looked_at(snapshots: Sequence[Snapshot]) -> list[DomainEvent]:
    events: list[DomainEvent] = []
    order = NEW_ORDER
    for header, lines, payments in snapshots:
        told = observe(order, PERSON, header, lines, payments)
        events += told
        order = after(order, told)
    return events


def progress_of(order: Order) -> OrderProgress:
    """What Fulfillment is told of an order, as the translation tells it."""
    return OrderProgress(
        order_id=ALIAS,
        customer_id=order.customer_id,
        placed_at=order.placed_at,
        promised_by=order.promised_by,
        is_shipped=order.status in ("shipped", "delivered"),
        shipped_at=order.shipped_at,
        is_completed=order.is_completed,
        completed_at=order.shown_completed_at,
        is_ended=order.status in ENDED,
        approved_at=order.approved_at,
    )


def everything_of(order: Order) -> tuple[object, ...]:
    """All that anybody asks of an order; an impossible state would raise on the way."""
    return (*facts_of(order).values(), order.price, order.freight, order.total, order.paid, order.latest_time)


# --- orders -----------------------------------------------------------------------------------------------------


@given(paths(), st.data())
def test_any_selection_of_a_stream_makes_an_order_that_can_be_shown(path: list[Snapshot], data: st.DataObject) -> None:
    events = looked_at(path)
    keep = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    order = order_of(event for event, kept in zip(events, keep, strict=True) if kept)
    assert len(everything_of(order)) == 16
    assert order.is_placed == keep[0]
    assert order.status in RANK or not order.is_placed


@given(paths())
def test_the_same_extract_again_is_no_news(path: list[Snapshot]) -> None:
    header, lines, payments = path[-1]
    order = order_of(looked_at(path))
    assert observe(order, PERSON, header, lines, payments) == ()
    assert observe(order, None, None, lines, payments) == ()


@given(paths())
def test_whatever_was_seen_on_the_way_the_last_extract_decides(path: list[Snapshot]) -> None:
    """Lines and payments that the last extract lacks stay (R6): here it has all that were ever shown."""
    every_line = {line.item_no: line for _, lines, _ in path for line in lines}
    every_payment = {payment.payment_no: payment for _, _, payments in path for payment in payments}
    last = (path[-1][0], list(every_line.values()), list(every_payment.values()))
    step_by_step, at_once = order_of(looked_at([*path, last])), order_of(looked_at([last]))
    assert facts_of(step_by_step) == facts_of(at_once)


@given(paths())
def test_an_order_is_placed_first_and_no_more_than_once(path: list[Snapshot]) -> None:
    assert [at for at, event in enumerate(looked_at(path)) if isinstance(event, OrderPlaced)] == [0]


@given(paths())
def test_an_order_is_paid_as_soon_as_it_is_and_told_once(path: list[Snapshot]) -> None:
    orders = [order_of(looked_at(path[: count + 1])) for count in range(len(path))]
    was_paid = any(order.is_paid for order in orders)
    paid = [event for event in looked_at(path) if isinstance(event, OrderPaid)]
    assert len(paid) == was_paid
    assert all(event.paid >= event.total for event in paid)


@given(paths())
def test_what_happened_without_a_time_happened_after_all_that_is_known_before(path: list[Snapshot]) -> None:
    order = NEW_ORDER
    for event in looked_at(path):
        if type(event).__name__ in ("OrderInvoiced", "OrderProcessingStarted", "OrderCanceled", "OrderMadeUnavailable"):
            assert getattr(event, "occurred_at", None) == order.latest_time
        order = evolve(order, event)


@given(paths(), st.permutations(range(3)))
def test_the_order_in_which_an_extract_names_lines_and_payments_does_not_matter(
    path: list[Snapshot], places: list[int]
) -> None:
    def mixed(snapshot: Snapshot) -> Snapshot:
        header, lines, payments = snapshot
        return (
            header,
            [lines[at] for at in places if at < len(lines)],
            [payments[at] for at in places if at < len(payments)],
        )

    assert looked_at([mixed(snapshot) for snapshot in path]) == looked_at(path)


# --- shipments that follow them ---------------------------------------------------------------------------------

ROUTES = st.builds(Route, st.none() | st.just("01001"), st.sampled_from([(), ("04038",), (None, "20040")]))


def followed(path: Sequence[Snapshot], routes: Sequence[Route]) -> tuple[list[DomainEvent], Order]:
    events: list[DomainEvent] = []
    order = NEW_ORDER
    for (header, lines, payments), route in zip(path, routes, strict=False):
        order = after(order, observe(order, PERSON, header, lines, payments))
        events += follow(shipment_of(events), progress_of(order), route)
    return events, order


def shown_of(shipment: Shipment) -> Shipment:
    """What the star schema shows of a shipment."""
    return replace(shipment, latest_time=MONDAY, announced_days_late=None, is_dispatched=False)


@given(paths(), st.lists(ROUTES, min_size=4, max_size=4))
def test_a_shipment_is_as_far_as_its_order(path: list[Snapshot], routes: list[Route]) -> None:
    events, order = followed(path, routes)
    progress, shipment = progress_of(order), shipment_of(events)
    assert shipment.status == progress.shipment_status
    assert (shipment.placed_at, shipment.promised_by) == (order.placed_at, order.promised_by)
    assert (shipment.dispatched_at, shipment.delivered_at) == (order.shipped_at, order.shown_completed_at)
    assert shipment.days_late == days_late(order.shown_completed_at, order.promised_by)


@given(paths(), st.lists(ROUTES, min_size=4, max_size=4))
def test_following_an_order_again_is_no_news(path: list[Snapshot], routes: list[Route]) -> None:
    events, order = followed(path, routes)
    assert follow(shipment_of(events), progress_of(order), routes[len(path) - 1]) == ()


@given(paths(), st.lists(ROUTES, min_size=4, max_size=4))
def test_whatever_a_shipment_went_through_the_last_extract_decides(path: list[Snapshot], routes: list[Route]) -> None:
    """But for the destination of an anonymised person, which is not compared."""
    routes = [route._replace(is_anonymized=False) for route in routes]
    events, order = followed(path, routes)
    at_once = follow(NEW_SHIPMENT, progress_of(order), routes[len(path) - 1])
    assert shown_of(shipment_of(events)) == shown_of(shipment_of(at_once))


@given(paths(), st.lists(ROUTES, min_size=4, max_size=4), st.data())
def test_any_selection_of_a_shipments_stream_can_be_shown(
    path: list[Snapshot], routes: list[Route], data: st.DataObject
) -> None:
    events, _ = followed(path, routes)
    keep = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    shipment = NEW_SHIPMENT
    for event, kept in zip(events, keep, strict=True):
        shipment = evolve_shipment(shipment, event) if kept else shipment
    assert shipment.status in ("", "planned", "dispatched", "delivered", "canceled")
    assert shipment.is_planned == (shipment.placed_at != NEW_SHIPMENT.placed_at)
    assert shipment.days_late is None or shipment.days_late >= 0


@given(SNAPSHOTS, ROUTES)
def test_at_any_time_a_shipment_is_no_further_than_its_order(snapshot: Snapshot, route: Route) -> None:
    """On the axis of business time both know the same: what is filtered out of one is filtered out of the other."""
    told = looked_at([snapshot])
    planned, order = followed([snapshot], [route])
    for at in {event.occurred_at for event in [*told, *planned]}:  # type: ignore[attr-defined] # all have times
        then = order_of(event for event in told if event.occurred_at <= at)  # type: ignore[attr-defined] # the same
        shipment = shipment_of(event for event in planned if event.occurred_at <= at)  # type: ignore[attr-defined] # the same
        assert shipment.is_planned == then.is_placed
        if then.is_placed:
            assert shipment.status == progress_of(then).shipment_status
    assert order == order_of(told)
