"""The overview: six figures, and four charts, all of them from answers to questions."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.key_figures import (
    KEY_FIGURES,
    QUESTIONS,
    YEAR,
    KeyFigure,
    Months,
    Number,
    all_months,
    change_on_the_year,
    regular_months,
    year_before,
)
from replayhouse.infra.application.overview import Overview
from replayhouse.infra.web.answer_table import Links
from replayhouse.infra.web.auth.asker import asker_of
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import NOTHING, page
from replayhouse.infra.web.pages.overview_charts import CHARTED, charts
from replayhouse.infra.web.pages.overview_words import MINUS, in_words, month_in_words, rounded
from replayhouse.infra.web.wanted import Chosen, Wanted

router = APIRouter()

_MILLION = 1_000_000
_PLACES = (("c7", ""), ("c5", ""), ("c5", "s"), ("c7", "s"))
"""The width and the height of each chart, by classes of the style sheet."""


class Period(StrEnum):
    """Which months the figures are over."""

    TWELVE = "twelve"
    ALL = "all"


class _Over(NamedTuple):
    """The months that the figures are over; all of an answer where that is wanted. `regular` are those of then."""

    months: Sequence[str]
    regular: Sequence[str]
    are_all: bool

    def of(self, answers: Mapping[int, Answer]) -> Months:
        """Answers seen over them."""
        return Months(answers, all_months(answers) if self.are_all else self.months, are_all=self.are_all)


class Tile(NamedTuple):
    """A figure as it is shown; `changed` says what the last load added, or, in the past, what is known now."""

    name: str
    question: int
    large: str
    small: str
    delta: str
    tone: str
    changed: str


@router.get("/")
def overview(
    request: Request, warehouse: Lent, wanted: Chosen, period: Annotated[Period, Query()] = Period.TWELVE
) -> HTMLResponse:
    """The overview over the last twelve regular months, or over all of them."""
    numbers = tuple(dict.fromkeys((*QUESTIONS, *CHARTED)))
    found = warehouse.overview(numbers, at=wanted.at, occurred_before=wanted.by, source=wanted.source)
    if found is None:
        return page(request, warehouse, wanted, "empty.html", title="Overview", here="/", by_source=True)
    regular = regular_months(found.answers)
    are_all = period is Period.ALL
    links = partial(Links, wanted=wanted, given={}, asker=asker_of(request))
    over = _Over(all_months(found.answers) if are_all else regular[-YEAR:], regular, are_all)
    return page(
        request,
        warehouse,
        wanted,
        "overview.html",
        title="Overview",
        here="/",
        by_source=True,
        period=period,
        lede=_lede(over),
        changes=_changes(found, wanted),
        tiles=[_tile(figure, found, over) for figure in KEY_FIGURES],
        charts=[(chart, *place) for chart, place in zip(charts(found, links), _PLACES, strict=True)],
    )


def _changes(found: Overview, wanted: Wanted) -> str:
    """Where it is told what changed from the earlier of the two moments to the later."""
    beside = found.beside
    if beside is None or not beside.is_now or beside.since is None:
        return wanted.link("/changes")
    return wanted.link("/changes", **{"from": beside.since, "to": beside.last.position})


def _lede(over: _Over) -> str:
    months = over.months
    if not months:
        return "There are no orders yet."
    if len(months) == 1:
        return f"Orders placed in {month_in_words(months[0])}, the only month."
    span = f"Orders placed from {month_in_words(months[0])} to {month_in_words(months[-1])}"
    if over.are_all:
        return f"{span}: all months."
    told = f"{span}, the last {_number_in_words(len(months))} regular months."
    compared = [month for month in months if year_before(month) in over.regular]
    if 0 < len(compared) < len(months):
        told += f" Changes on the year are those from {month_in_words(compared[0])} on."
    return told


def _number_in_words(number: int) -> str:
    return "twelve" if number == YEAR else str(number)


def _tile(figure: KeyFigure, found: Overview, over: _Over) -> Tile:
    value = figure.compute(over.of(found.answers))
    large, small = _large(figure, value, found.currency)
    change = None if over.are_all else change_on_the_year(figure, found.answers, over.months, over.regular)
    return Tile(
        figure.name, figure.question, large, small, *_delta(figure, change), _changed(figure, value, found, over)
    )


def _large(figure: KeyFigure, value: Number | None, currency: str) -> tuple[str, str]:
    """A figure in large type, and what stands beside it in small."""
    if value is None:
        return NOTHING, ""
    if figure.unit == "money" and value >= _MILLION:
        return in_words(Decimal(value) / _MILLION, "money", 2, currency), "M"
    if figure.unit == "pct":
        return in_words(value, "int", figure.decimals), "%"
    return in_words(value, figure.unit, figure.decimals, currency), "of 5" if figure.unit == "score" else ""


def _delta(figure: KeyFigure, change: Decimal | None) -> tuple[str, str]:
    """How it changed on the year, and whether that is good news."""
    if change is None:
        return "", ""
    decimals, unit = (2, "") if figure.unit == "score" else (1, " pp" if figure.unit == "pct" else " %")
    amount = rounded(abs(change), decimals)
    if not amount:
        return "as the year before", ""
    tone = "up" if (change > 0) == figure.is_better_up else "down"
    return f"{'▲' if change > 0 else '▼'} {amount:,}{unit} on the year", tone


def _changed(figure: KeyFigure, value: Number | None, found: Overview, over: _Over) -> str:
    """What the last load added to a figure, or what is known of it now; nothing where that is the same."""
    beside = found.beside
    other = None if beside is None else figure.compute(over.of(beside.answers))
    if beside is None or value is None or other is None:
        return ""
    difference = rounded(value, figure.decimals) - rounded(other, figure.decimals)
    if not difference:
        return ""
    if beside.is_now:
        return f"now known: {in_words(other, figure.unit, figure.decimals, found.currency)}"
    amount = in_words(abs(difference), figure.unit, figure.decimals, found.currency).replace("%", "pp")
    by = f"by taking {beside.last.load} back" if beside.last.is_retraction else "by the last load"
    return f"{'+' if difference > 0 else MINUS}{amount} {by}"
