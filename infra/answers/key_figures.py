"""The key figures of the marketplace over some months, each computed from the answer to one question, or two.

So whoever doubts one finds it in the rows of those answers: sums over the months, or one sum divided by another.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.asking import Cell
from replayhouse.infra.answers.findings import OVER_EVERYTHING, place_of

Number = int | Decimal

REGULAR_MONTHS = 4
"""The question whose answer has a row for each month of the regular period, and for no other."""

ALL_MONTHS = 5
"""The one that has a row for each month in which an order was placed, or before and after."""

YEAR = 12
"""Months."""

_CENT = Decimal("0.01")


class Months:
    """Answers by the numbers of their questions, seen over some months; `are_all` where there are no others."""

    def __init__(self, answers: Mapping[int, Answer], months: Sequence[str], *, are_all: bool = False) -> None:
        self.months = months
        self._answers = answers
        self._are_all = are_all

    def column(self, question: int, column: str) -> list[Number | None]:
        """The figures of a column, month by month; None where the answer has no row of the month, or no figure."""
        answer = self._answers.get(question)
        if answer is None:
            return [None for _ in self.months]
        place, of = place_of(answer.question, column), len(answer.question.key) - 1
        found = {row[of]: number_of(row[place]) for row in answer.rows}
        return [found.get(month) for month in self.months]

    def sum(self, question: int, column: str) -> Number | None:
        """The sum of a column; None where the question is not answered, or there are no months."""
        if question not in self._answers or not self.months:
            return None
        return sum((value for value in self.column(question, column) if value is not None), start=0)

    def ratio(self, above: tuple[int, str], below: tuple[int, str], times: int = 1) -> Decimal | None:
        """The sum of a column divided by that of another."""
        one, other = self.sum(*above), self.sum(*below)
        return None if one is None or not other else times * Decimal(one) / Decimal(other)

    def mean(self, question: int, mean: str, weight: str) -> Decimal | None:
        """The mean of monthly means, each with the weight of how many it is over; of all months the answer tells it."""
        answer = self._answers.get(question)
        if answer is None:
            return None
        if self._are_all:
            [told] = [row for row in answer.rows if row[0] == OVER_EVERYTHING]
            value = number_of(told[place_of(answer.question, mean)])
            return None if value is None else Decimal(value)
        pairs = zip(self.column(question, mean), self.column(question, weight), strict=True)
        known = [(Decimal(value), Decimal(n)) for value, n in pairs if value is not None and n]
        whole = sum(n for _, n in known)
        return sum(value * n for value, n in known) / whole if whole else None

    def late_pct(self) -> Decimal | None:
        """The share of deliveries that are late, over the months in which any was promised.

        How many were promised is no column: where a month's share shows that not all were, the months' shares are
        weighted by their deliveries.
        """
        columns = (self.column(22, name) for name in ("late_pct", "late", "deliveries"))
        known = [
            (Decimal(share), Decimal(late), Decimal(of))
            for share, late, of in zip(*columns, strict=True)
            if share is not None and late is not None and of
        ]
        if not known:
            return None
        deliveries = sum(of for _, _, of in known)
        if all((100 * late / of).quantize(_CENT, ROUND_HALF_UP) == share for share, late, of in known):
            return 100 * sum((late for _, late, _ in known), start=Decimal(0)) / deliveries
        return sum((share * of for share, _, of in known), start=Decimal(0)) / deliveries


class KeyFigure(NamedTuple):
    """A key figure, the question that it leads to, and how it is computed.

    `unit` is money, int, pct or score, shown with so many `decimals`; `is_better_up` tells whether more is good news.
    """

    name: str
    question: int
    unit: str
    decimals: int
    compute: Callable[[Months], Number | None]
    is_better_up: bool = True


KEY_FIGURES = (
    KeyFigure("Revenue", 1, "money", 0, lambda over: over.sum(1, "revenue")),
    KeyFigure("Orders", 5, "int", 0, lambda over: over.sum(5, "orders")),
    KeyFigure("New customers", 2, "int", 0, lambda over: over.sum(2, "new_customers")),
    KeyFigure("Average order", 6, "money", 2, lambda over: over.ratio((1, "revenue"), (6, "delivered_orders"))),
    KeyFigure("Late deliveries", 22, "pct", 1, lambda over: over.late_pct(), False),
    KeyFigure("Review score", 31, "score", 2, lambda over: over.mean(31, "avg_score", "reviews")),
)

QUESTIONS = tuple(sorted({REGULAR_MONTHS, ALL_MONTHS, *(one.question for one in KEY_FIGURES)}))
"""The questions whose answers the key figures follow from."""


def number_of(cell: Cell) -> Number | None:
    """A figure of an answer as a number; None where there is none."""
    return cell if isinstance(cell, int | Decimal) else None


def regular_months(answers: Mapping[int, Answer]) -> list[str]:
    """The months of the regular period, in order."""
    return [str(row[0]) for row in answers[REGULAR_MONTHS].rows]


def all_months(answers: Mapping[int, Answer]) -> list[str]:
    """All months from the first order to the last; none where that is not answered."""
    rows = answers[ALL_MONTHS].rows if ALL_MONTHS in answers else ()
    return [str(period) for kind, period, *_ in rows if kind == "month"]


def year_before(month: str) -> str:
    """The same month a year before."""
    return f"{int(month[:4]) - 1:04}{month[4:]}"


def change_on_the_year(
    figure: KeyFigure, answers: Mapping[int, Answer], months: Sequence[str], regular: Sequence[str]
) -> Decimal | None:
    """How a figure changed on the year before: in per cent; of a percentage and a score, the difference.

    Only those of the months count whose year before is regular, too. None where there are none.
    """
    known = [month for month in months if year_before(month) in regular]
    now = figure.compute(Months(answers, known))
    before = figure.compute(Months(answers, [year_before(month) for month in known]))
    if not known or now is None or not before:
        return None
    difference = Decimal(now) - Decimal(before)
    return difference if figure.unit in ("pct", "score") else 100 * difference / Decimal(before)
