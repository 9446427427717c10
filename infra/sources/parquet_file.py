"""A file of Parquet, batch by batch. A point in a column's name leads into a struct."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from replayhouse.infra.sources.document import RawFile
from replayhouse.infra.sources.raw_columns import find_columns
from replayhouse.infra.sources.typed_cells import cell_of
from replayhouse.infra.staging.reader import RefusedError

ROWS_TOGETHER = 5_000


class ParquetRows:
    """The rows of such a file."""

    def __init__(self, file: RawFile, path: Path) -> None:
        self._file, self._path = file, path
        self.names: Sequence[str] = ()

    def all_names(self) -> Sequence[str]:
        """Names of all columns, with points those within structs."""
        with _translated(), pq.ParquetFile(self._path) as parquet:
            return list(_leaves(parquet.schema_arrow))

    def rows(self) -> Iterator[tuple[int, list[str | None]]]:
        """Each row with its number, from 1. Raises RefusedError."""
        with _translated(), pq.ParquetFile(self._path) as parquet:
            leaves = _leaves(parquet.schema_arrow)
            self.names = list(leaves)
            places = find_columns(self.names, self._file).places.values()
            paths = [leaves[self.names[place]] if place is not None else None for place in places]
            yield from _rows(parquet, paths)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise RefusedError("files_complete", "it is no file of Parquet, or a broken one") from error


def _leaves(schema: Any) -> dict[str, list[str]]:
    """The path of each column by its name, with points between the parts of those within structs."""
    leaves: dict[str, list[str]] = {}
    fields = [([field.name], field.type) for field in schema]
    while fields:
        path, kind = fields.pop(0)
        leaves.setdefault(".".join(path), path)
        if pa.types.is_struct(kind):
            fields += [([*path, inner.name], inner.type) for inner in kind]
    return leaves


def _rows(parquet: Any, paths: list[list[str] | None]) -> Iterator[tuple[int, list[str | None]]]:
    number = 0
    columns = sorted({path[0] for path in paths if path})
    for batch in parquet.iter_batches(ROWS_TOGETHER, columns=columns):
        values = [_values(batch, path) for path in paths]
        for row in zip(*values, strict=True):
            number += 1
            yield number, [cell_of(value, number) for value in row]


def _values(batch: Any, path: list[str] | None) -> list[Any]:
    if path is None:
        return [None] * len(batch)
    column = batch.column(path[0])
    column = pc.struct_field(column, path[1:]) if path[1:] else column
    if pa.types.is_timestamp(column.type):
        column = pc.floor_temporal(column, unit="second").cast(pa.timestamp("s", column.type.tz))
    elif pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        column = column.cast(pa.float32()).cast(pa.string()).cast(pa.float64())  # the digits that are meant
    return list(column.to_pylist())
