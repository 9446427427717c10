"""The sentence with the finding: what it may refer to, and how values stand in it."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from replayhouse.infra.answers import findings
from replayhouse.infra.answers.findings import NOTHING, find, in_words
from replayhouse.projections.questions import Question, question, questions

LATE = question(22)
assert LATE is not None
ROWS: list[tuple[Any, ...]] = [
    ("all", 30, 9, Decimal("30.00"), None, None, None, Decimal("2.00")),
    ("2017-01", 10, 5, Decimal("50.00"), None, None, None, Decimal("1.00")),
    ("2017-02", 10, 1, Decimal("10.00"), Decimal("-40.00"), None, None, Decimal("3.00")),
    ("2017-03", 10, 3, Decimal("30.00"), Decimal("20.00"), None, None, Decimal("2.00")),
    ("2017-04", 0, 0, None, None, None, None, None),
]


VERDICTS = ("verdict", "coverage")
"""What findings take of backtests."""


def told(*sentences: str, rows: list[tuple[Any, ...]] = ROWS, backtest: dict[str, Any] | None = None) -> str:
    assert LATE is not None
    return find(replace(LATE, findings=sentences), rows, backtest or {})


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("{first.month}", "2017-01"),
        ("{last.month}", "2017-04"),
        ("{all.late}", "9"),
        ("{is(2017-02).late}", "1"),
        ("{top(late_pct).month}", "2017-01"),
        ("{low(late_pct).month}", "2017-02"),
        ("{top(change_pp).change_pp}", "20.00"),
        ("{low(change_pp).change_pp}", "-40.00"),
        ("{last(late_pct).month}", "2017-03"),
        ("{rows}", "5"),
        ("{backtest.verdict}", "The mean did better."),
        ("{backtest.mape_model}", "7.1 %"),
    ],
)
def test_a_reference_is_the_value_of_its_row(reference: str, value: str) -> None:
    backtest = {"verdict": "The mean did better.", "mape_model": Decimal("7.13")}
    assert told(f"It is {reference}.", backtest=backtest) == f"It is {value}."


def test_the_first_sentence_whose_values_are_all_there_is_told() -> None:
    assert told("{last.late_pct} in the end", "{first.late_pct} first", "never") == "50.0 % first"
    assert told("{last.late_pct} in the end", "{is(2016-01).late}", "{backtest.verdict}") == NOTHING
    assert told("In {first.month}", rows=[]) == NOTHING
    assert told("In {first.month}", rows=ROWS[:1]) == NOTHING, "the row over everything is no first one"


def test_of_equal_values_the_first_row_is_meant() -> None:
    rows = [("a", 1, 1, Decimal(5), None, None, None, None), ("b", 1, 1, Decimal(5), None, None, None, None)]
    assert told("{top(late_pct).month} {low(late_pct).month}", rows=rows) == "a a"


def test_words_go_with_the_whole_number_before_them() -> None:
    sentence = "{is(2017-02).late} [delivery was|deliveries were] late, {is(2017-02).late_pct} [of it|of them]"
    assert told(sentence) == "1 delivery was late, 10.0 % of it"
    assert told(sentence.replace("2017-02", "2017-03")) == "3 deliveries were late, 30.0 % of them"
    assert told("{rows} [row|rows]", rows=ROWS[1:2]) == "1 row"


MANY = re.compile(
    r"\b1(?: (?:delivered|new|negative|registered|established|lapsed|small))*"
    r" (?:are|were|have|do|come|\w+ies|(?!(?:is|was|has|metropolis)\b)\w+s)\b"
)


@pytest.mark.parametrize("asked", questions(), ids=lambda asked: asked.path.stem)
def test_of_one_no_finding_tells_as_of_many(asked: Question) -> None:
    """All whole numbers are 1."""
    of_type = {"text": "x", "date": date(2018, 5, 1), "int": 1}
    row = tuple(of_type.get(column.type, Decimal("1.50")) for column in asked.columns)
    for sentence in asked.findings:
        named = {found["argument"] for found in findings._VALUE.finditer(sentence) if found["row"] == "is"}
        others = [] if "{rows}" in sentence else sorted({*named, findings.OVER_EVERYTHING})
        rows = [row, *((name, *row[1:]) for name in others)]
        one = find(replace(asked, findings=(sentence,)), rows, dict.fromkeys(VERDICTS, "So."))
        assert one != NOTHING
        assert not MANY.search(one), one


@pytest.mark.parametrize("reference", ["{middle.late}", "{first.lateness}", "{top(lateness).late}"])
def test_a_reference_that_leads_nowhere_names_the_file(reference: str) -> None:
    with pytest.raises(ValueError, match=r"^022_late_deliveries\.sql: "):
        told(reference)


@pytest.mark.parametrize(
    ("value", "column", "words"),
    [
        (Decimal("12.34"), "late_pct", "12.3 %"),
        (Decimal("6.45"), "late_pct", "6.5 %"),
        (Decimal("-6.45"), "growth_pct", "-6.5 %"),
        (Decimal("-1234.56"), "growth_pct", "-1,234.6 %"),
        (Decimal("7.10"), "mape_naive", "7.1 %"),
        (Decimal("93.40"), "coverage", "93.4 %"),
        (Decimal("1234.5"), "revenue", "R$ 1,234.50"),
        (Decimal("-20.00"), "gmv", "R$ -20.00"),
        (Decimal("12.00"), "avg_order_value", "R$ 12.00"),
        (Decimal("98.76"), "price_index", "98.76"),
        (Decimal("-1.50"), "change_pp", "-1.50"),
        (Decimal("0.1234"), "correlation", "0.1234"),
        (12345, "orders", "12,345"),
        (0, "late", "0"),
        (3, "revenue_rank", "3"),
        (date(2018, 5, 1), "last_sold", "2018-05-01"),
        ("SP", "state", "SP"),
        (None, "late_pct", "nothing"),
    ],
)
def test_values_are_told_by_what_their_column_is(value: Any, column: str, words: str) -> None:
    assert in_words(value, column) == words


def test_amounts_are_told_in_the_currency_of_the_warehouse() -> None:
    assert in_words(Decimal("1234.5"), "revenue", "EUR") == "EUR 1,234.50"
    assert in_words(Decimal("12.34"), "late_pct", "EUR") == "12.3 %"
    assert LATE is not None
    asked = replace(LATE, findings=("Below R$ 10 {rows} [is|are] late.",))
    assert find(asked, ROWS, {}, "EUR") == f"Below EUR 10 {len(ROWS)} are late."


def faults(asked: Question) -> list[str]:
    """References of a question's sentences that nothing could ever be found for."""
    names = {column.name for column in asked.columns}
    wrong = []
    for sentence in asked.findings:
        wrong += re.findall(r"[{}][^{}]*[{}]?|[][|]", findings._PART.sub("", sentence))
        for found in findings._VALUE.finditer(sentence):
            row, argument, column = found["row"], found["argument"], found["column"]
            is_right = {
                None: True,
                "first": argument is None and column in names,
                "last": (argument is None or argument in names) and column in names,
                "all": argument is None and column in names,
                "is": argument is not None and column in names,
                "top": argument in names and column in names,
                "low": argument in names and column in names,
                "backtest": argument is None and "backtest" in asked.statements,
            }.get(row, False)
            wrong += [] if is_right else [found.group()]
    return wrong


@pytest.mark.parametrize("asked", questions(), ids=lambda asked: asked.path.stem)
def test_every_reference_of_every_question_is_known(asked: Question) -> None:
    assert asked.findings
    assert faults(asked) == []


def test_references_that_are_wrong_are_noticed() -> None:
    wrong = "{first.lateness} {top.late} {middle.late} {backtest.verdict} {row} {last(month.late} {First.late}"
    assert LATE is not None
    assert faults(replace(LATE, findings=(wrong, "{rows} {all.late} {is(2017-01).late}"))) == [
        "{row}",
        "{last(month.late}",
        "{First.late}",
        "{first.lateness}",
        "{top.late}",
        "{middle.late}",
        "{backtest.verdict}",
    ]
