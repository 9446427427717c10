"""Events out of the database, a column at a time.

The server strings the values of many rows together, so that a column comes as one value, with the lengths beside it
where they differ. Arrow takes those buffers as they are: nothing is done row by row on this side.
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.log_tables import ALL_EVENTS
from replayhouse.infra.sealed_log.layout import ID

POSITIONS_A_BUCKET = 1_000
"""So many events are asked for at once at least: at their largest they are a value that the server can make."""

_BYTES_ASKED_FOR = 16 * 2**20

_BUCKETS = f"""
    SELECT (notification_id - %(first)s) / {POSITIONS_A_BUCKET}, sum(octet_length(state) + octet_length(topic)
        + coalesce(octet_length(source), 0) + 60)::bigint
    FROM ({ALL_EVENTS}) AS log WHERE notification_id BETWEEN %(first)s AND %(last)s GROUP BY 1 ORDER BY 1
"""
_LENGTHS = "string_agg(int4send({length}), ''), string_agg({bytes}, '')"
_TOPIC = _LENGTHS.format(length="octet_length(topic)", bytes="convert_to(topic, 'UTF8')")
_STATE = _LENGTHS.format(length="octet_length(state)", bytes="state")
_BATCH = _LENGTHS.format(
    length="CASE WHEN batch_id IS NULL THEN -1 ELSE 16 END", bytes="coalesce(uuid_send(batch_id), '')"
)
_SOURCE = _LENGTHS.format(length="coalesce(octet_length(source), -1)", bytes="coalesce(convert_to(source, 'UTF8'), '')")
_EVENTS = {
    context: sql.SQL(f"""
        SELECT count(*), string_agg(uuid_send(originator_id), ''), string_agg(int8send(originator_version), ''),
            string_agg(int8send(notification_id), ''), {_TOPIC}, {_STATE}, {_BATCH}, {_SOURCE}
        FROM event_store.{{}} WHERE notification_id BETWEEN %s AND %s
    """).format(sql.Identifier(f"{context}_events"))
    for context in CONTEXTS
}


class Bucket(NamedTuple):
    """Neighbouring positions, and how many bytes their events have."""

    first: int
    last: int
    bytes: int


def buckets(conn: psycopg.Connection, first: int, last: int) -> list[Bucket]:
    """How the bytes of the events from one position to another are spread over these."""
    return [
        Bucket(begins, min(begins + POSITIONS_A_BUCKET - 1, last), int(size))
        for number, size in conn.execute(_BUCKETS.encode(), {"first": first, "last": last})
        for begins in [first + number * POSITIONS_A_BUCKET]
    ]


def portions(spread: Sequence[Bucket]) -> Iterator[tuple[int, int]]:
    """First and last positions of what is asked for at once."""
    first, held = None, 0
    for bucket in spread:
        if first is not None and held + bucket.bytes > _BYTES_ASKED_FOR:
            yield first, bucket.first - 1
            first, held = None, 0
        first = bucket.first if first is None else first
        held += bucket.bytes
    if first is not None:
        yield first, spread[-1].last


def read_events(conn: psycopg.Connection, context: str, first: int, last: int) -> pa.Table | None:
    """The events of a context from one position to another, in no order; None where there are none."""
    with conn.cursor(binary=True) as cursor:
        row = cursor.execute(_EVENTS[context], [first, last]).fetchone()
    assert row is not None  # an aggregate always gives a row
    count = row[0]
    if not count:
        return None
    ids, versions, positions, topic_lengths, topics, state_lengths, states, *others = row[1:]
    batch_lengths, batches, source_lengths, sources = others
    return pa.table(
        {
            "originator_id": pa.Array.from_buffers(ID, count, [None, pa.py_buffer(ids)]),
            "originator_version": _numbers(versions),
            "notification_id": _numbers(positions),
            "topic": _texts(pa.string(), topic_lengths, topics).dictionary_encode(),
            "state": _texts(pa.large_binary(), state_lengths, states),
            "batch_id": _texts(pa.binary(), batch_lengths, batches).cast(ID),
            "source": _texts(pa.large_string(), source_lengths, sources),
        }
    )


def _numbers(data: bytes) -> pa.Array:
    """Integers of eight bytes."""
    return _native("q", data, pa.int64())


def _native(code: str, data: bytes, kind: pa.DataType) -> pa.Array:
    numbers = array(code, data)
    if sys.byteorder == "little":  # the server writes as networks do
        numbers.byteswap()
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def _texts(kind: pa.DataType, lengths: bytes, data: bytes) -> pa.Array:
    """Values one after the other, given their lengths as integers of four bytes: -1 of one that is null."""
    sizes = _native("i", lengths, pa.int32())
    there = pc.greater_equal(sizes, 0)
    wide = pa.int64() if kind in (pa.large_binary(), pa.large_string()) else pa.int32()
    ends = pc.cumulative_sum(pc.max_element_wise(sizes, 0).cast(wide))
    offsets = pa.concat_arrays([pa.array([0], wide), ends])
    bits = None if pc.all(there).as_py() else there.buffers()[1]
    return pa.Array.from_buffers(kind, len(sizes), [bits, offsets.buffers()[1], pa.py_buffer(data)])
