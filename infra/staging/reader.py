"""One file of an extract read strictly (R1, R2) into Parquet, with the exact physical line of each record.

A physical line ends in LF or CR LF; the header is line 1; a record's line is the one it starts on. Memory is bounded by
the block and by the longest record that is believed, so an unclosed quote cannot swallow a file.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from replayhouse.infra.staging.blocks import (
    COMMAS,
    NO_QUOTE,
    Block,
    Dialect,
    Fault,
    cell_quote,
    first_fault,
    open_quote,
    split,
)
from replayhouse.infra.staging.files import PERSONAL_FILES, SOURCE_FILES, column_of
from replayhouse.ingest.assess import Unreadable

BLOCK_BYTES = 1 << 20
LONGEST_RECORD = 1 << 17
"""Bytes of a record that is believed. A longer one is an unclosed quote, or would make an event that no broker takes:
what a record says may be six times as long in JSON, beside its text, sealed (infra/event_store/event_encoding.py
has the limit)."""
LONGEST_QUOTATION = 100
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
MALFORMED_SCHEMA = pa.schema([("line", pa.int32()), ("lines", pa.int32()), ("cells", pa.int32())])


@dataclass(frozen=True)
class ReadFile:
    """What came of reading one file: its records, and those among them with a wrong number of cells.

    `cells` is a Parquet file with `line`, `lines` (physical lines that the record spans) and the source's columns as
    text, null where empty; `malformed` one with `line`, `lines` and the number of `cells`. `unreadable` is None if all
    went well. `absent` are the columns that it does not have, such as optional ones that the header does not name:
    their cells are null, which says nothing.
    """

    file: str
    cells: Path
    malformed: Path
    records: int
    malformed_records: int
    header_cells: int
    unreadable: Unreadable | None
    absent: tuple[str, ...] = ()


class Header(NamedTuple):
    """What a header says: where each column stands, or None; how many names it has, how many empty ones follow."""

    places: dict[str, int | None]
    names: int
    empty_names: int

    @property
    def absent(self) -> tuple[str, ...]:
        """The columns that it does not name."""
        return tuple(name for name, place in self.places.items() if place is None)

    def fitting(self, block: Block) -> Any:
        """Whether each record has the cells that it should have; what stands under no name must be empty."""
        if not self.empty_names:
            return pc.equal(block.widths, pa.scalar(self.names, pa.int32()))
        widest = pa.scalar(self.names + self.empty_names, pa.int32())
        return pc.and_(pc.less_equal(block.widths, widest), block.are_empty_from(self.names))


class RefusedError(Exception):
    """The file cannot be read further."""

    def __init__(self, rule: str, reason: str, line: int | None = None, offset: int | None = None) -> None:
        self.rule, self.reason, self.line, self.offset = rule, reason, line, offset
        super().__init__(reason)


def read_file(file: str, path: Path, directory: Path, block_bytes: int = BLOCK_BYTES) -> ReadFile:
    """Reads the file with that short name into `directory`/`file`.parquet and `file`.malformed.parquet.

    A file that is not what R1 calls an extract is reported in the result, never raised; OSError if it cannot be opened.
    """
    return read_cells(
        file, path, directory, SOURCE_FILES[file].columns, lambda names: _header(names, file), block_bytes=block_bytes
    )


def read_cells(
    file: str,
    path: Path,
    directory: Path,
    columns: Sequence[str],
    header_of: Callable[[list[str]], Header],
    dialect: Dialect = COMMAS,
    block_bytes: int = BLOCK_BYTES,
) -> ReadFile:
    """The same for a file of any columns: `header_of` finds them among the header's names, or raises RefusedError."""
    sink = _Sink(file, directory, columns)
    unreadable, header_cells = None, 0
    absent: tuple[str, ...] = ()
    with path.open("rb") as stream, sink:
        try:
            reading = _Reading(stream, block_bytes, dialect)
            header = header_of(reading.names())
            header_cells, absent = header.names, header.absent
            for block in reading.blocks():
                sink.write(block, reading.line, header)
            sink.refuse_cut_off(header.names)
        except RefusedError as refused:
            unreadable = Unreadable(file, refused.line, refused.offset, refused.reason, refused.rule)
    return ReadFile(
        file,
        sink.cells_path,
        sink.malformed_path,
        sink.records,
        sink.malformed_records,
        header_cells,
        unreadable,
        absent,
    )


def header_names(path: Path, dialect: Dialect = COMMAS) -> list[str]:
    """The names in the header of a file. Raises RefusedError where it cannot be read."""
    with path.open("rb") as stream:
        return _Reading(stream, BLOCK_BYTES, dialect).names()


def empty_file(file: str, directory: Path) -> ReadFile:
    """The same for a file that the extract does not have: no records."""
    sink = _Sink(file, directory, SOURCE_FILES[file].columns)
    with sink:
        return ReadFile(file, sink.cells_path, sink.malformed_path, 0, 0, 0, None)


class _Reading:
    """Blocks of complete records of one open file; `line` is the physical line that the newest block starts on."""

    def __init__(self, stream: BinaryIO, block_bytes: int, dialect: Dialect) -> None:
        self._stream = stream
        self._dialect = dialect
        self._block_bytes = block_bytes
        self._offset = 0
        self.line = 1

    def names(self) -> list[str]:
        """The column names, as the first record gives them."""
        if self._stream.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK:
            self._offset = len(BYTE_ORDER_MARK)
        self._stream.seek(self._offset)
        data = bytes(self._first_record())
        if not data:
            raise RefusedError("files_complete", "the file is empty" if not self._offset else "the file has no header")
        self._refuse_overlong(data)
        self._refuse_faults(data)
        self._refuse_open_quote(data)
        self._pass_over(data)
        delimiter, quote = self._dialect
        text = data.decode().rstrip("\r\n")
        if quote == NO_QUOTE:
            return text.split(delimiter)
        return next(csv.reader([text], delimiter=delimiter, quotechar=quote, strict=True), [])

    def _first_record(self) -> bytearray:
        record, quotes = bytearray(), 0
        while line := self._stream.readline(LONGEST_RECORD + 2):
            record += line
            quotes += line.count(self._dialect.quote_byte)
            if quotes % 2 == 0 or len(record) > LONGEST_RECORD:
                break
        return record

    def blocks(self) -> Iterator[Block]:
        """Reads on to the end; the last record may lack its line end."""
        rest = b""
        while data := self._stream.read(self._block_bytes):
            data = rest + data
            block = split(data, self._dialect)
            if len(block):
                self._refuse_faults(data[: block.stop])
                self._refuse_overlong_records(block)
                yield block
            rest = data[block.stop :]
            self._pass_over(data[: block.stop])
            self._refuse_overlong(rest)
        if rest:
            self._refuse_faults(rest)
            self._refuse_open_quote(rest)
            yield split(rest + b"\n", self._dialect)

    def _pass_over(self, data: bytes) -> None:
        self._offset += len(data)
        self.line += data.count(b"\n")

    def _refuse_faults(self, data: bytes) -> None:
        if (fault := first_fault(data, self._dialect)) is not None:
            raise self._refused(data, fault)

    def _refuse_open_quote(self, data: bytes) -> None:
        if (at := open_quote(data, self._dialect)) is not None:
            raise self._refused(data, Fault(at, "quotes_closed", "a quote that is never closed"))

    def _refuse_overlong(self, data: bytes) -> None:
        if len(data) <= LONGEST_RECORD:
            return
        self._refuse_faults(data[:-4])  # the end may stand within a character, or within CR LF
        if (at := open_quote(data[:-4], self._dialect)) is not None:
            reason = f"a quote that is not closed within {LONGEST_RECORD:,} bytes"
            raise self._refused(data, Fault(at, "quotes_closed", reason))
        raise self._refused(data, _overlong(0))

    def _refuse_overlong_records(self, block: Block) -> None:
        if (at := block.first_longer_than(LONGEST_RECORD)) is not None:
            raise self._refused(block.data, _overlong(at))

    def _refused(self, data: bytes, fault: Fault) -> RefusedError:
        line = self._line_of(data, fault.at)
        reason = f"line {line} has {fault.reason} (byte {self._offset + fault.at})"
        quote = self._dialect.quote_byte
        if fault.rule == "quotes_closed" and data.count(quote, 0, fault.at) % 2:
            opened = cell_quote(data, data.rindex(quote, 0, fault.at), self._dialect)
            reason += f"; that quote opens on line {self._line_of(data, opened)}"
        return RefusedError(fault.rule, reason, line, self._offset + fault.at)

    def _line_of(self, data: bytes, at: int) -> int:
        return self.line + data.count(b"\n", 0, at)


def _overlong(at: int) -> Fault:
    return Fault(at, "files_complete", f"a record of more than {LONGEST_RECORD:,} bytes")


def _header(names: list[str], file: str) -> Header:
    """Where each column of the source stands; more columns, any order, and none of an optional one, are no fault."""
    columns = SOURCE_FILES[file].columns
    names, empty_names = without_empty_end(names)
    meant = [column_of(name) for name in names]
    # Of a file without a header this is the first record: where that is a person's, the source's own names are told.
    told = {name: name if name in columns or file not in PERSONAL_FILES else "(not quoted)" for name in meant}
    told = {name: quoted if len(quoted) <= LONGEST_QUOTATION else "(too long)" for name, quoted in told.items()}
    some = [told[name] for name in meant[:LONGEST_QUOTATION]]
    found = ", ".join([*some, *(["..."] if len(meant) > len(some) else [])]) or "nothing"
    if twice := sorted({name for name in meant if name and meant.count(name) > 1}):
        raise RefusedError("columns_present", f"the header names {told[twice[0]]!r} twice (found: {found})", line=1)
    if missing := [name for name in SOURCE_FILES[file].required_columns if name not in meant]:
        if separator := _other_separator(names, columns):
            reason = (
                f"the header is separated by {separator}, not by commas: save the file with commas between its cells"
            )
            raise RefusedError("columns_present", reason, line=1)
        named = ", ".join(missing)
        what = "column" if len(missing) == 1 else "columns"
        raise RefusedError("columns_present", f"the header lacks the {what} {named} (found: {found})", line=1)
    places = {name: meant.index(name) if name in meant else None for name in columns}
    return Header(places, len(meant), empty_names)


def without_empty_end(names: list[str]) -> tuple[list[str], int]:
    """The names of a header up to the last that is not empty, and how many follow."""
    last = next((place for place in range(len(names), 0, -1) if names[place - 1].strip()), 0)
    return names[:last], len(names) - last


def _other_separator(names: list[str], columns: tuple[str, ...]) -> str | None:
    """What stands between the names of a header where that is no comma; None where commas do."""
    for separator, told in OTHER_SEPARATORS.items():
        meant = {column_of(name) for text in names for name in text.split(separator)}
        if len(meant.intersection(columns)) > 1 and not any(column_of(name) in columns for name in names):
            return told
    return None


class _Sink:
    """The two Parquet files of one source file, written block by block."""

    def __init__(self, file: str, directory: Path, columns: Sequence[str]) -> None:
        self.cells_path = directory / f"{file}.parquet"
        self.malformed_path = directory / f"{file}.malformed.parquet"
        self.records = 0
        self.malformed_records = 0
        schema = pa.schema([("line", pa.int32()), ("lines", pa.int32()), *((name, pa.string()) for name in columns)])
        self._cells = _parquet(self.cells_path, schema)
        self._malformed = _parquet(self.malformed_path, MALFORMED_SCHEMA)
        self._blank_at_end: list[Any] = []
        self._last_line, self._last_width = 1, 0

    def __enter__(self) -> "_Sink":
        return self

    def __exit__(self, *_: object) -> None:
        self._cells.close()
        self._malformed.close()

    def write(self, block: Block, line: int, header: Header) -> None:
        """Adds the records of a block that starts on that physical line."""
        ends = block.line_ends
        starts = pa.concat_arrays([pa.array([0], pa.int32()), ends])[:-1]
        lines = pc.subtract(ends, starts)
        starts = pc.add(starts, pa.scalar(line, pa.int32()))
        first_cells = block.first_cells
        is_good = header.fitting(block)
        if not pc.all(is_good).as_py() or self._blank_at_end:
            self._write_malformed(block, starts, lines, is_good)
            first_cells, starts, lines = (array.filter(is_good) for array in (first_cells, starts, lines))
        else:
            self._last_line, self._last_width = line, header.names
        cells = {
            name: block.cells(first_cells, place, header.names)
            if place is not None
            else pa.nulls(len(first_cells), pa.string())
            for name, place in header.places.items()
        }
        self._cells.write_table(pa.table({"line": starts, "lines": lines, **cells}, schema=self._cells.schema))
        self.records += len(first_cells)

    def _write_malformed(self, block: Block, starts: Any, lines: Any, is_good: Any) -> None:
        """Empty lines are held back until a record follows: at the end of a file they are none."""
        records = pa.table([starts, lines, block.widths], schema=MALFORMED_SCHEMA)
        filled = pc.indices_nonzero(pc.invert(block.is_blank))
        if not len(filled):
            self._blank_at_end.append(records)
            return
        last = filled[-1].as_py()
        self._last_line, self._last_width = starts[last].as_py(), block.widths[last].as_py()
        malformed = records[: last + 1].filter(pc.invert(is_good[: last + 1]))
        for table in (*self._blank_at_end, malformed):
            self._malformed.write_table(table)
            self.records += len(table)
            self.malformed_records += len(table)
        self._blank_at_end = [records[last + 1 :]] if last + 1 < len(records) else []

    def refuse_cut_off(self, width: int) -> None:
        """The last record that is not an empty line must be whole."""
        if 0 < self._last_width < width:
            reason = f"the last record, on line {self._last_line}, has {self._last_width} cells instead of {width}"
            raise RefusedError("files_complete", f"{reason}: the file is cut off", self._last_line)


def _parquet(path: Path, schema: Any) -> Any:
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=False, write_statistics=False)
