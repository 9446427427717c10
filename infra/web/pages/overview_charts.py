"""The charts of the overview: those of four questions, cut to what a glance takes in, each with a finding in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from replayhouse.infra.answers.asking import Row
from replayhouse.infra.answers.findings import MONEY, place_of, unit_of
from replayhouse.infra.answers.findings import NOTHING as NOTHING_YET
from replayhouse.infra.answers.key_figures import Number, number_of, regular_months
from replayhouse.infra.application.overview import Overview
from replayhouse.infra.web import charts as charting
from replayhouse.infra.web.answer_table import Links
from replayhouse.infra.web.charts import Canvas, Other, charts_of
from replayhouse.infra.web.pages.layout import cell
from replayhouse.infra.web.pages.overview_words import in_words, month_in_words
from replayhouse.projections.questions import Question

REVENUE, CATEGORIES, LATE, STATES = 1, 7, 22, 23
CHARTED = (REVENUE, CATEGORIES, LATE, STATES)
"""The questions that are drawn."""

_MOST_CATEGORIES = 8
_ENOUGH_DELIVERIES = 30
"""Of fewer, a share says little."""


_NO_PROMISE = "Of no delivery is known until when it was promised."


class Chart(NamedTuple):
    """A chart: its question, the finding, and what is drawn; `rows` are the same as a table, under `columns`."""

    question: int
    title: str
    finding: str
    drawn: charting.Chart | None
    columns: tuple[str, str]
    rows: Sequence[tuple[str, str]]
    note: str = ""


LinksOf = Callable[[Question], Links]
"""Where the figures of a question lead."""


def charts(found: Overview, links: LinksOf) -> Sequence[Chart]:
    """The charts of an overview, in the order of the page."""
    return [_revenue(found, links), _states(found, links), _late(found, links), _categories(found, links)]


def _revenue(found: Overview, links: LinksOf) -> Chart:
    rows = _of_regular_months(found, REVENUE)
    known = list(zip(_figures(found, REVENUE, "revenue", rows), (str(row[0]) for row in rows), strict=True))
    finding = NOTHING_YET
    if known:
        (peak, best), (latest, last) = max(known), known[-1]
        finding = f"Strongest in {month_in_words(best)} with {in_words(peak, 'money', 0, found.currency)}"
        brought = in_words(latest, "money", 0, found.currency)
        finding += f"; {month_in_words(last)} brought {brought}." if last != best else "."
    chart = _drawn(found, links, REVENUE, "Revenue by month", finding, rows)
    if not isinstance(chart.drawn, Canvas):
        return chart
    return chart._replace(drawn=chart.drawn._replace(spec={**chart.drawn.spec, "area": True}))


def _late(found: Overview, links: LinksOf) -> Chart:
    rows = _of_regular_months(found, LATE)
    known = [(share, row) for share, row in zip(_shares(found, LATE, rows), rows, strict=True) if share is not None]
    finding = NOTHING_YET
    if known:
        share, worst = max(known, key=lambda one: one[0])
        finding = f"Worst in {month_in_words(str(worst[0]))}: {in_words(share, 'pct', 2)} of those promised."
    elif any(_figures(found, LATE, "deliveries", rows)):
        finding = _NO_PROMISE
    return _drawn(found, links, LATE, "Late deliveries", finding, rows)


def _categories(found: Overview, links: LinksOf) -> Chart:
    every = found.answers[CATEGORIES].rows
    rows = every[:_MOST_CATEGORIES]
    finding = NOTHING_YET
    if rows:
        share = _figures(found, CATEGORIES, "cumulative_pct", rows)[-1]
        finding = f"The first {len(rows)} of {len(every)} bring {in_words(share, 'pct', 0)} of all revenue."
    return _drawn(found, links, CATEGORIES, "Revenue by category", finding, rows)


def _states(found: Overview, links: LinksOf) -> Chart:
    rows = found.answers[STATES].rows
    deliveries = _figures(found, STATES, "deliveries", rows)
    known = zip(_shares(found, STATES, rows), deliveries, rows, strict=True)
    large = [(share, str(row[0])) for share, of, row in known if share is not None and of >= _ENOUGH_DELIVERIES]
    finding = f"No state has {_ENOUGH_DELIVERIES} deliveries yet." if rows else NOTHING_YET
    if not large and any(of >= _ENOUGH_DELIVERIES for of in deliveries):
        finding = _NO_PROMISE
    if large:
        (least, best), (most, worst) = min(large), max(large)
        told = f"From {in_words(least, 'pct', 1)} in {best} to {in_words(most, 'pct', 1)} in {worst}"
        finding = f"{told}, of states with {_ENOUGH_DELIVERIES} deliveries or more."
    chart = _drawn(found, links, STATES, "Late deliveries by state", finding, rows)
    few = found.answers[STATES].origin.parameters["min_orders"]
    none = ", or none promised" if None in _shares(found, STATES, rows) else ""
    return chart._replace(note=f"Per cent late; –: fewer than {few} deliveries{none}")


def _shares(found: Overview, number: int, rows: Sequence[Row]) -> list[Number | None]:
    """The share that is late in some rows; None where nothing was promised."""
    place = place_of(found.answers[number].question, "late_pct")
    return [number_of(row[place]) for row in rows]


def _figures(found: Overview, number: int, column: str, rows: Sequence[Row]) -> list[Number]:
    """The figures of a column in some rows; 0 where there is none."""
    place = place_of(found.answers[number].question, column)
    return [number_of(row[place]) or 0 for row in rows]


def _of_regular_months(found: Overview, number: int) -> list[Row]:
    regular = set(regular_months(found.answers))
    return [row for row in found.answers[number].rows if row[0] in regular]


def _drawn(found: Overview, links: LinksOf, number: int, title: str, finding: str, rows: Sequence[Row]) -> Chart:
    """Some rows of an answer as the question's own page draws them; lines beside those of now, where that is past."""
    answer = replace(found.answers[number], rows=rows)
    asked, beside = answer.question, found.beside
    is_line = asked.chart["kind"] == "line"
    then = beside.answers.get(number) if beside is not None and beside.is_now and is_line else None
    other = None if then is None else Other(then, "as known now")
    drawn = charts_of(answer, other, links(asked).rows, found.open_months)
    x, y = str(asked.chart["x"]), str(asked.chart["y"][0])
    table = [(cell(row[place_of(asked, x)]), _with_unit(row[place_of(asked, y)], y, found.currency)) for row in rows]
    return Chart(number, title, finding, drawn[0] if drawn else None, (x, y), table)


def _with_unit(value: Any, column: str, currency: str) -> str:
    known: Mapping[str, str] = {MONEY: "money", "%": "pct"}
    number = number_of(value)
    return cell(None) if number is None else in_words(number, known.get(unit_of(column), ""), 2, currency)
