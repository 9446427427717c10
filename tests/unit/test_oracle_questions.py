"""The terms on which the oracle answers the hundred questions, against examples worked out by hand."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import questions
from tests.oracle.expected import expected
from tests.oracle.lines import a_customer, an_id, an_item, an_order, line, money, write_extract

NUMBERS = sorted(int(path.stem) for path in Path(questions.__file__).parent.glob("[0-9]*.sql"))
TYPES = {"VARCHAR", "INTEGER", "DATE", "DECIMAL(14,2)", "DECIMAL(10,4)"}
EXACT = Context(prec=80)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The oracle of an extract without records, with the terms of the questions."""
    with expected(write_extract(tmp_path_factory.mktemp("nothing"), {})) as oracle:
        questions.answer(oracle, NUMBERS[0])
        yield oracle


def terms(folder: Path, **lines: list[str]) -> duckdb.DuckDBPyConnection:
    oracle = expected(write_extract(folder, lines))
    questions.answer(oracle, NUMBERS[0])
    return oracle


@pytest.mark.parametrize("number", NUMBERS)
def test_a_question_has_an_answer_of_the_types_of_the_contract_even_of_nothing(
    nothing: duckdb.DuckDBPyConnection, number: int
) -> None:
    columns = questions.answer_columns(nothing, number)
    assert set(columns.values()) <= TYPES, columns
    assert {len(row) for row in questions.answer(nothing, number)} <= {len(columns)}


@given(
    numerator=st.decimals("-1e12", "1e12", places=4),
    denominator=st.decimals("-1e6", "1e6", places=2).filter(bool),
    digits=st.sampled_from((0, 2, 4)),
)
def test_a_quotient_is_rounded_exactly_and_half_away_from_zero(
    nothing: duckdb.DuckDBPyConnection, numerator: Decimal, denominator: Decimal, digits: int
) -> None:
    wanted = EXACT.divide(numerator, denominator).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT)
    assert nothing.execute("SELECT q_round(?, ?, ?)", [numerator, denominator, digits]).fetchone() == (wanted,)


def test_halves_go_away_from_zero_and_nothing_is_divided_by_zero(nothing: duckdb.DuckDBPyConnection) -> None:
    assert nothing.execute("SELECT q2(1, 8), q2(-1, 8), q4(1, -32), q2(5, 0), q2(NULL, 2)").fetchone() == (
        money("0.13"),
        money("-0.13"),
        Decimal("-0.0313"),
        None,
        None,
    )


def test_a_float_is_rounded_by_what_it_stands_for(nothing: duckdb.DuckDBPyConnection) -> None:
    halves = (
        "SELECT q2_near(CAST('2.675' AS DOUBLE)), q2_near(CAST('-2.675' AS DOUBLE)), q2_near(CAST('nan' AS DOUBLE))"
    )
    assert nothing.execute(halves).fetchone() == (money("2.68"), money("-2.68"), None)


@given(values=st.lists(st.integers(0, 10**11), min_size=2, max_size=40))
def test_what_a_line_of_least_squares_leaves_sums_to_nothing_also_weighted_by_time(
    nothing: duckdb.DuckDBPyConnection, values: list[int]
) -> None:
    fit = (
        "SELECT q_level(t, y), q_slope(t, y), q_spread(t), q_r2(t, y)"
        " FROM (SELECT CAST(unnest(?) AS HUGEINT) AS y, unnest(range(?)) AS t)"
    )
    ((level, slope, spread, r2),) = nothing.execute(fit, [values, len(values)]).fetchall()
    left = [y * spread - level - slope * t for t, y in enumerate(values)]
    assert (sum(left), sum(t * rest for t, rest in enumerate(left))) == (0, 0)
    mean = Fraction(sum(values), len(values))
    explained = sum((Fraction(level + slope * t, spread) - mean) ** 2 for t in range(len(values)))
    varied = sum((y - mean) ** 2 for y in values)
    assert r2 == pytest.approx(float(explained / varied)) if varied else r2 is None


def test_the_lower_bound_of_a_band_is_in_it(nothing: duckdb.DuckDBPyConnection) -> None:
    bands = (
        "SELECT q_price_band(24.99), q_price_band(25), q_price_band(1000), q_speed_band(3 * 86400 - 1),"
        " q_speed_band(3 * 86400), q_speed_band(-1), q_distance_band(2000), q_installment_band(0),"
        " q_installment_band(11)"
    )
    assert nothing.execute(bands).fetchone() == ("0-25", "25-50", "1000+", "0-3", "3-7", "0-3", "2000+", "1", "11+")


def test_of_equally_long_runs_of_large_months_the_latest_is_the_regular_period(tmp_path: Path) -> None:
    # 1 of 201 orders is below 0.5 %: 2017-03 parts two runs of two months.
    placed = ["2017-01"] * 50 + ["2017-02"] * 50 + ["2017-03"] + ["2017-04"] * 50 + ["2017-05"] * 50
    orders = [an_order(number, placed=f"{month}-10 08:00:00") for number, month in enumerate(placed, 1)]
    oracle = terms(tmp_path, orders=orders)
    assert oracle.execute("SELECT r, CAST(close_date AS VARCHAR), has_halves FROM q.period").fetchone() == (
        2,
        "2017-05-31",
        False,
    )
    assert oracle.execute("SELECT month, t FROM q.months ORDER BY month").fetchall() == [
        ("2017-01", None),
        ("2017-02", None),
        ("2017-03", None),
        ("2017-04", 0),
        ("2017-05", 1),
    ]


def test_an_order_has_the_place_of_its_own_alias_and_its_number_among_the_valid_ones(tmp_path: Path) -> None:
    oracle = terms(
        tmp_path,
        orders=[
            an_order(1, "canceled", "2017-01-01 00:00:00"),
            an_order(2, "shipped", "2017-01-02 00:00:00"),
            an_order(3, "delivered", "2017-01-02 00:00:00"),
            an_order(4, "delivered", "2017-01-03 00:00:00"),
        ],
        customers=[a_customer(101, 9), a_customer(102, 9, city="Itú ", state="RJ"), a_customer(103, 9, state="??")],
    )
    shown = oracle.execute("SELECT city, state, region, order_no FROM q.orders ORDER BY order_id").fetchall()
    assert shown == [
        ("sao paulo", "SP", "Southeast", None),
        ("itu", "RJ", "Southeast", 1),
        ("sao paulo", "??", "unknown", 2),
        ("unknown", "unknown", "unknown", 1),
    ]


def test_an_order_without_lines_has_no_value_and_its_dearest_line_gives_the_main_category(tmp_path: Path) -> None:
    oracle = terms(
        tmp_path,
        orders=[an_order(1), an_order(2)],
        order_items=[an_item(2, 1, "5.00", "1.00"), an_item(2, 2, "7.00"), an_item(2, 3, "7.00")],
        products=[line(an_id(70), "bebes", *[""] * 7)],
        categories=["bebes,baby"],
    )
    shown = oracle.execute("SELECT item_count, value, paid, main_category FROM q.orders ORDER BY order_id").fetchall()
    assert shown == [(0, None, money("0.00"), None), (3, money("20.00"), money("0.00"), "baby")]


def test_words_of_a_review_are_title_and_comment_without_accents(tmp_path: Path) -> None:
    times = ("2017-04-01 00:00:00", "")
    reviews = [
        line(an_id(8), an_id(1), 1, " Não", '"veio\r\n NADA "', *times),
        line(an_id(9), an_id(1), 5, "", "", *times),
    ]
    oracle = terms(tmp_path, orders=[an_order(1)], order_reviews=reviews)
    assert oracle.execute("SELECT words FROM q.reviews ORDER BY review_id").fetchall() == [("nao veio nada",), ("",)]


def test_a_customer_churns_after_180_days_and_is_new_without_a_delivered_order(tmp_path: Path) -> None:
    oracle = terms(
        tmp_path,
        orders=[an_order(1, placed="2017-01-01 23:00:00"), an_order(2, "shipped", "2017-01-02 00:00:00")],
        customers=[a_customer(101, 1), a_customer(102, 2)],
    )
    on = "SELECT segment FROM q.segments(DATE '{}') ORDER BY customer_id"
    assert [oracle.execute(on.format(day)).fetchall() for day in ("2017-01-01", "2017-06-30", "2017-07-01")] == [
        [("ONE_TIME",)],
        [("ONE_TIME",), ("NEW",)],
        [("CHURNED",), ("NEW",)],
    ]


def test_parameters_replace_defaults_and_unknown_ones_are_refused(nothing: duckdb.DuckDBPyConnection) -> None:
    assert questions.defaults(11) == {"commission_pct": 10, "fee_per_line": money("5.00"), "min_lines": 20}
    assert questions.defaults(1) == {}
    with pytest.raises(ValueError, match=r"question 11 has no parameters \['limit'\]"):
        questions.answer(nothing, 11, {"limit": 3})
