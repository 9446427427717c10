"""What happens to an order. Stream = order_id.

Times are local to Brazil, without zone, as the extracts give them. `occurred_at` is the time of the fact; of a fact
whose time the source does not tell, the latest time known before it in the stream.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from domain.kernel.events import DomainEvent


@dataclass(frozen=True, slots=True)
class Line:
    """One product of one seller in an order; price and freight in BRL, not negative."""

    item_no: int
    product_id: UUID
    seller_id: UUID
    price: Decimal
    freight: Decimal
    ship_by: datetime


@dataclass(frozen=True, slots=True)
class OrderPlaced(DomainEvent):
    """First sight of an order. `customer_id` is the person, the zero UUID while nobody knows who that is."""

    occurred_at: datetime
    customer_id: UUID
    customer_alias: UUID
    placed_at: datetime
    promised_by: datetime
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class OrderLineAdded(DomainEvent):
    """A later extract brings a line."""

    occurred_at: datetime
    line: Line


@dataclass(frozen=True, slots=True)
class OrderLineAmended(DomainEvent):
    """A later extract corrects a line."""

    occurred_at: datetime
    line: Line


AmendedFact = Literal["customer_id", "placed_at", "promised_by", "approved_at", "shipped_at", "completed_at"]


@dataclass(frozen=True, slots=True)
class OrderAmended(DomainEvent):
    """A later extract corrects one fact of the header, or fills a time in late, or takes it back (null).

    The new value stands in `customer_id` where `what` is `customer_id`, and in `time` otherwise.
    """

    occurred_at: datetime
    what: AmendedFact
    time: datetime | None = None
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentReceived(DomainEvent):
    """One payment of possibly several; installments below 1 and an amount of zero are legal in the source."""

    occurred_at: datetime
    payment_no: int
    method: str
    installments: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentAmended(DomainEvent):
    """A later extract corrects a payment."""

    occurred_at: datetime
    payment_no: int
    method: str
    installments: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OrderPaid(DomainEvent):
    """The payments reached the total for the first time (R21)."""

    occurred_at: datetime
    paid: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class OrderApproved(DomainEvent):
    """The payment was approved; `approved_at` is null where only the status says so."""

    occurred_at: datetime
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderInvoiced(DomainEvent):
    """The status says so; the source has no time for it."""

    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class OrderProcessingStarted(DomainEvent):
    """The status says so; the source has no time for it."""

    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class OrderShipped(DomainEvent):
    """Handed to the carrier; `shipped_at` is null where only the status says so."""

    occurred_at: datetime
    shipped_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderCompleted(DomainEvent):
    """Delivered; `completed_at` is null where only the status says so. `total` is that of the lines in BRL."""

    occurred_at: datetime
    customer_id: UUID
    placed_at: datetime
    completed_at: datetime | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class OrderCanceled(DomainEvent):
    """The order came to nothing after `last_step`, a status in the source's words."""

    occurred_at: datetime
    last_step: str


@dataclass(frozen=True, slots=True)
class OrderMadeUnavailable(DomainEvent):
    """The goods could not be had, after `last_step`, a status in the source's words."""

    occurred_at: datetime
    last_step: str


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
