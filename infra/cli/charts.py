"""Charts of an answer as lines of text: columns for a line, bars, and a heat map, drawn with blocks.

Rows over everything ("all") are not drawn, nor are values that are null. A map is drawn as bars, by state.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

HEIGHT = 8
"""Lines of a chart of columns."""

MOST_BARS = 30
"""More bars than these are no chart any more: the first ones are drawn."""

_BAR = 40
_LABEL = 36
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_IN_ASCII = " .:-=+*%#"
_SHADES, _SHADES_IN_ASCII = " ░▒▓█", " .+x#"

Row = Sequence[Any]


def draw(
    chart: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Row], width: int, *, is_unicode: bool
) -> list[str]:
    """The lines of a chart, no wider than `width` signs; none where there is nothing to draw.

    `chart` has its kind and the names of the columns that it draws, as questions declare it.
    """
    parts = [row for row in rows if row and row[0] != "all"]
    place = {name: at for at, name in enumerate(columns)}
    kind = chart["kind"]
    if kind == "heat map":
        x, y, value = (place[chart[name]] for name in ("x", "y", "value"))
        return _heat_map([(row[y], row[x], row[value]) for row in parts], width, is_unicode)
    if kind not in ("line", "bar", "map", "stacked bar"):
        return []
    x, y = place[chart["x"]], place[chart["y"][0]]
    labels = [chart["series"]] if chart.get("series") in place and chart.get("series") != chart["x"] else []
    found = [(" ".join(str(row[at]) for at in (*(place[n] for n in labels), x)), row[y]) for row in parts]
    points = [(label, value) for label, value in found if value is not None]
    if not points:
        return []
    title = chart["y"][0]
    is_columns = kind == "line" and not labels and len(points) > 1 and len(points) <= max(width - 16, 1)
    return _columns(points, title, width, is_unicode) if is_columns else _bars(points, title, width, is_unicode)


def _columns(points: Sequence[tuple[str, Any]], title: str, width: int, is_unicode: bool) -> list[str]:
    """Columns side by side, from 0 or the least value up; negative ones hang from no line: the scale begins below."""
    blocks = _EIGHTHS if is_unicode else _IN_ASCII
    values = [Decimal(value) for _, value in points]
    low, high = min(*values, Decimal(0)), max(values)
    wide = 2 if 2 * len(points) <= width - 16 else 1
    steps = [int((value - low) * HEIGHT * 8 / (high - low)) if high > low else 0 for value in values]
    scale = [_number(high), *[""] * (HEIGHT - 2), _number(low)]
    margin = max(map(len, scale))
    lines = [title]
    for line in range(HEIGHT):
        floor = (HEIGHT - 1 - line) * 8
        drawn = "".join(blocks[min(max(step - floor, 0), 8)] * wide for step in steps)
        lines.append(f"{scale[line].rjust(margin)} {drawn}".rstrip())
    first, last = points[0][0], points[-1][0]
    lines.append(f"{' ' * margin} {first}{last.rjust(wide * len(points) - len(first))}")
    return lines


def _bars(points: Sequence[tuple[str, Any]], title: str, width: int, is_unicode: bool) -> list[str]:
    shown = points[:MOST_BARS]
    numbers = [_number(value) for _, value in shown]
    labels = [label if len(label) <= _LABEL else label[: _LABEL - 1] + "~" for label, _ in shown]
    wide, margin = max(map(len, labels)), max(map(len, numbers))
    room = max(min(_BAR, width - wide - margin - 4), 1)
    greatest = max(abs(Decimal(value)) for _, value in shown)
    lines = [title]
    for label, (_, value), number in zip(labels, shown, numbers, strict=True):
        length = int(abs(Decimal(value)) * room * 8 / greatest) if greatest else 0
        lines.append(f"{label.ljust(wide)}  {number.rjust(margin)}  {_bar(length, is_unicode)}".rstrip())
    if len(points) > len(shown):
        lines.append(f"and {len(points) - len(shown):,} more")
    return lines


def _bar(eighths: int, is_unicode: bool) -> str:
    if not is_unicode:
        return "#" * ((eighths + 4) // 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")


def _heat_map(cells: Sequence[tuple[Any, Any, Any]], width: int, is_unicode: bool) -> list[str]:
    """A grid of shades, the darkest the greatest; below it the columns by their numbers, and what those are."""
    shades = _SHADES if is_unicode else _SHADES_IN_ASCII
    known = {(str(row), str(column)): Decimal(value) for row, column, value in cells if value is not None}
    rows = list(dict.fromkeys(str(row) for row, _, _ in cells))
    across = list(dict.fromkeys(str(column) for _, column, _ in cells))
    if not known:
        return []
    low, high = min(known.values()), max(known.values())
    margin = min(max(map(len, rows)), _LABEL)
    wide = max(min((width - margin - 1) // max(len(across), 1), max(map(len, across)) + 1), 2)
    heads = [name if len(name) < wide else str(number) for number, name in enumerate(across, start=1)]
    lines = [f"{' ' * margin} {''.join(head.rjust(wide) for head in heads)}"]
    for row in rows:
        drawn = "".join(_shade(known.get((row, column)), low, high, shades).rjust(wide, " ") for column in across)
        lines.append(f"{row[:margin].ljust(margin)} {drawn}".rstrip())
    lines.append(f"from {_number(low)} ({shades[1]}) to {_number(high)} ({shades[-1]})")
    if heads != across:
        lines.append(", ".join(f"{number} {name}" for number, name in enumerate(across, start=1)))
    return lines


def _shade(value: Decimal | None, low: Decimal, high: Decimal, shades: str) -> str:
    if value is None:
        return " "
    step = int((value - low) * 4 / (high - low)) if high > low else 3
    return shades[min(step, 3) + 1] * 2


def _number(value: Any) -> str:
    return f"{value:,}"
