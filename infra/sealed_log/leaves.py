"""The leaves of events that stand in columns: the bytes that are hashed are put together by Arrow, many at once."""

import sys
from array import array

import pyarrow as pa
import pyarrow.compute as pc

from replayhouse.infra.event_store.merkle import leaf_of
from replayhouse.infra.postgres.binary_copy import INT64_LENGTH, NULL, UUID_LENGTH, field


def leaves_of(context: str, events: pa.RecordBatch) -> list[bytes]:
    """The leaf (32 bytes) of each event, columns as in `layout.EVENTS`: recomputed from its fields (see merkle)."""
    if not events.num_rows:
        return []
    topics = events["topic"]
    fields = pc.binary_join_element_wise(
        pa.scalar(field(context.encode()) + UUID_LENGTH),
        events["originator_id"].cast(pa.binary()),
        pa.scalar(INT64_LENGTH),
        _big_endian(events["originator_version"], "q"),
        _fields(topics.dictionary).take(topics.indices),
        _fields(events["state"]),
        _fields(events["batch_id"]),
        _fields(events["source"]),
        b"",
    )
    return [leaf_of(value) for value in fields.to_pylist()]


def _fields(values: pa.Array) -> pa.Array:
    """Each value as a field: its length before it; null as what stands for that."""
    values = values.cast(pa.binary())
    lengths = _big_endian(pc.binary_length(values), "i")
    return pc.fill_null(pc.binary_join_element_wise(lengths, values, b""), NULL)


def _big_endian(numbers: pa.Array, code: str) -> pa.Array:
    """Integers as the bytes that are hashed; what is null stays it, or becomes anything."""
    held = array(code)
    size = held.itemsize
    data = numbers.buffers()[1]
    held.frombytes(memoryview(data)[numbers.offset * size : (numbers.offset + len(numbers)) * size])
    if sys.byteorder == "little":
        held.byteswap()
    return pa.Array.from_buffers(pa.binary(size), len(held), [None, pa.py_buffer(held)]).cast(pa.binary())
