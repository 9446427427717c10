"""The finding of an answer: a sentence of the question's file, with values of the answer in the place of braces.

`{ROW.COLUMN}`: the row is `first`, `last`, `all` (the one over everything), `is(VALUE)` (whose first column that is),
`top(COLUMN)`, `low(COLUMN)` (with its greatest, its least value), or `last(COLUMN)` (the last in which it is not null).
The row over everything is left out of all but `all`. `{rows}` is how many there are, `{backtest.NAME}` a value of the
question's statement `backtest`. A percentage is written with its sign, money as R$. `[ONE|MANY]` are words that go with
the whole number before them: the first where that is 1. Where amounts are in another currency, its code stands in the
place of each R$.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.answers.asking import Cell, Row
from replayhouse.infra.read_models.currency import sign_of
from replayhouse.projections.questions import Question

OVER_EVERYTHING = "all"
"""The first value of the row over everything."""

MONEY = "money"

NOTHING = "There is nothing to show yet."

_VALUE = re.compile(r"\{(?:(?P<row>[a-z]+)(?:\((?P<argument>[^)]*)\))?\.(?P<column>\w+)|rows)\}")

_WORDS = re.compile(r"\[(?P<one>[^\[|\]]+)\|(?P<many>[^\[|\]]+)\]")
_PART = re.compile(f"{_VALUE.pattern}|{_WORDS.pattern}")

_MONEY = re.compile(
    r"(?x) (revenue|gmv|aov|price|freight|amount|value|commission|merchandise|paid|spent|outstanding|cost|order_value"
    r"|cac_proxy|monthly_slope|take_per_order|(trend|seasonal)_forecast|avg_first_order)"
)


def find(question: Question, rows: Sequence[Row], backtest: Mapping[str, Cell], currency: str = BRL) -> str:
    """The first sentence of the question whose values are all there."""
    for sentence in question.findings:
        told = _filled(sentence.replace(sign_of(BRL), sign_of(currency)), question, rows, backtest, currency)
        if told is not None:
            return told
    return NOTHING


def _filled(
    sentence: str, question: Question, rows: Sequence[Row], backtest: Mapping[str, Cell], currency: str
) -> str | None:
    missing = False
    counted = 0

    def part(found: re.Match[str]) -> str:
        nonlocal missing, counted
        if found["one"] is not None:
            return found["one"] if counted == 1 else found["many"]
        cell = len(rows) if found["row"] is None else _cell(found, question, rows, backtest)
        missing = missing or cell is None
        if isinstance(cell, int):
            counted = cell
        return in_words(cell, found["column"] or "", currency)

    told = _PART.sub(part, sentence)
    return None if missing else told


def _cell(found: re.Match[str], question: Question, rows: Sequence[Row], backtest: Mapping[str, Cell]) -> Cell:
    if found["row"] == "backtest":
        return backtest.get(found["column"])
    row = _row(found["row"], found["argument"], question, rows)
    return None if row is None else row[place_of(question, found["column"])]


def _row(kind: str, argument: str | None, question: Question, rows: Sequence[Row]) -> Row | None:
    parts = [row for row in rows if row[0] != OVER_EVERYTHING]
    if kind == "all":
        return next((row for row in rows if row[0] == OVER_EVERYTHING), None)
    if kind == "is":
        return next((row for row in rows if str(row[0]) == argument), None)
    if argument is not None:
        place = place_of(question, argument)
        parts = [row for row in parts if row[place] is not None]
        if kind in ("top", "low") and parts:
            choose = max if kind == "top" else min
            return choose(parts, key=lambda row: row[place])
    elif kind not in ("first", "last"):
        raise ValueError(f"{question.path.name}: a finding knows no row '{kind}'.")
    return None if not parts else parts[0] if kind == "first" else parts[-1]


def place_of(question: Question, name: str) -> int:
    """The place of a column in the rows. Raises ValueError where there is none of that name."""
    for place, column in enumerate(question.columns):
        if column.name == name:
            return place
    raise ValueError(f"{question.path.name}: there is no column '{name}'.")


def unit_of(column: str) -> str:
    """The unit of a column's numbers with decimals, by its name: %, money, or none."""
    if column.endswith(("_pct", "_mape")) or column.startswith(("mape", "coverage", "pct_")):
        return "%"
    is_money = _MONEY.search(column) and not column.endswith(("_index", "_pp", "_per_seller_3m"))
    return MONEY if is_money else ""


def in_words(cell: Cell, column: str, currency: str = BRL) -> str:
    """A value as a sentence has it, by the name of its column."""
    match cell:
        case None:
            return "nothing"
        case date():
            return cell.isoformat()
        case Decimal() if unit_of(column) == "%":
            return f"{cell.quantize(Decimal('0.1'), ROUND_HALF_UP):,} %"
        case Decimal() if unit_of(column) == MONEY:
            return f"{sign_of(currency)} {cell:,.2f}"
        case Decimal() | int():
            return f"{cell:,}"
        case _:
            return str(cell)
