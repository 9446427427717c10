"""Rows of values that are hard to write down: what every engine has to read, keep, and write as PostgreSQL does.

`hard_values.copy` holds them as lines of COPY text, `hard_values.json` their digests, of the whole table and of each
column by itself. `python -m tests.golden.hard_values` wrote them, once: they never change. Its values are written by
the definition in `replayhouse.projections.digest`, one by one, and by nothing of the program's.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

LINES = Path(__file__).with_name("hard_values.copy")
DIGESTS = Path(__file__).with_name("hard_values.json")

COLUMNS = ("key", "number", "small", "large", "amount", "hours", "degrees", "flag", "day", "moment", "recorded", "text")
"""In this order, and `position` after them."""

ROWS = 2_000
_LARGEST_INT, _LARGEST_BIGINT = 2**31 - 1, 2**63 - 1

_FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-300, 1e-06, 1.1e-06, 1e-05, 9.9e-05, 0.0001),
    *(0.001, 0.1, 0.30000000000000004, 1 / 3, -23.0, -23.5475, 123456789.125, 1e10, 123456789012345.6, 1e14),
    *(999999999999999.0, -999999999999999.0, 2.5e-05, 1.7976931348623157e-300),
)
_INTS = (0, 1, -1, 9, 10, 99, _LARGEST_INT, -_LARGEST_INT - 1)
_BIGINTS = (*_INTS, 2**31, 2**53, 2**53 + 1, -(2**53) - 1, _LARGEST_BIGINT, -_LARGEST_BIGINT - 1)
_AMOUNTS = tuple(map(Decimal, ("0.00", "0.01", "-0.01", "0.10", "1.00", "-1.50", "9999999999.99", "-9999999999.99")))
_HOURS = tuple(map(Decimal, ("0.00", "-0.01", "999999.99", "-999999.99", "0.50")))
_DAYS = (date.min, date(1, 12, 31), date(999, 1, 1), date(1582, 10, 10), date(1970, 1, 1), date(2016, 2, 29), date.max)
_TIMES = (
    *(datetime.min, datetime(1, 1, 1, 0, 0, 0, 1), datetime(999, 12, 31, 23, 59, 59, 999999), datetime(1900, 1, 1)),
    *(datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(1970, 1, 1), datetime(2017, 11, 30, 9, 0, 0, 500000)),
    *(datetime(2017, 11, 30, 9, 0, 0, 120), datetime(2018, 2, 18), datetime(2017, 1, 1, 0, 0, 0, 10), datetime.max),
)
_TEXTS = (
    *("", " ", "  a  ", "\\", "\\N", "\\\\N", "\\n", "\\t", "N", "null", "NULL", "\\.", "t", "f", "0", "-0", "1e5"),
    *("\t", "\n", "\r", "\r\n", "\b", "\f", "\v", "\\\t\\\n", "a\tb\nc\rd\be\ff\vg\\h", '"', "'", ',";', '""', "\x7f"),
    *("são João", "a\u0301", "\u00a0", "\u2028\u2029", "\ufeff", "\u0085", "\x01\x02\x1f", "\U0001f600"),
    *("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001d4b3\U0010ffff"),
    *("ß", "İı", "漢字", "\u202e", "x" * 4_000, "\\" * 31, "%s %d {0}", "$1", "<b>&amp;</b>", "2017-01-01"),
)
_SIGNS = 'abcXYZ 01 \\\\\\\t\n\r\b\f\v",;éç😀漢\u2028'


def rows(seed: int = 20171130) -> Iterator[tuple[Any, ...]]:
    """Rows with each hard value at least once, in the company of others that are drawn; the last value is position."""
    draw = random.Random(seed)

    def some(hard: Sequence[Any], other: Callable[[], Any], null: float = 0.1) -> Iterator[Any]:
        yield from hard
        while True:
            yield None if draw.random() < null else draw.choice(hard) if draw.random() < 0.3 else other()

    def a_time() -> datetime:
        return datetime.min + timedelta(microseconds=draw.randrange(9_998 * 365 * 86_400 * 10**6))

    columns = [
        some(_INTS, lambda: draw.randint(-_LARGEST_INT - 1, _LARGEST_INT)),
        some(_BIGINTS, lambda: draw.randint(-_LARGEST_BIGINT - 1, _LARGEST_BIGINT), null=0),
        some(_AMOUNTS, lambda: Decimal(draw.randint(-(10**12) + 1, 10**12 - 1)).scaleb(-2)),
        some(_HOURS, lambda: Decimal(draw.randint(-(10**8) + 1, 10**8 - 1)).scaleb(-2)),
        some(_FLOATS, lambda: draw.uniform(-1, 1) * 10.0 ** draw.randint(-320, 14)),
        some((True, False, None), lambda: True),
        some(_DAYS, lambda: a_time().date()),
        some(_TIMES, a_time),
        some(tuple(time.replace(tzinfo=UTC) for time in _TIMES), lambda: a_time().replace(tzinfo=UTC)),
        some(_TEXTS, lambda: "".join(draw.choices(_SIGNS, k=draw.randrange(12)))),
    ]
    ids = [UUID(int=0), UUID(int=2**128 - 1), *(UUID(int=draw.getrandbits(128)) for _ in range(ROWS - 2))]
    for number, key in enumerate(ids):
        yield (key, number, *(next(column) for column in columns), draw.choice((0, number, 2**53 + 1)))


_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"}


def written(value: Any) -> str:
    """A value as the definition of the digest has it."""
    match value:
        case None:
            return "\\N"
        case bool():
            return "t" if value else "f"
        case float():
            return repr(value).removesuffix(".0")
        case Decimal():
            return f"{value:.2f}"
        case datetime():
            fraction = f".{value.microsecond:06}".rstrip("0").rstrip(".")
            clock = f"{value.hour:02}:{value.minute:02}:{value.second:02}{fraction}"
            return f"{_day(value)} {clock}{'+00' if value.tzinfo else ''}"
        case date():
            return _day(value)
        case str():
            return "".join(_ESCAPES.get(sign, sign) for sign in value)
        case _:
            return str(value)


def _day(value: date) -> str:
    return f"{value.year:04}-{value.month:02}-{value.day:02}"


def _digest(lines: Sequence[str]) -> str:
    return f"{sum(int(sha256(line.encode()).hexdigest(), 16) for line in lines) % 2**256:064x}"


def main() -> None:
    """Writes both files."""
    cells = [[written(value) for value in row] for row in rows()]
    lines = ["\t".join(row) for row in cells]
    LINES.write_bytes("".join(f"{line}\n" for line in lines).encode())
    told = {
        "rows": len(cells),
        "digest": _digest(["\t".join(row[:-1]) for row in cells]),
        "columns": {name: _digest([row[place] for row in cells]) for place, name in enumerate(COLUMNS)},
    }
    DIGESTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
