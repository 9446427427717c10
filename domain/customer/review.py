"""The review: what a customer says of an order, from 1 to 5 and perhaps in words.

In the source the same review_id may stand at several orders, and an order may have several reviews: each pair is a
review of its own (R35).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from replayhouse.domain.customer.events import ReviewRevised, ReviewSubmitted
from replayhouse.domain.kernel.each import joined
from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID, natural_id
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded

WORST, BEST = 1, 5


class ReviewFacts(NamedTuple):
    """A review as the extract shows it; `customer_id` is the order's person, the zero UUID while nobody knows them.

    `created_at` is when the survey was sent, `answered_at` when it came back.
    """

    review_id: UUID
    order_id: UUID
    customer_id: UUID
    score: int
    title: str | None
    comment: str | None
    created_at: datetime
    answered_at: datetime | None

    @property
    def occurred_at(self) -> datetime:
        """The score exists once the survey came back; where the source does not tell when, it was sent at least."""
        return self.created_at if self.answered_at is None else self.answered_at

    def without_words(self) -> "ReviewFacts":
        """The same without what the person wrote."""
        return self._replace(title=None, comment=None)


@dataclass(frozen=True)
class Review:
    """What is known of a review; the other fields mean nothing until it is submitted."""

    is_submitted: bool = False
    review_id: UUID = UNKNOWN_ID
    order_id: UUID = UNKNOWN_ID
    customer_id: UUID = UNKNOWN_ID
    score: int = 0
    title: str | None = None
    comment: str | None = None
    created_at: datetime = datetime.min
    answered_at: datetime | None = None

    @property
    def facts(self) -> ReviewFacts:
        """The review as an extract would show it."""
        return ReviewFacts(
            self.review_id,
            self.order_id,
            self.customer_id,
            self.score,
            self.title,
            self.comment,
            self.created_at,
            self.answered_at,
        )

    @property
    def sentiment(self) -> str:
        """`positive` (4 and 5), `neutral` (3) or `negative` (1 and 2)."""
        if self.score >= 4:
            return "positive"
        return "neutral" if self.score == 3 else "negative"


NEW_REVIEW = Review()


def review_stream_id(review_id: UUID, order_id: UUID) -> UUID:
    """The stream of a review: one for each pair of review_id and order."""
    return natural_id("review", joined(review_id, ":", order_id))


def review_of(events: Iterable[DomainEvent]) -> Review:
    """The review that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_REVIEW, events, _EVOLUTION)


def evolve(review: Review, event: DomainEvent) -> Review:
    """The review after an event: the last one tells all of it. An event of another kind leaves it as it is."""
    return evolved(review, event, _EVOLUTION)


def _reads(review: Review, event: ReviewSubmitted | ReviewRevised) -> Changes:
    return {
        "is_submitted": True,
        "review_id": event.review_id,
        "order_id": event.order_id,
        "customer_id": event.customer_id,
        "score": event.score,
        "title": event.title,
        "comment": event.comment,
        "created_at": event.created_at,
        "answered_at": event.answered_at,
    }


_EVOLUTION: Steps[Review] = {
    ReviewSubmitted: _reads,
    ReviewRevised: _reads,
}


def submit(review: Review, facts: ReviewFacts, *, is_anonymized: bool = False) -> tuple[DomainEvent, ...]:
    """The extract shows a review: submitted at first sight, revised if anything of it changed, else nothing.

    The words of a person who `is_anonymized` are neither recorded nor compared: nobody can read the known ones.
    Raises DomainError if the score is not 1 to 5.
    """
    if not WORST <= facts.score <= BEST:
        raise DomainError("a score is 1 to 5", "review", review_id=facts.review_id, score=facts.score)
    if is_anonymized:
        facts = facts.without_words()
    if not review.is_submitted:
        return (ReviewSubmitted(**_told(facts)),)
    known = review.facts.without_words() if is_anonymized else review.facts
    return () if known == facts else (ReviewRevised(**_told(facts)),)


def reassign(review: Review, customer_id: UUID) -> tuple[DomainEvent, ...]:
    """The order turned out to be another person's, and so is the review; nothing if it is theirs, or not submitted."""
    if not review.is_submitted or review.customer_id == customer_id:
        return ()
    return (ReviewRevised(**_told(review.facts._replace(customer_id=customer_id))),)


def _told(facts: ReviewFacts) -> dict[str, Any]:
    return {"occurred_at": facts.occurred_at, **facts._asdict()}
