"""What customers say of orders: submitted, revised, and without words once the person is erased."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.events import ReviewRevised, ReviewSubmitted
from replayhouse.domain.customer.review import (
    NEW_REVIEW,
    Review,
    ReviewFacts,
    evolve,
    reassign,
    review_of,
    review_stream_id,
    submit,
)
from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.marketplace.events import SellerMoved

calm = settings(deadline=None)  # how long one example takes says nothing on a busy machine

REVIEW, ORDER, PERSON, SOMEBODY_ELSE = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
SENT, ANSWERED = datetime(2018, 3, 10), datetime(2018, 3, 12, 9, 30)
GOOD = ReviewFacts(REVIEW, ORDER, PERSON, 5, "ótimo", "chegou antes do prazo", SENT, ANSWERED)
WITHOUT_WORDS = GOOD._replace(title=None, comment=None)


def submitted(facts: ReviewFacts = GOOD) -> Review:
    return review_of(submit(NEW_REVIEW, facts))


def test_a_review_is_submitted_when_the_survey_comes_back() -> None:
    assert submit(NEW_REVIEW, GOOD) == (
        ReviewSubmitted(ANSWERED, REVIEW, ORDER, PERSON, 5, SENT, ANSWERED, "ótimo", "chegou antes do prazo"),
    )


def test_a_review_without_an_answer_time_is_submitted_when_the_survey_was_sent() -> None:
    (event,) = submit(NEW_REVIEW, GOOD._replace(answered_at=None))
    assert isinstance(event, ReviewSubmitted)
    assert (event.occurred_at, event.answered_at) == (SENT, None)


def test_a_review_that_is_known_as_it_is_is_no_news() -> None:
    assert submit(submitted(), GOOD) == ()


@pytest.mark.parametrize(
    "correction",
    [
        {"score": 4},
        {"title": None},
        {"comment": "chegou"},
        {"created_at": SENT + timedelta(days=1)},
        {"answered_at": None},
        {"customer_id": SOMEBODY_ELSE},
    ],
    ids=lambda correction: next(iter(correction)),
)
def test_a_corrected_review_is_revised_as_a_whole(correction: dict[str, object]) -> None:
    corrected = GOOD._replace(**correction)  # type: ignore[arg-type] # one value of several types
    events = submit(submitted(), corrected)
    assert [type(event) for event in events] == [ReviewRevised]
    assert review_of([*submit(NEW_REVIEW, GOOD), *events]).facts == corrected


@pytest.mark.parametrize("score", [0, 6, -1])
def test_a_score_outside_1_to_5_breaks_a_rule(score: int) -> None:
    with pytest.raises(DomainError, match="a score is 1 to 5"):
        submit(NEW_REVIEW, GOOD._replace(score=score))
    with pytest.raises(DomainError, match="a score is 1 to 5"):
        submit(submitted(), GOOD._replace(score=score))


@pytest.mark.parametrize(
    ("score", "sentiment"), [(5, "positive"), (4, "positive"), (3, "neutral"), (2, "negative"), (1, "negative")]
)
def test_the_score_tells_the_sentiment(score: int, sentiment: str) -> None:
    assert submitted(GOOD._replace(score=score)).sentiment == sentiment


# --- erased persons ---------------------------------------------------------------------------------------------


def test_the_words_of_an_erased_person_are_not_revised_at_every_load() -> None:
    unreadable = submitted(WITHOUT_WORDS)
    assert submit(unreadable, GOOD, is_anonymized=True) == ()
    assert submit(submitted(GOOD), GOOD._replace(comment="outro"), is_anonymized=True) == ()


def test_the_words_of_an_erased_person_are_not_recorded() -> None:
    (event,) = submit(NEW_REVIEW, GOOD, is_anonymized=True)
    assert isinstance(event, ReviewSubmitted)
    assert (event.title, event.comment) == (None, None)


def test_the_score_of_an_erased_person_is_still_corrected() -> None:
    (event,) = submit(submitted(), GOOD._replace(score=1), is_anonymized=True)
    assert isinstance(event, ReviewRevised)
    assert (event.score, event.title, event.comment) == (1, None, None)


# --- whose review -----------------------------------------------------------------------------------------------


def test_a_review_follows_its_order_to_another_person() -> None:
    nobodys = submitted(GOOD._replace(customer_id=UNKNOWN_ID))
    events = reassign(nobodys, PERSON)
    assert [type(event) for event in events] == [ReviewRevised]
    assert evolve(nobodys, events[0]).facts == GOOD


def test_a_review_that_is_the_persons_already_or_not_known_is_not_reassigned() -> None:
    assert reassign(submitted(), PERSON) == ()
    assert reassign(NEW_REVIEW, PERSON) == ()


def test_each_pair_of_review_and_order_is_a_stream_of_its_own() -> None:
    ids = {review_stream_id(UUID(int=a), UUID(int=b)) for a in (1, 2) for b in (1, 2)}
    assert len(ids) == 4


def test_the_stream_of_a_review_is_the_same_on_every_machine() -> None:
    assert review_stream_id(REVIEW, ORDER) == UUID("e9ad96a2-0ad0-5096-8c42-7aef8418006f")


# --- any stream -------------------------------------------------------------------------------------------------

UUIDS = st.sampled_from([PERSON, SOMEBODY_ELSE, UNKNOWN_ID])
WORDS = st.none() | st.sampled_from(["bom", "ruim\r\nmesmo"])
TIMES = st.datetimes(SENT, ANSWERED)
FACTS = st.builds(
    ReviewFacts,
    st.just(REVIEW),
    st.just(ORDER),
    UUIDS,
    st.integers(1, 5),
    WORDS,
    WORDS,
    TIMES,
    st.none() | TIMES,
)


@calm
@given(st.lists(FACTS, min_size=1, max_size=4), st.data())
def test_any_selection_of_a_stream_is_a_review_as_its_last_event_tells_it(
    shown: list[ReviewFacts], data: st.DataObject
) -> None:
    stream: list[DomainEvent] = []
    for facts in shown:
        stream += submit(review_of(stream), facts)
    assert review_of(stream).facts == shown[-1]
    keep = data.draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    kept = [event for event, is_kept in zip(stream, keep, strict=True) if is_kept]
    assert review_of(kept) == review_of(kept[-1:])
    assert review_of(kept).is_submitted == bool(kept)


@calm
@given(FACTS, FACTS, st.booleans())
def test_the_same_review_again_is_no_news(first: ReviewFacts, second: ReviewFacts, is_anonymized: bool) -> None:
    review = submitted(first)
    for event in submit(review, second, is_anonymized=is_anonymized):
        review = evolve(review, event)
    assert submit(review, second, is_anonymized=is_anonymized) == ()


def test_events_of_other_kinds_leave_a_review_as_it_is() -> None:
    assert evolve(submitted(), SellerMoved("01001", "sao paulo", "SP")) == submitted()
    assert not review_of([]).is_submitted
