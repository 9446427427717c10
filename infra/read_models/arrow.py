"""Tables of the star schema as Arrow: the server writes them as CSV, and Arrow reads that by types of its own.

All of a table is read in one statement, so it shows one moment. Beside what Arrow makes of it, memory holds a part of
the text at a time.
"""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from pyarrow import csv

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.read_models.prefixes import BESIDE_CONTEXTS, prefixes, schema_in
from replayhouse.infra.read_models.stream_source import rows_of
from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError

_PART_BYTES = 32 * 2**20

_TABLES = """
    SELECT n.nspname::text, c.relname::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = ANY('{r,p,v,m}')
    ORDER BY array_position(%(schemas)s, n.nspname::text), 2
"""
# Of no rows: from here on, until the transaction ends, nobody swaps, changes or drops what is read.
_COLUMNS = sql.SQL("SELECT * FROM {} LIMIT 0")
_COPY = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv)")
_ARRAY = sql.SQL("to_json({})")
_ARRAY_OF_TEXTS = sql.SQL("to_json({}::text[])")

_TYPES: Mapping[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
"""By the names of PostgreSQL; whatever is not here is a text, as ids are. For numeric see `_numeric`."""

_TYPES_IN_JSON = ("bool", "int2", "int4", "int8", "float4", "float8")
_MOST_DIGITS, _MOST_DIGITS_OF_LONG_ONES = 38, 76


class _Column:
    """A column: how it is asked for, as what its text is read, and what becomes of that."""

    def __init__(self, conn: psycopg.Connection, column: psycopg.Column) -> None:
        known = conn.adapters.types.get(column.type_code)
        self.name = column.name
        self._is_array = known is not None and known.array_oid == column.type_code
        self._kind = known.name if known is not None else "text"
        self._numeric = _numeric(column.precision, column.scale) if self._kind == "numeric" else None

    @property
    def expression(self) -> sql.Composable:
        """What is selected."""
        name = sql.Identifier(self.name)
        if not self._is_array:
            return name
        return (_ARRAY if self._kind in _TYPES_IN_JSON else _ARRAY_OF_TEXTS).format(name)

    @property
    def read_as(self) -> pa.DataType:
        """The type that its text is read as."""
        if self._is_array:
            return pa.string()
        return self._numeric or _TYPES.get(self._kind, pa.string())

    def finished(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """The values of their final type."""
        if self._is_array:
            kind = pa.list_(_TYPES[self._kind] if self._kind in _TYPES_IN_JSON else pa.string())
            lists = [pa.array([_loaded(text) for text in chunk.to_pylist()], kind) for chunk in values.chunks]
            return pa.chunked_array(lists, kind)
        if self._kind == "numeric" and self._numeric is None:
            return _as_numbers(values)
        return values


def tables(conn: psycopg.Connection) -> list[str]:
    """The tables and views of the live star schema, and under prefixes, each with its schema."""
    schemas = [*CONTEXTS, *BESIDE_CONTEXTS]
    for prefix in prefixes(conn):
        schemas += [schema_in(prefix.prefix, name) for name in (*prefix.contexts, *BESIDE_CONTEXTS)]
    return [f"{schema}.{name}" for schema, name in conn.execute(_TABLES, {"schemas": schemas}).fetchall()]


def read(conn: psycopg.Connection, name: str) -> pa.Table:
    """A table or view, `schema.name`, in no particular order; `conn` in autocommit.

    Ids and texts are strings, numbers with digits behind the point decimals, times microseconds: business times
    without zone, recorded ones in UTC. Raises UsageError where there is no such table, ReplayhouseError where a value
    has no place in its type of Arrow's, such as an infinite date.
    """
    there = tables(conn)
    if name not in there:
        raise UsageError(f"There is no table '{name}'. There are: {', '.join(there)}.")
    table = sql.Identifier(*name.split(".", 1))
    with conn.transaction():
        described = conn.execute(_COLUMNS.format(table)).description or []
        columns = [_Column(conn, column) for column in described]
        selected = sql.SQL(", ").join(column.expression for column in columns)
        schema = pa.schema([(column.name, column.read_as) for column in columns])
        with closing(rows_of(conn, _COPY.format(selected, table))) as rows:
            try:
                whole = pa.concat_tables([schema.empty_table(), *(_read(part, schema) for part in _parts(rows))])
                return pa.table(
                    [column.finished(values) for column, values in zip(columns, whole.columns, strict=True)],
                    names=schema.names,
                )
            except pa.ArrowException as error:
                told = str(error).splitlines()[0].rstrip(".")
                raise ReplayhouseError(f"The table {name} cannot be held as Arrow: {told}.") from error


def _parts(rows: Generator[memoryview]) -> Iterator[bytearray]:
    """Whole rows, as many as make a part."""
    part = bytearray()
    for row in rows:
        part += row
        if len(part) >= _PART_BYTES:
            yield part
            part = bytearray()
    if part:
        yield part


def _read(part: bytearray, schema: pa.Schema) -> pa.Table:
    return csv.read_csv(
        pa.BufferReader(pa.py_buffer(part)),
        read_options=csv.ReadOptions(column_names=schema.names, block_size=len(part) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _numeric(precision: int | None, scale: int | None) -> pa.DataType | None:
    """The type of numbers whose column says how many digits they have; None where it does not say."""
    if precision is None or scale is None or scale < 0 or precision > _MOST_DIGITS_OF_LONG_ONES:
        return None
    return _decimal(precision, scale)


def _as_numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers of a column that does not say how many digits they have, as many views do: as many as they need.

    They stay texts where that is more than Arrow has.
    """
    digits = pc.replace_substring(texts, "-", "")
    point = pc.find_substring(digits, ".")
    length = pc.utf8_length(digits)
    is_whole = pc.less(point, 0)
    before = pc.max(pc.if_else(is_whole, length, point)).as_py() or 1
    behind = pc.max(pc.if_else(is_whole, 0, pc.subtract(pc.subtract(length, point), 1))).as_py() or 0
    if before + behind > _MOST_DIGITS_OF_LONG_ONES:
        return texts
    precision = _MOST_DIGITS if before + behind <= _MOST_DIGITS else _MOST_DIGITS_OF_LONG_ONES
    return pc.cast(texts, _decimal(precision, behind))


def _decimal(precision: int, scale: int) -> pa.DataType:
    return pa.decimal128(precision, scale) if precision <= _MOST_DIGITS else pa.decimal256(precision, scale)


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)
