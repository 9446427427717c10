"""Rows that are columns, as Arrow and as lines of COPY: written a column at a time, without a Python value in between.

What this does not write exactly as `copy_text` and `arrow_rows` do, it refuses (Unwritten), and those rows are written
one by one: numbers that do not fit, fractions of seconds, coordinates, recorded times.

Numpy's arrays go to Arrow as buffers: pyarrow may have been imported where numpy was left out.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from replayhouse.infra.columns.numbers import Amounts, Ints
from replayhouse.infra.columns.runs import Piece
from replayhouse.infra.columns.times import SECOND_US, Days, Moments
from replayhouse.infra.columns.values import Array, Bools, Column, Texts, Uuids
from replayhouse.projections.digest import ESCAPES, NULL

_BACKSLASH = ord("\\")
_HIGHEST_ESCAPED = max(ord(sign) for sign in ESCAPES if ord(sign) != _BACKSLASH)
_ID_WIDTH = 36


class Unwritten(Exception):  # noqa: N818 - the name says what is the matter
    """Rows that are not written from columns."""


class Lines(NamedTuple):
    """What COPY reads, and where in it each row begins, and ends before its position."""

    data: memoryview
    starts: Array
    ends: Array

    def without_position(self) -> Iterable[bytes]:
        """The lines that a digest covers."""
        text = self.data.tobytes()  # whose slices take half the time of those of a view
        return [text[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]


def batch_of(schema: pa.Schema, pieces: Sequence[Piece]) -> pa.RecordBatch:
    """The rows as Arrow. Raises Unwritten."""
    for piece in pieces:
        if len(piece.row) != len(schema):
            raise Unwritten("a row of another width")
    counts = [piece.streams for piece in pieces]
    cells = zip(*[piece.row for piece in pieces], strict=True)
    try:
        made = [_MAKERS[field.type.id](field.type, counts, of) for field, of in zip(schema, cells, strict=True)]
    except (KeyError, TypeError, ValueError, OverflowError, pa.ArrowInvalid) as error:
        raise Unwritten(str(error)) from error
    return pa.RecordBatch.from_arrays(made, schema=schema)


def lines_of(batch: pa.RecordBatch) -> Lines:
    """Rows of `batch_of` as lines."""
    cells = [_text(column) for column in batch.columns]
    cells[-1] = pc.binary_join_element_wise(cells[-1], "\n", "")
    lines = pc.binary_join_element_wise(*cells, "\t", null_handling="replace", null_replacement=NULL.decode())
    _, offsets, data = lines.buffers()
    bounds = np.frombuffer(offsets, np.int32)[: len(lines) + 1].astype(np.int64)
    lengths = np.frombuffer(pc.binary_length(cells[-1]).buffers()[1], np.int32)[: len(lines)]
    return Lines(memoryview(data)[: int(bounds[-1])], bounds[:-1], bounds[1:] - lengths - 1)


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "t", "f")
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("s")).cast(pa.string())
    return _escaped(column) if pa.types.is_string(kind) else column.cast(pa.string())


def _escaped(texts: pa.Array) -> pa.Array:
    signs = _signs_of(texts)
    if signs.min(initial=_BACKSLASH + 1) <= _HIGHEST_ESCAPED or (signs == _BACKSLASH).any():
        for sign, written in ESCAPES.items():
            texts = pc.replace_substring(texts, sign, written)
    return texts


def _signs_of(texts: pa.Array) -> Array:
    """The bytes of all texts."""
    _, offsets, data = texts.buffers()
    return np.frombuffer(data or b"", np.uint8)[: np.frombuffer(offsets, np.int32)[len(texts)]]


# --- columns of a table ------------------------------------------------------------------------------------------

_Cells = Sequence[Any]


def _integers(kind: pa.DataType, counts: Sequence[int], cells: _Cells) -> pa.Array:
    values, nulls = _values(Ints, counts, cells)
    limit = 2 ** (kind.bit_width - 1)
    if kind.bit_width < 64 and ((values < -limit) | (values >= limit)).any():
        raise Unwritten("a number that does not fit")
    return _array(kind, values.astype(f"i{kind.bit_width // 8}"), nulls)


def _numerics(kind: pa.DataType, counts: Sequence[int], cells: _Cells) -> pa.Array:
    values, nulls = _values(Amounts, counts, cells)
    if kind.scale != 2 or (np.abs(values) >= 10**kind.precision).any():
        raise Unwritten("an amount that does not fit")
    words = np.empty((len(values), 2), np.int64)
    words[:, 0], words[:, 1] = values, values >> 63
    return _array(kind, words, nulls)


def _moments(kind: pa.DataType, counts: Sequence[int], cells: _Cells) -> pa.Array:
    values, nulls = _values(Moments, counts, cells)
    if kind.tz is not None or (values % SECOND_US).any():
        raise Unwritten("a time with a zone, or with a fraction")
    return _array(kind, values, nulls)


def _dates(kind: pa.DataType, counts: Sequence[int], cells: _Cells) -> pa.Array:
    values, nulls = _values(Days, counts, cells)
    return _array(kind, values.astype(np.int32), nulls)


def _flags(kind: pa.DataType, counts: Sequence[int], cells: _Cells) -> pa.Array:
    values, nulls = _values(Bools, counts, cells)
    return _array(kind, np.packbits(values.astype(bool), bitorder="little"), nulls, len(values))


def _strings(kind: pa.DataType, counts: Sequence[int], cells: _Cells) -> pa.Array:
    """Texts or ids; a text with a NUL, or half of a sign, PostgreSQL stores none of."""
    if all(type(cell) is Uuids for cell in cells):
        ids = np.concatenate([cell.values for cell in cells])
        offsets = np.arange(0, _ID_WIDTH * (len(ids) + 1), _ID_WIDTH, dtype=np.int32)
        return pa.Array.from_buffers(kind, len(ids), [None, pa.py_buffer(offsets), pa.py_buffer(ids)])
    texts = pa.array(list(chain.from_iterable(map(_texts, counts, cells))), kind)
    if (_signs_of(texts) == 0).any():
        raise Unwritten("a text with a NUL")
    return texts


def _texts(count: int, cell: Any) -> list[str | None]:
    if type(cell) is Texts:
        return cell.tolist()
    if type(cell) is Uuids:
        return [each.decode() for each in cell.values.tolist()]
    if type(cell) not in (str, UUID, NoneType):
        raise Unwritten("something that is no text")
    return [None if cell is None else str(cell)] * count


_MAKERS = {
    pa.int32().id: _integers,
    pa.int64().id: _integers,
    pa.decimal128(12, 2).id: _numerics,
    pa.timestamp("us").id: _moments,
    pa.date32().id: _dates,
    pa.bool_().id: _flags,
    pa.string().id: _strings,
}
"""By type of a column of a table, what makes it."""


def _values(kind: type[Column], counts: Sequence[int], cells: _Cells) -> tuple[Array, Array | None]:
    """The values of a column in one array, and which are null. Raises TypeError where they are of another kind."""
    parts, nulls = [], []
    for count, cell in zip(counts, cells, strict=True):
        if type(cell) is kind:
            parts.append(cell.values)
        else:
            parts.append(np.full(count, 0 if cell is None else kind.number(cell), np.int64))
        nulls.append(np.full(count, cell is None))
    are_null = np.concatenate(nulls)
    return np.concatenate(parts), are_null if are_null.any() else None


def _array(kind: pa.DataType, values: Array, nulls: Array | None, length: int | None = None) -> pa.Array:
    known = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    return pa.Array.from_buffers(
        kind, len(values) if length is None else length, [known, pa.py_buffer(np.ascontiguousarray(values))]
    )
