"""The raw files of an extract as tables: each a Parquet file with the place of every row and the cells that a mapping
names, as plain text.
"""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from replayhouse.infra.runtime.errors import Rejected
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.sources.csv_file import read_csv
from replayhouse.infra.sources.currencies import refuse_other_currencies
from replayhouse.infra.sources.document import RawFile, Source
from replayhouse.infra.sources.mapping import Mapping
from replayhouse.infra.sources.plain_cells import plain_rows
from replayhouse.infra.sources.raw_extract import open_raw_extract
from replayhouse.infra.sources.texts import unpacked
from replayhouse.infra.sources.typed_files import read_typed
from replayhouse.infra.staging.extract import ExtractFile
from replayhouse.infra.staging.reader import MALFORMED_SCHEMA, RefusedError
from replayhouse.ingest.assess import Unreadable

MEMORY = "512MB"


class UnreadableFiles(Rejected):
    """Files of an extract that cannot be read as what the mapping says that they are."""

    def __init__(self, path: Path, faults: tuple[Unreadable, ...]) -> None:
        told = [f"The file {fault.file} is unreadable: {fault.reason}." for fault in faults]
        super().__init__(f"{path} is rejected. {told[0]}", then=told[1:])
        self.faults = faults


@dataclass(frozen=True)
class RawTable:
    """A raw file as a table.

    `file` is its real name, `bytes` and `sha256` are those of what stands in the extract. `parquet` has `line`
    (BIGINT), `lines` (INTEGER, those that the row spans) and each declared column as text, NULL for nothing;
    `malformed` the `line`, `lines` and number of `cells` of rows that have another number of them than `header_cells`.
    `text` is the file in UTF-8, whose physical lines these are, or None where it is no text. `rows` counts both kinds.
    `absent` are the declared columns that the file lacks, `unused` those of its columns that are not declared.
    `is_there`: of an optional file that the extract lacks it is false, `file` the pattern that none fits, `rows` 0.
    """

    name: str
    file: str
    bytes: int
    sha256: str
    rows: int
    parquet: Path
    malformed: Path
    malformed_rows: int
    header_cells: int
    text: Path | None
    absent: tuple[str, ...]
    unused: tuple[str, ...]
    is_there: bool = True


def open_raw(mapping: Mapping, extract: Path, into: Path) -> dict[str, RawTable]:
    """Copies or unpacks a folder or zip into `into`, and reads the files that the mapping names.

    One that is not required and absent is a table without rows. Raises InputError where a pattern of another fits no
    file, or where it fits two, UnreadableFiles where one is not what the mapping says,
    OtherCurrencies where amounts are not in the currency that it says.
    """
    opened = open_raw_extract(mapping, extract, into)
    directory = into / "raw"
    directory.mkdir(parents=True, exist_ok=True)
    tables: dict[str, RawTable] = {}
    faults: list[Unreadable] = []
    for name, file in mapping.files.items():
        if name not in opened.files:
            continue
        try:
            tables[name] = _read(name, file, opened.files[name], directory)
        except RefusedError as refused:
            real = opened.files[name].name
            faults.append(Unreadable(real, refused.line, refused.offset, refused.reason, refused.rule))
    if faults:
        raise UnreadableFiles(extract, tuple(faults))
    opened.refuse_if_changed()
    plain = {
        name: _made_plain(tables[name], file, mapping.source) if name in tables else _nothing(name, file, directory)
        for name, file in mapping.files.items()
    }
    refuse_other_currencies(mapping, {name: (table.file, table.parquet) for name, table in plain.items()}, extract)
    return plain


def _read(name: str, file: RawFile, found: ExtractFile, directory: Path) -> RawTable:
    """The table with the cells as they are written."""
    text: Path | None
    path = unpacked(found.path, directory / f"{name}.unpacked") if found.name.lower().endswith(".gz") else found.path
    if file.kind == "csv":
        read, columns, text = read_csv(name, file, path, directory)
        parquet, malformed, rows = read.cells, read.malformed, read.records
        malformed_rows, header_cells = read.malformed_records, read.header_cells
    else:
        parquet, malformed, rows, columns = read_typed(name, file, path, directory)
        text = path if file.kind == "jsonl" else None
        malformed_rows, header_cells = 0, len(file.columns)
    return RawTable(
        name,
        found.name,
        found.bytes,
        found.sha256,
        rows,
        parquet,
        malformed,
        malformed_rows,
        header_cells,
        text,
        columns.absent,
        columns.unused,
    )


def _nothing(name: str, file: RawFile, directory: Path) -> RawTable:
    """The table of a file that is not there: its columns, and no row."""
    cells, malformed = directory / f"{name}.plain.parquet", directory / f"{name}.malformed.parquet"
    texts = ((column, pa.string()) for column in file.columns)
    pq.write_table(pa.schema([("line", pa.int64()), ("lines", pa.int32()), *texts]).empty_table(), cells)
    pq.write_table(MALFORMED_SCHEMA.empty_table(), malformed)
    return RawTable(name, file.path, 0, "", 0, cells, malformed, 0, 0, None, (), (), is_there=False)


def _made_plain(table: RawTable, file: RawFile, source: Source) -> RawTable:
    """The table with plain cells; the one with the written ones is gone."""
    plain = table.parquet.with_suffix(".plain.parquet")
    with closing(interruptible(duckdb.connect(config={"memory_limit": MEMORY, "threads": 1}))) as connection:
        connection.execute(
            f"COPY ({plain_rows(file, source)}) TO $plain (FORMAT parquet, COMPRESSION lz4)",
            {"raw": str(table.parquet), "plain": str(plain)},
        )
    table.parquet.unlink()
    return replace(table, parquet=plain)
