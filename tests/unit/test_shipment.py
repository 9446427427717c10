"""A shipment follows its order: planned, dispatched, delivered, late or not, and what later extracts correct."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from replayhouse.domain.fulfillment.events import (
    DeliveryCompleted,
    DeliveryDelayed,
    DeliveryRevoked,
    ShipmentCanceled,
    ShipmentDispatched,
    ShipmentPlanned,
    ShipmentReplanned,
)
from replayhouse.domain.fulfillment.shipment import (
    NEW_SHIPMENT,
    OrderProgress,
    Route,
    Shipment,
    days_late,
    follow,
    shipment_of,
)
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from tests.support.orders import FRIDAY, MONDAY, NEIGHBOUR, PERSON, PROMISE, THURSDAY, TUESDAY, WEDNESDAY

ORDER = UUID(int=0xE1)
HOME, SHOP, WAREHOUSE = "01001", "04038", "20040"
ROUTE = Route(HOME, (SHOP, WAREHOUSE))
LATE = PROMISE + timedelta(days=3, hours=1)

OPEN = OrderProgress(ORDER, PERSON, MONDAY, PROMISE, False, None, False, None, False)
SHIPPED = OPEN._replace(is_shipped=True, shipped_at=WEDNESDAY)
DELIVERED = SHIPPED._replace(is_completed=True, completed_at=FRIDAY)
ENDED = OPEN._replace(is_ended=True)

PLANNED = ShipmentPlanned(MONDAY, ORDER, PERSON, MONDAY, PROMISE, SHOP, (SHOP, WAREHOUSE), HOME)


def following(*progress: OrderProgress, route: Route = ROUTE) -> Shipment:
    """The shipment after its order came so far, step by step."""
    events: list[DomainEvent] = []
    for order in progress:
        events += follow(shipment_of(events), order, route)
    return shipment_of(events)


# --- how far it is (R23) ----------------------------------------------------------------------------------------


def test_a_delivered_order_was_planned_dispatched_and_delivered_each_at_its_own_time() -> None:
    assert follow(NEW_SHIPMENT, DELIVERED, ROUTE) == (
        PLANNED,
        ShipmentDispatched(WEDNESDAY, WEDNESDAY),
        DeliveryCompleted(FRIDAY, FRIDAY, 0),
    )


def test_an_order_is_planned_with_its_lines_or_without() -> None:
    (event,) = follow(NEW_SHIPMENT, OPEN, Route(None, ()))
    assert event == ShipmentPlanned(MONDAY, ORDER, PERSON, MONDAY, PROMISE, None, (), None)


def test_the_origin_is_that_of_the_first_lines_seller_known_or_not() -> None:
    assert following(OPEN, route=Route(HOME, (SHOP, WAREHOUSE))).origin_zip == SHOP
    assert following(OPEN, route=Route(HOME, (None, WAREHOUSE))).origin_zip is None


@pytest.mark.parametrize(
    ("order", "status"),
    [
        (OPEN, "planned"),
        (SHIPPED, "dispatched"),
        (SHIPPED._replace(shipped_at=None), "dispatched"),
        (DELIVERED, "delivered"),
        (DELIVERED._replace(completed_at=None), "delivered"),
        (DELIVERED._replace(shipped_at=None), "delivered"),
        (ENDED, "canceled"),
        (ENDED._replace(shipped_at=WEDNESDAY), "dispatched"),
    ],
)
def test_how_far_a_shipment_is_follows_from_its_order(order: OrderProgress, status: str) -> None:
    assert order.shipment_status == status
    assert following(order).status == status


def test_an_order_cancelled_before_dispatch_cancels_its_shipment() -> None:
    planned = shipment_of([PLANNED])
    assert follow(planned, ENDED, ROUTE) == (ShipmentCanceled(MONDAY),)
    assert follow(following(OPEN, ENDED), ENDED, ROUTE) == ()


def test_an_order_cancelled_after_dispatch_leaves_its_shipment_on_the_way() -> None:
    cancelled = SHIPPED._replace(is_shipped=False, is_ended=True)
    assert follow(following(SHIPPED), cancelled, ROUTE) == ()


def test_a_parcel_that_the_carrier_already_has_is_not_dispatched_again() -> None:
    assert follow(following(SHIPPED), SHIPPED, ROUTE) == ()


def test_a_delivered_order_that_was_cancelled_takes_its_delivery_back() -> None:
    cancelled = SHIPPED._replace(is_shipped=False, is_ended=True)
    shipment = following(DELIVERED)
    assert follow(shipment, cancelled, ROUTE) == (DeliveryRevoked(FRIDAY),)
    revoked = following(DELIVERED, cancelled)
    assert (revoked.status, revoked.dispatched_at, revoked.delivered_at) == ("dispatched", WEDNESDAY, None)
    assert revoked.days_late is None


def test_a_delivered_order_that_was_cancelled_and_never_shipped_takes_all_back() -> None:
    assert follow(following(DELIVERED), ENDED, ROUTE) == (DeliveryRevoked(FRIDAY), ShipmentCanceled(FRIDAY))
    shipment = following(DELIVERED, ENDED)
    assert (shipment.status, shipment.dispatched_at, shipment.delivered_at) == ("canceled", None, None)


def test_a_cancelled_shipment_turns_out_to_be_on_its_way() -> None:
    shipment = following(ENDED, ENDED._replace(shipped_at=THURSDAY))
    assert (shipment.status, shipment.dispatched_at) == ("dispatched", THURSDAY)


def test_a_shipment_turns_out_to_have_been_cancelled_before_dispatch() -> None:
    shipment = following(SHIPPED, ENDED)
    assert (shipment.status, shipment.dispatched_at) == ("canceled", None)


# --- since when (R24) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shipped_at", [WEDNESDAY, None])
def test_a_cancelled_shipment_is_dispatched_no_longer_and_may_be_again(shipped_at: datetime | None) -> None:
    shipped = SHIPPED._replace(shipped_at=shipped_at)
    cancelled = following(shipped, ENDED)
    assert (cancelled.status, cancelled.is_dispatched, cancelled.dispatched_at) == ("canceled", False, None)
    again = shipment_of([*follow(NEW_SHIPMENT, ENDED, ROUTE), *follow(following(ENDED), shipped, ROUTE)])
    assert (again.status, again.is_dispatched, again.dispatched_at) == ("dispatched", True, shipped_at)
    assert [type(event) for event in follow(cancelled, shipped, ROUTE)] == [ShipmentDispatched]


def test_what_has_no_time_happened_after_the_latest_time_that_the_order_knows() -> None:
    """So that neither is further than the other at any business time."""
    untimed = DELIVERED._replace(approved_at=TUESDAY, shipped_at=None, completed_at=None)
    assert follow(NEW_SHIPMENT, untimed, ROUTE)[1:] == (
        ShipmentDispatched(TUESDAY, None),
        DeliveryCompleted(TUESDAY, None, None),
    )
    assert follow(NEW_SHIPMENT, ENDED._replace(approved_at=TUESDAY), ROUTE)[1:] == (ShipmentCanceled(TUESDAY),)


def test_a_delivery_is_taken_back_after_the_dispatch_that_came_to_light_with_it() -> None:
    untimed = DELIVERED._replace(shipped_at=None, completed_at=None)
    events = follow(following(untimed), ENDED._replace(shipped_at=THURSDAY), ROUTE)
    assert events == (DeliveryRevoked(THURSDAY), ShipmentDispatched(THURSDAY, THURSDAY))


@pytest.mark.parametrize("corrected", [THURSDAY, None])
def test_a_corrected_dispatch_is_told_again_and_the_last_one_counts(corrected: datetime | None) -> None:
    events = follow(following(SHIPPED), SHIPPED._replace(shipped_at=corrected), ROUTE)
    assert events == (ShipmentDispatched(corrected or WEDNESDAY, corrected),)
    shipment = following(SHIPPED, SHIPPED._replace(shipped_at=corrected))
    assert (shipment.status, shipment.dispatched_at) == ("dispatched", corrected)


def test_a_corrected_dispatch_of_a_delivered_parcel_leaves_it_delivered() -> None:
    shipment = following(DELIVERED, DELIVERED._replace(shipped_at=THURSDAY))
    assert (shipment.status, shipment.dispatched_at) == ("delivered", THURSDAY)


def test_a_delivery_before_the_dispatch_keeps_both_times() -> None:
    shipment = following(DELIVERED._replace(completed_at=TUESDAY))
    assert (shipment.status, shipment.dispatched_at, shipment.delivered_at) == ("delivered", WEDNESDAY, TUESDAY)


def test_before_its_dispatch_a_parcel_may_have_been_delivered() -> None:
    """By business time the dispatch is filtered out."""
    shipment = shipment_of([PLANNED, DeliveryCompleted(TUESDAY, TUESDAY, 0)])
    assert (shipment.status, shipment.dispatched_at) == ("delivered", None)


# --- late or not (R25) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered_at", "late"),
    [
        (PROMISE - timedelta(seconds=1), 0),
        (PROMISE, 0),
        (PROMISE.replace(hour=23, minute=59, second=59), 0),
        (PROMISE + timedelta(days=1), 1),
        (PROMISE + timedelta(days=1, hours=23), 1),
        (PROMISE + timedelta(days=40), 40),
        (None, None),
    ],
)
def test_the_date_decides_whether_a_delivery_is_late_not_the_hour(
    delivered_at: datetime | None, late: int | None
) -> None:
    assert days_late(delivered_at, PROMISE) == late
    assert days_late(delivered_at, PROMISE.replace(hour=18)) == late


def test_a_late_delivery_is_announced_as_delayed() -> None:
    events = follow(NEW_SHIPMENT, DELIVERED._replace(completed_at=LATE), ROUTE)
    assert events[2:] == (DeliveryCompleted(LATE, LATE, 3), DeliveryDelayed(LATE, 3))


def test_a_delivery_on_the_promised_day_is_not_delayed() -> None:
    events = follow(NEW_SHIPMENT, DELIVERED._replace(completed_at=PROMISE + timedelta(hours=20)), ROUTE)
    assert not any(isinstance(event, DeliveryDelayed) for event in events)


def test_a_delivery_without_a_time_is_neither_late_nor_on_time() -> None:
    shipment = following(DELIVERED._replace(completed_at=None))
    assert (shipment.status, shipment.delivered_at, shipment.days_late) == ("delivered", None, None)


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (LATE, FRIDAY, (DeliveryCompleted(FRIDAY, FRIDAY, 0),)),
        (FRIDAY, LATE, (DeliveryCompleted(LATE, LATE, 3), DeliveryDelayed(LATE, 3))),
        (None, FRIDAY, (DeliveryCompleted(FRIDAY, FRIDAY, 0),)),
        (FRIDAY, None, (DeliveryCompleted(FRIDAY, None, None),)),
        (
            LATE,
            LATE + timedelta(hours=1),
            (DeliveryCompleted(LATE + timedelta(hours=1), LATE + timedelta(hours=1), 3),),
        ),
    ],
)
def test_a_corrected_delivery_is_told_again_and_the_last_one_counts(
    before: datetime | None, after: datetime | None, events: tuple[DomainEvent, ...]
) -> None:
    first, then = DELIVERED._replace(completed_at=before), DELIVERED._replace(completed_at=after)
    assert follow(following(first), then, ROUTE) == events
    assert following(first, then).delivered_at == after


def test_a_corrected_promise_makes_a_delivery_late_after_all() -> None:
    sooner = DELIVERED._replace(promised_by=WEDNESDAY)
    events = follow(following(DELIVERED), sooner, ROUTE)
    assert [type(event) for event in events] == [ShipmentReplanned, DeliveryCompleted, DeliveryDelayed]
    assert following(DELIVERED, sooner).days_late == 2


# --- from where to where (R26) ----------------------------------------------------------------------------------


def test_a_person_who_becomes_known_replans_the_shipment() -> None:
    unknown = OPEN._replace(customer_id=UNKNOWN_ID)
    planned = following(unknown, route=Route(None, (SHOP,)))
    assert follow(planned, OPEN, Route(HOME, (SHOP,))) == (
        ShipmentReplanned(MONDAY, ORDER, PERSON, MONDAY, PROMISE, SHOP, (SHOP,), HOME),
    )


@pytest.mark.parametrize(
    "route",
    [Route(HOME, (WAREHOUSE,)), Route(WAREHOUSE, (SHOP, WAREHOUSE)), Route(HOME, ()), Route(HOME, (SHOP, None))],
)
def test_another_route_replans_the_shipment_and_leaves_it_where_it_is(route: Route) -> None:
    shipment = following(DELIVERED)
    (event,) = follow(shipment, DELIVERED, route)
    assert event == ShipmentReplanned(
        MONDAY, ORDER, PERSON, MONDAY, PROMISE, route.origin_zip, route.origins, route.destination_zip
    )
    replanned = shipment_of([*follow(NEW_SHIPMENT, DELIVERED, ROUTE), event])
    assert (replanned.status, replanned.origins) == ("delivered", route.origins)


@pytest.mark.parametrize(
    "corrected",
    [{"placed_at": TUESDAY}, {"promised_by": FRIDAY}, {"customer_id": NEIGHBOUR}],
    ids=lambda told: next(iter(told)),
)
def test_a_corrected_order_replans_the_shipment(corrected: dict[str, object]) -> None:
    (event,) = follow(following(OPEN), OPEN._replace(**corrected), ROUTE)  # type: ignore[arg-type] # parametrised facts
    assert isinstance(event, ShipmentReplanned)
    assert {what: getattr(event, what) for what in corrected} == corrected


def test_the_destination_of_an_erased_person_is_not_compared() -> None:
    """Nobody can read the known one: compared, every load would replan all shipments of the person."""
    assert follow(following(OPEN), OPEN, Route(None, ROUTE.origins, is_anonymized=True)) == ()


def test_a_new_route_of_an_erased_person_is_planned_without_a_destination() -> None:
    (event,) = follow(following(OPEN), OPEN, Route(None, (WAREHOUSE,), is_anonymized=True))
    assert isinstance(event, ShipmentReplanned)
    assert (event.destination_zip, event.origin_zip) == (None, WAREHOUSE)


# --- a promise that nobody knows ---------------------------------------------------------------------------------

NO_PROMISE = DELIVERED._replace(promised_by=None)


def test_without_a_promise_a_delivery_is_neither_late_nor_in_time() -> None:
    *_, completed = follow(NEW_SHIPMENT, NO_PROMISE._replace(completed_at=LATE), ROUTE)
    assert completed == DeliveryCompleted(LATE, LATE, None)
    shipment = following(NO_PROMISE)
    assert (shipment.promised_by, shipment.days_late, shipment.is_past_estimate) == (None, None, None)


def test_a_promise_that_becomes_known_makes_a_delivery_late_and_one_that_is_taken_back_makes_it_unknown() -> None:
    late = DELIVERED._replace(completed_at=LATE)
    before = following(late._replace(promised_by=None))
    replanned = ShipmentReplanned(MONDAY, ORDER, PERSON, MONDAY, PROMISE, SHOP, (SHOP, WAREHOUSE), HOME)
    assert follow(before, late, ROUTE) == (replanned, DeliveryCompleted(LATE, LATE, 3), DeliveryDelayed(LATE, 3))

    *_, completed = follow(following(late), late._replace(promised_by=None), ROUTE)
    assert completed == DeliveryCompleted(LATE, LATE, None)


def test_what_was_decided_without_a_promise_is_not_decided_again() -> None:
    assert follow(following(NO_PROMISE), NO_PROMISE, ROUTE) == ()
