"""Tables of the star schema as Arrow: the server writes them as COPY text, and Arrow reads that by types of its own.

All of a table is read in one statement, so it shows one moment. Beside what Arrow makes of it, memory holds a part of
the text at a time.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from pyarrow import csv

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.copy_out import copied_lines
from replayhouse.infra.read_models.prefixes import BESIDE_CONTEXTS, prefixes, schema_in
from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError

_PART_BYTES = 16 * 2**20

_TABLES = """
    SELECT n.nspname::text, c.relname::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = ANY('{r,p,v,m}')
    ORDER BY array_position(%(schemas)s, n.nspname::text), 2
"""
# Of no rows: from here on, until the transaction ends, nobody swaps, changes or drops what is read.
_COLUMNS = sql.SQL("SELECT * FROM {} LIMIT 0")
_COPY = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT")
_NULL = sql.SQL("NULL")
_DIGITS = sql.SQL("coalesce(max(length(trunc(abs({0}))::text)), 1), coalesce(max(scale({0})), 0)")
_DIGITS_OF = sql.SQL("SELECT {} FROM {}")
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
    """A column: how it is asked for, as what its text is read, and what becomes of that.

    What `is_withheld` is asked for as null.
    """

    def __init__(self, conn: psycopg.Connection, column: psycopg.Column, *, is_withheld: bool = False) -> None:
        known = conn.adapters.types.get(column.type_code)
        self.name = column.name
        self._is_withheld = is_withheld
        self._is_array = known is not None and known.array_oid == column.type_code
        self._kind = known.name if known is not None else "text"
        self._numeric = _numeric(column.precision, column.scale) if self._kind == "numeric" else None

    @property
    def expression(self) -> sql.Composable:
        """What is selected."""
        name = sql.Identifier(self.name)
        if self._is_withheld:
            return _NULL
        if not self._is_array:
            return name
        return (_ARRAY if self._kind in _TYPES_IN_JSON else _ARRAY_OF_TEXTS).format(name)

    @property
    def read_as(self) -> pa.DataType:
        """The type that its text is read as."""
        if self._is_array or self._is_long:
            return pa.string()
        return self._numeric or _TYPES.get(self._kind, pa.string())

    @property
    def _is_long(self) -> bool:
        """Whether its numbers have more digits than Arrow reads of a text by itself."""
        return self._numeric is not None and pa.types.is_decimal256(self._numeric)

    @property
    def has_any_digits(self) -> bool:
        """Whether it holds numbers, and does not say how many digits they have, as many columns of views do."""
        return self._kind == "numeric" and self._numeric is None and not (self._is_array or self._is_withheld)

    def hold(self, before: int, behind: int) -> None:
        """From now on its numbers have so many digits before and behind the point, if Arrow has that many."""
        self._numeric = _holding(before, behind)

    def finished(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """The values of their final type."""
        if pa.types.is_string(self.read_as):
            values = _unescaped(values)
        if self._is_array:
            kind = pa.list_(_TYPES[self._kind] if self._kind in _TYPES_IN_JSON else pa.string())
            lists = [pa.array([_loaded(text) for text in chunk.to_pylist()], kind) for chunk in values.chunks]
            return pa.chunked_array(lists, kind)
        return pc.cast(values, self._numeric) if self._is_long else values


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
    with conn.transaction():
        reading = Reading(conn, name)
        parts = [part.rows for part in reading.parts()]
        return pa.concat_tables([reading.schema.empty_table(), *parts]) if parts else reading.schema.empty_table()


class Part(NamedTuple):
    """Some rows of a table: the lines in which the server wrote them, each with its end, and what Arrow makes of it."""

    lines: list[bytes]
    rows: pa.Table


class Reading:
    """A table or view that is read part by part, within a transaction. Of columns that are `withheld` all is null.

    Nobody swaps, changes or drops it before the transaction ends. Where a column does not say how many digits its
    numbers have, all of them are looked at first.
    """

    def __init__(self, conn: psycopg.Connection, name: str, withheld: Collection[str] = ()) -> None:
        self._conn, self._name = conn, name
        self._table = sql.Identifier(*name.split(".", 1))
        described = conn.execute(_COLUMNS.format(self._table)).description or []
        self._columns = [_Column(conn, column, is_withheld=column.name in withheld) for column in described]
        self._hold_all_digits([column for column in self._columns if column.has_any_digits])
        self._read_as = pa.schema([(column.name, column.read_as) for column in self._columns])
        empty = self._read_as.empty_table()
        self.schema = self._finished(empty).schema

    def _hold_all_digits(self, columns: list[_Column]) -> None:
        if not columns:
            return
        digits = sql.SQL(", ").join(_DIGITS.format(sql.Identifier(column.name)) for column in columns)
        found = self._conn.execute(_DIGITS_OF.format(digits, self._table)).fetchone()
        assert found is not None  # aggregates always give a row
        for place, column in enumerate(columns):
            column.hold(*found[2 * place : 2 * place + 2])

    def parts(self) -> Iterator[Part]:
        """All rows. Raises ReplayhouseError where a value has no place in its type of Arrow's."""
        selected = sql.SQL(", ").join(column.expression for column in self._columns)
        with closing(copied_lines(self._conn, _COPY.format(selected, self._table))) as rows:
            for lines in _parts(rows):
                try:
                    part = Part(lines, self._finished(_read(b"".join(lines), self._read_as)))
                except pa.ArrowException as error:
                    told = str(error).splitlines()[0].rstrip(".")
                    raise ReplayhouseError(f"The table {self._name} cannot be held as Arrow: {told}.") from error
                yield part

    def _finished(self, table: pa.Table) -> pa.Table:
        columns = zip(self._columns, table.columns, strict=True)
        return pa.table([column.finished(values) for column, values in columns], names=self._read_as.names)


def _parts(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Whole rows, as many as make a part."""
    part: list[bytes] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row)
        if size >= _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _read(part: bytes, schema: pa.Schema) -> pa.Table:
    return csv.read_csv(
        pa.BufferReader(part),
        read_options=csv.ReadOptions(column_names=schema.names, block_size=len(part) + 1),
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            null_values=["\\N"],
            strings_can_be_null=True,
            true_values=["t"],
            false_values=["f"],
        ),
    )


_ESCAPES = {r"\b": "\b", r"\t": "\t", r"\n": "\n", r"\v": "\v", r"\f": "\f", r"\r": "\r"}
_BACKSLASH = "\0"
"""Stands for an escaped backslash until the other escapes are read: no text of PostgreSQL's has one."""


def _unescaped(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as they were before COPY wrote them."""
    if not pc.any(pc.match_substring(values, "\\")).as_py():
        return values
    values = pc.replace_substring(values, r"\\", _BACKSLASH)
    for escape, sign in _ESCAPES.items():
        values = pc.replace_substring(values, escape, sign)
    return pc.replace_substring(values, _BACKSLASH, "\\")


def _numeric(precision: int | None, scale: int | None) -> pa.DataType | None:
    """The type of numbers whose column says how many digits they have; None where it does not say."""
    if precision is None or scale is None or scale < 0 or precision > _MOST_DIGITS_OF_LONG_ONES:
        return None
    return _decimal(precision, scale)


def _holding(before: int, behind: int) -> pa.DataType | None:
    """The type of numbers with so many digits before and behind the point; None, a text, where Arrow has no such."""
    if before + behind > _MOST_DIGITS_OF_LONG_ONES:
        return None
    return _decimal(_MOST_DIGITS if before + behind <= _MOST_DIGITS else _MOST_DIGITS_OF_LONG_ONES, behind)


def _decimal(precision: int, scale: int) -> pa.DataType:
    return pa.decimal128(precision, scale) if precision <= _MOST_DIGITS else pa.decimal256(precision, scale)


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)
