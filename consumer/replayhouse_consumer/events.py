"""The events by type and version, as the contracts have them. Made by `make contracts`."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from replayhouse_consumer.event import Event, Sealed


class Part(BaseModel):
    """Something that an event has one or several of."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Line(Part):
    """One product of one seller in an order."""

    item_no: int
    """number of the line in its order"""
    product_id: UUID
    """the product"""
    seller_id: UUID
    """the seller; the zero UUID where nobody knows who that is"""
    price: Decimal
    """price of the product, not negative (BRL)"""
    freight: Decimal
    """what its carriage costs, not negative (BRL)"""
    ship_by: datetime | None
    """until when the seller has to hand it to the carrier; null where nobody knows"""


class OrderPlacedV2(Event):
    """First sight of an order."""

    type: ClassVar[str] = "sales.OrderPlaced.v2"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    customer_alias: UUID
    """the alias under which the source hides the person in this order"""
    placed_at: datetime
    """when the order was placed"""
    promised_by: datetime | None
    """until when delivery was promised; the date counts, not the hour; null where nobody knows"""
    lines: tuple[Line, ...]
    """what was ordered; an order without lines is legal"""


class OrderPlacedV1Line(Part):
    """One product of one seller in an order."""

    item_no: int
    """number of the line in its order"""
    product_id: UUID
    """the product"""
    seller_id: UUID
    """the seller"""
    price: Decimal
    """price of the product, not negative (BRL)"""
    freight: Decimal
    """what its carriage costs, not negative (BRL)"""
    ship_by: datetime
    """until when the seller has to hand it to the carrier"""


class OrderPlacedV1(Event):
    """First sight of an order."""

    type: ClassVar[str] = "sales.OrderPlaced.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    customer_alias: UUID
    """the alias under which the source hides the person in this order"""
    placed_at: datetime
    """when the order was placed"""
    promised_by: datetime
    """until when delivery was promised; the date counts, not the hour"""
    lines: tuple[OrderPlacedV1Line, ...]
    """what was ordered; an order without lines is legal"""


class OrderLineAddedV2(Event):
    """A later extract brings a line."""

    type: ClassVar[str] = "sales.OrderLineAdded.v2"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    line: Line
    """the line as it is now"""


class OrderLineAddedV1Line(Part):
    """One product of one seller in an order."""

    item_no: int
    """number of the line in its order"""
    product_id: UUID
    """the product"""
    seller_id: UUID
    """the seller"""
    price: Decimal
    """price of the product, not negative (BRL)"""
    freight: Decimal
    """what its carriage costs, not negative (BRL)"""
    ship_by: datetime
    """until when the seller has to hand it to the carrier"""


class OrderLineAddedV1(Event):
    """A later extract brings a line."""

    type: ClassVar[str] = "sales.OrderLineAdded.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    line: OrderLineAddedV1Line
    """the line as it is now"""


class OrderLineAmendedV2(Event):
    """A later extract corrects a line, which its number tells."""

    type: ClassVar[str] = "sales.OrderLineAmended.v2"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    line: Line
    """the line as it is now"""


class OrderLineAmendedV1Line(Part):
    """One product of one seller in an order."""

    item_no: int
    """number of the line in its order"""
    product_id: UUID
    """the product"""
    seller_id: UUID
    """the seller"""
    price: Decimal
    """price of the product, not negative (BRL)"""
    freight: Decimal
    """what its carriage costs, not negative (BRL)"""
    ship_by: datetime
    """until when the seller has to hand it to the carrier"""


class OrderLineAmendedV1(Event):
    """A later extract corrects a line, which its number tells."""

    type: ClassVar[str] = "sales.OrderLineAmended.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    line: OrderLineAmendedV1Line
    """the line as it is now"""


class OrderAmendedV1(Event):
    """A later extract corrects one fact of the header, or fills a time in late, or takes it back (null).

    The new value stands in `customer_id` where `what` is `customer_id`, and in `time` otherwise.
    """

    type: ClassVar[str] = "sales.OrderAmended.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    what: Literal["customer_id", "placed_at", "promised_by", "approved_at", "shipped_at", "completed_at"]
    """the fact that is corrected"""
    time: datetime | None = None
    """its new time; null where there is none, and for another person"""
    customer_id: UUID | None = None
    """the person who ordered, where that is corrected; null otherwise"""


class PaymentReceivedV1(Event):
    """One payment of possibly several."""

    type: ClassVar[str] = "sales.PaymentReceived.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    payment_no: int
    """number of the payment, unique in its order; need not start at 1"""
    method: str
    """how it was paid, in the source's words"""
    installments: int
    """number of installments; below 1 is legal in the source"""
    amount: Decimal
    """what was paid; zero is legal (BRL)"""


class PaymentAmendedV1(Event):
    """A later extract corrects a payment, which its number tells."""

    type: ClassVar[str] = "sales.PaymentAmended.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    payment_no: int
    """number of the payment, unique in its order; need not start at 1"""
    method: str
    """how it was paid, in the source's words"""
    installments: int
    """number of installments; below 1 is legal in the source"""
    amount: Decimal
    """what was paid; zero is legal (BRL)"""


class OrderPaidV1(Event):
    """The payments reached the total for the first time (R21)."""

    type: ClassVar[str] = "sales.OrderPaid.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    paid: Decimal
    """sum of the payments (BRL)"""
    total: Decimal
    """price and freight of all lines (BRL)"""


class OrderApprovedV1(Event):
    """The payment was approved."""

    type: ClassVar[str] = "sales.OrderApproved.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    approved_at: datetime | None
    """when; null where only the status says so"""


class OrderInvoicedV1(Event):
    """The order was invoiced: its status says so, the source has no time for it."""

    type: ClassVar[str] = "sales.OrderInvoiced.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""


class OrderProcessingStartedV1(Event):
    """The order is being prepared: its status says so, the source has no time for it."""

    type: ClassVar[str] = "sales.OrderProcessingStarted.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""


class OrderShippedV1(Event):
    """The order was handed to the carrier."""

    type: ClassVar[str] = "sales.OrderShipped.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    shipped_at: datetime | None
    """when; null where only the status says so"""


class OrderCompletedV1(Event):
    """The order was delivered."""

    type: ClassVar[str] = "sales.OrderCompleted.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    placed_at: datetime
    """when the order was placed"""
    completed_at: datetime | None
    """when it was delivered; null where only the status says so"""
    total: Decimal
    """price and freight of all lines (BRL)"""


class OrderCanceledV1(Event):
    """The order came to nothing."""

    type: ClassVar[str] = "sales.OrderCanceled.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    last_step: str
    """the last status known before, in the source's words"""


class OrderMadeUnavailableV1(Event):
    """The goods could not be had."""

    type: ClassVar[str] = "sales.OrderMadeUnavailable.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    last_step: str
    """the last status known before, in the source's words"""


class RewoundV1(Event):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    occurred_at: datetime
    """when the load was taken back (UTC)"""
    batch_id: UUID
    """the load that was taken back"""
    to_version: int
    """the last version in the stream that still counts; 0: none does"""


class SalesRewoundV1(RewoundV1):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    type: ClassVar[str] = "sales.Rewound.v1"
    context: ClassVar[str] = "sales"
    survives_rewind: ClassVar[bool] = False


class ShipmentPlannedV2(Event):
    """An order is to travel from its sellers to its customer."""

    type: ClassVar[str] = "fulfillment.ShipmentPlanned.v2"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    placed_at: datetime
    """when the order was placed"""
    promised_by: datetime | None
    """until when delivery was promised; the date counts, not the hour; null where nobody knows"""
    origin_zip: str | None
    """zip prefix of the seller of the first line; null where that is not known"""
    origins: tuple[str | None, ...]
    """zip prefixes of all sellers in the order of their lines; null where one is not known"""
    destination_zip: Sealed | None
    """zip prefix of the address under which the order was made; null where nobody knows it"""


class ShipmentPlannedV1(Event):
    """An order is to travel from its sellers to its customer."""

    type: ClassVar[str] = "fulfillment.ShipmentPlanned.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    placed_at: datetime
    """when the order was placed"""
    promised_by: datetime
    """until when delivery was promised; the date counts, not the hour"""
    origin_zip: str | None
    """zip prefix of the seller of the first line; null where that is not known"""
    origins: tuple[str | None, ...]
    """zip prefixes of all sellers in the order of their lines; null where one is not known"""
    destination_zip: Sealed | None
    """zip prefix of the address under which the order was made; null where nobody knows it"""


class ShipmentReplannedV2(Event):
    """The plan as it is now, after a correction."""

    type: ClassVar[str] = "fulfillment.ShipmentReplanned.v2"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    placed_at: datetime
    """when the order was placed"""
    promised_by: datetime | None
    """until when delivery was promised; the date counts, not the hour; null where nobody knows"""
    origin_zip: str | None
    """zip prefix of the seller of the first line; null where that is not known"""
    origins: tuple[str | None, ...]
    """zip prefixes of all sellers in the order of their lines; null where one is not known"""
    destination_zip: Sealed | None
    """zip prefix of the address under which the order was made; null where nobody knows it"""


class ShipmentReplannedV1(Event):
    """The plan as it is now, after a correction."""

    type: ClassVar[str] = "fulfillment.ShipmentReplanned.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    placed_at: datetime
    """when the order was placed"""
    promised_by: datetime
    """until when delivery was promised; the date counts, not the hour"""
    origin_zip: str | None
    """zip prefix of the seller of the first line; null where that is not known"""
    origins: tuple[str | None, ...]
    """zip prefixes of all sellers in the order of their lines; null where one is not known"""
    destination_zip: Sealed | None
    """zip prefix of the address under which the order was made; null where nobody knows it"""


class ShipmentDispatchedV1(Event):
    """The carrier has the parcel; told again when the time is corrected, the last one wins."""

    type: ClassVar[str] = "fulfillment.ShipmentDispatched.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    dispatched_at: datetime | None
    """since when; null where the source does not tell"""


class DeliveryCompletedV1(Event):
    """The customer has the parcel; told again when corrected, the last one wins."""

    type: ClassVar[str] = "fulfillment.DeliveryCompleted.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    delivered_at: datetime | None
    """since when; null where the source does not tell"""
    days_late: int | None
    """whole days after the promised date, 0 if on time; null without a time or a promise (day)"""


class DeliveryDelayedV1(Event):
    """The delivery came after the promised date."""

    type: ClassVar[str] = "fulfillment.DeliveryDelayed.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    days_late: int
    """whole days after the promised date, at least one (day)"""


class ShipmentCanceledV1(Event):
    """The order ended before the parcel left."""

    type: ClassVar[str] = "fulfillment.ShipmentCanceled.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""


class DeliveryRevokedV1(Event):
    """An order that was delivered has been canceled: the delivery no longer counts."""

    type: ClassVar[str] = "fulfillment.DeliveryRevoked.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""


class AreaSurveyedV1(Event):
    """Where a zip prefix lies, by the samples inside Brazil. Timeless; the last survey counts (R28)."""

    type: ClassVar[str] = "fulfillment.AreaSurveyed.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False

    zip_prefix: str
    """first five digits of zip codes"""
    latitude: float | None
    """median of the samples; null without any (degree)"""
    longitude: float | None
    """median of the samples; null without any (degree)"""
    city: str | None
    """the city that most samples name; null without any"""
    state: str | None
    """the state that most samples name, two letters; null without any"""
    samples: int
    """how many samples; 0: nothing is known of it any more"""


class FulfillmentRewoundV1(RewoundV1):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    type: ClassVar[str] = "fulfillment.Rewound.v1"
    context: ClassVar[str] = "fulfillment"
    survives_rewind: ClassVar[bool] = False


class CustomerRegisteredV1(Event):
    """First sight of a person, under the alias of one order, with the address given there."""

    type: ClassVar[str] = "customer.CustomerRegistered.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime | None
    """when the order was placed that shows it; null, and the event timeless, while there is none"""
    alias: UUID
    """the id under which the source hides the person in one order"""
    state: str
    """two letters of the state"""
    placed_at: datetime | None
    """when the alias' order was placed; null while there is none"""
    zip_prefix: Sealed | None
    """first five digits of the zip code"""
    city: Sealed | None
    """the city as the source spells it"""


class AliasLinkedV1(Event):
    """The person appears under one more alias, with the address given there."""

    type: ClassVar[str] = "customer.AliasLinked.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime | None
    """when the order was placed that shows it; null, and the event timeless, while there is none"""
    alias: UUID
    """the id under which the source hides the person in one order"""
    state: str
    """two letters of the state"""
    placed_at: datetime | None
    """when the alias' order was placed; null while there is none"""
    zip_prefix: Sealed | None
    """first five digits of the zip code"""
    city: Sealed | None
    """the city as the source spells it"""


class AliasAmendedV1(Event):
    """A later extract corrects an alias' address, or brings its order."""

    type: ClassVar[str] = "customer.AliasAmended.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime | None
    """when the order was placed that shows it; null, and the event timeless, while there is none"""
    alias: UUID
    """the id under which the source hides the person in one order"""
    state: str
    """two letters of the state"""
    placed_at: datetime | None
    """when the alias' order was placed; null while there is none"""
    zip_prefix: Sealed | None
    """first five digits of the zip code"""
    city: Sealed | None
    """the city as the source spells it"""


class CustomerMovedV1(Event):
    """The person's current address is another one now."""

    type: ClassVar[str] = "customer.CustomerMoved.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime | None
    """when the order was placed that shows it; null, and the event timeless, while there is none"""
    state: str
    """two letters of the state"""
    placed_at: datetime | None
    """when the order was placed that shows it; null where no order does"""
    zip_prefix: Sealed | None
    """first five digits of the zip code"""
    city: Sealed | None
    """the city as the source spells it"""


class RegionShownV1(Event):
    """The source has regions of its own, and says in which of them a state lies.

    Of a state of which no such event tells, it is the region of Brazil's state of these two letters.
    """

    state: str
    """the state, as in the address"""
    region: str
    """its region; `unknown` where the source names none"""


class CustomerRegionShownV1(RegionShownV1):
    """The source has regions of its own, and says in which of them a state lies.

    Of a state of which no such event tells, it is the region of Brazil's state of these two letters.
    """

    type: ClassVar[str] = "customer.RegionShown.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False


class PurchaseRecordedV1(Event):
    """An order of the person was delivered."""

    type: ClassVar[str] = "customer.PurchaseRecorded.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""
    amount: Decimal
    """what the purchase is worth: price and freight of all lines (BRL)"""
    placed_at: datetime
    """when the order was placed"""
    completed_at: datetime | None
    """when it was delivered; null where the source has no time"""


class PurchaseAmendedV1(Event):
    """A purchase was corrected."""

    type: ClassVar[str] = "customer.PurchaseAmended.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""
    amount: Decimal
    """what the purchase is worth: price and freight of all lines (BRL)"""
    placed_at: datetime
    """when the order was placed"""
    completed_at: datetime | None
    """when it was delivered; null where the source has no time"""


class PurchaseRevokedV1(Event):
    """The order counts as a purchase no longer: it was canceled, or belongs to somebody else."""

    type: ClassVar[str] = "customer.PurchaseRevoked.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    order_id: UUID
    """the order"""


class SegmentChangedV1(Event):
    """The evaluation as of a date puts the person into another segment (R33)."""

    type: ClassVar[str] = "customer.SegmentChanged.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    from_segment: Literal["NEW", "ONE_TIME", "REGULAR", "LOYAL", "VIP", "CHURNED"]
    """the segment before"""
    to_segment: Literal["NEW", "ONE_TIME", "REGULAR", "LOYAL", "VIP", "CHURNED"]
    """the segment from now on"""
    as_of: date
    """the day at whose end the person was looked at"""
    orders: int
    """how many purchases"""
    spent: Decimal
    """their sum (BRL)"""


class CustomerAnonymizedV2(Event):
    """The person's key was destroyed: no personal field can be read any more, before or after this event."""

    type: ClassVar[str] = "customer.CustomerAnonymized.v2"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = True

    occurred_at: datetime
    """when the key was destroyed"""
    reason: str
    """why, in clear text"""
    by: str
    """who did it; `unknown` where version 1 did not say"""


class CustomerAnonymizedV1(Event):
    """The person's key was destroyed: no personal field can be read any more, before or after this event."""

    type: ClassVar[str] = "customer.CustomerAnonymized.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = True

    occurred_at: datetime
    """when the key was destroyed"""
    reason: str
    """why, in clear text"""


class ReviewSubmittedV1(Event):
    """A customer scored an order."""

    type: ClassVar[str] = "customer.ReviewSubmitted.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    review_id: UUID
    """the review's id in the source, where it may stand at several orders"""
    order_id: UUID
    """the order"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    score: int
    """from 1, the worst, to 5"""
    created_at: datetime
    """when the customer was asked"""
    answered_at: datetime | None
    """when the answer came; null where the source has no time"""
    title: Sealed | None
    """the title that the customer gave it; null without one"""
    comment: Sealed | None
    """what the customer wrote; null without words"""


class ReviewRevisedV1(Event):
    """The review as it is now, after a correction."""

    type: ClassVar[str] = "customer.ReviewRevised.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it happened; where the source does not tell, the latest time known before it in the stream"""
    review_id: UUID
    """the review's id in the source, where it may stand at several orders"""
    order_id: UUID
    """the order"""
    customer_id: UUID
    """the person who ordered; the zero UUID while nobody knows who that is"""
    score: int
    """from 1, the worst, to 5"""
    created_at: datetime
    """when the customer was asked"""
    answered_at: datetime | None
    """when the answer came; null where the source has no time"""
    title: Sealed | None
    """the title that the customer gave it; null without one"""
    comment: Sealed | None
    """what the customer wrote; null without words"""


class CustomerRewoundV1(RewoundV1):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    type: ClassVar[str] = "customer.Rewound.v1"
    context: ClassVar[str] = "customer"
    survives_rewind: ClassVar[bool] = False


class ProductListedV1(Event):
    """First sight of a product."""

    type: ClassVar[str] = "marketplace.ProductListed.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    category: str | None
    """the category's Portuguese name; null without one"""
    name_length: int | None
    """length of the product's name (character)"""
    description_length: int | None
    """length of its description (character)"""
    photos: int | None
    """how many photos its page shows"""
    weight_g: int | None
    """its weight; zero is legal in the source (gram)"""
    length_cm: int | None
    """length of the parcel (centimetre)"""
    height_cm: int | None
    """height of the parcel (centimetre)"""
    width_cm: int | None
    """width of the parcel (centimetre)"""


class ProductRecategorizedV1(Event):
    """The product stands in another category, or in none."""

    type: ClassVar[str] = "marketplace.ProductRecategorized.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    category: str | None
    """the category's Portuguese name; null without one"""


class ProductDescribedV1(Event):
    """The product's page changed."""

    type: ClassVar[str] = "marketplace.ProductDescribed.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    name_length: int | None
    """length of the product's name (character)"""
    description_length: int | None
    """length of its description (character)"""
    photos: int | None
    """how many photos its page shows"""


class ProductRemeasuredV1(Event):
    """The product's weight or size changed."""

    type: ClassVar[str] = "marketplace.ProductRemeasured.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    weight_g: int | None
    """its weight; zero is legal in the source (gram)"""
    length_cm: int | None
    """length of the parcel (centimetre)"""
    height_cm: int | None
    """height of the parcel (centimetre)"""
    width_cm: int | None
    """width of the parcel (centimetre)"""


class SellerRegisteredV1(Event):
    """First sight of a seller."""

    type: ClassVar[str] = "marketplace.SellerRegistered.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    zip_prefix: str
    """first five digits of the seller's zip code"""
    city: str
    """the seller's city as the source spells it"""
    state: str
    """two letters of the seller's state"""


class SellerMovedV1(Event):
    """The seller's address changed."""

    type: ClassVar[str] = "marketplace.SellerMoved.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    zip_prefix: str
    """first five digits of the seller's zip code"""
    city: str
    """the seller's city as the source spells it"""
    state: str
    """two letters of the seller's state"""


class MarketplaceRegionShownV1(RegionShownV1):
    """The source has regions of its own, and says in which of them a state lies.

    Of a state of which no such event tells, it is the region of Brazil's state of these two letters.
    """

    type: ClassVar[str] = "marketplace.RegionShown.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False


class CategoryNamedV1(Event):
    """A category was seen, in a product or in the translation."""

    type: ClassVar[str] = "marketplace.CategoryNamed.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False

    name: str
    """its Portuguese name, by which products name it"""
    english: str | None
    """its English name; null while nobody has translated it"""


class MarketplaceRewoundV1(RewoundV1):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    type: ClassVar[str] = "marketplace.Rewound.v1"
    context: ClassVar[str] = "marketplace"
    survives_rewind: ClassVar[bool] = False


class ExtractFile(Part):
    """One file of an extract, unpacked."""

    file: str
    """short name of the file in the extract"""
    bytes: int
    """its size (byte)"""
    sha256: str
    """its SHA-256 in lower-case hexadecimal"""
    rows: int
    """how many records it has (record)"""


class BatchOpenedV1(Event):
    """A load began."""

    type: ClassVar[str] = "quality.BatchOpened.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    opened_at: datetime
    """when it began (UTC)"""
    name: str
    """what the load is called"""
    files: tuple[ExtractFile, ...]
    """the files of the extract"""


class CheckResult(Part):
    """How many records a rule was held against, and how many broke it."""

    rule: str
    """name of the rule"""
    dimension: str
    """the dimension of quality that it belongs to"""
    severity: str
    """how much it matters: LOW, MEDIUM, HIGH or CRITICAL"""
    checked: int
    """how many records it was held against (record)"""
    failed: int
    """how many of them broke it (record)"""
    passed: bool
    """whether the others reach the target of the dimension"""


class BatchAssessedV1(Event):
    """The rules were held against the extract."""

    type: ClassVar[str] = "quality.BatchAssessed.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    checks: tuple[CheckResult, ...]
    """what each rule found"""
    score: Decimal
    """how good the extract is, from 0 to 100; above 95 is the goal"""


class BatchAcceptedV1(Event):
    """The extract is believable: its records become events, but for the quarantined ones."""

    type: ClassVar[str] = "quality.BatchAccepted.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    rows: int
    """records in all files, quarantined ones too (record)"""
    quarantined: int
    """records kept apart (record)"""


class BatchRejectedV1(Event):
    """The extract as a whole is not believable: nothing of it becomes an event."""

    type: ClassVar[str] = "quality.BatchRejected.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    reasons: tuple[str, ...]
    """what makes it so"""


class FileCount(Part):
    """What became of the records of one file; the four kinds add up to its rows."""

    file: str
    """short name of the file in the extract"""
    new: int
    """records seen for the first time (record)"""
    changed: int
    """records that were otherwise in an earlier load (record)"""
    unchanged: int
    """records known as they are (record)"""
    quarantined: int
    """records kept apart (record)"""


class ContextCount(Part):
    """How many events a load appended, or rewound, in one context."""

    context: str
    """the bounded context"""
    events: int
    """how many events (event)"""


class BatchCompletedV1(Event):
    """All of the extract stands in the log."""

    type: ClassVar[str] = "quality.BatchCompleted.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    completed_at: datetime
    """when the last of it was there (UTC)"""
    files: tuple[FileCount, ...]
    """what became of the records of each file"""
    events: tuple[ContextCount, ...]
    """events appended in each context"""


class BatchRetractedV1(Event):
    """The load was taken back: what it appended counts no longer."""

    type: ClassVar[str] = "quality.BatchRetracted.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    reason: str
    """why, in their words"""
    by: str
    """who took it back"""
    events: tuple[ContextCount, ...]
    """events rewound in each context"""


class RowQuarantinedV1(Event):
    """A record was kept apart: it cannot become an event as it is."""

    type: ClassVar[str] = "quality.RowQuarantined.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    batch_id: UUID
    """the load that kept it apart"""
    file: str
    """short name of the file in the extract"""
    line: int
    """the physical line on which it starts, the header being 1"""
    rule: str
    """name of the rule that it breaks"""
    reason: str
    """what is wrong with it"""
    text: Sealed | None
    """the record as it stands in the file"""


class RowReleasedV1(Event):
    """The record was let in after all, by a person or by a later load in which it passes."""

    type: ClassVar[str] = "quality.RowReleased.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    by: str
    """who did it; `load` where a later load did"""
    why: str
    """why, in their words"""
    text: Sealed | None
    """the corrected text; null where it was let in as it is"""


class RowDiscardedV1(Event):
    """A person decided that the record is worth nothing."""

    type: ClassVar[str] = "quality.RowDiscarded.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False

    occurred_at: datetime
    """when it was done (UTC)"""
    by: str
    """who did it; `load` where a later load did"""
    why: str
    """why, in their words"""


class QualityRewoundV1(RewoundV1):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    type: ClassVar[str] = "quality.Rewound.v1"
    context: ClassVar[str] = "quality"
    survives_rewind: ClassVar[bool] = False


EVENTS: dict[str, type[Event]] = {
    "sales.OrderPlaced.v2": OrderPlacedV2,
    "sales.OrderPlaced.v1": OrderPlacedV1,
    "sales.OrderLineAdded.v2": OrderLineAddedV2,
    "sales.OrderLineAdded.v1": OrderLineAddedV1,
    "sales.OrderLineAmended.v2": OrderLineAmendedV2,
    "sales.OrderLineAmended.v1": OrderLineAmendedV1,
    "sales.OrderAmended.v1": OrderAmendedV1,
    "sales.PaymentReceived.v1": PaymentReceivedV1,
    "sales.PaymentAmended.v1": PaymentAmendedV1,
    "sales.OrderPaid.v1": OrderPaidV1,
    "sales.OrderApproved.v1": OrderApprovedV1,
    "sales.OrderInvoiced.v1": OrderInvoicedV1,
    "sales.OrderProcessingStarted.v1": OrderProcessingStartedV1,
    "sales.OrderShipped.v1": OrderShippedV1,
    "sales.OrderCompleted.v1": OrderCompletedV1,
    "sales.OrderCanceled.v1": OrderCanceledV1,
    "sales.OrderMadeUnavailable.v1": OrderMadeUnavailableV1,
    "sales.Rewound.v1": SalesRewoundV1,
    "fulfillment.ShipmentPlanned.v2": ShipmentPlannedV2,
    "fulfillment.ShipmentPlanned.v1": ShipmentPlannedV1,
    "fulfillment.ShipmentReplanned.v2": ShipmentReplannedV2,
    "fulfillment.ShipmentReplanned.v1": ShipmentReplannedV1,
    "fulfillment.ShipmentDispatched.v1": ShipmentDispatchedV1,
    "fulfillment.DeliveryCompleted.v1": DeliveryCompletedV1,
    "fulfillment.DeliveryDelayed.v1": DeliveryDelayedV1,
    "fulfillment.ShipmentCanceled.v1": ShipmentCanceledV1,
    "fulfillment.DeliveryRevoked.v1": DeliveryRevokedV1,
    "fulfillment.AreaSurveyed.v1": AreaSurveyedV1,
    "fulfillment.Rewound.v1": FulfillmentRewoundV1,
    "customer.CustomerRegistered.v1": CustomerRegisteredV1,
    "customer.AliasLinked.v1": AliasLinkedV1,
    "customer.AliasAmended.v1": AliasAmendedV1,
    "customer.CustomerMoved.v1": CustomerMovedV1,
    "customer.RegionShown.v1": CustomerRegionShownV1,
    "customer.PurchaseRecorded.v1": PurchaseRecordedV1,
    "customer.PurchaseAmended.v1": PurchaseAmendedV1,
    "customer.PurchaseRevoked.v1": PurchaseRevokedV1,
    "customer.SegmentChanged.v1": SegmentChangedV1,
    "customer.CustomerAnonymized.v2": CustomerAnonymizedV2,
    "customer.CustomerAnonymized.v1": CustomerAnonymizedV1,
    "customer.ReviewSubmitted.v1": ReviewSubmittedV1,
    "customer.ReviewRevised.v1": ReviewRevisedV1,
    "customer.Rewound.v1": CustomerRewoundV1,
    "marketplace.ProductListed.v1": ProductListedV1,
    "marketplace.ProductRecategorized.v1": ProductRecategorizedV1,
    "marketplace.ProductDescribed.v1": ProductDescribedV1,
    "marketplace.ProductRemeasured.v1": ProductRemeasuredV1,
    "marketplace.SellerRegistered.v1": SellerRegisteredV1,
    "marketplace.SellerMoved.v1": SellerMovedV1,
    "marketplace.RegionShown.v1": MarketplaceRegionShownV1,
    "marketplace.CategoryNamed.v1": CategoryNamedV1,
    "marketplace.Rewound.v1": MarketplaceRewoundV1,
    "quality.BatchOpened.v1": BatchOpenedV1,
    "quality.BatchAssessed.v1": BatchAssessedV1,
    "quality.BatchAccepted.v1": BatchAcceptedV1,
    "quality.BatchRejected.v1": BatchRejectedV1,
    "quality.BatchCompleted.v1": BatchCompletedV1,
    "quality.BatchRetracted.v1": BatchRetractedV1,
    "quality.RowQuarantined.v1": RowQuarantinedV1,
    "quality.RowReleased.v1": RowReleasedV1,
    "quality.RowDiscarded.v1": RowDiscardedV1,
    "quality.Rewound.v1": QualityRewoundV1,
}
"""The class of each event type and version."""
