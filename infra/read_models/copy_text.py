"""Rows as lines of PostgreSQL's COPY text format: what is sent to the database is what the digest hashes.

A column is written at a time, for all rows of a batch: the work is then done by a few calls into C (msgspec, bytes
methods, regular expressions) and costs a tenth of what a call per value would. The quick way of each kind of column is
taken only where a check over the whole column shows that it is right; else its values are written one by one.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric, Table, Text, Uuid

from replayhouse.projections.digest import ESCAPES, NULL
from replayhouse.projections.projection import POSITION, Row

_json = msgspec.json.Encoder().encode
Writer = Callable[[Sequence[Any]], Sequence[bytes]]
"""Writes the values of a column, in order."""


class DoesNotFit(ValueError):  # noqa: N818 - the name says what is the matter
    """A value that the column cannot hold: too large, or text with a character that PostgreSQL does not store."""


class LineWriter:
    """Writes the rows of one table, given as tuples in the order of its columns, `position` last."""

    def __init__(self, table: Table) -> None:
        columns = [column for column in table.columns if column.name != POSITION]
        self._writers = [(column.name, _writer_of(column)) for column in columns]
        self._table = table.name
        self._width = len(table.columns)

    def lines(self, rows: Sequence[Row]) -> list[bytes]:
        """One line for each row, without `position` and without its end. Raises DoesNotFit."""
        return lines_of(self.columns(rows))

    def columns(self, rows: Sequence[Row]) -> list[Sequence[bytes]]:
        """The values of each column as they stand in the lines, without `position`. Raises DoesNotFit."""
        for row in rows:
            if len(row) != self._width:  # a value too many or too few would shift the ones behind it
                raise DoesNotFit(f"{self._table} has {self._width} columns, and a row of {len(row)} values was made")
        if not rows:
            return []
        written: list[Sequence[bytes]] = []
        columns = islice(zip(*rows, strict=True), len(self._writers))
        for (name, write), values in zip(self._writers, columns, strict=True):
            try:
                written.append(write(values))
            except DoesNotFit as error:
                raise DoesNotFit(f"{self._table}.{name} cannot hold {error}") from None
        return written


@cache
def line_writer(table: Table) -> LineWriter:
    """The writer of a table's rows, made once."""
    return LineWriter(table)


def lines_of(columns: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The lines of which these are the columns."""
    return list(map(b"\t".join, zip(*columns, strict=True)))


def copy_data(lines: Sequence[bytes], positions: Sequence[int]) -> bytes:
    """What COPY ... FROM STDIN reads: the lines, each with its position."""
    ends = map(b"\t%d\n".__mod__, positions)
    return b"".join([part for pair in zip(lines, ends, strict=True) for part in pair])


def _writer_of(column: Column[Any]) -> Writer:
    kind = column.type
    if isinstance(kind, Numeric) and not isinstance(kind, Double):
        return _numerics(kind.precision or 0, kind.scale or 0)
    if isinstance(kind, DateTime):
        return _recorded_times if kind.timezone else _times
    for known, writer in _WRITERS.items():
        if isinstance(kind, known):
            return writer
    raise TypeError(f"no column of the star schema is a {kind!r}")


# --- identifiers, numbers --------------------------------------------------------------------------------------


def _uuids(values: Sequence[UUID]) -> Sequence[bytes]:
    return _json(values)[2:-2].split(b'","')


def _integers(largest: int) -> Writer:
    def write(values: Sequence[int | None]) -> Sequence[bytes]:
        known = [value for value in values if value is not None]
        for value in (min(known, default=0), max(known, default=0)):
            if not -largest - 1 <= value <= largest:
                raise DoesNotFit(f"{value}: it is larger than {largest}")
        return _json(values)[1:-1].replace(b"null", NULL).split(b",")

    return write


def _numerics(precision: int, scale: int) -> Writer:
    limit = Decimal(10) ** (precision - scale)
    step = Decimal(1).scaleb(-scale)
    amount = rb'(?:"-?\d{1,%d}\.\d{%d}"|null)' % (precision - scale, scale)
    # Not possessive: the first releases of Python 3.11 match too much then (python/cpython, issues 100061 and 106052).
    plain = re.compile(rb"\[(?:%b,)*%b\]" % (amount, amount))

    def write_one(value: Decimal | None) -> bytes:
        if value is None:
            return NULL
        rounded = value.quantize(step, rounding=ROUND_HALF_UP)
        if not abs(rounded) < limit:
            raise DoesNotFit(f"{value}: it has more than {precision - scale} digits before the point")
        return f"{rounded if rounded else abs(rounded):f}".encode()

    def write(values: Sequence[Decimal | None]) -> Sequence[bytes]:
        written = _json(values)
        if not plain.fullmatch(written) or b'"-0.00"' in written:
            return list(map(write_one, values))
        return written[1:-1].replace(b'"', b"").replace(b"null", NULL).split(b",")

    return write


_FIRST_EXPONENT = 1e15  # from here on PostgreSQL writes exponents


def _floats(values: Sequence[float | None]) -> Sequence[bytes]:
    return [NULL if value is None else _shortest(value) for value in values]


def _shortest(value: float) -> bytes:
    """As PostgreSQL writes a float8: like Python, but for the `.0` of a whole number.

    Larger ones they round in other ways. No coordinate is larger.
    """
    if not abs(value) < _FIRST_EXPONENT:
        raise DoesNotFit(f"{value}: no coordinate is that large")
    return repr(value).removesuffix(".0").encode()


_FLAGS = {True: b"t", False: b"f", None: NULL}


def _flags(values: Sequence[bool | None]) -> Sequence[bytes]:
    return list(map(_FLAGS.__getitem__, values))


# --- times -----------------------------------------------------------------------------------------------------


def _times(values: Sequence[datetime | None]) -> Sequence[bytes]:
    written = _json(values)
    if b"." in written:
        return [NULL if value is None else _time(value) for value in values]
    return written[1:-1].replace(b'"', b"").replace(b"T", b" ").replace(b"null", NULL).split(b",")


def _time(value: datetime) -> bytes:
    text = value.isoformat(" ")
    return (text.rstrip("0") if "." in text else text).encode()


def _recorded_times(values: Sequence[datetime | None]) -> Sequence[bytes]:
    return [NULL if value is None else _time(value.astimezone(UTC).replace(tzinfo=None)) + b"+00" for value in values]


def _dates(values: Sequence[date | None]) -> Sequence[bytes]:
    return _json(values)[1:-1].replace(b'"', b"").replace(b"null", NULL).split(b",")


# --- texts -----------------------------------------------------------------------------------------------------

_SPECIAL = re.compile(r"[\\\b\t\n\v\f\r\0]")
_ESCAPED = str.maketrans(ESCAPES)


def _texts(values: Sequence[str | None]) -> Sequence[bytes]:
    # Most texts are codes and names that many rows share: each is written once.
    written = {value: NULL if value is None else _text(value) for value in set(values)}
    return list(map(written.__getitem__, values))


def _text(value: str) -> bytes:
    if _SPECIAL.search(value):
        if "\0" in value:
            raise DoesNotFit("a text with a NUL: PostgreSQL stores none")  # it may be personal: errors are kept
        value = value.translate(_ESCAPED)
    return value.encode()


_WRITERS: dict[type[Any], Writer] = {
    Uuid: _uuids,
    BigInteger: _integers(2**63 - 1),
    Integer: _integers(2**31 - 1),
    Double: _floats,
    Boolean: _flags,
    Date: _dates,
    Text: _texts,
}
"""By type of column, the more special one first (BigInteger is an Integer)."""
