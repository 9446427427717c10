"""Stored events as columns are the same events, from whatever they were read, and stay whole streams."""

from itertools import groupby

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.columns.stored import StoredEvents, of_arrow, of_copied, of_rows, together, whole_streams
from replayhouse.infra.postgres.binary_copy import INT64_LENGTH, UUID_LENGTH, field
from replayhouse.infra.read_models.stream_reader import StoredRow

TOPICS = ("sales.OrderPlaced.v1", "sales.OrderPlaced.v2", "sales.OrderPaid.v1", "t", "x.Erased.v1", "")


@st.composite
def stored(draw: st.DrawFn) -> list[StoredRow]:
    """Whole streams, ordered by stream."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=8))
    one = st.tuples(st.integers(1, 2**62), st.sampled_from(TOPICS), st.binary(max_size=40))
    streams = sorted(draw(st.sets(st.binary(min_size=16, max_size=16), min_size=len(sizes), max_size=len(sizes))))
    return [(stream, *draw(one)) for stream, size in zip(streams, sizes, strict=True) for _ in range(size)]


def copied(row: StoredRow) -> bytes:
    stream, position, topic, state = row
    number = INT64_LENGTH + position.to_bytes(8, "big")
    return b"\x00\x04" + UUID_LENGTH + stream + number + field(topic.encode()) + field(bytes(state))


def arrow(rows: list[StoredRow]) -> pa.RecordBatch:
    streams, positions, topics, states = zip(*rows, strict=True)
    columns = {
        "originator_id": pa.array(streams, pa.binary(16)),
        "notification_id": pa.array(positions, pa.int64()),
        "topic": pa.array(topics, pa.string()).dictionary_encode(),
        "state": pa.array(states, pa.binary()),
    }
    return pa.RecordBatch.from_pydict(columns)


def rows_of(events: StoredEvents) -> list[StoredRow]:
    return list(events.rows())


@given(rows=stored(), cut=st.integers(0, 10), at_once=st.integers(1, 10))
def test_they_are_the_events_that_were_read(rows: list[StoredRow], cut: int, at_once: int) -> None:
    sliced = arrow([*rows[:1], *rows]).slice(1)
    halves = [of_arrow(part) for part in (sliced.slice(0, cut), sliced.slice(cut)) if part.num_rows]
    many = [rows[begin : begin + at_once] for begin in range(0, len(rows), at_once)]
    parts = list(whole_streams(([copied(row) for row in some] for some in many), at_once))

    for events in (of_rows(rows), of_copied(list(map(copied, rows))), of_arrow(sliced), together(halves)):
        assert rows_of(events) == rows
        assert [events.state(place) for place in range(len(rows))] == [state for *_, state in rows]
        assert [part for whole in events.parts(at_once) for part in rows_of(whole)] == rows
        assert [events.streams[place].tobytes() for place in events.begins] == [
            stream for stream, _ in groupby(row[0] for row in rows)
        ]
    assert [row for part in parts for row in rows_of(part)] == rows
    first = [part.streams[0].tobytes() for part in parts]
    assert sorted(set(first)) == first, "no stream is parted"
