"""Rows of the plan of a load as columns: each field of all of them, as `ingest.work` has it of one."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_type_hints
from uuid import UUID

import duckdb
import numpy as np
import pyarrow as pa

from replayhouse.infra.columns.numbers import Amounts, Ints
from replayhouse.infra.columns.times import Moments
from replayhouse.infra.columns.values import Array, Column, Texts, Uuids

ID = "S36"


class _Kind(NamedTuple):
    """How values of a type come out of DuckDB, and what they are then; `{}` is the name of the column."""

    column: type[Column]
    query: str
    read: Callable[[pa.Array], Array]


def _whole(values: pa.Array) -> Array:
    return np.asarray(values.fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _ids(values: pa.Array) -> Array:
    texts = values.fill_null("0" * 36)
    begin, size = texts.offset * 36, len(texts) * 36
    return np.frombuffer(texts.buffers()[2] or b"", np.uint8)[begin : begin + size].view(ID).copy()


def _texts(values: pa.Array) -> Array:
    return np.array(values.to_pylist(), object)


_KINDS: dict[object, _Kind] = {
    UUID: _Kind(Uuids, "{}::VARCHAR", _ids),
    str: _Kind(Texts, "{}", _texts),
    int: _Kind(Ints, "{}::BIGINT", _whole),
    Decimal: _Kind(Amounts, "({} * 100)::BIGINT", _whole),
    datetime: _Kind(Moments, "epoch_us({})", _whole),
}


class _Field:
    """One field of all rows: its values, and where it is null."""

    def __init__(self, kind: _Kind, values: pa.Array) -> None:
        self._column = kind.column
        self.nulls: Array | None = np.asarray(values.is_null()) if values.null_count else None
        self.values = kind.read(values)

    def at(self, rows: Array) -> Any:
        """The values of these rows, all of which are null, or none."""
        return None if self.nulls is not None and self.nulls[rows[0]] else self._column(self.values, rows)


class Rows:
    """The rows of a table of the plan in a range of buckets, in its order: by bucket and family.

    `shape` are the columns whose values belong to the shape of a row, besides which fields are null: rows have the same
    number in `kinds` where they have the same shape.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        columns: dict[str, object],
        buckets: tuple[int, int],
        shape: tuple[str, ...] = (),
    ) -> None:
        kinds = {name: _KINDS[_known(hint)] for name, hint in columns.items()}
        selected = ", ".join(f"{kind.query.format(name)} AS {name}" for name, kind in kinds.items())
        query = f"SELECT {selected} FROM {table} WHERE bucket BETWEEN $first AND $last"
        found: Any = connection.sql(query, params={"first": buckets[0], "last": buckets[1]}).to_arrow_table()
        self._fields = {name: _Field(kind, _whole_array(found[name])) for name, kind in kinds.items()}
        self._shape = shape
        self.count = found.num_rows
        self.kinds = np.zeros(self.count, np.int64)
        for name, field in self._fields.items():
            if field.nulls is not None:
                self.kinds = self.kinds * 2 + field.nulls
            if name in shape:
                words: dict[str | None, int] = {}
                numbers = [words.setdefault(word, len(words)) for word in field.values.tolist()]
                self.kinds = self.kinds * max(1, len(words)) + np.array(numbers, np.int64)

    def values(self, name: str) -> Array:
        """A column, as numpy holds it."""
        return self._fields[name].values

    def nulls(self, name: str) -> Array:
        """Where a column is null."""
        nulls = self._fields[name].nulls
        return np.zeros(self.count, bool) if nulls is None else nulls

    def at(self, name: str, rows: Array) -> Any:
        """A field of rows of one shape: a column, or the one value where that belongs to the shape."""
        field = self._fields[name]
        return field.values[rows[0]] if name in self._shape else field.at(rows)

    def facts(self, of: Any, rows: Array) -> Any:
        """What the domain takes of these rows."""
        return of(**{name: self.at(name, rows) for name in columns_of(of)})


@cache
def columns_of(facts: Any) -> dict[str, object]:
    """The fields of facts by name, with their types."""
    hints = get_type_hints(facts)
    names = facts._fields if issubclass(facts, tuple) else [field.name for field in fields(facts)]
    return {name: hints[name] for name in names}


def _known(hint: object) -> object:
    """The type of a value that is not null."""
    if isinstance(hint, UnionType):
        (known,) = set(get_args(hint)) - {NoneType}
        return known
    return hint


def _whole_array(column: pa.ChunkedArray) -> pa.Array:
    chunks = column.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else pa.array([], column.type)
