"""A mapping run on raw tables: the records of the nine files, as cells of text in Parquet.

SQL of a mapping comes from outside. It runs on one thread in a DuckDB of its own that holds the raw tables and reaches
nothing else: no file, no network, no extension, no setting, and no longer than it may. What an author has written runs
twice, the second time over rows in another order, and must say the same: a load can be repeated.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.sources.failures import failed_cast, first_line, line_in_query, without_cells
from replayhouse.infra.sources.macros import create_macros
from replayhouse.infra.sources.made_columns import LINE, LINES, MadeColumns, made_columns
from replayhouse.infra.sources.mapping import Mapping as SourceMapping
from replayhouse.infra.sources.queries import END_OF_EXPRESSION, Query, query_of, quoted
from replayhouse.infra.sources.raw_files import RawTable
from replayhouse.infra.sources.selects import Checker, RefusedError
from replayhouse.infra.staging.reader import LONGEST_RECORD, MALFORMED_SCHEMA, ReadFile, empty_file
from replayhouse.infra.staging.record_texts import texts_of_lines
from replayhouse.ingest.records import RECORDS

SECONDS = 600.0
"""So long the query of one kind of record may run."""

RECORDS_PER_ROW, RECORDS_ALWAYS = 100, 10_000
"""So many records a query may make of each row that it reads, and so many of however few rows."""

LARGEST_SPILL = "20GB"
ROWS_AT_ONCE = 20_000

_TELLS_NO_VALUES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
"""Errors that follow from the query alone; others may quote a cell."""

_DIGEST = """
    SELECT count(*), sum(md5_number_lower(told)), sum(md5_number_upper(told))
    FROM (SELECT concat_ws(chr(0), {cells}) AS told FROM made.{record})
"""
_WRONG = """
    SELECT min(line) FILTER (longest > {longest}), min(line) FILTER (has_nul), count_if(line IS NULL)
    FROM (
        SELECT line, {lengths} AS longest, contains(concat({cells}), chr(0)) AS has_nul FROM made.{record}
    )
"""


class Made(NamedTuple):
    """The records of one kind that a mapping has made, the raw table on whose lines they stand, and those read.

    `is_whole`: all files that they are made from are there.
    """

    read: ReadFile
    raw: RawTable
    tables: tuple[str, ...]
    is_whole: bool


def run_mapping(
    mapping: SourceMapping,
    tables: Mapping[str, RawTable],
    cells: Path,
    memory_limit: str,
    secret: bytes,
    *,
    seconds: float = SECONDS,
) -> dict[str, Made]:
    """Makes the records, in the order of their lines: `cells`/<record>.parquet for each kind that the mapping has.

    Kinds that are made from absent files alone are left out.

    `secret` is what ids of personal keys are made with. Raises UsageError for SQL that a mapping may not have, or that
    does not give the columns of a record; InputError where it fails over these rows.
    """
    cells.mkdir(parents=True, exist_ok=True)
    with closing(_connect(cells / "spill", memory_limit)) as connection:
        _load(connection, mapping, tables)
        create_macros(connection, mapping.source, secret)
        personal = {column for file in mapping.files.values() for column in file.personal}
        checker = Checker(connection, tables, personal)
        _lock(connection)
        run = _Run(connection, mapping, tables, cells, checker, seconds, memory_limit)
        made = {}
        for record in RECORDS:
            if record in mapping.records or record in mapping.selects:
                found = run.make(record)
                if found is not None:
                    made[record] = found
        return made


def all_read(cells: Path, made: Mapping[str, Made]) -> dict[str, ReadFile]:
    """What was read of all nine files: of those that the mapping does not make, nothing."""
    return {record: made[record].read if record in made else empty_file(record, cells) for record in RECORDS}


def _connect(spill: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": 1,
        "temp_directory": str(spill),
        "max_temp_directory_size": LARGEST_SPILL,
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    return interruptible(duckdb.connect(":memory:", config=settings))


def _load(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, tables: Mapping[str, RawTable]) -> None:
    """The raw tables, as they are."""
    connection.execute("CREATE SCHEMA given; CREATE SCHEMA shuffled; CREATE SCHEMA made")
    connection.execute(f"SET TimeZone = '{mapping.source.zone}'")
    for name, table in tables.items():
        at = {"path": str(table.parquet)}
        connection.execute(f"CREATE TABLE given.{quoted(name)} AS FROM read_parquet($path)", at)


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


class _Run:
    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        mapping: SourceMapping,
        tables: Mapping[str, RawTable],
        cells: Path,
        checker: Checker,
        seconds: float,
        memory_limit: str,
    ) -> None:
        self._connection = connection
        self._mapping = mapping
        self._tables = tables
        self._cells = cells
        self._checker = checker
        self._seconds = seconds
        self._memory_limit = memory_limit
        self._told_malformed: set[str] = set()

    def make(self, record: str) -> Made | None:
        """The records of one kind; None where all of its files are absent."""
        place = f"{record}.sql" if record in self._mapping.selects else f"source.toml, records.{record}"
        try:
            query = query_of(self._mapping, record)
            read = self._checker.tables_of(query.text)
        except RefusedError as refused:
            raise self._wrong(place, str(refused)) from refused
        if not read:
            raise self._wrong(place, "reads no file of this mapping")
        there = [name for name in read if self._tables[name].is_there]
        if not there:
            return None
        self._show("given", read)
        columns = self._columns(query)
        most = RECORDS_ALWAYS + RECORDS_PER_ROW * sum(self._tables[name].rows for name in read)
        self._fill(query, columns, most)
        raw = self._tables[self._file_of(query, columns, read, there)]
        self._refuse_wrong(query, columns)
        if query.is_own:
            digest = self._digest(record, columns)
            self._shuffle(read)
            self._show("shuffled", read)
            self._fill(query, columns, most)
            if self._digest(record, columns) != digest:
                raise self._wrong(
                    place,
                    "gives other records when it reads the same rows in another order: sort where order matters "
                    "(row_number, first, string_agg, LIMIT), and add up decimals, not floating numbers",
                )
        is_whole = there == read
        found = self._write(record, columns, raw, () if is_whole else self._unsaid(record, columns))
        self._connection.execute(f"DROP TABLE made.{quoted(record)}")
        return Made(found, raw, tuple(read), is_whole)

    def _show(self, order: str, names: list[str]) -> None:
        for name in names:
            self._connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS FROM {order}.{quoted(name)}")

    def _shuffle(self, names: list[str]) -> None:
        for name in names:
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS shuffled.{quoted(name)} AS "
                f"FROM given.{quoted(name)} ORDER BY hash(line, 1), line DESC"
            )

    def _columns(self, query: Query) -> MadeColumns:
        with self._told(query):
            described = self._connection.execute(f"SELECT * FROM (\n{query.text}\n) LIMIT 0").description or []
        try:
            return made_columns(
                query.record, [(name, str(kind)) for name, kind, *_ in described], self._mapping.expectations
            )
        except RefusedError as refused:
            raise self._wrong(query.place, str(refused)) from refused

    def _fill(self, query: Query, columns: MadeColumns, most: int) -> None:
        name = quoted(query.record)
        with self._told(query):
            self._connection.execute(
                f"CREATE OR REPLACE TABLE made.{name} AS "
                f"SELECT {columns.casts} FROM (\n{query.text}\n) LIMIT {most + 1}"
            )
        [(records,)] = self._connection.execute(f"SELECT count(*) FROM made.{name}").fetchall()
        if records > most:
            raise self._wrong(query.place, f"makes more than {most:,} records, which is more than its rows can hold")

    def _file_of(self, query: Query, columns: MadeColumns, read: list[str], there: list[str]) -> str:
        """The raw file on whose lines the records stand: the only one that is read, or that which `file` says."""
        if query.file is not None:
            return query.file
        if not columns.has_file:
            if len(read) == 1:
                return read[0]
            raise self._wrong(
                query.place,
                f"reads {' and '.join(read)}: say whose lines these are with a column, '{read[0]}' AS file",
            )
        said = self._connection.execute(f"SELECT DISTINCT file FROM made.{quoted(query.record)} LIMIT 2").fetchall()
        if not said:
            return there[0]
        if len(said) > 1 or said[0][0] not in read:
            raise self._wrong(query.place, f"has a column file that is not one of {', '.join(read)} in all records")
        if said[0][0] not in there:
            raise self._wrong(query.place, f"says that records stand in {said[0][0]}, which this extract lacks")
        return str(said[0][0])

    def _refuse_wrong(self, query: Query, columns: MadeColumns) -> None:
        """Records that nobody could find in the file, or that are no text as others are."""
        names = [quoted(name) for name in columns.given]
        lengths = " + ".join(f"coalesce(strlen({name}), 0)" for name in names)
        statement = _WRONG.format(
            longest=LONGEST_RECORD, lengths=lengths, cells=", ".join(names), record=quoted(query.record)
        )
        too_long, with_nul, nowhere = self._connection.execute(statement).fetchall()[0]
        if nowhere:
            raise self._wrong(
                query.place,
                f"gives {count(nowhere, 'record')} without a line: select the line of the row each is made from; what "
                "is aggregated over no rows gives one, unless it says HAVING count(*) > 0",
            )
        for line, what in ((with_nul, "a NUL character"), (too_long, f"more than {LONGEST_RECORD:,} bytes")):
            if line is not None:
                raise InputError(f"{self._at(query.place)} makes a record with {what} of line {line}.")

    def _digest(self, record: str, columns: MadeColumns) -> Any:
        cells = ", ".join(f"coalesce({cell}::VARCHAR, chr(1))" for cell in columns.order)
        statement = _DIGEST.format(cells=cells, record=quoted(record))
        return self._connection.execute(statement).fetchall()

    def _unsaid(self, record: str, columns: MadeColumns) -> tuple[str, ...]:
        """The columns that may be empty and are so in every record: of these the files that are there say nothing."""
        may_be_empty = {column.name for column in RECORDS[record].columns() if column.may_be_empty}
        names = [name for name in columns.given if name in may_be_empty]
        if not names:
            return ()
        counts = ", ".join(f"count({quoted(name)})" for name in names)
        [filled] = self._connection.execute(f"SELECT {counts} FROM made.{quoted(record)}").fetchall()
        return tuple(name for name, records in zip(names, filled, strict=True) if not records)

    def _write(self, record: str, columns: MadeColumns, raw: RawTable, unsaid: tuple[str, ...]) -> ReadFile:
        """Sorted by all that they are, so that a record always has the same number."""
        path = self._cells / f"{record}.parquet"
        wanted = ", ".join([LINE, LINES, *columns.cells])
        query = f"SELECT {wanted} FROM made.{quoted(record)} ORDER BY {', '.join(columns.order)}"
        schema = pa.schema([(LINE, pa.int32()), (LINES, pa.int32()), *((name, pa.string()) for name in columns.all)])
        records = 0
        reader = self._connection.sql(query).to_arrow_reader(ROWS_AT_ONCE)
        with pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer:
            for batch in reader:
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
                records += len(batch)
        malformed = self._malformed(record, raw)
        at = self._cells / f"{record}.malformed.parquet"
        absent = (*columns.absent, *unsaid)
        return ReadFile(record, path, at, records + malformed, malformed, raw.header_cells, None, absent)

    def _malformed(self, record: str, raw: RawTable) -> int:
        """What is no record of its raw file stands with the first kind that is made from that file; returns how many.

        Its text is a hash: nobody can say whether it is about somebody who is to be forgotten.
        """
        schema = MALFORMED_SCHEMA.append(pa.field("text", pa.string()))
        records = 0
        with pq.ParquetWriter(self._cells / f"{record}.malformed.parquet", schema) as writer:
            if raw.name in self._told_malformed or not raw.malformed_rows:
                return 0
            self._told_malformed.add(raw.name)
            texts = texts_of_lines(raw.text, _places(raw.malformed)) if raw.text is not None else iter(())
            for batch in pq.ParquetFile(raw.malformed).iter_batches(ROWS_AT_ONCE):
                told = [f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for text in islice(texts, len(batch))]
                writer.write_table(pa.Table.from_batches([batch]).append_column("text", pa.array(told, pa.string())))
                records += len(batch)
        return records

    def _at(self, place: str) -> str:
        folder = self._mapping.folder
        return place if folder is None else str(folder / place)

    def _wrong(self, place: str, sentence: str) -> UsageError:
        return UsageError(f"{self._at(place)} {sentence}.")

    @contextmanager
    def _told(self, query: Query) -> Iterator[None]:
        """Ends a query that runs too long, and tells of one that fails in one sentence, without a cell."""
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self._connection.interrupt()

        timer = threading.Timer(self._seconds, end)
        timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            if not is_over.is_set():
                raise
            raise InputError(
                f"{self._at(query.place)} ran longer than {self._seconds:g} seconds, and was ended: look for a join "
                "without a condition, or a recursion without an end."
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise InputError(
                f"{self._at(query.place)} needs more than {self._memory_limit} of memory and {LARGEST_SPILL} of disk: "
                "look for a join without a condition."
            ) from error
        except _TELLS_NO_VALUES as error:
            raise self._wrong(query.place, f"does not fit these files: {first_line(error)}") from error
        except duckdb.ConversionException as error:
            columns = {column for file in self._mapping.files.values() for column in file.columns}
            line = line_in_query(error)
            place = self._at(_key_of_cast(query, line))
            raise InputError(f"{place} {failed_cast(error, columns, None if query.file else line)}.") from error
        except duckdb.Error as error:
            columns = {column for file in self._mapping.files.values() for column in file.columns}
            raise InputError(f"{self._at(query.place)} fails: {without_cells(error, columns)}.") from error
        finally:
            timer.cancel()


def _key_of_cast(query: Query, line: int | None) -> str:
    """Where a table of a mapping has the expression of that line of its query; of a SELECT, the file."""
    if query.file is None or line is None:
        return query.place
    ends = (text for text in query.text.splitlines()[line - 1 :] if text.startswith(END_OF_EXPRESSION))
    column = next(ends, "").removeprefix(END_OF_EXPRESSION).partition('"')[0]
    return f"{query.place}.columns.{column}" if column else query.place


def _places(malformed: Path) -> Iterator[tuple[int, int]]:
    for batch in pq.ParquetFile(malformed).iter_batches(ROWS_AT_ONCE):
        yield from zip(batch["line"].to_pylist(), batch["lines"].to_pylist(), strict=True)
