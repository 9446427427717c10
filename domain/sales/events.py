"""What happens to an order. Stream = order_id.

Times are local to Brazil, without zone, as the extracts give them. `occurred_at` is the time of the fact; of a fact
whose time the source does not tell, the latest time known before it in the stream.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.meaning import BRL, Means, OccurredAt

CustomerId = Annotated[UUID, Means("the person who ordered; the zero UUID while nobody knows who that is")]
PlacedAt = Annotated[datetime, Means("when the order was placed")]
PaymentNo = Annotated[int, Means("number of the payment, unique in its order; need not start at 1", example=1)]
Method = Annotated[str, Means("how it was paid, in the source's words", example="credit_card")]
Installments = Annotated[int, Means("number of installments; below 1 is legal in the source", example=3)]
Amount = Annotated[Decimal, Means("what was paid; zero is legal", BRL)]
LastStep = Annotated[str, Means("the last status known before, in the source's words", example="approved")]


@dataclass(frozen=True, slots=True)
class Line:
    """One product of one seller in an order."""

    item_no: Annotated[int, Means("number of the line in its order", example=1)]
    product_id: Annotated[UUID, Means("the product")]
    seller_id: Annotated[UUID, Means("the seller; the zero UUID where nobody knows who that is")]
    price: Annotated[Decimal, Means("price of the product, not negative", BRL)]
    freight: Annotated[Decimal, Means("what its carriage costs, not negative", BRL)]
    ship_by: Annotated[
        datetime | None, Means("until when the seller has to hand it to the carrier; null where nobody knows")
    ]

    @property
    def total(self) -> Decimal:
        """Price and freight (R20), in BRL."""
        return self.price + self.freight


OrderLine = Annotated[Line, Means("the line as it is now")]


@dataclass(frozen=True, slots=True)
class OrderPlaced(DomainEvent):
    """First sight of an order."""

    version: ClassVar[int] = 2

    occurred_at: OccurredAt
    customer_id: CustomerId
    customer_alias: Annotated[UUID, Means("the alias under which the source hides the person in this order")]
    placed_at: PlacedAt
    promised_by: Annotated[
        datetime | None,
        Means("until when delivery was promised; the date counts, not the hour; null where nobody knows"),
    ]
    lines: Annotated[tuple[Line, ...], Means("what was ordered; an order without lines is legal")]


@dataclass(frozen=True, slots=True)
class OrderLineAdded(DomainEvent):
    """A later extract brings a line."""

    version: ClassVar[int] = 2

    occurred_at: OccurredAt
    line: OrderLine


@dataclass(frozen=True, slots=True)
class OrderLineAmended(DomainEvent):
    """A later extract corrects a line, which its number tells."""

    version: ClassVar[int] = 2

    occurred_at: OccurredAt
    line: OrderLine


AmendedFact = Literal["customer_id", "placed_at", "promised_by", "approved_at", "shipped_at", "completed_at"]


@dataclass(frozen=True, slots=True)
class OrderAmended(DomainEvent):
    """A later extract corrects one fact of the header, or fills a time in late, or takes it back (null).

    The new value stands in `customer_id` where `what` is `customer_id`, and in `time` otherwise.
    """

    occurred_at: OccurredAt
    what: Annotated[AmendedFact, Means("the fact that is corrected", example="shipped_at")]
    time: Annotated[datetime | None, Means("its new time; null where there is none, and for another person")] = None
    customer_id: Annotated[UUID | None, Means("the person who ordered, where that is corrected; null otherwise")] = None


@dataclass(frozen=True, slots=True)
class PaymentReceived(DomainEvent):
    """One payment of possibly several."""

    occurred_at: OccurredAt
    payment_no: PaymentNo
    method: Method
    installments: Installments
    amount: Amount


@dataclass(frozen=True, slots=True)
class PaymentAmended(DomainEvent):
    """A later extract corrects a payment, which its number tells."""

    occurred_at: OccurredAt
    payment_no: PaymentNo
    method: Method
    installments: Installments
    amount: Amount


@dataclass(frozen=True, slots=True)
class OrderPaid(DomainEvent):
    """The payments reached the total for the first time (R21)."""

    occurred_at: OccurredAt
    paid: Annotated[Decimal, Means("sum of the payments", BRL)]
    total: Annotated[Decimal, Means("price and freight of all lines", BRL)]


@dataclass(frozen=True, slots=True)
class OrderApproved(DomainEvent):
    """The payment was approved."""

    occurred_at: OccurredAt
    approved_at: Annotated[datetime | None, Means("when; null where only the status says so")]


@dataclass(frozen=True, slots=True)
class OrderInvoiced(DomainEvent):
    """The order was invoiced: its status says so, the source has no time for it."""

    occurred_at: OccurredAt


@dataclass(frozen=True, slots=True)
class OrderProcessingStarted(DomainEvent):
    """The order is being prepared: its status says so, the source has no time for it."""

    occurred_at: OccurredAt


@dataclass(frozen=True, slots=True)
class OrderShipped(DomainEvent):
    """The order was handed to the carrier."""

    occurred_at: OccurredAt
    shipped_at: Annotated[datetime | None, Means("when; null where only the status says so")]


@dataclass(frozen=True, slots=True)
class OrderCompleted(DomainEvent):
    """The order was delivered."""

    occurred_at: OccurredAt
    customer_id: CustomerId
    placed_at: PlacedAt
    completed_at: Annotated[datetime | None, Means("when it was delivered; null where only the status says so")]
    total: Annotated[Decimal, Means("price and freight of all lines", BRL)]


@dataclass(frozen=True, slots=True)
class OrderCanceled(DomainEvent):
    """The order came to nothing."""

    occurred_at: OccurredAt
    last_step: LastStep


@dataclass(frozen=True, slots=True)
class OrderMadeUnavailable(DomainEvent):
    """The goods could not be had."""

    occurred_at: OccurredAt
    last_step: LastStep


EVENTS: tuple[type[DomainEvent], ...] = (
    OrderPlaced,
    OrderLineAdded,
    OrderLineAmended,
    OrderAmended,
    PaymentReceived,
    PaymentAmended,
    OrderPaid,
    OrderApproved,
    OrderInvoiced,
    OrderProcessingStarted,
    OrderShipped,
    OrderCompleted,
    OrderCanceled,
    OrderMadeUnavailable,
)
