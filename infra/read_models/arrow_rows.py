"""Rows of folds as Arrow: the columns that `arrow_schema` says, with the values that the lines of COPY have.

Numbers and ids are made of what stands in those lines, which is rounded to the digits of the column already; so what is
written is what the digest covers. The other columns are made of the values themselves.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, Double, Numeric, Table, Uuid

from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.projections.digest import NULL
from replayhouse.projections.projection import POSITION, Row

_Made = Callable[[Sequence[bytes], Sequence[Any]], pa.Array]
"""Makes a column of its texts in lines, and of its values."""


class ArrowRows:
    """Makes batches of the rows of a table."""

    def __init__(self, table: Table) -> None:
        self.schema = arrow_schema(table)
        named = [column for column in table.columns if column.name != POSITION]
        self._columns = [_maker(column, self.schema.field(column.name).type) for column in named]

    def batch(self, rows: Sequence[Row], columns: Sequence[Sequence[bytes]]) -> pa.RecordBatch:
        """A batch of rows, given with the texts of their columns as `LineWriter.columns` writes them."""
        values = list(islice(zip(*rows, strict=True), len(self.schema)))
        made = [make(texts, of) for make, texts, of in zip(self._columns, columns, values, strict=False)]
        made.append(pa.array(values[-1], self.schema.field(POSITION).type))
        return pa.RecordBatch.from_arrays(made, schema=self.schema)


@cache
def arrow_rows(table: Table) -> ArrowRows:
    """What makes batches of a table's rows, made once."""
    return ArrowRows(table)


def _maker(column: Column[Any], kind: pa.DataType) -> _Made:
    if isinstance(column.type, Uuid):
        return lambda texts, _: pa.array(texts, pa.string())
    if isinstance(column.type, Numeric) and not isinstance(column.type, Double):
        return lambda texts, _: pa.array([None if text == NULL else text for text in texts], pa.string()).cast(kind)
    return lambda _, values: pa.array(values, kind)
