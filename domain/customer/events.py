"""What happens to a customer (stream = the person's id) and to a review (stream = UUIDv5 of review and order)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent, personal
from replayhouse.domain.kernel.meaning import BRL, Means, OccurredAt
from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.domain.kernel.regions import RegionShown

Segment = Literal["NEW", "ONE_TIME", "REGULAR", "LOYAL", "VIP", "CHURNED"]

ShownAt = Annotated[
    datetime | None, Means("when the order was placed that shows it; null, and the event timeless, while there is none")
]
Alias = Annotated[UUID, Means("the id under which the source hides the person in one order")]
OrderPlacedAt = Annotated[datetime | None, Means("when the alias' order was placed; null while there is none")]
State = Annotated[str, Means("two letters of the state", example="SP")]
ZipPrefix = Annotated[str | None, Means("first five digits of the zip code")]
City = Annotated[str | None, Means("the city as the source spells it")]

OrderId = Annotated[UUID, Means("the order")]
Worth = Annotated[Decimal, Means("what the purchase is worth: price and freight of all lines", BRL)]
PlacedAt = Annotated[datetime, Means("when the order was placed")]
CompletedAt = Annotated[datetime | None, Means("when it was delivered; null where the source has no time")]

ReviewId = Annotated[UUID, Means("the review's id in the source, where it may stand at several orders")]
ReviewerId = Annotated[UUID, Means("the person who ordered; the zero UUID while nobody knows who that is")]
Score = Annotated[int, Means("from 1, the worst, to 5", example=4)]
SurveySentAt = Annotated[datetime, Means("when the customer was asked")]
AnsweredAt = Annotated[datetime | None, Means("when the answer came; null where the source has no time")]
Title = Annotated[str | None, Means("the title that the customer gave it; null without one")]
Comment = Annotated[str | None, Means("what the customer wrote; null without words")]


@dataclass(frozen=True, slots=True)
class CustomerRegistered(DomainEvent):
    """First sight of a person, under the alias of one order, with the address given there."""

    occurred_at: ShownAt
    alias: Alias
    state: State
    placed_at: OrderPlacedAt
    zip_prefix: ZipPrefix = personal(withheld=UNKNOWN)
    city: City = personal(withheld=UNKNOWN)


@dataclass(frozen=True, slots=True)
class AliasLinked(DomainEvent):
    """The person appears under one more alias, with the address given there."""

    occurred_at: ShownAt
    alias: Alias
    state: State
    placed_at: OrderPlacedAt
    zip_prefix: ZipPrefix = personal(withheld=UNKNOWN)
    city: City = personal(withheld=UNKNOWN)


@dataclass(frozen=True, slots=True)
class AliasAmended(DomainEvent):
    """A later extract corrects an alias' address, or brings its order."""

    occurred_at: ShownAt
    alias: Alias
    state: State
    placed_at: OrderPlacedAt
    zip_prefix: ZipPrefix = personal(withheld=UNKNOWN)
    city: City = personal(withheld=UNKNOWN)


@dataclass(frozen=True, slots=True)
class CustomerMoved(DomainEvent):
    """The person's current address is another one now."""

    occurred_at: ShownAt
    state: State
    placed_at: Annotated[datetime | None, Means("when the order was placed that shows it; null where no order does")]
    zip_prefix: ZipPrefix = personal(withheld=UNKNOWN)
    city: City = personal(withheld=UNKNOWN)


@dataclass(frozen=True, slots=True)
class PurchaseRecorded(DomainEvent):
    """An order of the person was delivered."""

    occurred_at: OccurredAt
    order_id: OrderId
    amount: Worth
    placed_at: PlacedAt
    completed_at: CompletedAt


@dataclass(frozen=True, slots=True)
class PurchaseAmended(DomainEvent):
    """A purchase was corrected."""

    occurred_at: OccurredAt
    order_id: OrderId
    amount: Worth
    placed_at: PlacedAt
    completed_at: CompletedAt


@dataclass(frozen=True, slots=True)
class PurchaseRevoked(DomainEvent):
    """The order counts as a purchase no longer: it was canceled, or belongs to somebody else."""

    occurred_at: OccurredAt
    order_id: OrderId


@dataclass(frozen=True, slots=True)
class SegmentChanged(DomainEvent):
    """The evaluation as of a date puts the person into another segment (R33)."""

    occurred_at: OccurredAt
    from_segment: Annotated[Segment, Means("the segment before", example="NEW")]
    to_segment: Annotated[Segment, Means("the segment from now on", example="ONE_TIME")]
    as_of: Annotated[date, Means("the day at whose end the person was looked at")]
    orders: Annotated[int, Means("how many purchases", example=1)]
    spent: Annotated[Decimal, Means("their sum", BRL)]


@dataclass(frozen=True, slots=True)
class CustomerAnonymized(DomainEvent):
    """The person's key was destroyed: no personal field can be read any more, before or after this event."""

    version: ClassVar[int] = 2
    survives_rewind: ClassVar[bool] = True

    occurred_at: Annotated[datetime, Means("when the key was destroyed")]
    reason: Annotated[str, Means("why, in clear text", example="asked for it on 2 March")]
    by: Annotated[str, Means("who did it; `unknown` where version 1 did not say", example="ana")]


@dataclass(frozen=True, slots=True)
class ReviewSubmitted(DomainEvent):
    """A customer scored an order."""

    subject: ClassVar[str | None] = "customer_id"

    occurred_at: OccurredAt
    review_id: ReviewId
    order_id: OrderId
    customer_id: ReviewerId
    score: Score
    created_at: SurveySentAt
    answered_at: AnsweredAt
    title: Title = personal()
    comment: Comment = personal()


@dataclass(frozen=True, slots=True)
class ReviewRevised(DomainEvent):
    """The review as it is now, after a correction."""

    subject: ClassVar[str | None] = "customer_id"

    occurred_at: OccurredAt
    review_id: ReviewId
    order_id: OrderId
    customer_id: ReviewerId
    score: Score
    created_at: SurveySentAt
    answered_at: AnsweredAt
    title: Title = personal()
    comment: Comment = personal()


EVENTS: tuple[type[DomainEvent], ...] = (
    CustomerRegistered,
    AliasLinked,
    AliasAmended,
    CustomerMoved,
    RegionShown,
    PurchaseRecorded,
    PurchaseAmended,
    PurchaseRevoked,
    SegmentChanged,
    CustomerAnonymized,
    ReviewSubmitted,
    ReviewRevised,
)
