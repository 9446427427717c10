"""What happens to a customer (stream = the person's id) and to a review (stream = UUIDv5 of review and order)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from domain.kernel.events import DomainEvent, personal

Segment = Literal["NEW", "ONE_TIME", "REGULAR", "LOYAL", "VIP", "CHURNED"]


@dataclass(frozen=True, slots=True)
class CustomerRegistered(DomainEvent):
    """First sight of a person, under the alias of one order.

    `placed_at` is that of the alias' order; null, and the event timeless, while there is none.
    """

    occurred_at: datetime | None
    alias: UUID
    state: str
    placed_at: datetime | None
    zip_prefix: str | None = personal()
    city: str | None = personal()


@dataclass(frozen=True, slots=True)
class AliasLinked(DomainEvent):
    """The person appears under one more alias, with the address given there; fields as in CustomerRegistered."""

    occurred_at: datetime | None
    alias: UUID
    state: str
    placed_at: datetime | None
    zip_prefix: str | None = personal()
    city: str | None = personal()


@dataclass(frozen=True, slots=True)
class AliasAmended(DomainEvent):
    """A later extract corrects an alias' address, or brings its order; fields as in CustomerRegistered."""

    occurred_at: datetime | None
    alias: UUID
    state: str
    placed_at: datetime | None
    zip_prefix: str | None = personal()
    city: str | None = personal()


@dataclass(frozen=True, slots=True)
class CustomerMoved(DomainEvent):
    """The person's current address is another one now, as of the order that shows it (null: no order does)."""

    occurred_at: datetime | None
    state: str
    placed_at: datetime | None
    zip_prefix: str | None = personal()
    city: str | None = personal()


@dataclass(frozen=True, slots=True)
class PurchaseRecorded(DomainEvent):
    """An order of the person was delivered; `amount` in BRL. `completed_at` is null where the source has no time."""

    occurred_at: datetime
    order_id: UUID
    amount: Decimal
    placed_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PurchaseAmended(DomainEvent):
    """A purchase was corrected; fields as in PurchaseRecorded."""

    occurred_at: datetime
    order_id: UUID
    amount: Decimal
    placed_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PurchaseRevoked(DomainEvent):
    """The order counts as a purchase no longer: it was canceled, or belongs to somebody else."""

    occurred_at: datetime
    order_id: UUID


@dataclass(frozen=True, slots=True)
class SegmentChanged(DomainEvent):
    """The evaluation as of a date puts the person into another segment; `spent` in BRL over `orders` purchases."""

    occurred_at: datetime
    from_segment: Segment
    to_segment: Segment
    as_of: date
    orders: int
    spent: Decimal


@dataclass(frozen=True, slots=True)
class CustomerAnonymized(DomainEvent):
    """The person's key was destroyed: no personal field can be read any more, before or after this event.

    `by` is who did it, `reason` why they did; `unknown` in events of version 1, which did not say it.
    """

    version: ClassVar[int] = 2
    survives_rewind: ClassVar[bool] = True

    occurred_at: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ReviewSubmitted(DomainEvent):
    """A customer scored an order from 1 to 5.

    `created_at` is when the survey was sent, `answered_at` when it came back.
    """

    subject: ClassVar[str | None] = "customer_id"

    occurred_at: datetime
    review_id: UUID
    order_id: UUID
    customer_id: UUID
    score: int
    created_at: datetime
    answered_at: datetime | None
    title: str | None = personal()
    comment: str | None = personal()


@dataclass(frozen=True, slots=True)
class ReviewRevised(DomainEvent):
    """The review as it is now, after a correction; fields as in ReviewSubmitted."""

    subject: ClassVar[str | None] = "customer_id"

    occurred_at: datetime
    review_id: UUID
    order_id: UUID
    customer_id: UUID
    score: int
    created_at: datetime
    answered_at: datetime | None
    title: str | None = personal()
    comment: str | None = personal()


EVENTS: tuple[type[DomainEvent], ...] = (
    CustomerRegistered,
    AliasLinked,
    AliasAmended,
    CustomerMoved,
    PurchaseRecorded,
    PurchaseAmended,
    PurchaseRevoked,
    SegmentChanged,
    CustomerAnonymized,
    ReviewSubmitted,
    ReviewRevised,
)
