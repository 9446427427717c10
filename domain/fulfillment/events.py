"""What happens to a shipment (stream = order_id) and what is known of an area (stream = UUIDv5 of the zip prefix)."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.kernel.events import DomainEvent, personal


@dataclass(frozen=True, slots=True)
class ShipmentPlanned(DomainEvent):
    """An order is to travel from its sellers to its customer.

    `destination_zip` is that of the order's own alias, null where nobody knows it. `origin_zip` is that of the seller
    of the first line, `origins` those of all sellers in the order of their lines; null where the seller is not known.
    """

    subject: ClassVar[str | None] = "customer_id"

    occurred_at: datetime
    order_id: UUID
    customer_id: UUID
    placed_at: datetime
    promised_by: datetime
    origin_zip: str | None
    origins: tuple[str | None, ...]
    destination_zip: str | None = personal()


@dataclass(frozen=True, slots=True)
class ShipmentReplanned(DomainEvent):
    """The plan as it is now, after a correction; fields as in ShipmentPlanned."""

    subject: ClassVar[str | None] = "customer_id"

    occurred_at: datetime
    order_id: UUID
    customer_id: UUID
    placed_at: datetime
    promised_by: datetime
    origin_zip: str | None
    origins: tuple[str | None, ...]
    destination_zip: str | None = personal()


@dataclass(frozen=True, slots=True)
class ShipmentDispatched(DomainEvent):
    """The carrier has the parcel; recorded again when the time is corrected, the last one wins."""

    occurred_at: datetime
    dispatched_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryCompleted(DomainEvent):
    """The customer has the parcel. `days_late` counts whole calendar days after the promise, null without a time.

    Recorded again when corrected, the last one wins.
    """

    occurred_at: datetime
    delivered_at: datetime | None
    days_late: int | None


@dataclass(frozen=True, slots=True)
class DeliveryDelayed(DomainEvent):
    """The delivery came after the promised date, by `days_late` days, at least one."""

    occurred_at: datetime
    days_late: int


@dataclass(frozen=True, slots=True)
class ShipmentCanceled(DomainEvent):
    """The order ended before the parcel left."""

    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryRevoked(DomainEvent):
    """An order that was delivered has been canceled: the delivery no longer counts."""

    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class AreaSurveyed(DomainEvent):
    """Where a zip prefix lies, by the samples inside Brazil. Timeless. `samples` 0: nothing is known of it any more.

    `latitude` and `longitude` are medians in degrees, `city` and `state` modes (R28); null without samples.
    """

    zip_prefix: str
    latitude: float | None
    longitude: float | None
    city: str | None
    state: str | None
    samples: int


EVENTS: tuple[type[DomainEvent], ...] = (
    ShipmentPlanned,
    ShipmentReplanned,
    ShipmentDispatched,
    DeliveryCompleted,
    DeliveryDelayed,
    ShipmentCanceled,
    DeliveryRevoked,
    AreaSurveyed,
)
