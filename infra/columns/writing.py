"""Events as the log writes them, from columns: the JSON of `serialization.mapper`, for all rows at once.

What is the same for all rows is written once; each column is written by Arrow, or value by value where the general case
needs Python. Arrow joins these parts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from replayhouse.infra.columns.numbers import Amounts, Ints
from replayhouse.infra.columns.times import Days, Moments
from replayhouse.infra.columns.values import Column, Texts, Uuids

_json = msgspec.json.Encoder().encode

_SPECIAL = r'["\\\x00-\x1f]'
"""What JSON writes otherwise than it is."""

_SECOND = 1_000_000

Part: TypeAlias = Any  # Arrow has no types
"""A piece of text that is the same in all rows, as bytes, or an array of one for each of them."""


class Writer:
    """Writes events of so many rows; a column that stands in several of them is written once.

    Columns are known by what they are, not by their values: those that were written must stay as they are.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._written: dict[int, tuple[Column, pa.Array]] = {}

    def states(self, event: Any, instead: Mapping[str, Any]) -> pa.BinaryArray:
        """The states of an event whose fields may be columns; `instead` are fields with other values, by name."""
        return self._joined(self._object(event, instead))

    def texts(self, column: Texts) -> pa.Array:
        """Texts as they are."""
        return column.as_text()

    def _joined(self, parts: Iterator[Part]) -> pa.BinaryArray:
        text, arrays = b"", list[Any]()
        for part in parts:
            if isinstance(part, bytes):
                text += part
            else:
                arrays += [pa.scalar(text), part]
                text = b""
        if not arrays:
            return pa.array([text] * self._rows, pa.binary())
        return pc.binary_join_element_wise(*arrays, pa.scalar(text), b"")

    def _object(self, record: Any, instead: Mapping[str, Any]) -> Iterator[Part]:
        before = b"{"
        for field in fields(record):
            yield before + _json(field.name) + b":"
            value = instead[field.name] if field.name in instead else getattr(record, field.name)
            yield from self._value(value)
            before = b","
        yield b"}"

    def _array(self, values: tuple[Any, ...]) -> Iterator[Part]:
        before = b"["
        for value in values:
            yield before
            yield from self._value(value)
            before = b","
        yield b"]" if values else b"[]"

    def _value(self, value: Any) -> Iterator[Part]:
        kind = type(value)  # a column refuses to be asked what it is
        if issubclass(kind, Column):
            quote = b"" if kind is Ints else b'"'
            yield quote
            yield self._column(value)
            yield quote
        elif issubclass(kind, tuple):
            yield from self._array(value)
        elif is_dataclass(kind):
            yield from self._object(value, {})
        else:
            yield _json(value)

    def _column(self, column: Column) -> pa.Array:
        known = self._written.get(id(column))
        if known is None:
            known = self._written[id(column)] = column, _WRITE[type(column)](column)
        return known[1]


def _numbers(column: Column) -> pa.Array:
    return column.as_text().cast(pa.binary())


def _amounts(column: Column) -> pa.Array:
    hundredths = np.empty((len(column.values), 2), np.int64)
    hundredths[:, 0], hundredths[:, 1] = column.values, column.values >> 63  # as 128 bits, little-endian
    exact = pa.Array.from_buffers(pa.decimal128(38, 2), len(hundredths), [None, pa.py_buffer(hundredths)])
    return exact.cast(pa.string()).cast(pa.binary())


def _texts(column: Column) -> pa.Array:
    texts = column.as_text()
    if pc.any(pc.match_substring_regex(texts, _SPECIAL)).as_py():
        return pa.array([_json(text)[1:-1] for text in column.values.tolist()], pa.binary())
    return texts.cast(pa.binary())


def _ids(column: Column) -> pa.Array:
    return column.as_text().cast(pa.binary())


def _times(column: Column) -> pa.Array:
    if (column.values % _SECOND).any():
        return pa.array([_json(at)[1:-1] for at in column.tolist()], pa.binary())
    written = pa.array(column.values // _SECOND, pa.timestamp("s")).cast(pa.string())
    return pc.replace_substring(written, " ", "T").cast(pa.binary())


def _days(column: Column) -> pa.Array:
    return pa.array(column.values.astype(np.int32), pa.date32()).cast(pa.string()).cast(pa.binary())


_WRITE: dict[type[Column], Callable[[Column], pa.Array]] = {
    Ints: _numbers,
    Amounts: _amounts,
    Texts: _texts,
    Uuids: _ids,
    Moments: _times,
    Days: _days,
}
