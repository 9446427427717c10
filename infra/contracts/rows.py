"""The rows of the read models as they stand on the compacted topics of state: schemas of keys and values by table.

They follow the star schema, whose columns say what they mean. They are no part of the gate: a row that looks otherwise
tomorrow is sent again, with all others.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric, Table, Text, Uuid

from replayhouse.infra.contracts.schemas import LOCAL_TIME, Schema
from replayhouse.projections.projection import PERSONAL
from replayhouse.projections.warehouse import PROJECTIONS

_BY_TYPE: tuple[tuple[type[Any], Schema], ...] = (
    (Uuid, {"type": "string", "format": "uuid"}),
    (Boolean, {"type": "boolean"}),
    (Text, {"type": "string"}),
    (BigInteger, {"type": "integer"}),
    (Integer, {"type": "integer"}),
    (Double, {"type": "number"}),
    (Numeric, {"type": "string", "format": "decimal"}),
    (Date, {"type": "string", "format": "date"}),
)
"""The first that fits decides: some of SQLAlchemy's types are kinds of others."""


def tables_of(context: str) -> tuple[Table, ...]:
    """The tables of a context whose rows are published."""
    return PROJECTIONS[context].tables


def row_schema(table: Table) -> Schema:
    """A row by its columns, and null for a row that is gone. Personal columns are there, withheld."""
    return {
        "description": f"{table.comment}; null once it is gone",
        "type": ["object", "null"],
        "properties": {column.name: _column_schema(column) for column in table.columns},
        "required": [column.name for column in table.columns],
    }


def key_schema(table: Table) -> Schema:
    """The key of a row, which is JSON in itself: the table, and the columns of its primary key with their values."""
    columns = ",".join(f'"{column.name}":...' for column in table.primary_key.columns)
    shape = f'{{"table":"{table.name}","key":{{{columns}}}}}'
    return {"description": f"JSON: {shape}", "type": "string", "contentMediaType": "application/json"}


def _column_schema(column: Column[Any]) -> Schema:
    schema: Schema = {"description": column.comment, **_type_of(column)}
    if column.nullable:
        schema["type"] = [schema["type"], "null"]
    if column.info.get(PERSONAL):
        schema["x-personal"] = True
    return schema


def _type_of(column: Column[Any]) -> Schema:
    if isinstance(column.type, DateTime):
        return {"type": "string", "format": "date-time"} if column.type.timezone else LOCAL_TIME
    return next(schema for kind, schema in _BY_TYPE if isinstance(column.type, kind))
