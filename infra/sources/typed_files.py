"""Raw files of formats that have types, read row by row into Parquet: lines of JSON, Excel, Parquet.

The line of a row is its line in a file of JSON, its number in a sheet (the header being 1), and in Parquet its number
from 1. Memory is bounded by the rows that are written together.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from replayhouse.infra.sources.document import RawFile
from replayhouse.infra.sources.excel import Sheet
from replayhouse.infra.sources.json_lines import JsonLines
from replayhouse.infra.sources.parquet_file import ParquetRows
from replayhouse.infra.sources.raw_columns import Found, find_columns
from replayhouse.infra.staging.reader import LONGEST_RECORD, MALFORMED_SCHEMA, RefusedError

ROWS_TOGETHER = 5_000
READERS: dict[str, type[JsonLines | Sheet | ParquetRows]] = {
    "jsonl": JsonLines,
    "xlsx": Sheet,
    "parquet": ParquetRows,
}
Row = tuple[int, list[str | None]]


class ReadRows(NamedTuple):
    """What came of reading: two Parquet files as of a file of text, the second empty, and how many rows."""

    cells: Path
    malformed: Path
    records: int
    found: Found


def read_typed(key: str, file: RawFile, path: Path, directory: Path) -> ReadRows:
    """Reads into `directory`/KEY.parquet. Raises RefusedError for what cannot be read, UsageError without openpyxl."""
    cells, malformed = directory / f"{key}.parquet", directory / f"{key}.malformed.parquet"
    pq.write_table(MALFORMED_SCHEMA.empty_table(), malformed)
    schema = pa.schema([("line", pa.int64()), ("lines", pa.int32()), *((name, pa.string()) for name in file.columns)])
    reader, records = READERS[file.kind](file, path), 0
    with pq.ParquetWriter(cells, schema, compression="lz4", use_dictionary=False) as writer:
        rows = _believed(reader.rows())
        while some := list(islice(rows, ROWS_TOGETHER)):
            lines = pa.array([line for line, _ in some], pa.int64())
            ones = pa.array([1] * len(some), pa.int32())
            texts = (pa.array(column, pa.string()) for column in zip(*(row for _, row in some), strict=True))
            writer.write_table(pa.table([lines, ones, *texts], schema=schema))
            records += len(some)
    return ReadRows(cells, malformed, records, find_columns(reader.names, file))


def _believed(rows: Iterator[Row]) -> Iterator[Row]:
    for line, cells in rows:
        if sum(len(cell) for cell in cells if cell) > LONGEST_RECORD:
            reason = f"line {line} has a record of more than {LONGEST_RECORD:,} characters"
            raise RefusedError("files_complete", reason, line)
        yield line, cells
