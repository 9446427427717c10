"""The charts of the overview: what `static/charts.js` draws, a finding in words, and the figures as a table."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.findings import NOTHING as NOTHING_YET
from replayhouse.infra.answers.findings import place_of
from replayhouse.infra.answers.key_figures import Months, Number, number_of, regular_months
from replayhouse.infra.application.overview import Overview
from replayhouse.infra.web.pages.overview_words import in_words, month_in_words
from replayhouse.infra.web.wanted import Wanted

REVENUE, CATEGORIES, LATE, STATES = 1, 7, 22, 23
CHARTED = (REVENUE, CATEGORIES, LATE, STATES)
"""The questions that are drawn."""

_MOST_CATEGORIES = 8
_ENOUGH_DELIVERIES = 30
"""Of fewer, a share says little."""

_STATES = """
. RR . AP . .  . AM PA MA CE RN  AC RO TO PI PE PB  . MT GO BA SE AL
. MS DF MG ES .  . PR SP RJ . .  . SC . . . .  . RS . . . .
"""
"""Where each state lies on a map of tiles, six in a row: no borders, no data, no licence."""


class Chart(NamedTuple):
    """A chart: its question, the finding, what is drawn, and the two columns of the same as a table."""

    question: int
    title: str
    finding: str
    spec: Mapping[str, Any] | None
    legend: Sequence[tuple[str, str]]
    columns: tuple[str, str]
    rows: Sequence[tuple[str, str]]


class Tile(NamedTuple):
    """A state on the map: its shade, from 0 to 5, the share as it is shown, and of how many deliveries."""

    state: str
    shade: int
    share: str
    deliveries: int


class Map(NamedTuple):
    """The map of states; None stands where there is none."""

    finding: str
    tiles: Sequence[Tile | None]


class Charts(NamedTuple):
    """The four charts of the page."""

    revenue: Chart
    late: Chart
    categories: Chart
    states: Map


def charts(found: Overview, wanted: Wanted) -> Charts:
    """The charts of an overview."""
    return Charts(
        _revenue(found, wanted), _late(found, wanted), _categories(found.answers[CATEGORIES], wanted), _states(found)
    )


def _revenue(found: Overview, wanted: Wanted) -> Chart:
    months = regular_months(found.answers)
    values = Months(found.answers, months).column(REVENUE, "revenue")
    known = [(value, month) for value, month in zip(values, months, strict=True) if value is not None]
    finding = NOTHING_YET
    if known:
        (peak, best), (latest, last) = max(known), known[-1]
        finding = f"Strongest in {month_in_words(best)} with {in_words(peak, 'brl', 0)}"
        finding += f"; {month_in_words(last)} brought {in_words(latest, 'brl', 0)}." if last != best else "."
    drawn = _Drawn(REVENUE, "revenue", "brl", 2, "Revenue")
    return _by_month(found, wanted, months, drawn, "Revenue by month", finding, area=True)


def _late(found: Overview, wanted: Wanted) -> Chart:
    months = regular_months(found.answers)
    over = Months(found.answers, months)
    deliveries = over.column(LATE, "deliveries")
    shares = zip(over.column(LATE, "late_pct"), deliveries, months, strict=True)
    known = [(share, of, month) for share, of, month in shares if share is not None]
    finding = NOTHING_YET
    if known:
        share, of, worst = max(known)
        finding = f"Worst in {month_in_words(worst)}: {share} % of {of:,} deliveries."
    drawn = _Drawn(LATE, "late_pct", "pct", 2, "Late")
    return _by_month(found, wanted, months, drawn, "Late deliveries", finding, min=0)


class _Drawn(NamedTuple):
    question: int
    column: str
    unit: str
    decimals: int
    name: str


def _by_month(
    found: Overview, wanted: Wanted, months: Sequence[str], drawn: _Drawn, title: str, finding: str, **more: object
) -> Chart:
    """A line over months, and beside a moment of the past a dashed one with what is known now."""
    number, column, unit, decimals, name = drawn
    values = Months(found.answers, months).column(number, column)
    series: list[dict[str, Any]] = [{"name": name, "data": _as_drawn(values)}]
    legend: list[tuple[str, str]] = []
    if found.beside is not None and found.beside.is_now and number in found.beside.answers:
        other = Months(found.beside.answers, months).column(number, column)
        series.append({"name": "As known now", "role": "before", "data": _as_drawn(other)})
        legend = [("k1", "As known then"), ("k3", "As known now")]
    spec = {
        "kind": "line",
        "unit": unit,
        "x": months,
        "series": series,
        "aria": f"{title}. {finding}",
        "href": [wanted.link(f"/questions/{number}/rows", key=month, column=column) for month in months],
        **more,
    }
    rows = [(month, _cell(value, unit, decimals)) for month, value in zip(months, values, strict=True)]
    return Chart(number, title, finding, spec if months else None, legend, ("Month", name), rows)


def _categories(answer: Answer, wanted: Wanted) -> Chart:
    title, shown = "Revenue by category", answer.rows[:_MOST_CATEGORIES]
    names = [str(row[0]).replace("_", " ") for row in shown]
    revenue = [number_of(row[place_of(answer.question, "revenue")]) or 0 for row in shown]
    finding = NOTHING_YET
    if shown:
        share = number_of(shown[-1][place_of(answer.question, "cumulative_pct")]) or 0
        finding = f"The first {len(shown)} of {len(answer.rows)} bring {in_words(share, 'pct', 0)} of all revenue."
    if 0 < len(answer.rows) <= _MOST_CATEGORIES:
        finding = f"{names[0].capitalize()} brings most, {in_words(revenue[0], 'brl', 0)}."
    spec = {
        "kind": "hbar",
        "unit": "brl",
        "x": names,
        "series": [{"name": "Revenue", "data": _as_drawn(revenue)}],
        "aria": f"{title}. {finding}",
        "href": [wanted.link(f"/questions/{CATEGORIES}/rows", key=row[0], column="revenue") for row in shown],
    }
    rows = [(name, in_words(value, "brl", 2)) for name, value in zip(names, revenue, strict=True)]
    return Chart(CATEGORIES, title, finding, spec if shown else None, (), ("Category", "Revenue"), rows)


def _states(found: Overview) -> Map:
    answer = found.answers[STATES]
    rows = {str(row[0]): (int(row[2]), Decimal(row[5])) for row in answer.rows}
    large = [(share, state) for state, (deliveries, share) in rows.items() if deliveries >= _ENOUGH_DELIVERIES]
    finding = NOTHING_YET if not rows else f"No state has {_ENOUGH_DELIVERIES} deliveries yet."
    if large:
        (least, best), (most, worst) = min(large), max(large)
        finding = (
            f"From {in_words(least, 'pct', 1)} in {best} to {in_words(most, 'pct', 1)} in {worst}, of states with "
            f"{_ENOUGH_DELIVERIES} deliveries or more."
        )
    return Map(finding, [_tile(place, rows.get(place)) if place != "." else None for place in _STATES.split()])


def _tile(state: str, row: tuple[int, Decimal] | None) -> Tile:
    if row is None:
        return Tile(state, 0, "\N{EN DASH}", 0)
    deliveries, share = row
    return Tile(state, min(5, int(share / 4)), in_words(share, "", 1), deliveries)


def _as_drawn(values: Sequence[Number | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]


def _cell(value: Number | None, unit: str, decimals: int) -> str:
    return "\N{EN DASH}" if value is None else in_words(value, unit, decimals)
