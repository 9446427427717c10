"""The parameters of a question: what was given for them, or their defaults."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.questions import Parameter, Question
from replayhouse.projections.questions.question import Value

_NUMBER = re.compile(r"[-+]?[0-9]{1,30}(\.[0-9]{1,30})?")
"""Neither 1e3 nor 1_000, nor digits of other scripts: what is written is what is read."""

_GREATEST = 1_000_000_000
_DECIMALS = 6


def read_parameters(question: Question, given: Mapping[str, object]) -> dict[str, Value]:
    """The value of each parameter, by name. Raises UsageError for a name that is none, or a value that is none."""
    known = {parameter.name: parameter for parameter in question.parameters}
    for name in given:
        if name not in known:
            there = ", ".join(f"{one.name} ({one.default})" for one in question.parameters)
            has = f"it has {there}" if there else "it has none"
            raise UsageError(f"Question {question.number} has no parameter '{name}': {has}.")
    return {name: _read(one, given.get(name, one.default)) for name, one in known.items()}


def _read(parameter: Parameter, given: object) -> Value:
    is_whole = isinstance(parameter.default, int)
    is_number = isinstance(given, float | Decimal) and math.isfinite(given)
    text = f"{Decimal(str(given)):f}" if is_number else str(given).strip()
    value = Decimal(text) if _NUMBER.fullmatch(text) else Decimal("NaN")
    fits = value.is_finite() and parameter.minimum <= value <= _GREATEST
    if not fits or value != round(value, 0 if is_whole else _DECIMALS):
        kind = "a whole number" if is_whole else f"a number with at most {_DECIMALS} decimals"
        raise UsageError(
            f"'{given}' is no {parameter.name}: that is {kind} from {parameter.minimum} to {_GREATEST:,}, "
            f"{parameter.default} by default."
        )
    return int(value) if is_whole else Decimal(f"{value.normalize() + 0:f}")  # one spelling of 10 and 10.00, 0 and -0
