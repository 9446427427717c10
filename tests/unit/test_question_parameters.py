"""Parameters of questions: what is taken for one, and what is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.questions import Parameter, question

_ANY = question(22)
assert _ANY is not None
ASKED = replace(_ANY, parameters=(Parameter("min_orders", 10, 1), Parameter("cost_pct", Decimal("12.0"), Decimal(0))))


def read(**given: object) -> dict[str, int | Decimal]:
    return read_parameters(ASKED, given)


def test_what_is_not_given_has_its_default() -> None:
    assert read() == {"min_orders": 10, "cost_pct": Decimal(12)}
    assert read(min_orders="5") == {"min_orders": 5, "cost_pct": Decimal(12)}


@pytest.mark.parametrize("given", ["5", " 5 ", "5.0", "05", 5, 5.0, Decimal("5.00")])
def test_a_whole_number_may_be_written_in_several_ways(given: object) -> None:
    found = read(min_orders=given)["min_orders"]
    assert (found, type(found)) == (5, int)


SPELT = {"10": "10", "10.00": "10", Decimal("1e1"): "10", 0.5: "0.5", 0.00001: "0.00001", "-0": "0", "00.1": "0.1"}


@pytest.mark.parametrize(("given", "spelt"), SPELT.items())
def test_a_decimal_has_one_spelling_by_which_its_answer_is_kept(given: object, spelt: str) -> None:
    assert str(read(cost_pct=given)["cost_pct"]) == spelt
    assert str(read(cost_pct="12")["cost_pct"]) == str(read()["cost_pct"]), "of a default too"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "0",
        "-1",
        "1.5",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1e999",
        "1e1",
        "1_0",
        "\u0663",
        "1e-999",
        "1000000001",
        "1,000",
        "5;",
        True,
        None,
    ],
)
def test_what_is_no_value_is_refused_with_what_would_be_one(given: object) -> None:
    with pytest.raises(UsageError) as refused:
        read(min_orders=given)
    assert str(refused.value) == (
        f"'{given}' is no min_orders: that is a whole number from 1 to 1,000,000,000, 10 by default."
    )


def test_decimals_have_at_most_six_places() -> None:
    assert read(cost_pct="0.000001")["cost_pct"] == Decimal("0.000001")
    with pytest.raises(UsageError, match="a number with at most 6 decimals from 0 to 1,000,000,000"):
        read(cost_pct="0.0000001")


def test_a_name_that_is_none_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        read(min_order="5")
    told = "Question 22 has no parameter 'min_order': it has min_orders (10), cost_pct (12.0)."
    assert str(refused.value) == told
    with pytest.raises(UsageError, match=r"no parameter 'Min_orders'"):
        read(Min_orders="5")
    with pytest.raises(UsageError, match=r"it has none\.$"):
        read_parameters(replace(ASKED, parameters=()), {"x": 1})


@given(st.text(max_size=30))
def test_any_text_is_a_number_within_its_bounds_or_refused(text: str) -> None:
    try:
        found = read(min_orders=text)["min_orders"]
    except UsageError:
        return
    assert 1 <= found <= 1_000_000_000
    assert found == Decimal(text.strip())
