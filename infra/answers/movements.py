"""How answers differ from one moment to another: rows that came, went or changed; figures of months that were over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.key_figures import ALL_MONTHS, Months, Number, all_months
from replayhouse.infra.read_models.kept_answers import KeptAnswer
from replayhouse.projections.questions import Question


class Followed(NamedTuple):
    """A figure of each month that is held against what it was: the column of a question."""

    name: str
    question: int
    column: str
    unit: str
    decimals: int


FOLLOWED = (
    Followed("Revenue", 1, "revenue", "money", 2),
    Followed("Orders", 5, "orders", "int", 0),
    Followed("Late deliveries", 22, "late", "int", 0),
)


FOLLOWED_QUESTIONS = {ALL_MONTHS, *(one.question for one in FOLLOWED)}
"""The questions that this takes."""


class Moved(NamedTuple):
    """A figure of a month, as it was and as it is: `now` is None where the month has none any more."""

    figure: Followed
    month: str
    was: Number
    now: Number | None

    @property
    def change(self) -> Number:
        """By how much it moved."""
        return (self.now or 0) - self.was


@dataclass(frozen=True)
class RowsChanged:
    """How the answer to a question changed: how many of its rows came, went, and have other figures under their key."""

    question: Question
    came: int
    went: int
    changed: int

    @property
    def is_any(self) -> bool:
        """Whether anything is different."""
        return bool(self.came or self.went or self.changed)

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "question": self.question.number,
            "title": self.question.title,
            "came": self.came,
            "went": self.went,
            "changed": self.changed,
        }


def moved(old: Mapping[int, Answer], new: Mapping[int, Answer]) -> list[Moved]:
    """The figures that moved of months that were known before, and were or are over, or are gone: the newest first.

    A month is over once an order of a later one is known. Taking a load back may open it again, or leave none of its
    orders: then it is gone.
    """
    if not all(figure.question in answers for figure in FOLLOWED for answers in (old, new)):
        return []
    before, after = all_months(old), all_months(new)
    over = {*before[:-1], *after[:-1]}
    months = [month for month in before if month in over or month not in after][::-1]
    found = []
    for figure in FOLLOWED:
        was, now = (Months(answers, months).column(figure.question, figure.column) for answers in (old, new))
        for month, then, today in zip(months, was, now, strict=True):
            if then is not None and then != today:
                found.append(Moved(figure, month, then, today))
    return found


def rows_changed(question: Question, old: KeptAnswer, new: KeptAnswer) -> RowsChanged:
    """How the rows of two answers to a question differ, by its key."""
    size = len(question.key)
    before, after = ({tuple(row[:size]): row[size:] for row in kept.rows} for kept in (old, new))
    return RowsChanged(
        question,
        came=len(after.keys() - before.keys()),
        went=len(before.keys() - after.keys()),
        changed=sum(before[key] != after[key] for key in before.keys() & after.keys()),
    )
