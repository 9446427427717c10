"""The events of several sorted files as one sorted sequence, in bounded memory.

A file is read row group by row group, and each only once. What was read and lies before everything that is still to be
read can be given: whole streams, for a stream that goes on in another row group is not before that.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from replayhouse.infra.sealed_log.layout import EVENTS, ORDER, scalar_of
from replayhouse.infra.sealed_log.places import Place, opened

_GIVEN_AT_ONCE = 16 * 2**20
_GIVEN_AT_MOST = 256 * 2**20
"""Bytes read between two batches: more where much is held, so that it is not looked at again and again."""


class Group(NamedTuple):
    """A row group of a sorted file: its place among them, its rows, its first and last stream."""

    number: int
    rows: int
    lowest: bytes
    highest: bytes


@dataclass(frozen=True, slots=True)
class SortedFile:
    """A file of events in a place, with what its footer says."""

    place: Place
    name: str
    metadata: pq.FileMetaData
    groups: tuple[Group, ...]

    def read(self, group: Group, columns: list[str] | None = None) -> pa.Table:
        """The rows of one group. Raises InputError where they cannot be read."""
        with opened(self.place, self.name, self.metadata) as file:
            return file.read_row_group(group.number, columns=columns, use_threads=False)


def sorted_file(place: Place, name: str) -> SortedFile:
    """A file of events, its footer read. Raises InputError where it is missing, or none of the log."""
    with opened(place, name) as file:
        metadata = file.metadata
        if not file.schema_arrow.equals(EVENTS):
            raise pa.ArrowInvalid("its columns are not those of a sealed log")
        return SortedFile(place, name, metadata, tuple(_groups(metadata)))


def _groups(metadata: pq.FileMetaData) -> Iterator[Group]:
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        told = group.column(0).statistics
        if told is None or not told.has_min_max:
            raise pa.ArrowInvalid("a row group does not say which streams it holds")
        yield Group(index, group.num_rows, told.min, told.max)


class _Reading:
    """How far a file is read: the groups that are left, and the rows that could not be given yet."""

    def __init__(self, file: SortedFile, low: UUID, high: UUID, position: int | None, columns: list[str]) -> None:
        self._file = file
        self._columns = columns
        self._low, self._high, self._position = low, high, position
        self._left = [
            group for group in reversed(file.groups) if low.bytes <= group.highest and group.lowest <= high.bytes
        ]
        self.held = self._nothing = EVENTS.empty_table().select(columns)

    @property
    def next_stream(self) -> bytes | None:
        """The first stream of what is left to read; None where nothing is."""
        return self._left[-1].lowest if self._left else None

    def read_on(self) -> int:
        """Reads one group more; how many bytes came to what is held."""
        group = self._left.pop()
        rows = self._file.read(group, self._columns)
        if group.lowest < self._low.bytes:
            rows = rows.filter(pc.greater_equal(rows["originator_id"], scalar_of(self._low)))
        if group.highest > self._high.bytes:
            rows = rows.filter(pc.less_equal(rows["originator_id"], scalar_of(self._high)))
        if self._position is not None:
            rows = rows.filter(pc.less_equal(rows["notification_id"], self._position))
        self.held = pa.concat_tables([self.held, rows])
        return int(rows.nbytes)

    def take_before(self, stream: bytes | None) -> pa.Table:
        """What is held of the streams before one, and no longer; all of it where there is no such stream."""
        if stream is None:
            taken, self.held = self.held, self._nothing
            return taken
        before = pc.sum(pc.less(self.held["originator_id"], pa.scalar(stream, EVENTS.field(0).type))).as_py() or 0
        taken, self.held = self.held.slice(0, before), self.held.slice(before)
        return taken


def merged(
    files: Sequence[tuple[SortedFile, int | None]], low: UUID, high: UUID, columns: Iterable[str] = EVENTS.names
) -> Iterator[pa.RecordBatch]:
    """The events of the streams from `low` to `high`, both included, in the order of stream and version.

    With a file stands the position up to which its events count; None: all do. A stream stands whole in one batch.
    `columns` are some of `layout.EVENTS`; those that put events in order, or say their position, are always among them.
    """
    needed = {"originator_id", "originator_version", "notification_id", *columns}
    names = [name for name in EVENTS.names if name in needed]
    readings = [_Reading(file, low, high, position, names) for file, position in files]
    read, held = 0, 0
    while left := [reading for reading in readings if reading.next_stream is not None]:
        came = min(left, key=_next_stream).read_on()
        read, held = read + came, held + came
        if read >= max(_GIVEN_AT_ONCE, min(held // 2, _GIVEN_AT_MOST)):
            upcoming = [stream for reading in readings if (stream := reading.next_stream) is not None]
            yield from _batch([reading.take_before(min(upcoming, default=None)) for reading in readings])
            read, held = 0, sum(reading.held.nbytes for reading in readings)
    yield from _batch([reading.take_before(None) for reading in readings])


def _next_stream(reading: _Reading) -> bytes:
    stream = reading.next_stream
    assert stream is not None  # only those are asked
    return stream


def _batch(parts: list[pa.Table]) -> Iterator[pa.RecordBatch]:
    parts = [part for part in parts if part.num_rows]
    if not parts:
        return
    whole = pa.concat_tables(parts).unify_dictionaries()
    if len(parts) > 1:
        whole = whole.take(pc.sort_indices(whole, sort_keys=ORDER))
    [batch] = whole.combine_chunks().to_batches()
    yield batch
