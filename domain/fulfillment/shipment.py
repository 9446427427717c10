"""The shipment: planned when an order is placed, and following it from then on.

Sales is upstream: `follow` is the policy that takes in what happened to an order. The zip prefixes come from what the
extract shows beside the order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from replayhouse.domain.fulfillment.events import (
    DeliveryCompleted,
    DeliveryDelayed,
    DeliveryRevoked,
    ShipmentCanceled,
    ShipmentDispatched,
    ShipmentPlanned,
    ShipmentReplanned,
)
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.kernel.state import Changes, Decider, Steps, evolved, folded


class OrderProgress(NamedTuple):
    """What Sales knows of the order: how far it is, and since when; null where the source does not tell the time.

    The approval is no step of a shipment, but what has no time of its own happened no earlier.
    """

    order_id: UUID
    customer_id: UUID
    placed_at: datetime
    promised_by: datetime | None
    is_shipped: bool
    shipped_at: datetime | None
    is_completed: bool
    completed_at: datetime | None
    is_ended: bool
    approved_at: datetime | None = None

    @property
    def shipment_status(self) -> str:
        """How far the shipment is: an order cancelled after dispatch stays dispatched (R23)."""
        if self.is_completed:
            return "delivered"
        if self.is_shipped or self.shipped_at is not None:
            return "dispatched"
        return "canceled" if self.is_ended else "planned"


class Route(NamedTuple):
    """From where to where: zip prefixes, null where there is no such row (R26).

    `origins` are those of the lines' sellers in the order of the lines. The destination of a person who `is_anonymized`
    is not compared: nobody can read the known one any more.
    """

    destination_zip: str | None
    origins: tuple[str | None, ...]
    is_anonymized: bool = False

    @property
    def origin_zip(self) -> str | None:
        """The zip prefix of the seller of the first line."""
        return self.origins[0] if self.origins else None


@dataclass(frozen=True)
class Shipment:
    """What is known of a shipment. `status` is planned, dispatched, delivered or canceled; empty until planned."""

    status: str = ""
    is_planned: bool = False
    order_id: UUID = UNKNOWN_ID
    customer_id: UUID = UNKNOWN_ID
    placed_at: datetime = datetime.min
    promised_by: datetime | None = None
    destination_zip: str | None = None
    origin_zip: str | None = None
    origins: tuple[str | None, ...] = ()
    is_dispatched: bool = False
    dispatched_at: datetime | None = None
    delivered_at: datetime | None = None
    announced_days_late: int | None = None
    latest_time: datetime = datetime.min

    @property
    def days_late(self) -> int | None:
        """Whole calendar days from the promised date to the delivery; null where one is not known (R25)."""
        return days_late(self.delivered_at, self.promised_by)

    @property
    def is_past_estimate(self) -> bool | None:
        """Whether the delivery came after the promised time, to the second; null where one is not known (R25)."""
        if self.delivered_at is None or self.promised_by is None:
            return None
        return self.delivered_at > self.promised_by


NEW_SHIPMENT = Shipment()


def days_late(delivered_at: datetime | None, promised_by: datetime | None) -> int | None:
    """Whole calendar days after the promised date, 0 if on time: the date counts, not the hour (R25).

    None where the delivery time or the promise is not known.
    """
    if delivered_at is None or promised_by is None:
        return None
    return max(0, delivered_at.toordinal() - promised_by.toordinal())


def is_late(days: int | None) -> bool | None:
    """Whether so many days late are late; null where nobody knows how many (R25)."""
    return None if days is None else days > 0


def _planned(shipment: Shipment, event: ShipmentPlanned | ShipmentReplanned) -> Changes:
    return {
        "is_planned": True,
        "status": shipment.status or "planned",
        "order_id": event.order_id,
        "customer_id": event.customer_id,
        "placed_at": event.placed_at,
        "promised_by": event.promised_by,
        "destination_zip": event.destination_zip,
        "origin_zip": event.origin_zip,
        "origins": event.origins,
        "latest_time": max(shipment.latest_time, event.occurred_at),
    }


def _dispatched(shipment: Shipment, event: ShipmentDispatched) -> Changes:
    return {
        "status": shipment.status if shipment.status == "delivered" else "dispatched",
        "is_dispatched": True,
        "dispatched_at": event.dispatched_at,
        "latest_time": max(shipment.latest_time, event.occurred_at),
    }


def _completed(shipment: Shipment, event: DeliveryCompleted) -> Changes:
    return {
        "status": "delivered",
        "delivered_at": event.delivered_at,
        "announced_days_late": event.days_late,
        "latest_time": max(shipment.latest_time, event.occurred_at),
    }


def _canceled(shipment: Shipment, event: ShipmentCanceled) -> Changes:
    return {"status": "canceled", "is_dispatched": False, "dispatched_at": None}


def _revoked(shipment: Shipment, event: DeliveryRevoked) -> Changes:
    status = "dispatched" if shipment.is_dispatched else "planned"
    return {"status": status, "delivered_at": None, "announced_days_late": None}


_EVOLUTION: Steps[Shipment] = {
    ShipmentPlanned: _planned,
    ShipmentReplanned: _planned,
    ShipmentDispatched: _dispatched,
    DeliveryCompleted: _completed,
    ShipmentCanceled: _canceled,
    DeliveryRevoked: _revoked,
}


def evolve(shipment: Shipment, event: DomainEvent) -> Shipment:
    """The shipment after an event; total on any subsequence of a stream, other events change nothing."""
    return evolved(shipment, event, _EVOLUTION)


def shipment_of(events: Iterable[DomainEvent]) -> Shipment:
    """The shipment that these events made."""
    return folded(NEW_SHIPMENT, events, _EVOLUTION)


def follow(shipment: Shipment, order: OrderProgress, route: Route) -> tuple[DomainEvent, ...]:
    """What happens to the shipment because of what happened to its order: the policy between Sales and Fulfillment."""
    decider = Decider(shipment, _EVOLUTION)
    shipment = decider.state
    for event in _plan(shipment, order, route):
        decider.happened(event)
    target = order.shipment_status
    if shipment.status == "delivered" and target != "delivered":
        decider.happened(DeliveryRevoked(_latest_time(shipment, order)))
    if target == "canceled":
        if shipment.status != "canceled":
            decider.happened(ShipmentCanceled(_latest_time(shipment, order)))
    elif target != "planned":
        for event in dispatch(shipment, order.shipped_at, _latest_time(shipment, order)):
            decider.happened(event)
    if target == "delivered":
        for event in deliver(shipment, order.completed_at, _latest_time(shipment, order)):
            decider.happened(event)
    return tuple(decider.events)


def _latest_time(shipment: Shipment, order: OrderProgress) -> datetime:
    """The latest time known so far, the same as Sales knows: the order and its shipment end at the same time."""
    of_the_order = [time for time in (order.approved_at, order.shipped_at) if time is not None]
    return max([shipment.latest_time, *of_the_order])


def _plan(shipment: Shipment, order: OrderProgress, route: Route) -> tuple[DomainEvent, ...]:
    facts = (order.order_id, order.customer_id, order.placed_at, order.promised_by, route.origin_zip, route.origins)
    if not shipment.is_planned:
        return (ShipmentPlanned(order.placed_at, *facts, destination_zip=route.destination_zip),)
    known = (
        shipment.order_id,
        shipment.customer_id,
        shipment.placed_at,
        shipment.promised_by,
        shipment.origin_zip,
        shipment.origins,
    )
    if facts == known and (route.is_anonymized or route.destination_zip == shipment.destination_zip):
        return ()
    return (ShipmentReplanned(order.placed_at, *facts, destination_zip=route.destination_zip),)


def dispatch(shipment: Shipment, dispatched_at: datetime | None, latest_time: datetime) -> tuple[DomainEvent, ...]:
    """The carrier has the parcel; the source may not say since when, but after `latest_time`, the latest one known.

    Nothing if that is known already; again, with the corrected time, if it changed (the last one wins).
    """
    if shipment.is_dispatched and shipment.dispatched_at == dispatched_at:
        return ()
    return (ShipmentDispatched(dispatched_at or latest_time, dispatched_at),)


def deliver(shipment: Shipment, delivered_at: datetime | None, latest_time: datetime) -> tuple[DomainEvent, ...]:
    """The customer has the parcel; the source may not say since when, but after `latest_time`, the latest one known.

    Late deliveries are announced as delayed.
    Nothing if that is known already; again if the time or, by a corrected promise, the delay changed.
    """
    late = days_late(delivered_at, shipment.promised_by)
    if shipment.status == "delivered" and (shipment.delivered_at, shipment.announced_days_late) == (delivered_at, late):
        return ()
    occurred_at = delivered_at or latest_time
    completed = DeliveryCompleted(occurred_at, delivered_at, late)
    if late and late != shipment.announced_days_late:
        return (completed, DeliveryDelayed(occurred_at, late))
    return (completed,)
