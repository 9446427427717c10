"""Charts of answers on pages: what the server works out for them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.read_models.kept_answers import Origin
from replayhouse.infra.web.charts import MOST_BARS, STATES, Canvas, Grid, Other, TileMap, charts_of, sparkline
from replayhouse.infra.web.pages.overview_words import in_words
from replayhouse.projections.questions import Column, Question, question

WHEN = datetime(2026, 3, 1, tzinfo=UTC)


def asked(chart: dict[str, Any], columns: str, key: int = 1) -> Question:
    """A question with these columns, the first ones of which are its key."""
    found = question(22)
    assert found is not None
    names = columns.split()
    kinds = tuple(Column(name, "text" if place < key else "numeric(14,2)") for place, name in enumerate(names))
    return replace(found, chart=chart, columns=kinds, key=tuple(names[:key]))


def answer(question: Question, *rows: Sequence[Any]) -> Answer:
    return Answer(question, [tuple(row) for row in rows], Origin("", {}, 1, None, 0), "", WHEN, is_kept=True)


def address(row: Sequence[Any], column: str) -> str:
    return f"/{row[0]}/{column}"


LINE = asked({"kind": "line", "x": "month", "y": ["late_pct"]}, "month late_pct")


def canvas(found: Any) -> Canvas:
    (one,) = found
    assert isinstance(one, Canvas)
    assert json.dumps(one.spec, allow_nan=False)
    return one


def test_a_line_has_the_figures_of_all_rows_but_the_one_over_everything() -> None:
    drawn = canvas(
        charts_of(answer(LINE, ("all", 9), ("2017-01", Decimal("1.50")), ("2017-02", None)), None, address, ())
    )
    assert drawn.spec["x"] == ["2017-01", "2017-02"]
    assert drawn.spec["series"] == [{"name": "late_pct", "data": [1.5, None]}]
    assert drawn.spec["href"] == ["/2017-01/late_pct", "/2017-02/late_pct"]
    assert drawn.spec["unit"] == "pct"
    assert drawn.legend == []


def test_the_other_answer_stands_beside_it_matched_by_key() -> None:
    other = Other(answer(LINE, ("2017-02", 7), ("2017-03", 8)), "as known now")
    drawn = canvas(charts_of(answer(LINE, ("2017-01", 1), ("2017-02", 2)), other, address, ()))
    assert drawn.spec["series"][1] == {"name": "as known now", "role": "before", "data": [None, 7]}
    assert [says for _, says in drawn.legend] == ["late_pct", "as known now"]


def test_open_months_are_told_by_their_place() -> None:
    drawn = canvas(charts_of(answer(LINE, ("2017-01", 1), ("2017-02", 2)), None, address, {"2017-02"}))
    assert drawn.spec["open"] == [1]
    assert any("95 %" in says for _, says in drawn.legend)


def test_long_names_make_bars_lie_and_no_more_are_drawn_than_can_be_seen() -> None:
    bars = asked({"kind": "bar", "x": "category", "y": ["revenue"]}, "category revenue")
    rows = [(f"a_long_category_{place}", place) for place in range(MOST_BARS + 5)]
    drawn = canvas(charts_of(answer(bars, *rows), None, address, ()))
    assert (drawn.spec["kind"], len(drawn.spec["x"])) == ("hbar", MOST_BARS)
    assert drawn.title == f"the first {MOST_BARS} of {MOST_BARS + 5}"
    assert drawn.spec["x"][0] == "a long category 0"
    short = canvas(charts_of(answer(bars, ("toys", 1), ("pets", 2)), None, address, ()))
    assert (short.spec["kind"], short.title) == ("bar", "")


def test_amounts_have_the_sign_of_their_currency() -> None:
    bars = asked({"kind": "bar", "x": "category", "y": ["revenue"]}, "category revenue")
    in_reais = answer(bars, ("toys", Decimal("1.50")))
    for told, sign in ((in_reais, "R$"), (replace(in_reais, currency="EUR"), "EUR")):
        spec = canvas(charts_of(told, None, address, ())).spec
        assert (spec["unit"], spec["sign"]) == ("money", sign)
    assert in_words(Decimal("1234.5"), "money", 2, "EUR") == "EUR 1,234.50"


def test_a_part_is_drawn_within_its_whole() -> None:
    stacked = asked({"kind": "stacked bar", "x": "band", "y": ["part", "whole"]}, "band part whole")
    drawn = canvas(charts_of(answer(stacked, ("1", 1, 2)), None, address, ()))
    assert drawn.spec["kind"] == "within"
    assert [one["name"] for one in drawn.spec["series"]] == ["part", "whole"]


def test_groups_that_share_the_axis_share_the_chart_and_others_have_their_own() -> None:
    chart = {"kind": "line", "x": "month", "y": ["orders"], "series": "category"}
    lines = asked(chart, "category month orders", key=2)
    rows = [("toys", "2017-01", 1), ("toys", "2017-02", 2), ("pets", "2017-01", 3)]
    drawn = canvas(charts_of(answer(lines, *rows), None, address, ()))
    assert drawn.spec["series"] == [{"name": "toys", "data": [1, 2]}, {"name": "pets", "data": [3, None]}]
    bars = replace(lines, chart={**chart, "kind": "bar"})
    found = charts_of(answer(bars, ("year", "2017", 1), ("quarter", "2017-Q1", 2)), None, address, ())
    assert [one.title for one in found] == ["year", "quarter"]


def test_dots_have_both_figures_and_a_name() -> None:
    dots = asked({"kind": "scatter", "x": "sellers", "y": ["orders"]}, "category sellers orders")
    drawn = canvas(charts_of(answer(dots, ("toys", 2, Decimal("3.5"))), None, address, ()))
    assert drawn.spec["series"][0]["data"] == [[2, 3.5, "toys"]]


MAP = asked({"kind": "map", "x": "place", "y": ["score"]}, "place score")


def test_a_map_has_every_state_in_its_place_and_other_places_beside_it() -> None:
    tiles, bars = charts_of(answer(MAP, ("South", 3), ("SP", 1), ("RJ", 2)), None, address, ())
    assert isinstance(tiles, TileMap)
    assert [None if tile is None else tile.name for tile in tiles.tiles] == [
        None if state == "." else state for state in chain(*STATES)
    ]
    assert [tile.says for tile in tiles.tiles if tile is not None and tile.address] == ["1", "2"]
    assert isinstance(bars, Canvas)
    assert bars.spec["x"] == ["South"]


def test_states_of_other_regions_are_bars_though_brazils_have_the_same_letters() -> None:
    places = asked({"kind": "map", "x": "state", "y": ["revenue"]}, "state region revenue")
    (bars,) = charts_of(answer(places, ("PA", "East", 1), ("CA", "West", 2)), None, address, ())
    assert isinstance(bars, Canvas)
    assert sorted(bars.spec["x"]) == ["CA", "PA"]
    assert isinstance(charts_of(answer(places, ("PA", "North", 1)), None, address, ())[0], TileMap)


def test_all_states_are_on_the_map_once() -> None:
    states = [state for state in chain(*STATES) if state != "."]
    assert len(states) == len(set(states)) == 27
    assert {len(line) for line in STATES} == {6}


def test_what_is_more_is_never_lighter() -> None:
    states = sorted({state for state in chain(*STATES) if state != "."})
    values = [Decimal(place**3) for place in range(len(states))]
    (found,) = charts_of(answer(MAP, *zip(states, values, strict=True)), None, address, ())
    assert isinstance(found, TileMap)
    shade = {tile.name: tile.shade for tile in found.tiles if tile is not None}
    shades = [shade[state] for state in states]
    assert all(one <= next_ for one, next_ in pairwise(shades))
    assert set(shades) == set(range(6))


HEAT = asked({"kind": "heat map", "x": "offset", "y": "cohort", "value": "pct"}, "cohort offset pct", key=2)


def test_a_grid_has_its_columns_in_order_and_gaps_where_there_is_nothing() -> None:
    rows = [("a", 10, 1), ("b", 2, Decimal("2.25")), ("b", 10, None)]
    (found,) = charts_of(answer(HEAT, *rows), None, address, ())
    assert isinstance(found, Grid)
    assert list(found.columns) == ["2", "10"]
    told = {line: [None if tile is None else tile.says for tile in tiles] for line, tiles in found.rows}
    assert told == {"a": [None, "1"], "b": ["2.3", "–"]}


def test_rows_of_a_grid_that_share_no_column_have_a_grid_each() -> None:
    found = charts_of(answer(HEAT, ("hour", "00", 1), ("weekday", "Monday", 2)), None, address, ())
    assert [list(one.columns) for one in found if isinstance(one, Grid)] == [["00"], ["Monday"]]


def test_of_a_table_and_of_nothing_there_is_no_chart() -> None:
    table = asked({"kind": "table"}, "seller_id orders")
    assert charts_of(answer(table, ("a", 1)), None, address, ()) == []
    assert charts_of(answer(LINE), None, address, ()) == []
    assert charts_of(answer(LINE, ("all", 1)), None, address, ()) == []


def test_a_small_line_keeps_within_its_box_and_rises_with_the_figures() -> None:
    points = sparkline(answer(LINE, ("2017-01", 1), ("2017-02", None), ("2017-03", 5), ("2017-04", 3)))
    assert len(points) == 3
    assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[1][1] < points[2][1] < points[0][1]
    assert sparkline(answer(LINE, ("2017-01", 1))) == []
