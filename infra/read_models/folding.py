"""Streams folded into rows, which wait by table until they are sent or written. Needs no database.

Streams are folded on columns, all of one shape at once, and those of which that cannot be one by one: see
`replayhouse.infra.columns`. Memory holds EVENTS_AT_ONCE events, and their rows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy import Table

from replayhouse.infra.read_models.column_rows import ColumnRows
from replayhouse.infra.read_models.copy_text import DoesNotFit, line_writer, lines_of
from replayhouse.infra.read_models.stream_reader import (
    StoredRow,
    StoredStream,
    StreamReader,
    described,
    whole_streams,
)
from replayhouse.infra.runtime import column_folds
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.business_time import fold_of
from replayhouse.projections.digest import NOTHING, Digest, digest_of
from replayhouse.projections.projection import Row, Rows
from replayhouse.projections.warehouse import PROJECTIONS

if TYPE_CHECKING:
    from replayhouse.infra.columns.stored import StoredEvents

EVENTS_AT_ONCE = 25_000
"""Folded at once on columns, give or take a stream: the more there are, the more have the same shape."""


class Unfoldable(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """A stream cannot be folded, which ends a rebuild."""


STAYS = "The live read model stays as it was."


def unfoldable(context: str, stream: UUID, error: str, stays: str = STAYS) -> Unfoldable:
    """The error of who met a stream that cannot be folded; what `stays` as it was, in a sentence."""
    return Unfoldable(f"The stream {stream} of {context} cannot be folded: {error}. {stays}")


class Taken(NamedTuple):
    """Rows of a table, with the values of their columns as they stand in its lines, and those lines."""

    table: Table
    rows: list[Row]
    columns: Sequence[Sequence[bytes]]
    lines: list[bytes]


class Folding:
    """The fold of a context, with `occurred_before`, a local time, of what had happened by then.

    `events` counts what was read, `digests` has those of the rows that were taken, `counts` tells what was folded on
    columns. `stream_at` finds the stream that has an event at a position, for errors; `stays` is what they say.
    """

    def __init__(
        self, context: str, occurred_before: datetime | None, stream_at: Callable[[int], UUID], stays: str
    ) -> None:
        self._projection = PROJECTIONS[context]
        self._fold = fold_of(self._projection, occurred_before)
        self._stream_at = stream_at
        self._stays = stays
        self._tables = {table.name: table for table in self._projection.tables}
        self._waiting: Rows = {name: [] for name in self._tables}
        self.events = 0
        self.digests: dict[str, Digest] = dict.fromkeys(self._tables, NOTHING)
        self.counts = Counts()

    def fold_all(self, rows: Iterable[StoredRow], reader: StreamReader, least: int) -> Iterator[Taken | ColumnRows]:
        """Folds events that are ordered by stream and version; the rows that come of it, `least` of a table at once.

        Raises Unfoldable, which names the stream, and what `reader` raises.
        """
        if column_folds.are_wanted():
            from replayhouse.infra.columns.stored import of_rows  # and with it numpy

            yield from self.fold_columns(map(of_rows, whole_streams(rows, EVENTS_AT_ONCE)), reader, least)
            return
        for streams in reader.read(rows):
            self.fold(streams)
            yield from self.take(least)
        yield from self.take(1)

    def fold_columns(
        self, read: Iterable["StoredEvents"], reader: StreamReader, least: int
    ) -> Iterator[Taken | ColumnRows]:
        """The same of events that were read as columns: whole streams, some at a time."""
        from replayhouse.infra.read_models.column_folding import folded_on_columns

        for some in read:
            for found in folded_on_columns(self._projection, self._fold, some, reader):
                self.events += found.events
                self.counts += found.counts
                column_folds.note(self._projection.context, found.counts)
                for streams in reader.read(found.left):
                    self.fold(streams)
                for name, unwritten in found.unwritten.items():
                    self._waiting[name] += unwritten
                for written in found.written:
                    self.digests[written.table.name] += written.digest
                    yield written
                yield from self.take(least)
        yield from self.take(1)

    def fold(self, streams: Iterable[StoredStream]) -> None:
        """Their rows wait from now on. Raises Unfoldable, which names the stream, and MemoryError."""
        waiting, refuse, fold = self._waiting, self._projection.refuse_unknown_tables, self._fold
        for stream in streams:
            self.events += len(stream.positions)
            try:
                if stream.error is not None:
                    raise stream.error
                rows = fold(stream.effective())
                refuse(rows)
            except MemoryError:  # no fault of the stream
                raise
            except Exception as error:
                raise self._unfoldable(stream.stream_id, error) from error
            for name, of_table in rows.items():
                waiting[name] += of_table

    def take(self, least: int) -> Iterator[Taken]:
        """The rows of each table for which that many wait at least. Raises Unfoldable for one that does not fit."""
        for name, rows in self._waiting.items():
            if len(rows) >= least:
                taken = self._taken(self._tables[name], rows)
                self.digests[name] += digest_of(taken.lines)
                self._waiting[name] = []
                yield taken

    def _taken(self, table: Table, rows: list[Row]) -> Taken:
        writer = line_writer(table)
        try:
            columns = writer.columns(rows)
            return Taken(table, rows, columns, lines_of(columns))
        except DoesNotFit:
            for row in rows:
                try:
                    writer.columns([row])
                except DoesNotFit as error:
                    raise self._unfoldable(self._stream_at(row[-1]), error) from error
            raise

    def _unfoldable(self, stream: UUID, error: Exception) -> Unfoldable:
        return unfoldable(self._projection.context, stream, described(error), self._stays)
