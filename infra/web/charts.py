"""What the chart of an answer shows, worked out on the server: lines, bars and dots that a script draws, and maps and
grids that are HTML.

Rows over everything are not drawn. The answer at the other moment stands beside a single line, or single bars, as a
dashed one. Where the groups of a chart share no place on its axis, each has a chart of its own.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import Any, NamedTuple

from replayhouse.domain.kernel.places import REGIONS
from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.asking import Cell, Row
from replayhouse.infra.answers.differing import rows_by_key
from replayhouse.infra.answers.findings import MONEY, OVER_EVERYTHING, place_of, unit_of
from replayhouse.infra.read_models.currency import sign_of
from replayhouse.projections.questions import Question

MOST_CHARTS = 4
MOST_BARS = 30
MOST_LINES = 5
_MOST_UPRIGHT = 31
_LONGEST_UPRIGHT = 9
_SHADES = 6
_WHOLE_FROM, _THOUSANDS_FROM = 100, 10_000

STATES = (
    (".", "RR", ".", "AP", ".", "."),
    (".", "AM", "PA", "MA", "CE", "RN"),
    ("AC", "RO", "TO", "PI", "PE", "PB"),
    (".", "MT", "GO", "BA", "SE", "AL"),
    (".", "MS", "DF", "MG", "ES", "."),
    (".", "PR", "SP", "RJ", ".", "."),
    (".", "SC", ".", ".", ".", "."),
    (".", "RS", ".", ".", ".", "."),
)
"""A map of tiles: every state the same size, about where it lies."""

# A stacked bar shows a part within its whole, which comes last: to set one on top of the other would count it twice.
_KINDS = {"line": "line", "bar": "bar", "stacked bar": "within"}
_UNITS = {MONEY: "money", "%": "pct", "": "number"}

Address = Callable[[Row, str], str | None]
"""Where the rows behind a figure are: of a row of the answer, in a column; None where there are none."""


class Legend(NamedTuple):
    """What a mark means."""

    mark: str
    says: str


class Canvas(NamedTuple):
    """A chart that the script draws as `spec` says; `size` is a class of the style sheet."""

    title: str
    spec: Mapping[str, Any]
    size: str
    legend: Sequence[Legend]
    kind: str = "canvas"


class Tile(NamedTuple):
    """A figure that is drawn as a tile: the stronger its colour, the more."""

    name: str
    says: str
    shade: int
    address: str | None


class TileMap(NamedTuple):
    """The states, each a tile; None where there is none."""

    title: str
    tiles: Sequence[Tile | None]
    kind: str = "map"


class Grid(NamedTuple):
    """Tiles under columns, in rows with names."""

    title: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Tile | None]]]
    kind: str = "grid"


class Other(NamedTuple):
    """The answer at the other moment, and what that is called."""

    answer: Answer
    says: str


Chart = Canvas | TileMap | Grid


class _Asked(NamedTuple):
    """What all charts of an answer are made of; `rows` without the one over everything."""

    question: Question
    rows: Sequence[Row]
    other: Other | None
    address: Address
    open_months: Collection[str]
    sign: str
    """What stands before an amount."""

    def unit(self, column: str) -> dict[str, str]:
        """The unit of a column's figures, for the script: of money with what stands before an amount."""
        unit = unit_of(column)
        return {"unit": _UNITS[unit], **({"sign": self.sign} if unit == MONEY else {})}

    def cell(self, row: Row, column: str) -> Cell:
        return row[place_of(self.question, column)]

    def label(self, row: Row, column: str) -> str:
        return str(self.cell(row, column)).replace("_", " ")


def charts_of(answer: Answer, other: Other | None, address: Address, open_months: Collection[str]) -> Sequence[Chart]:
    """The charts of an answer: none of a table, or where there are no rows."""
    question = answer.question
    rows = [row for row in answer.rows if row[0] != OVER_EVERYTHING]
    asked = _Asked(question, rows, other, address, open_months, sign_of(answer.currency))
    chart = question.chart
    if not rows or chart["kind"] == "table":
        return []
    if chart["kind"] == "heat map":
        return _grids(asked, chart["x"], chart["y"], chart["value"])
    x, ys = str(chart["x"]), list(map(str, chart["y"]))
    if chart["kind"] == "map":
        return _maps(asked, x, ys[0])
    if chart["kind"] == "scatter":
        return [_dots(asked, x, ys[0])]
    kind = _KINDS[chart["kind"]]
    series = chart.get("series")
    if series is None:
        return [_canvas(asked, kind, x, ys, rows, title="")]
    return _by_series(asked, kind, x, ys[0], str(series))


def sparkline(answer: Answer, width: int = 120, height: int = 28) -> Sequence[tuple[float, float]]:
    """The points of a small line of the first column that is drawn, from left to right; y grows downwards."""
    rows = [row for row in answer.rows if row[0] != OVER_EVERYTHING]
    series = answer.question.chart.get("series")
    if series is not None:
        place = place_of(answer.question, series)
        rows = [row for row in rows if row[place] == rows[0][place]]
    place = place_of(answer.question, answer.question.chart["y"][0])
    values = [(at, float(row[place])) for at, row in enumerate(rows) if row[place] is not None]
    if len(values) < 2:
        return []
    low, high = min(value for _, value in values), max(value for _, value in values)
    span, last = (high - low) or 1.0, max(len(rows) - 1, 1)
    return [
        (round(2 + at * (width - 4) / last, 1), round(height - 3 - (value - low) * (height - 6) / span, 1))
        for at, value in values
    ]


def _canvas(asked: _Asked, kind: str, x: str, ys: Sequence[str], rows: Sequence[Row], title: str) -> Canvas:
    """Lines, or bars, of one or several columns of these rows."""
    shown = rows if kind == "line" else rows[:MOST_BARS]
    labels = [asked.label(row, x) for row in shown]
    is_flat = kind == "bar" and len(ys) == 1 and _lie_down(labels)
    series: list[dict[str, Any]] = [{"name": y, "data": [_number(asked.cell(row, y)) for row in shown]} for y in ys]
    legend = [Legend(f"k{place + 1}", y) for place, y in enumerate(ys)] if len(ys) > 1 else []
    if len(ys) == 1 and asked.other is not None:
        former = rows_by_key(asked.other.answer)
        place, size = place_of(asked.question, ys[0]), len(asked.question.key)
        data = [_number(former[row[:size]][place]) if row[:size] in former else None for row in shown]
        series.append({"name": asked.other.says, "role": "before", "data": data})
        legend = [Legend("k1", ys[0]), Legend("kb", asked.other.says)]
    spec: dict[str, Any] = {
        "kind": "hbar" if is_flat else kind,
        **asked.unit(ys[0]),
        "x": labels,
        "series": series,
        "href": _leading([asked.address(row, ys[0]) for row in shown]),
        "aria": f"{' and '.join(ys)} by {x}{', ' + title if title else ''}. The table has the figures.",
    }
    is_open = [place for place, label in enumerate(labels) if x in ("month", "period") and label in asked.open_months]
    if is_open:
        spec["open"] = is_open
        legend = [*(legend or [Legend("k1", ys[0])]), Legend("ko", "open: fewer than 95 % of its orders have ended")]
    named = (
        title if len(shown) == len(rows) else f"{title + ': ' if title else ''}the first {len(shown)} of {len(rows)}"
    )
    return Canvas(named, spec, f"h{(len(shown) + 4) // 5}" if is_flat else "", legend)


def _lie_down(labels: Sequence[str]) -> bool:
    """Whether bars lie, so that their names can be read."""
    return len(labels) > _MOST_UPRIGHT or any(len(label) > _LONGEST_UPRIGHT for label in labels)


def _by_series(asked: _Asked, kind: str, x: str, y: str, series: str) -> Sequence[Chart]:
    """One chart with a line, or a bar, for each group; or a chart for each where they share no place on the axis."""
    groups: dict[str, list[Row]] = {}
    for row in asked.rows:
        groups.setdefault(asked.label(row, series), []).append(row)
    places = [{asked.label(row, x) for row in rows} for rows in groups.values()]
    shared = set.intersection(*places)
    if kind != "line" or not shared:
        several = list(groups.items())[:MOST_CHARTS]
        return [_canvas(asked, kind, x, [y], rows, title=group) for group, rows in several]
    labels = list(dict.fromkeys(asked.label(row, x) for row in asked.rows))
    drawn = list(groups.items())[:MOST_LINES]
    lines = []
    for group, rows in drawn:
        values = {asked.label(row, x): _number(asked.cell(row, y)) for row in rows}
        lines.append({"name": group, "data": [values.get(label) for label in labels]})
    legend = [Legend(f"k{place + 1}", group) for place, (group, _) in enumerate(drawn)]
    title = "" if len(drawn) == len(groups) else f"the first {len(drawn)} of {len(groups)}"
    aria = f"{y} by {x} and {series}. The table has the figures."
    spec = {"kind": kind, **asked.unit(y), "x": labels, "series": lines, "aria": aria}
    return [Canvas(title, spec, "", legend)]


def _dots(asked: _Asked, x: str, y: str) -> Canvas:
    points = [
        [_number(asked.cell(row, x)), _number(asked.cell(row, y)), asked.label(row, asked.question.key[0])]
        for row in asked.rows
    ]
    spec = {
        "kind": "scatter",
        **asked.unit(y),
        "xName": x,
        "yName": y,
        "series": [{"name": y, "data": points}],
        "href": _leading([asked.address(row, y) for row in asked.rows]),
        "aria": f"{y} and {x} of each {asked.question.key[0]}. The table has the figures.",
    }
    return Canvas("", spec, "", [])


def _maps(asked: _Asked, x: str, y: str) -> Sequence[Chart]:
    """Brazil's states on a map; whatever else stands among them, such as regions, as bars, and so states of others."""
    known = set(chain(*STATES)) if _is_of_brazil(asked, x) else set()
    states = {str(asked.cell(row, x)): row for row in asked.rows if str(asked.cell(row, x)) in known}
    others = [row for row in asked.rows if str(asked.cell(row, x)) not in known]
    shade = _shades(asked.cell(row, y) for row in states.values())
    tiles: list[Tile | None] = []
    for state in chain(*STATES):
        row = states.get(state)
        if state == ".":
            tiles.append(None)
        elif row is None:
            tiles.append(Tile(state, "–", 0, None))
        else:
            tiles.append(_tile(asked, row, y, state, shade))
    found: list[Chart] = [TileMap(f"{y} of the states; the stronger the colour, the more", tiles)] if states else []
    return [*found, _canvas(asked, "bar", x, [y], others, title="other places" if states else "")] if others else found


def _is_of_brazil(asked: _Asked, x: str) -> bool:
    """Whether rows name regions of Brazil, or none at all: states of others may have the same letters."""
    names = {column.name for column in asked.question.columns}
    if "region" in names:
        regions = {asked.cell(row, "region") for row in asked.rows}
    elif "level" in names:
        regions = {asked.cell(row, x) for row in asked.rows if asked.cell(row, "level") == "region"}
    else:
        return True
    return not regions.isdisjoint(REGIONS)


def _grids(asked: _Asked, x: str, y: str, value: str) -> Sequence[Chart]:
    """A grid; where its rows share no column, one for each row."""
    lines = list(dict.fromkeys(asked.label(row, y) for row in asked.rows))
    places = {line: [asked.label(row, x) for row in asked.rows if asked.label(row, y) == line] for line in lines}
    apart = len(lines) > 1 and sum(map(len, places.values())) == len(set().union(*places.values()))
    if apart:
        return [_grid(asked, x, y, value, [line], f"{value} by {line}") for line in lines[:MOST_CHARTS]]
    return [_grid(asked, x, y, value, lines, f"{value} by {y} and {x}")]


def _grid(asked: _Asked, x: str, y: str, value: str, lines: Sequence[str], title: str) -> Grid:
    rows = [row for row in asked.rows if asked.label(row, y) in lines]
    columns = list(dict.fromkeys(asked.label(row, x) for row in rows))
    if all(column.isdecimal() for column in columns):
        columns.sort(key=int)
    shade = _shades(asked.cell(row, value) for row in rows)
    tiles = {
        (asked.label(row, y), asked.label(row, x)): _tile(asked, row, value, asked.label(row, x), shade) for row in rows
    }
    drawn = [(line, [tiles.get((line, column)) for column in columns]) for line in lines]
    return Grid(f"{title}; the stronger the colour, the more", y, columns, drawn)


def _tile(asked: _Asked, row: Row, column: str, name: str, shade: Callable[[Cell], int]) -> Tile:
    value = asked.cell(row, column)
    return Tile(name, _in_brief(value), shade(value), asked.address(row, column))


def _shades(cells: Iterable[Cell]) -> Callable[[Cell], int]:
    """How strong the colour of a value is: by its rank, for a few are often much larger than the rest."""
    values = sorted({cell for cell in cells if cell is not None})

    def shade(cell: Cell) -> int:
        return 0 if cell is None else min(bisect_left(values, cell) * _SHADES // max(len(values), 1), _SHADES - 1)

    return shade


def _in_brief(cell: Cell) -> str:
    """A figure that fits a tile, rounded half away from zero."""
    if not isinstance(cell, Decimal | int):
        return "–"
    size = abs(Decimal(cell))
    if size >= _THOUSANDS_FROM:
        text = f"{_rounded(Decimal(cell) / 1_000, '1'):,}k"
    elif isinstance(cell, int):
        text = f"{cell:,}"
    else:
        text = f"{_rounded(cell, '1' if size >= _WHOLE_FROM else '0.1'):,}"
    return text.replace("-", "\N{MINUS SIGN}")


def _rounded(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), ROUND_HALF_UP)


def _number(cell: Cell) -> int | float | None:
    """A figure as a chart has it; what is no figure is not drawn."""
    match cell:
        case Decimal():
            return float(cell)
        case int():
            return cell
        case _:
            return None


def _leading(addresses: list[str | None]) -> list[str | None] | None:
    """Where the marks of a chart lead; None where none does, and none looks as if it did."""
    return addresses if any(addresses) else None
