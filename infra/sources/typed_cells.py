"""Values of formats that have types (Excel, JSON, Parquet) as cells of text.

A number or a time of such a file is plain whatever the source's own marks and formats are: its cell begins with PLAIN,
which no text of a file that can be read holds.
"""

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from replayhouse.infra.staging.reader import LONGEST_RECORD, RefusedError

PLAIN = "\0"
LONGEST_NUMBER = 60
HALF_A_SECOND = timedelta(milliseconds=500)


def cell_of(value: Any, line: int, digits: int = 17) -> str | None:
    """A value as a cell, None where it is nothing. Floating numbers have that many digits at most.

    Raises RefusedError for a text that no file in UTF-8 has.
    """
    match value:
        case None | "":
            return None
        case str():
            return _text(value, line)
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return PLAIN + number_in_text(value, digits)
        case datetime():
            return PLAIN + value.isoformat(" ", "seconds")
        case date():
            return PLAIN + value.isoformat()
        case time() | timedelta():
            return str(value)
        case bytes():
            return _text(value.decode("utf-8", "surrogateescape"), line)
        case _:
            return _text(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str), line)


def number_in_text(number: float | Decimal, digits: int = 17) -> str:
    """A number in digits, without an exponent unless it has very many."""
    if isinstance(number, int):
        return str(number)
    if isinstance(number, float):
        if not math.isfinite(number):
            return str(number)
        number = Decimal(repr(number) if digits >= 17 else format(number, f".{digits}g"))
    is_long = not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER
    return str(number) if is_long else format(number, "f")


def rounded(moment: datetime) -> datetime:
    """To the second: Excel keeps times as fractions of a day."""
    return (moment + HALF_A_SECOND).replace(microsecond=0)


def _text(text: str, line: int) -> str:
    if len(text) > LONGEST_RECORD:
        raise RefusedError("files_complete", f"line {line} has a cell of more than {LONGEST_RECORD:,} characters", line)
    if "\0" in text:
        raise RefusedError("files_in_utf8", f"line {line} has a NUL character", line)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RefusedError("files_in_utf8", f"line {line} has a text that is no UTF-8", line) from error
    return text
