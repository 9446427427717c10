"""Stored events of many streams folded on columns, and their rows written: the same bytes as those of one by one."""

from collections.abc import Sequence
from itertools import chain, compress
from typing import NamedTuple

from sqlalchemy import Table

from replayhouse.infra.columns.batch import Batch, StoredEvents
from replayhouse.infra.columns.lines import Unwritten, batch_of, lines_of
from replayhouse.infra.columns.runs import Piece, fold_on_columns
from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.infra.read_models.column_rows import ColumnRows
from replayhouse.infra.read_models.stream_reader import StoredRow, StreamReader
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.projections.digest import digest_of
from replayhouse.projections.projection import Fold, Projection, Rows


class OnColumns(NamedTuple):
    """What columns made of some streams: rows that are written, and rows, by table, that are to be written one by one.

    `left` are the events of streams that are to be folded one by one.
    """

    written: list[ColumnRows]
    unwritten: Rows
    left: list[StoredRow]
    counts: Counts


def folded_on_columns(projection: Projection, fold: Fold, some: Sequence[StoredRow], reader: StreamReader) -> OnColumns:
    """Folds whole streams, as far as columns go. Raises what looking keys up for the reader raises."""
    batch = Batch(StoredEvents(*zip(*some, strict=True)), reader.mapper, reader.keys_of)
    folded = fold_on_columns(batch, fold, projection.refuse_unknown_tables)
    found = OnColumns([], {}, list(compress(some, folded.is_left)), folded.counts)
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
