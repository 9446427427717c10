"""Rows that were folded on columns, as they are sent and written: the same bytes as those of rows one by one."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
from sqlalchemy import Table

from replayhouse.infra.columns.lines import Unwritten, batch_of, lines_of
from replayhouse.infra.columns.runs import Piece
from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.projections.digest import Digest, digest_of


class ColumnRows(NamedTuple):
    """Rows of a table: as Arrow, by `arrow_schema`, as what COPY reads, and their digest."""

    table: Table
    batch: pa.RecordBatch
    data: memoryview
    digest: Digest


def column_rows(table: Table, pieces: Sequence[Piece]) -> ColumnRows | None:
    """Rows of a table, at least one piece; None where they are to be written one by one."""
    try:
        batch = batch_of(arrow_schema(table), pieces)
        lines = lines_of(batch)
    except Unwritten:
        return None
    return ColumnRows(table, batch, lines.data, digest_of(lines.without_position()))
