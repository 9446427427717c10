"""What the tables of a read model look like, in a few words of PostgreSQL's, and the fingerprint of that.

By it a program recognises tables that another version of it has made.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.types import TypeEngine

_TYPES: dict[type[TypeEngine[Any]], str] = {
    Uuid: "uuid",
    Text: "text",
    BigInteger: "bigint",
    Integer: "integer",
    Double: "double precision",
    Boolean: "boolean",
    Date: "date",
}
"""By type of column, the more special one first (BigInteger is an Integer)."""


class Shape(NamedTuple):
    """A column as it stands or is to stand: `type` in PostgreSQL's words, `key` its place in the primary key, or 0."""

    name: str
    type: str
    is_null: bool
    key: int


Shapes = dict[str, list[Shape]]
"""By table, its columns in order."""


def shapes_of(tables: Iterable[Table]) -> Shapes:
    """What these tables are declared to be."""
    found: Shapes = {}
    for table in tables:
        keys = [column.name for column in table.primary_key.columns]
        found[table.name] = [
            Shape(
                column.name,
                _type_of(column),
                bool(column.nullable),
                1 + keys.index(column.name) if column.name in keys else 0,
            )
            for column in table.columns
        ]
    return found


def fingerprint_of(shapes: Shapes) -> str:
    """SHA-256 over the tables by name, each with its columns in order; 64 hexadecimal digits."""
    lines = [
        f"{table}.{column.name} {column.type} {'null' if column.is_null else 'not null'} {column.key}\n"
        for table, columns in sorted(shapes.items())
        for column in columns
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _type_of(column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, Numeric) and not isinstance(kind, Double):
        return f"numeric({kind.precision},{kind.scale})"
    if isinstance(kind, DateTime):
        return f"timestamp {'with' if kind.timezone else 'without'} time zone"
    for known, name in _TYPES.items():
        if isinstance(kind, known):
            return name
    raise TypeError(f"no column of the star schema is a {kind!r}")
