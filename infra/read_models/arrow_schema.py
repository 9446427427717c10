"""The declared tables of the star schema as Arrow's schemas: one mapping for Parquet, DuckDB, Spark and ClickHouse."""

from typing import Any

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric, Table, Text, Uuid

_TYPES: dict[type[Any], pa.DataType] = {
    Uuid: pa.string(),  # with hyphens and small letters, as digests write them: not every engine has a type of ids
    BigInteger: pa.int64(),
    Integer: pa.int32(),
    Double: pa.float64(),
    Boolean: pa.bool_(),
    Date: pa.date32(),
    Text: pa.string(),
}
"""By type of column, the more special one first (BigInteger is an Integer)."""


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of a table in their order, `position` too; business times have no zone, recorded ones are in UTC."""
    return pa.schema([pa.field(column.name, _type_of(column), bool(column.nullable)) for column in table.columns])


def _type_of(column: Column[Any]) -> pa.DataType:
    kind = column.type
    if isinstance(kind, Numeric) and not isinstance(kind, Double):
        return pa.decimal128(kind.precision or 38, kind.scale or 0)
    if isinstance(kind, DateTime):
        return pa.timestamp("us", tz="UTC" if kind.timezone else None)
    for known, arrow in _TYPES.items():
        if isinstance(kind, known):
            return arrow
    raise TypeError(f"no column of the star schema is a {kind!r}")
