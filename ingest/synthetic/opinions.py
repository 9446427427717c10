"""Reviews: sent out after the delivery, or after the promised day without one, and answered some days later."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import NamedTuple

from replayhouse.ingest.synthetic.draws import Weighted, along
from replayhouse.ingest.synthetic.journey import Journey
from replayhouse.ingest.synthetic.plans import Plan
from replayhouse.ingest.synthetic.texts import (
    ANGRY,
    ANGRY_TITLES,
    BLANK_COMMENT,
    CALM,
    CALM_TITLES,
    GLAD,
    GLAD_TITLES,
    JOINTS,
    QUIRKY_COMMENT,
    WAITING,
)

_HOURS_TO_ANSWER = (1.0, 10.0, 19.0, 28.0, 40.0, 54.0, 75.0, 100.0, 380.0)
_WITH_TITLE, _WITH_COMMENT = 0.117, 0.36
_WITH_COMMENT_IF_ANGRY = 0.69

_IN_TIME = Weighted(((5, 625), (4, 207), (3, 78), (2, 26), (1, 64)))
_LATE = Weighted(((5, 222), (4, 130), (3, 115), (2, 83), (1, 450)))
_NEVER = Weighted(((5, 100), (4, 60), (3, 80), (2, 60), (1, 700)))

_JOINT = Weighted(JOINTS)


class Review(NamedTuple):
    """A review; title and comment are empty where there is none."""

    review_id: str
    score: int
    title: str
    comment: str
    created_at: datetime
    answered_at: datetime


def reviews_of(
    plan: Plan, journey: Journey, review_ids: tuple[str, ...], random: Callable[[], float]
) -> tuple[Review, ...]:
    """A review for each of the ids; a second one comes some days after the first."""
    reviews = []
    day = _survey_day(journey)
    for turn, review_id in enumerate(review_ids):
        created_at = day + timedelta(days=turn * (1 + int(random() * 4)))
        score = _scores(journey).at(random())
        title, comment = _words(score, journey, random)
        if turn == 0 and plan.comment:
            comment = QUIRKY_COMMENT if plan.comment == "quirky" else BLANK_COMMENT
        answered_at = created_at + timedelta(seconds=int(3600 * along(_HOURS_TO_ANSWER, random())))
        reviews.append(Review(review_id, score, title, comment, created_at, answered_at))
    return tuple(reviews)


def _survey_day(journey: Journey) -> datetime:
    after_promise = journey.promised_by + timedelta(days=2)
    if journey.delivered_at is None:
        return after_promise
    after_delivery = datetime.combine(journey.delivered_at.date(), time()) + timedelta(days=1)
    return min(after_delivery, after_promise)


def _scores(journey: Journey) -> Weighted[int]:
    if journey.delivered_at is None:
        return _NEVER
    return _IN_TIME if journey.delivered_at.date() <= journey.promised_by.date() else _LATE


def _words(score: int, journey: Journey, random: Callable[[], float]) -> tuple[str, str]:
    titles, sentences, wordiness = _vocabulary(score, is_delivered=journey.delivered_at is not None)
    title = titles[int(random() * len(titles))] if random() < _WITH_TITLE else ""
    if random() >= wordiness:
        return title, ""
    comment = sentences[int(random() * len(sentences))]
    while random() < 0.4:
        comment += _JOINT.at(random()) + sentences[int(random() * len(sentences))]
    return title, comment


def _vocabulary(score: int, is_delivered: bool) -> tuple[tuple[str, ...], tuple[str, ...], float]:
    """Titles and sentences of the mood, and how likely somebody in it writes any."""
    if score >= 4:
        return GLAD_TITLES, GLAD, _WITH_COMMENT
    if score == 3:
        return CALM_TITLES, CALM, _WITH_COMMENT
    return ANGRY_TITLES, ANGRY if is_delivered else WAITING, _WITH_COMMENT_IF_ANGRY
