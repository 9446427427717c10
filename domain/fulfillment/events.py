"""What happens to a shipment (stream = order_id) and what is known of an area (stream = UUIDv5 of the zip prefix)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent, personal
from replayhouse.domain.kernel.meaning import Means, OccurredAt
from replayhouse.domain.kernel.places import UNKNOWN

OrderId = Annotated[UUID, Means("the order")]
CustomerId = Annotated[UUID, Means("the person who ordered; the zero UUID while nobody knows who that is")]
PlacedAt = Annotated[datetime, Means("when the order was placed")]
PromisedBy = Annotated[
    datetime | None, Means("until when delivery was promised; the date counts, not the hour; null where nobody knows")
]
OriginZip = Annotated[
    str | None, Means("zip prefix of the seller of the first line; null where that is not known", example="20040")
]
Origins = Annotated[
    tuple[str | None, ...],
    Means("zip prefixes of all sellers in the order of their lines; null where one is not known", example="20040"),
]
DestinationZip = Annotated[
    str | None, Means("zip prefix of the address under which the order was made; null where nobody knows it")
]


@dataclass(frozen=True, slots=True)
class ShipmentPlanned(DomainEvent):
    """An order is to travel from its sellers to its customer."""

    version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "customer_id"

    occurred_at: OccurredAt
    order_id: OrderId
    customer_id: CustomerId
    placed_at: PlacedAt
    promised_by: PromisedBy
    origin_zip: OriginZip
    origins: Origins
    destination_zip: DestinationZip = personal(withheld=UNKNOWN)


@dataclass(frozen=True, slots=True)
class ShipmentReplanned(DomainEvent):
    """The plan as it is now, after a correction."""

    version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "customer_id"

    occurred_at: OccurredAt
    order_id: OrderId
    customer_id: CustomerId
    placed_at: PlacedAt
    promised_by: PromisedBy
    origin_zip: OriginZip
    origins: Origins
    destination_zip: DestinationZip = personal(withheld=UNKNOWN)


@dataclass(frozen=True, slots=True)
class ShipmentDispatched(DomainEvent):
    """The carrier has the parcel; told again when the time is corrected, the last one wins."""

    occurred_at: OccurredAt
    dispatched_at: Annotated[datetime | None, Means("since when; null where the source does not tell")]


@dataclass(frozen=True, slots=True)
class DeliveryCompleted(DomainEvent):
    """The customer has the parcel; told again when corrected, the last one wins."""

    occurred_at: OccurredAt
    delivered_at: Annotated[datetime | None, Means("since when; null where the source does not tell")]
    days_late: Annotated[
        int | None,
        Means("whole days after the promised date, 0 if on time; null without a time or a promise", "day", 0),
    ]


@dataclass(frozen=True, slots=True)
class DeliveryDelayed(DomainEvent):
    """The delivery came after the promised date."""

    occurred_at: OccurredAt
    days_late: Annotated[int, Means("whole days after the promised date, at least one", "day", 2)]


@dataclass(frozen=True, slots=True)
class ShipmentCanceled(DomainEvent):
    """The order ended before the parcel left."""

    occurred_at: OccurredAt


@dataclass(frozen=True, slots=True)
class DeliveryRevoked(DomainEvent):
    """An order that was delivered has been canceled: the delivery no longer counts."""

    occurred_at: OccurredAt


@dataclass(frozen=True, slots=True)
class AreaSurveyed(DomainEvent):
    """Where a zip prefix lies, by the samples inside Brazil. Timeless; the last survey counts (R28)."""

    zip_prefix: Annotated[str, Means("first five digits of zip codes", example="20040")]
    latitude: Annotated[float | None, Means("median of the samples; null without any", "degree", -22.9035)]
    longitude: Annotated[float | None, Means("median of the samples; null without any", "degree", -43.1802)]
    city: Annotated[str | None, Means("the city that most samples name; null without any", example="rio de janeiro")]
    state: Annotated[str | None, Means("the state that most samples name, two letters; null without any", example="RJ")]
    samples: Annotated[int, Means("how many samples; 0: nothing is known of it any more", example=31)]


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
