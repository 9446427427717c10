"""The golden rows of hard values, for every engine to read, keep and digest: see `tests.golden.hard_values`.

An engine is given `rows()`, `lines()` or `arrow_table()`, holds them as the table `HARD_VALUES` in a way of its own,
and must come to `EXPECTED`: `digest` over all columns but position, `columns` over each by itself, to see which is at
fault.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa
from sqlalchemy import MetaData, Table

from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.projections import columns
from tests.golden.hard_values import DIGESTS, LINES

HARD_VALUES = Table(
    "hard_values",
    MetaData(schema="hard"),
    columns.uuid("key", "an id", key=True),
    columns.integer("number", "number of the row"),
    columns.integer("small", "an int", null=True),
    columns.bigint("large", "a bigint"),
    columns.money("amount", "a numeric(12,2)", null=True),
    columns.numeric("hours", "a numeric(8,2)", 8, null=True),
    columns.degrees("degrees", "a float8"),
    columns.flag("flag", "a bool", null=True),
    columns.day("day", "a date", null=True),
    columns.moment("moment", "a timestamp without zone", null=True),
    columns.recorded("recorded", "a timestamp with zone", null=True),
    columns.text("text", "a text", null=True),
    columns.position(),
    comment="One column of each kind that the star schema has, with the values that are hard to write down",
)


class Expected(NamedTuple):
    """What an engine must find: how many rows, their digest, and the digest of each column by itself."""

    rows: int
    digest: str
    columns: Mapping[str, str]


EXPECTED = Expected(**json.loads(DIGESTS.read_text(encoding="utf-8")))


def lines() -> list[bytes]:
    """The rows as COPY writes them, each with its position and without its end."""
    return LINES.read_bytes().split(b"\n")[:-1]


def rows() -> list[tuple[Any, ...]]:
    """The rows as folds make them, position last."""
    return [tuple(read(cell) for read, cell in zip(_READ, line.decode().split("\t"), strict=True)) for line in lines()]


def arrow_table() -> pa.Table:
    """The rows as Arrow, in the types of `arrow_schema`."""
    schema = arrow_schema(HARD_VALUES)
    values = zip(*rows(), strict=True)
    arrays = [
        pa.array([str(value) for value in column] if kind == pa.string() and name == "key" else column, kind)
        for name, kind, column in zip(schema.names, schema.types, values, strict=True)
    ]
    return pa.table(arrays, schema)


_SIGNS = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


def _text(cell: str) -> str:
    return re.sub(r"\\(.)", lambda found: _SIGNS[found[1]], cell)


def _recorded(cell: str) -> datetime:
    return datetime.fromisoformat(cell.removesuffix("+00")).replace(tzinfo=UTC)


def _or_null(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda cell: None if cell == "\\N" else read(cell)


_READ: list[Callable[[str], Any]] = [
    *(_or_null(read) for read in (UUID, int, int, int, Decimal, Decimal, float)),
    *(_or_null(read) for read in ("t".__eq__, date.fromisoformat, datetime.fromisoformat, _recorded, _text, int)),
]
