"""Stored events of whole streams as columns, as they come from the log: no Python value for each of them.

Their states stay where they were read, in one text with whatever else came between them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from replayhouse.infra.columns.values import Array

PADDING = bytes(256)
"""Behind the last state: whatever is looked for there is not found."""

_ID_AT, _POSITION_AT, _LENGTH_AT, _TOPIC_AT = 6, 26, 34, 38  # in a row of COPY in binary form
_LENGTH_BYTES = 4

_Bytes: TypeAlias = bytes | bytearray | memoryview
_Row: TypeAlias = tuple[bytes, int, str, bytes | memoryview]


@dataclass(frozen=True, slots=True)
class StoredEvents:
    """Events, ordered by stream and version: their streams (rows of 16 bytes), positions, and numbers of their topics.

    `states` holds the states, and PADDING behind them; that of an event is what stands from its place in `starts` on,
    and before that in `ends`.
    """

    streams: Array
    positions: Array
    topics: Sequence[str]
    topic_of: Array
    states: bytes
    starts: Array
    ends: Array

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def begins(self) -> Array:
        """The places where a stream begins."""
        numbers = np.ascontiguousarray(self.streams).view(np.uint64)
        return np.flatnonzero(np.concatenate(([True], (numbers[1:] != numbers[:-1]).any(axis=1)))[: len(self)])

    def ids(self, places: Array) -> list[bytes]:
        """The streams of some events, 16 bytes each."""
        whole = self.streams[places].tobytes()
        return [whole[begin : begin + 16] for begin in range(0, len(whole), 16)]

    def state(self, place: int) -> bytes:
        """The state of an event, as bytes."""
        return self.states[self.starts[place] : self.ends[place]]

    def rows(self, are_wanted: Array | None = None) -> list[_Row]:
        """The events, or those that are wanted, one by one: stream, position, topic, state."""
        places = np.arange(len(self)) if are_wanted is None else np.flatnonzero(are_wanted)
        return [
            (stream, position, self.topics[topic], self.states[start:end])
            for stream, position, topic, start, end in zip(
                self.ids(places),
                *(of[places].tolist() for of in (self.positions, self.topic_of, self.starts, self.ends)),
                strict=True,
            )
        ]

    def between(self, first: int, after: int) -> "StoredEvents":
        """The events from one place to before another."""
        some = slice(first, after)
        return replace(
            self,
            streams=self.streams[some],
            positions=self.positions[some],
            topic_of=self.topic_of[some],
            starts=self.starts[some],
            ends=self.ends[some],
        )

    def parts(self, number: int) -> Iterator["StoredEvents"]:
        """The same events, whole streams, so many at once; the last ones may be half as many more."""
        first = 0
        for after in self.begins.tolist():
            if after - first >= number and 2 * (len(self) - after) >= number:
                yield self.between(first, after)
                first = after
        yield self.between(first, len(self))


def of_rows(rows: Sequence[_Row]) -> StoredEvents:
    """Events that were read one by one."""
    streams, positions, topics, states = zip(*rows, strict=True) if rows else ((), (), (), ())
    number: dict[str, int] = {}
    topic_of = [number.setdefault(topic, len(number)) for topic in topics]
    ends = np.fromiter(accumulate(map(len, states)), np.int64, len(rows))
    return StoredEvents(
        np.frombuffer(b"".join(streams), np.uint8).reshape(-1, 16),
        np.array(positions, np.int64),
        list(number),
        np.array(topic_of, np.int64),
        b"".join((*states, PADDING)),
        np.concatenate(([0], ends[:-1])) if rows else ends,
        ends,
    )


def of_copied(rows: Sequence[_Bytes]) -> StoredEvents:
    """Events of rows of COPY in binary form: stream, position, topic, state."""
    text = b"".join((*rows, PADDING))
    ends = np.fromiter(accumulate(map(len, rows)), np.int64, len(rows))
    begins = np.concatenate(([0], ends[:-1])) if rows else ends
    lengths = _gathered(text, begins + _LENGTH_AT, _LENGTH_BYTES, ">u4").astype(np.int64)
    topics, topic_of = _topics(text, begins + _TOPIC_AT, lengths)
    return StoredEvents(
        _gathered(text, begins + _ID_AT, 16, np.uint8),
        _gathered(text, begins + _POSITION_AT, 8, ">i8").astype(np.int64),
        topics,
        topic_of,
        text,
        begins + _TOPIC_AT + lengths + _LENGTH_BYTES,
        ends,
    )


def of_arrow(batch: pa.RecordBatch) -> StoredEvents:
    """Events of a file of a sealed log: columns `originator_id`, `notification_id`, `topic`, `state`."""
    events = batch.num_rows
    streams, positions, states, topics = (
        batch[name] for name in ("originator_id", "notification_id", "state", "topic")
    )
    ends = np.frombuffer(states.buffers()[1], np.int32)[states.offset : states.offset + events + 1].astype(np.int64)
    first, after = int(ends[0]), int(ends[-1])
    held = memoryview(states.buffers()[2] or b"")[first:after]
    return StoredEvents(
        np.frombuffer(streams.buffers()[1], np.uint8).reshape(-1, 16)[streams.offset : streams.offset + events],
        np.frombuffer(positions.buffers()[1], np.int64)[positions.offset : positions.offset + events],
        topics.dictionary.to_pylist(),
        np.array(topics.indices.to_pylist(), np.int64),
        b"".join((held, PADDING)),
        ends[:-1] - first,
        ends[1:] - first,
    )


def together(some: Sequence[StoredEvents]) -> StoredEvents:
    """Events of several, at least one, which follow on each other."""
    if len(some) == 1:
        return some[0]
    number: dict[str, int] = {}
    topic_of = [
        np.array([number.setdefault(topic, len(number)) for topic in events.topics], np.int64)[events.topic_of]
        for events in some
    ]
    before = [0, *accumulate(len(events.states) for events in some)]
    return StoredEvents(
        np.concatenate([events.streams for events in some]),
        np.concatenate([events.positions for events in some]),
        list(number),
        np.concatenate(topic_of),
        b"".join(events.states for events in some),
        np.concatenate([events.starts + begin for events, begin in zip(some, before, strict=False)]),
        np.concatenate([events.ends + begin for events, begin in zip(some, before, strict=False)]),
    )


def whole_streams(read: Iterable[Sequence[_Bytes]], number: int) -> Iterator[StoredEvents]:
    """The same of rows that are ordered by stream and version and come so many at a time: as they make whole streams.

    The last ones are given together with those before, where they are fewer than half as many.
    """
    waiting: Sequence[_Bytes] = []
    for rows in read:
        if waiting and 2 * len(rows) >= number:
            events = of_copied(waiting)
            cut = int(events.begins[-1])
            if cut:
                yield events.between(0, cut)
            waiting = waiting[cut:]
        waiting = [*waiting, *rows]
    if waiting:
        yield of_copied(waiting)


def _gathered(text: bytes, at: Array, width: int, kind: Any) -> Array:
    """So many bytes from each of these places on, as numbers of a kind: a row of them, where they are more than one."""
    every = np.ndarray((len(text) - width + 1,), f"V{width}", text, strides=(1,))
    numbers: Array = every[at].view(kind)
    return numbers if len(numbers) == len(at) else numbers.reshape(len(at), -1)


def _topics(text: bytes, at: Array, lengths: Array) -> tuple[list[str], Array]:
    """The different topics, in the order of the events, and which of them each event has."""
    topics: list[str] = []
    topic_of = np.full(len(at), -1, np.int64)
    last_signs = _gathered(text, at + lengths - 8, 8, np.int64)  # most topics differ there: the quicker to compare
    left = np.arange(len(at))
    while len(left):
        begin, length = int(at[left[0]]), int(lengths[left[0]])
        name = text[begin : begin + length]
        are_same = (last_signs[left] == last_signs[left[0]]) & (lengths[left] == length)
        if length:
            are_same[are_same] = _gathered(text, at[left[are_same]], length, f"S{length}") == name
        topic_of[left[are_same]] = len(topics)
        topics.append(name.decode())
        left = left[~are_same]
    return topics, topic_of
