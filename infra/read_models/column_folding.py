"""Stored events of many streams folded on columns, and their rows written: the same bytes as those of one by one."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Table

from replayhouse.infra.columns.batch import Batch
from replayhouse.infra.columns.lines import Unwritten, batch_of, lines_of
from replayhouse.infra.columns.runs import LEAST_STREAMS, Piece, fold_on_columns
from replayhouse.infra.columns.stored import StoredEvents
from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.infra.read_models.column_rows import ColumnRows
from replayhouse.infra.read_models.stream_reader import StoredRow, StreamReader
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.projections.digest import digest_of
from replayhouse.projections.projection import Fold, Projection, Rows


class OnColumns(NamedTuple):
    """What columns made of some streams: rows that are written, and rows, by table, that are to be written one by one.

    `events` is how many they were made of; `left` are the events of streams that are to be folded one by one.
    """

    events: int
    written: list[ColumnRows]
    unwritten: Rows
    left: list[StoredRow]
    counts: Counts


def folded_on_columns(
    projection: Projection, fold: Fold, some: StoredEvents, reader: StreamReader
) -> Iterator[OnColumns]:
    """Folds whole streams as far as columns go, and hands them out in that order.

    All of them at once, or, where memory does not hold that, one half of them after the other; streams of which it does
    not hold a run are left. Raises what looking keys up for the reader raises.
    """
    found = _within_memory(projection, fold, some, reader)
    if found is not None:
        yield found
        return
    cut = _middle(some)
    if cut == 0:
        left = some.rows()
        yield OnColumns(0, [], {}, left, Counts(beyond=len(some.begins), error=MemoryError.__name__))
        return
    yield from folded_on_columns(projection, fold, some.between(0, cut), reader)
    yield from folded_on_columns(projection, fold, some.between(cut, len(some)), reader)


def _within_memory(projection: Projection, fold: Fold, some: StoredEvents, reader: StreamReader) -> OnColumns | None:
    """None where memory does not hold it; what was made of it till then is forgotten when this returns."""
    try:
        return _folded(projection, fold, some, reader)
    except MemoryError:
        return None


def _middle(some: StoredEvents) -> int:
    """Where the second half of the streams begins; 0 where there are too few for two runs."""
    begins = some.begins
    return int(begins[len(begins) // 2]) if len(begins) >= 2 * LEAST_STREAMS else 0


def _folded(projection: Projection, fold: Fold, some: StoredEvents, reader: StreamReader) -> OnColumns:
    batch = Batch(some, reader.mapper, reader.keys_of)
    folded = fold_on_columns(batch, fold, projection.refuse_unknown_tables)
    left = some.rows(folded.is_left)
    found = OnColumns(len(some) - len(left), [], {}, left, folded.counts)
    for table in projection.tables:
        if pieces := folded.pieces.get(table.name):
            rows = column_rows(table, pieces)
            if rows is None:
                found.unwritten[table.name] = list(chain.from_iterable(piece.rows() for piece in pieces))
            else:
                found.written.append(rows)
    return found


def column_rows(table: Table, pieces: Sequence[Piece]) -> ColumnRows | None:
    """Rows of a table, at least one piece; None where they are to be written one by one."""
    try:
        batch = batch_of(arrow_schema(table), pieces)
    except Unwritten:
        return None
    lines = lines_of(batch)
    return ColumnRows(table, batch, lines.data, digest_of(lines.without_position()))
