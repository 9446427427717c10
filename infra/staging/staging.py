"""The staging of an extract: its records as typed tables in a DuckDB file, compared with what the log knows.

The work is set-wise SQL (`sql/*.sql`): read the cells, keep bad records apart, compare the good ones, run the checks.
The database file is what the load reads from afterwards; staging again into the same directory starts over.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from importlib.resources import files
from itertools import chain, tee
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from replayhouse.domain.quality.rules import Check
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.staging.checks import count_checks
from replayhouse.infra.staging.expected import OF_OLIST, Expected
from replayhouse.infra.staging.extract import Extract
from replayhouse.infra.staging.files import FILES
from replayhouse.infra.staging.missing import MissingRecords, read_missing
from replayhouse.infra.staging.reader import ReadFile, empty_file, read_file
from replayhouse.infra.staging.reading import read_statements
from replayhouse.infra.staging.record_texts import texts_of_cells, texts_of_lines
from replayhouse.ingest.assess import SetAside, Unreadable
from replayhouse.ingest.records import RECORDS

DATABASE = "stage.duckdb"

LOAD_KNOWN = {
    "fingerprints.csv": """
        INSERT INTO known_fingerprint
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'file': 'VARCHAR', 'key': 'UUID', 'fingerprint': 'UUID'})""",
    "superseded.csv": """
        INSERT INTO superseded_fingerprint
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'file': 'VARCHAR', 'key': 'UUID', 'fingerprint': 'UUID'})""",
    "orders.csv": """
        INSERT INTO known_order
        SELECT order_id, customer_alias, status, placed_at,
            CASE WHEN sellers <> '' THEN string_split(sellers, ';')::UUID[] ELSE [] END
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'order_id': 'UUID', 'customer_alias': 'UUID', 'status': 'VARCHAR', 'placed_at': 'TIMESTAMP',
                       'sellers': 'VARCHAR'})""",
    "aliases.csv": """
        INSERT INTO known_alias
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'customer_alias': 'UUID', 'customer_id': 'UUID'})""",
    "sellers.csv": """
        INSERT INTO known_seller
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'seller_id': 'UUID', 'zip_prefix': 'VARCHAR'})""",
    "source_records.csv": """
        INSERT INTO known_source_record
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'batch_seq': 'INTEGER', 'file': 'VARCHAR', 'key': 'UUID', 'line': 'INTEGER',
                       'order_id': 'UUID', 'is_there': 'BOOLEAN'})""",
    "complete_loads.csv": """
        INSERT INTO known_complete_load
        FROM read_csv($path, header = true, auto_detect = false,
            columns = {'batch_seq': 'INTEGER', 'file': 'VARCHAR'})""",
    "erased.csv": """
        INSERT INTO erased_person
        FROM read_csv($path, header = true, auto_detect = false, columns = {'customer_id': 'UUID'})""",
}
"""What the log knows, by the name of the file that tells it."""

QUARANTINE_MALFORMED = """
    INSERT INTO quarantine
    SELECT $file, line, lines, NULL, 'records_well_formed',
        'the record has ' || cells || CASE cells WHEN 1 THEN ' cell' ELSE ' cells' END || ', the header ' || $width
    FROM read_parquet($path)"""


class FileCounts(NamedTuple):
    """Records of one file; the four kinds add up to `rows`. A sample counts as its prefix does (R40)."""

    rows: int
    new: int
    changed: int
    unchanged: int
    quarantined: int


class QuarantinedRecord(NamedTuple):
    """A record kept apart, as it stands in the file, without the line end that closes it."""

    file: str
    line: int
    text: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Staged:
    """An extract in DuckDB. If a file is `unreadable` there is none to look at, and nothing is counted."""

    extract: Extract
    database: Path
    unreadable: tuple[Unreadable, ...]
    missing: tuple[str, ...]
    """Short names of the files that the extract does not have."""
    counts: Mapping[str, FileCounts]
    """By short name, all nine."""
    latest_placed_at: datetime | None
    """The newest order of the extract or the log, but for those placed too late to be true; None if there is none."""
    checks: tuple[Check, ...]
    """What the rules on records found; none if a file is unreadable."""
    set_aside: tuple[SetAside, ...] = ()
    """Of each file with records kept apart, how many and why the first one."""

    without: tuple[str, ...] = ()
    """Short names of the required files that its source does not have."""

    missing_records: tuple[MissingRecords, ...] = ()
    """Of each kind of record, what earlier loads of its source brought and it lacks; of complete sources only."""

    cells: Path | None = None
    """Where the cells of records that a mapping made are; None where records stand in the files as they are."""

    def quarantined(self) -> Iterator[QuarantinedRecord]:
        """The records kept apart, by file and line; each file that has any is read once."""
        files = sorted(file for file, found in self.counts.items() if found.quarantined)
        if self.unreadable or not files:
            return
        with closing(interruptible(duckdb.connect(str(self.database), read_only=True))) as connection:
            for file in files:
                yield from self._kept_apart(connection, file)

    def _kept_apart(self, connection: duckdb.DuckDBPyConnection, file: str) -> Iterator[QuarantinedRecord]:
        if self.cells is not None:
            query = KEPT_APART_OF_CELLS.format(texts=texts_of_cells(connection, file))
            malformed = str(self.cells / f"{file}.malformed.parquet")
            parameters = {"file": file, "cells": str(self.cells / f"{file}.parquet"), "malformed": malformed}
            for line, rule, reason, text in _fetched(connection.cursor().execute(query, parameters)):
                yield QuarantinedRecord(file, line, text, rule, reason)
            return
        rows, places = tee(_fetched(connection.cursor().execute(KEPT_APART, {"file": file})))
        texts = texts_of_lines(self.extract.files[file].path, ((line, lines) for line, lines, _, _ in places))
        for (line, _, rule, reason), text in zip(rows, texts, strict=True):
            yield QuarantinedRecord(file, line, text, rule, reason)

    def good_texts(self, connection: duckdb.DuckDBPyConnection, file: str) -> Iterator[tuple[int, str]]:
        """Line and text of each good record of a file that the extract has, by line."""
        if self.cells is not None:
            query = GOOD_OF_CELLS.format(file=file, texts=texts_of_cells(connection, file))
            yield from _fetched(connection.execute(query, {"cells": str(self.cells / f"{file}.parquet")}))
            return
        good = connection.table(file).project("line, lines").order("line").fetchall()
        texts = texts_of_lines(self.extract.files[file].path, good)
        yield from ((line, text) for (line, _), text in zip(good, texts, strict=True))


KEPT_APART = "SELECT line, lines, rule, reason FROM quarantine WHERE file = $file ORDER BY line"
KEPT_APART_OF_CELLS = """
    SELECT apart.line, rule, reason, coalesce(made.text, bad.text)
    FROM quarantine AS apart
    LEFT JOIN ({texts}) AS made USING (record)
    LEFT JOIN read_parquet($malformed) AS bad ON apart.record IS NULL AND bad.line = apart.line
    WHERE file = $file
    ORDER BY apart.line, record"""
GOOD_OF_CELLS = "SELECT line, text FROM {file} JOIN ({texts}) USING (record) ORDER BY record"


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(iter(partial(cursor.fetchmany, 1000), []))


def stage(
    extract: Extract,
    directory: Path,
    known: Path | None = None,
    *,
    opened_on: date | None = None,
    memory_limit: str = "400MB",
    threads: int = 2,
) -> Staged:
    """Reads the extract into `directory`/stage.duckdb; what an earlier, perhaps killed, staging left there is removed.

    `known` is a directory with what the log knows, as CSV files with a header: `fingerprints.csv` (file, key,
    fingerprint), `superseded.csv` (the same, of records in whose place a person has let others in), `orders.csv`
    (order_id, customer_alias, status, placed_at, sellers joined with ;), `aliases.csv` (customer_alias, customer_id)
    and `sellers.csv` (seller_id, zip_prefix); a missing one is empty. `opened_on` is the day on which the load was
    opened, by which times are too late to be true; without it, none is. `memory_limit` is that of DuckDB alone.
    """
    cells = directory / "cells"
    _clear(directory)
    cells.mkdir(parents=True)
    read = _read_files(extract, cells, threads)
    pa.default_memory_pool().release_unused()  # Arrow would keep what DuckDB is now to use
    try:
        return stage_records(
            extract, read, cells, directory, known, opened_on=opened_on, memory_limit=memory_limit, threads=threads
        )
    finally:
        shutil.rmtree(cells)


def stage_records(
    extract: Extract,
    read: Mapping[str, ReadFile],
    cells: Path,
    directory: Path,
    known: Path | None = None,
    *,
    opened_on: date | None = None,
    memory_limit: str = "400MB",
    threads: int = 2,
    is_made: bool = False,
    unquoted: Iterable[tuple[str, str]] = (),
    expected: Expected = OF_OLIST,
    is_complete: bool = False,
    in_part: Iterable[str] = (),
    malformed: Mapping[str, int] | None = None,
) -> Staged:
    """The same of records that were read already: of all nine files, into the folder `cells`, which stays.

    A record is known by its number in its file, in the order in which it was read; several may stand on one line.
    `is_made`: a mapping made them, so that their texts are those of their cells, and `malformed` files have a `text`.
    `unquoted` are the columns, by file, of which no reason may quote a cell, besides those of the personal files;
    `expected` is what its source says. `is_complete`: it says that its extracts hold everything; `known` then has
    `source_records.csv` (batch_seq, file, key, line, order_id, is_there), what earlier loads of it found,
    `complete_loads.csv` (batch_seq, file), which of these held everything of a file, and `erased.csv` (customer_id),
    whose records nobody misses. Nothing is missed of files that are there `in_part`. `malformed` counts, by file, the
    rows with too few or too many cells of which its records would have been made; by default those that were read.
    """
    directory.mkdir(parents=True, exist_ok=True)
    database = directory / DATABASE
    missing = tuple(file for file in FILES if file not in extract.files)
    unreadable = tuple(result.unreadable for result in read.values() if result.unreadable is not None)
    if unreadable:
        return _not_believable(extract, database, unreadable, missing)
    with closing(_connect(database, memory_limit, threads)) as connection:
        connection.execute("SET VARIABLE opened_on = ?::DATE", [opened_on])
        _load(connection, cells, extract, read, known)
        _read_and_compare(connection, read, expected, unquoted)
        counts = _counts(connection, read)
        if is_complete:
            counted = malformed or {file: result.malformed_records for file, result in read.items()}
            _find_missing(connection, counted, in_part)
        latest = connection.execute(LATEST_PLACED_AT).fetchall()[0][0]
        checks = count_checks(connection, expected.off)
        set_aside = tuple(SetAside(*found) for found in connection.execute(SET_ASIDE).fetchall())
        missing_records = tuple(read_missing(connection))
        crowded = tuple(Unreadable(*found) for found in connection.execute(sql("crowded")).fetchall())
    if crowded:
        return _not_believable(extract, database, crowded, missing)
    made = cells if is_made else None
    return Staged(
        extract, database, (), missing, counts, latest, checks, set_aside, expected.without, missing_records, made
    )


def _read_and_compare(
    connection: duckdb.DuckDBPyConnection,
    read: Mapping[str, ReadFile],
    expected: Expected,
    unquoted: Iterable[tuple[str, str]],
) -> None:
    """Cells become records, those that are none are set aside, and the others are held against what the log knows."""
    connection.execute(KNOWN_WORDS, {"methods": expected.methods, "states": expected.states})
    absent = {(file, name) for file in read for name in read[file].absent}
    if expected.regions is not None:
        connection.execute(REGIONS, [list(expected.regions), list(expected.regions.values())])
    statements = read_statements(
        absent,
        expected.unknown,
        has_postcodes=expected.has_postcodes,
        has_regions=expected.regions is not None,
    )
    connection.execute(statements)
    connection.execute(sql("quarantine"))
    for file, column in unquoted:
        connection.execute(UNQUOTED, {"file": file, "begin": f"{column} is "})
    connection.execute(sql("compare"))


def _find_missing(connection: duckdb.DuckDBPyConnection, malformed: Mapping[str, int], in_part: Iterable[str]) -> None:
    """What earlier loads of the source had and this one lacks; of files that are there `in_part`, nothing."""
    connection.executemany("INSERT INTO malformed_row VALUES (?, ?)", list(malformed.items()))
    connection.execute("INSERT INTO in_part SELECT unnest(?::VARCHAR[])", [list(in_part)])
    connection.execute(sql("missing"))


def _not_believable(
    extract: Extract, database: Path, unreadable: tuple[Unreadable, ...], missing: tuple[str, ...]
) -> Staged:
    return Staged(extract, database, unreadable, missing, dict.fromkeys(FILES, FileCounts(0, 0, 0, 0, 0)), None, ())


UNQUOTED = """
    UPDATE quarantine SET reason = $begin || regexp_extract(reason, '^.*", ((not|none) .*)$', 1, 's')
    WHERE file = $file AND starts_with(reason, $begin || '"')"""

REGIONS = "SET VARIABLE regions = MAP(?::VARCHAR[], ?::VARCHAR[])"
KNOWN_WORDS = """
    INSERT INTO known_word SELECT 'method', unnest($methods) UNION ALL SELECT 'state', unnest($states)"""

LATEST_PLACED_AT = """
    SELECT max(placed_at)
    FROM (
        SELECT placed_at FROM orders
        UNION ALL
        SELECT placed_at FROM known_order ANTI JOIN orders USING (order_id)
    )
    WHERE is_placed_too_late(placed_at) IS NOT TRUE"""
"""By what is known now: the extract's word on an order stands before the log's (R33)."""

SET_ASIDE = """
    SELECT file, count(*), any_value(records), min(line), first(reason ORDER BY line, record)
    FROM quarantine
    JOIN staged_file USING (file)
    GROUP BY file
    ORDER BY file"""


def _clear(directory: Path) -> None:
    for folder in ("cells", "spill"):
        shutil.rmtree(directory / folder, ignore_errors=True)
    for leftover in directory.glob(f"{DATABASE}*"):
        leftover.unlink()


def _read_files(extract: Extract, cells: Path, threads: int) -> dict[str, ReadFile]:
    """Threads suffice: the work is done inside Arrow, which lets go of the interpreter."""
    largest_first = sorted(extract.files, key=lambda file: -extract.files[file].bytes)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        reading = {file: pool.submit(read_file, file, extract.files[file].path, cells) for file in largest_first}
        try:
            return {file: reading[file].result() if file in reading else empty_file(file, cells) for file in FILES}
        except BaseException:
            pool.shutdown(cancel_futures=True)  # none is begun any more
            raise


def _connect(database: Path, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": str(database.parent / "spill"),
        "preserve_insertion_order": False,
    }
    return interruptible(duckdb.connect(str(database), config=settings))


def _load(
    connection: duckdb.DuckDBPyConnection,
    cells: Path,
    extract: Extract,
    read: Mapping[str, ReadFile],
    known: Path | None,
) -> None:
    connection.begin()  # each of these small statements would be written to the disk by itself
    connection.execute(sql("macros"))
    connection.execute(sql("known"))
    for name, statement in LOAD_KNOWN.items():
        if known is not None and (known / name).exists():
            connection.execute(statement, {"path": str(known / name)})
    connection.execute("SET VARIABLE cells = ?", [str(cells)])
    for file, result in read.items():
        if file in extract.files:
            connection.execute("INSERT INTO staged_file VALUES (?, ?)", [file, result.records])
        for column in RECORDS[file].columns():
            if column.name in result.absent:
                connection.execute("INSERT INTO unsaid VALUES (?, ?)", [file, column.field])
        if result.malformed_records:
            parameters = {"file": file, "path": str(result.malformed), "width": result.header_cells}
            connection.execute(QUARANTINE_MALFORMED, parameters)
    connection.commit()


def _counts(connection: duckdb.DuckDBPyConnection, read: Mapping[str, ReadFile]) -> dict[str, FileCounts]:
    found = {file: kinds for file, *kinds in connection.execute("FROM file_count").fetchall()}
    return {file: FileCounts(read[file].records, *found.get(file, (0, 0, 0, 0))) for file in FILES}


def sql(script: str) -> str:
    """A script of `sql/` by its name."""
    return (files("replayhouse.infra.staging") / "sql" / f"{script}.sql").read_text(encoding="utf-8")
