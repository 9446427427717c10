"""Charts of an answer as lines of text: columns for a line, bars, stacked bars, and a heat map, drawn with blocks.

Rows over everything ("all") are not drawn. A map is drawn as bars, the greatest first; a stacked bar shows parts within
their whole, which is its last column. Where several columns are to be drawn side by side the first one is. What has no
room on the terminal is left out rather than cut off.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Any

from replayhouse.infra.cli.output import fitted, terminal_width
from replayhouse.infra.cli.streams import legible

HEIGHT = 8
"""Lines of a chart of columns."""

MOST_BARS = 30
"""More bars than these are no chart any more: the first ones are drawn."""

_BAR = 40
_LABEL = 36
_WIDEST_COLUMN = 6
_STEPS = (1, 2, 3, 4, 6, 12, 24, 60)
_EIGHTHS, _IN_ASCII = " ▁▂▃▄▅▆▇█", " .:-=+*%#"
_REST = " ▏▎▍▌▋▊▉"
_SHADES, _SHADES_IN_ASCII = "░▒▓█", ".+x#"
_PARTS, _PARTS_IN_ASCII = "█▒░▓▚▤▥·", "#=.+ox:-"

Row = Sequence[Any]
Points = Sequence[tuple[str, Decimal | None]]
Cells = Sequence[tuple[str, str, Decimal | None]]


def draw(
    chart: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Row], width: int, *, is_unicode: bool
) -> list[str]:
    """The lines of a chart, no wider than `width` signs; none where there is nothing to draw, or no room.

    `chart` has its kind and the names of the columns that it draws, as questions declare it.
    """
    parts = [row for row in rows if row and row[0] != "all"]
    place = {name: at for at, name in enumerate(columns)}

    def label(row: Row, name: str) -> str:
        return _label(row[place[name]], is_unicode)

    def value(row: Row, name: str) -> Decimal | None:
        return None if row[place[name]] is None else Decimal(row[place[name]])

    kind = chart["kind"]
    if kind == "heat map":
        x, y, shown = (str(chart[name]) for name in ("x", "y", "value"))
        cells = [(label(row, y), label(row, x), value(row, shown)) for row in parts]
        return _titled(f"{shown} by {y} and {x}", _grid(cells, width, is_unicode), width)
    if kind not in ("line", "bar", "map", "stacked bar"):
        return []
    x, ys, series = str(chart["x"]), list(map(str, chart["y"])), chart.get("series")
    if kind == "stacked bar":
        if series:
            split = [(label(row, x), label(row, series), value(row, ys[0])) for row in parts]
        else:
            split = [cell for row in parts for cell in _within(label(row, x), ys, [value(row, name) for name in ys])]
        stacked = _stacked(split, width, is_unicode)
        if stacked:
            return _titled(f"{ys[0] if series else ys[-1]} by {x}", stacked, width)
    labels = [x] if series in (None, x) else [series, x]
    points = [(" ".join(label(row, name) for name in labels), value(row, ys[0])) for row in parts]
    if kind == "map":
        points.sort(key=lambda point: (point[1] is None, -(point[1] or 0)))
    drawn = _columns(points, width, is_unicode) if kind == "line" and labels == [x] else []
    return _titled(f"{ys[0]} by {x}", drawn or _bars(points, width, is_unicode), width)


def _titled(title: str, lines: list[str], width: int) -> list[str]:
    return [fitted(title, width).rstrip(), *lines] if lines else []


def _columns(points: Points, width: int, is_unicode: bool) -> list[str]:
    """Columns side by side, up from 0 or hanging from it; nothing stands where null is."""
    values = [value for _, value in points if value is not None]
    if len(values) < 2:
        return []
    low, high = _span(values)
    below = 0 if low == 0 else HEIGHT if high == 0 else min(max(round(-low * HEIGHT / (high - low)), 1), HEIGHT - 1)
    above = HEIGHT - below
    line_is = max(high / above if above else Decimal(0), -low / below if below else Decimal(0)) or Decimal(1)
    scale = {max(above - 1, 0): "0"}
    if high > 0:
        scale[above - ceil(high / line_is)] = _number(high)
    if low < 0:
        scale[above - 1 + ceil(-low / line_is)] = _number(low)
    margin = max(map(len, scale.values()))
    wide = min((width - margin - 1) // len(points), _WIDEST_COLUMN)
    if wide < 1:
        return []
    steps = [None if value is None else _step(value / line_is) for _, value in points]
    lines = []
    for line in range(HEIGHT):
        drawn = "".join(
            (_block(step or 0, above - 1 - line, is_unicode) * max(wide - wide // 3, 1)).ljust(wide) for step in steps
        )
        lines.append(f"{scale.get(line, '').rjust(margin)} {drawn}".rstrip())
    lines.append(f"{' ' * margin} {_axis([label for label, _ in points], wide, width - margin - 1)}".rstrip())
    return lines


def _step(lines: Decimal) -> int:
    """A height in eighths of a line; what is more than nothing, or less, is seen."""
    step = int(lines * 8)
    return step or (lines > 0) - (lines < 0)


def _block(step: int, line: int, is_unicode: bool) -> str:
    """What a column of that height shows in a line: those from 0 up are 0, 1, ..., those below it -1, -2, ..."""
    if line >= 0:
        return (_EIGHTHS if is_unicode else _IN_ASCII)[min(max(step - 8 * line, 0), 8)]
    hangs = -step - 8 * (-line - 1)  # blocks that hang come in halves only
    if is_unicode:
        return "█" if hangs > 4 else "▀" if hangs > 0 else " "
    return "#" if hangs > 4 else "'" if hangs > 0 else " "


def _span(values: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    """The least and the greatest value, 0 among them."""
    found = [Decimal(0), *values]
    return min(found), max(found)


def _axis(labels: Sequence[str], wide: int, width: int) -> str:
    """Labels under columns that are so wide each: as many as have room, at equal distances."""
    room = max(map(terminal_width, labels)) + 1
    step = next((step for step in _STEPS if step * wide >= room), len(labels))
    line = ""
    for at in range(0, len(labels), step):
        if at * wide + terminal_width(labels[at]) <= width:
            line = fitted(line, at * wide) + labels[at]
    return line


def _bars(points: Points, width: int, is_unicode: bool) -> list[str]:
    """Bars to the right of what is no less than 0, and to its left below that."""
    known = [(label, value) for label, value in points if value is not None]
    if not known:
        return []
    shown = known[:MOST_BARS]
    numbers = [_number(value) for _, value in shown]
    margin = max(map(len, numbers))
    wide = min(max(terminal_width(label) for label, _ in shown), _LABEL, max(width - margin - 12, 4))
    room = min(_BAR, width - wide - margin - 4)
    if room < 1:
        return []
    low, high = _span(value for _, value in shown)
    left = -int(low * room // (high - low)) if low < 0 else 0  # rounded up: the least one is seen
    lines = []
    for (label, value), number in zip(shown, numbers, strict=True):
        eighths = int(abs(value) * (left if value < 0 else room - left) * 8 / ((-low if value < 0 else high) or 1))
        bar = _bar(eighths, is_unicode) if value >= 0 else ""
        below = "" if value >= 0 else _bar((eighths + 4) // 8 * 8, is_unicode)
        lines.append(f"{fitted(label, wide)}  {number.rjust(margin)}  {below.rjust(left)}{bar}".rstrip())
    if len(known) > len(shown):
        lines.append(fitted(f"and {len(known) - len(shown):,} more", width).rstrip())
    return lines


def _bar(eighths: int, is_unicode: bool) -> str:
    return "█" * (eighths // 8) + _REST[eighths % 8].strip() if is_unicode else "#" * ((eighths + 4) // 8)


def _within(
    label: str, names: Sequence[str], values: Sequence[Decimal | None]
) -> list[tuple[str, str, Decimal | None]]:
    """The parts of a whole, which comes last, and what is left of it: whole and parts together are nothing that is."""
    *parts, whole = values
    left = (whole or Decimal(0)) - sum((part for part in parts if part is not None), Decimal(0))
    told = [*zip(names, parts, strict=False), (f"the rest of {names[-1]}", left)]
    return [(label, name, value) for name, value in told]


def _stacked(cells: Cells, width: int, is_unicode: bool) -> list[str]:
    """Bars of several parts; none where there are too many parts to tell apart, or some are below 0."""
    signs = _PARTS if is_unicode else _PARTS_IN_ASCII
    names = list(dict.fromkeys(part for _, part, _ in cells))
    if len(names) > len(signs) or any(value is not None and value < 0 for _, _, value in cells):
        return []
    bars: dict[str, list[tuple[str, Decimal]]] = {}
    for label, part, value in cells:
        bars.setdefault(label, []).append((signs[names.index(part)], value or Decimal(0)))
    totals = {label: sum((value for _, value in found), Decimal(0)) for label, found in bars.items()}
    greatest = max(totals.values(), default=Decimal(0))
    shown = list(bars)[:MOST_BARS]
    margin = max((len(_number(totals[label])) for label in shown), default=0)
    wide = min(max(map(terminal_width, shown), default=0), _LABEL, max(width - margin - 12, 4))
    room = min(_BAR, width - wide - margin - 4)
    if not greatest or room < 1:
        return []
    lines = []
    for label in shown:
        drawn, reached = "", Decimal(0)
        for sign, value in bars[label]:
            reached += value
            drawn += sign * (int(reached * room / greatest) - len(drawn))
        lines.append(f"{fitted(label, wide)}  {_number(totals[label]).rjust(margin)}  {drawn}".rstrip())
    more = [f"and {len(bars) - len(shown):,} more"] if len(bars) > len(shown) else []
    return [*lines, *_filled([*more, *(f"{sign} {name}" for sign, name in zip(signs, names, strict=False))], width)]


def _grid(cells: Cells, width: int, is_unicode: bool) -> list[str]:
    """A heat map, or, where each column has a value in one row only, a strip of columns for each row."""
    known = {(row, column): value for row, column, value in cells if value is not None}
    rows = list(dict.fromkeys(row for row, _, _ in cells))
    across = list(dict.fromkeys(column for _, column, _ in cells))
    if not known:
        return []
    if any((rows[0], column) not in known for column in across):  # no row tells their order
        across.sort(key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    if len(rows) > 1 and len(known) == len({column for _, column in known}):
        return _strips(known, rows, width, is_unicode)
    shades = _SHADES if is_unicode else _SHADES_IN_ASCII
    margin = min(max(map(terminal_width, rows)), _LABEL, max(width - 1 - 2 * len(across), 6))
    wide = min((width - margin - 1) // len(across), max(max(map(terminal_width, across)) + 1, 3))
    if wide < 1:
        return []
    distinct = sorted(set(known.values()))
    ranks = {value: rank * len(shades) // len(distinct) for rank, value in enumerate(distinct)}
    has_names = all(terminal_width(name) < wide for name in across)
    heads = across if has_names else [str(number) for number, _ in enumerate(across, start=1)]
    lines = [f"{' ' * margin} {_axis(heads, wide, width - margin - 1)}".rstrip()]
    for row in rows[:MOST_BARS]:
        drawn = "".join(
            (shades[ranks[known[row, column]]] * max(wide - 1, 1) if (row, column) in known else "").ljust(wide)
            for column in across
        )
        lines.append(f"{fitted(row, margin)} {drawn}".rstrip())
    if len(rows) > MOST_BARS:
        lines.append(fitted(f"and {len(rows) - MOST_BARS:,} more", width).rstrip())
    if not has_names:
        lines += _filled([f"{number} {name}" for number, name in zip(heads, across, strict=True)], width)
    return lines + _filled(_legend(ranks, shades), width)


def _legend(ranks: Mapping[Decimal, int], shades: str) -> list[str]:
    """What each shade stands for: a quarter of the values that differ."""
    told = []
    for rank, shade in enumerate(shades):
        of_it = [value for value, found in ranks.items() if found == rank]
        if of_it:
            least, most = _number(min(of_it)), _number(max(of_it))
            told.append(f"{shade} {least}" if least == most else f"{shade} {least} to {most}")
    return told


def _strips(known: Mapping[tuple[str, str], Decimal], rows: Sequence[str], width: int, is_unicode: bool) -> list[str]:
    blocks = (_EIGHTHS if is_unicode else _IN_ASCII)[1:]
    low, high = _span(known.values())
    margin = min(max(map(terminal_width, rows)), _LABEL)
    lines, told = [], f"the highest is {_number(max(known.values()))}, the lowest {_number(min(known.values()))}"
    for row in rows[:MOST_BARS]:
        of_it = {column: value for (of, column), value in known.items() if of == row}
        if not of_it or margin + 2 + len(of_it) > width:
            continue
        drawn = "".join(blocks[int((value - low) * 7 / (high - low)) if high > low else 0] for value in of_it.values())
        ends = list(dict.fromkeys((next(iter(of_it)), list(of_it)[-1])))
        line = f"{fitted(row, margin)}  {drawn}"
        with_ends = f"{line}  {' to '.join(ends)}"
        lines.append(with_ends if terminal_width(with_ends) <= width else line)
    return [*lines, *_filled([told], width)] if lines else []


def _filled(parts: Iterable[str], width: int) -> list[str]:
    """Parts one after another, in as many lines as they need; one that is wider than a line is cut."""
    lines: list[str] = []
    for part in (fitted(part, width).rstrip() for part in parts):
        if lines and terminal_width(lines[-1]) + 2 + terminal_width(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return lines


def _label(value: Any, is_unicode: bool) -> str:
    text = "-" if value is None else legible(str(value))
    return text if is_unicode else text.encode("ascii", "backslashreplace").decode()


def _number(value: Decimal) -> str:
    return f"{value:,}"
