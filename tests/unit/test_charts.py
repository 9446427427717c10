"""Charts of answers: what they draw, and that they keep to the terminal."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.cli.charts import HEIGHT, MOST_BARS, draw
from replayhouse.infra.cli.output import terminal_width
from replayhouse.projections.questions import Question, questions

LINE = {"kind": "line", "x": "month", "y": ["late"]}
BAR = {"kind": "bar", "x": "month", "y": ["late"]}
HEAT = {"kind": "heat map", "x": "offset", "y": "cohort", "value": "pct"}
STACKED = {"kind": "stacked bar", "x": "month", "y": ["late", "early"]}


def drawn(
    chart: dict[str, Any], columns: str, *rows: Sequence[Any], width: int = 80, unicode: bool = True
) -> list[str]:
    return draw(chart, columns.split(), rows, width, is_unicode=unicode)


def test_a_line_has_a_column_for_each_value_and_a_gap_where_there_is_none() -> None:
    lines = drawn(LINE, "month late", ("2017-01", 4), ("2017-02", None), ("2017-03", 8))
    assert lines[0] == "late by month"
    assert lines[1:] == [
        "8             ████",
        *["              ████"] * 3,
        *["  ████        ████"] * 3,
        "0 ████        ████",
        "  2017-01     2017-03",
    ]


def test_columns_below_nothing_hang_from_it() -> None:
    lines = drawn(LINE, "month late", ("a", Decimal("10.00")), ("b", Decimal("-10.00")), ("c", 0), ("d", -5))
    assert lines[1 : HEIGHT + 1] == [
        " 10.00 ████",
        "       ████",
        "       ████",
        "     0 ████",
        "             ████        ████",
        "             ████        ████",
        "             ████",
        "-10.00       ████",
    ]
    lines = drawn(LINE, "month late", ("a", -8), ("b", Decimal("-1.5")))
    assert lines[1] == " 0 ████  ████"
    assert lines[2] == "   ████  ▀▀▀▀"
    assert lines[HEIGHT] == "-8 ████"
    assert drawn(LINE, "month late", ("a", 0), ("b", 0))[HEIGHT] == "0"


def test_columns_of_a_heat_map_are_sorted_where_no_row_has_them_all() -> None:
    rows = [("a", "10", 1), ("b", "2", 2), ("b", "10", 3), ("c", "2", 4)]
    assert drawn(HEAT, "cohort offset pct", *rows)[1].split() == ["2", "10"]


@pytest.mark.parametrize("chart", [LINE, BAR, {**BAR, "kind": "map"}, HEAT, STACKED, {"kind": "table"}])
def test_of_no_rows_and_of_nothing_but_nulls_nothing_is_drawn(chart: dict[str, Any]) -> None:
    columns = "cohort offset pct month late early"
    assert drawn(chart, columns) == []
    assert drawn(chart, columns, ("a", "b", None, "2017-01", None, None)) == []
    assert drawn(chart, columns, ("all", "b", 1, "2017-01", 1, 1)) == [], "the row over everything is no part"


def test_a_single_point_is_a_bar() -> None:
    assert drawn(LINE, "month late", ("2017-01", 4), ("2017-02", None)) == ["late by month", "2017-01  4  " + "█" * 40]


def test_bars_are_as_long_as_their_values_and_stand_on_both_sides_of_nothing() -> None:
    rows = (("all", 99), ("up", 30), ("down", -10), ("none", 0), ("unknown", None))
    assert drawn(BAR, "month late", *rows) == [
        "late by month",
        f"up     30  {' ' * 10}{'█' * 30}",
        f"down  -10  {'█' * 10}",
        "none    0",
    ]
    ascii_lines = drawn(BAR, "month late", *rows, unicode=False)
    assert ascii_lines[1] == f"up     30  {' ' * 10}{'#' * 30}"


def test_a_map_has_the_greatest_state_first() -> None:
    lines = drawn({**BAR, "kind": "map"}, "month late", ("SP", 1), ("RJ", 3), ("AC", None), ("MG", 2))
    assert [line.split()[0] for line in lines[1:]] == ["RJ", "MG", "SP"]


def test_more_bars_than_a_chart_shows_are_counted() -> None:
    lines = drawn(BAR, "month late", *((f"m{number}", 1) for number in range(MOST_BARS + 5)))
    assert len(lines) == 1 + MOST_BARS + 1
    assert lines[-1] == "and 5 more"


def test_bars_of_several_series_say_which() -> None:
    lines = drawn({**BAR, "series": "kind"}, "kind month late", ("year", "2017", 3), ("quarter", "2017-Q1", 1))
    assert [line[:15].rstrip() for line in lines[1:]] == ["year 2017", "quarter 2017-Q1"]


def test_stacked_bars_have_parts_within_their_whole_or_the_parts_of_a_series() -> None:
    columns = drawn(STACKED, "month late early", ("a", 10, 40), ("b", 20, 20))
    assert columns == [
        "early by month",
        f"a  40  {'█' * 10}{'▒' * 30}",
        f"b  20  {'█' * 20}",
        "█ late  ▒ the rest of early",
    ]
    series = {"kind": "stacked bar", "x": "month", "y": ["n"], "series": "part"}
    rows = (("a", "late", 10), ("a", "early", 30), ("b", "late", 20))
    assert drawn(series, "month part n", *rows)[1:] == [*columns[1:3], "█ late  ▒ early"]
    assert drawn(STACKED, "month late early", ("a", 10, 5))[1].startswith("a  10"), (
        "a part beyond its whole is no stack"
    )


def test_a_heat_map_has_a_shade_for_each_quarter_of_the_values() -> None:
    rows = [("a", 0, 1), ("a", 1, 2), ("b", 0, 3), ("b", 1, 1000), ("c", 0, None), ("c", 1, 1)]
    assert drawn(HEAT, "cohort offset pct", *rows) == [
        "pct by cohort and offset",
        "  0  1",
        "a ░░ ▒▒",
        "b ▓▓ ██",
        "c    ░░",
        "░ 1  ▒ 2  ▓ 3  █ 1,000",
    ]
    assert drawn(HEAT, "cohort offset pct", *rows, unicode=False)[-1] == ". 1  + 2  x 3  # 1,000"


def test_columns_of_a_heat_map_whose_names_have_no_room_are_numbered() -> None:
    rows = [(state, f"a category with a long name {number}", number) for state in "ab" for number in range(20)]
    lines = drawn(HEAT, "cohort offset pct", *rows, width=60)
    assert lines[1].split()[0] == "1"
    assert "20 a category with a long name 19" in " ".join(lines)


def test_a_heat_map_whose_columns_belong_to_one_row_each_is_strips() -> None:
    rows = [("hour", "00", 0), ("hour", "01", 70), ("day", "Monday", 10)]
    assert drawn(HEAT, "cohort offset pct", *rows) == [
        "pct by cohort and offset",
        "hour  ▁█  00 to 01",
        "day   ▂  Monday",
        "the highest is 70, the lowest 0",
    ]


LABELS = st.one_of(
    st.text(max_size=60), st.sampled_from(["2017-01", "all", "日本語のながい名前" * 5, "e\u0301" * 30, "a\x1b[31m\n"])
)
VALUES = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.decimals("-1e9", "1e9", places=2))
ROWS = st.lists(st.tuples(LABELS, LABELS, VALUES, VALUES), max_size=80)
CHARTS: list[dict[str, Any]] = [
    {"kind": "line", "x": "a", "y": ["n"]},
    {"kind": "line", "x": "a", "y": ["n", "m"], "series": "b"},
    {"kind": "bar", "x": "b", "y": ["n"]},
    {"kind": "map", "x": "a", "y": ["m"]},
    {"kind": "stacked bar", "x": "a", "y": ["n", "m"]},
    {"kind": "stacked bar", "x": "a", "y": ["n"], "series": "b"},
    {"kind": "heat map", "x": "a", "y": "b", "value": "n"},
    {"kind": "scatter", "x": "n", "y": ["m"]},
    {"kind": "table"},
]


@given(chart=st.sampled_from(CHARTS), rows=ROWS, width=st.integers(20, 200), unicode=st.booleans())
def test_no_line_is_wider_than_the_terminal_or_steers_it(
    chart: dict[str, Any], rows: list[tuple[Any, ...]], width: int, unicode: bool
) -> None:
    for line in drawn(chart, "a b n m", *rows, width=width, unicode=unicode):
        assert terminal_width(line) <= width
        assert line.isprintable()
        assert unicode or line.isascii()


@given(values=st.lists(st.integers(0, 10**6), min_size=2, max_size=10))  # more have no room for six signs each
def test_a_greater_value_never_has_a_shorter_column(values: list[int]) -> None:
    lines = drawn(LINE, "month late", *((str(number), value) for number, value in enumerate(values)))
    margin = len(f"{max(values):,}") + 1
    chart = [line.ljust(80)[margin:] for line in lines[1 : HEIGHT + 1]]
    heights = [sum(" ▁▂▃▄▅▆▇█".index(line[6 * place]) for line in chart) for place in range(len(values))]
    assert [height for _, height in sorted(zip(values, heights, strict=True))] == sorted(heights)
    assert all((value > 0) == (height > 0) for value, height in zip(values, heights, strict=True))


SAMPLES: dict[str, Any] = {"text": "SP", "int": 3, "date": date(2018, 5, 1)}


@pytest.mark.parametrize("asked", questions(), ids=lambda asked: asked.path.stem)
def test_the_chart_of_every_question_can_be_drawn(asked: Question) -> None:
    rows = [tuple(SAMPLES.get(column.type, Decimal(f"{number}.50")) for column in asked.columns) for number in range(3)]
    lines = drawn(dict(asked.chart), " ".join(column.name for column in asked.columns), *rows)
    assert bool(lines) == (asked.chart["kind"] not in ("table", "scatter"))
