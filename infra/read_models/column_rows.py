"""Rows that were folded on columns, for who sends or writes them. Needs no numpy: `column_folding` makes them."""

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Table

from replayhouse.projections.digest import Digest

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnRows(NamedTuple):
    """Rows of a table that columns made: as Arrow, by `arrow_schema`, as what COPY reads, and their digest."""

    table: Table
    batch: "pa.RecordBatch"
    data: memoryview
    digest: Digest
