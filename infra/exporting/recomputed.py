"""Digests of Parquet files and of DuckDB's tables, recomputed by DuckDB in SQL: nothing of ours writes the lines.

Each row becomes its line of COPY text, as `replayhouse.projections.digest` defines it, whose SHA-256 is added up as
four numbers of 64 bits. It knows types, not tables: files of any program with such columns can be read.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from replayhouse.infra.exporting.duckdb_paths import named, rows_of
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.projections.digest import MODULUS, NOTHING, Digest
from replayhouse.projections.projection import POSITION

Settings = dict[str, str | bool | int | float | list[str]]

MEMORY = "1GB"
_SETTINGS: Settings = {
    "memory_limit": MEMORY,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

_ESCAPED = ("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"), ("\b", r"\b"), ("\f", r"\f"), ("\v", r"\v")
_SPECIAL = r"[\\\t\n\r\x08\f\v]"

_LINES = {
    "BOOLEAN": "CASE {0} WHEN true THEN 't' WHEN false THEN 'f' END",
    "INTEGER": "{0}::VARCHAR",
    "BIGINT": "{0}::VARCHAR",
    "DOUBLE": r"regexp_replace({0}::VARCHAR, '\.0$', '')",
    "DATE": "{0}::VARCHAR",
    "TIMESTAMP": "{0}::VARCHAR",
    "TIMESTAMP WITH TIME ZONE": "make_timestamp(epoch_us({0}))::VARCHAR || '+00'",
    "UUID": "{0}::VARCHAR",
}
_SUM = """
    SELECT count(*), {limbs}
    FROM (SELECT sha256(concat_ws(chr(9), {cells})) AS hash FROM {rows})
"""
_LIMB = "coalesce(sum(('0x' || substr(hash, {0}, 16))::UBIGINT), 0)::HUGEINT"
_DIGITS_OF_A_LIMB, _BITS_OF_A_LIMB, _LIMBS = 16, 64, 4

_IS_FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))


@contextmanager
def connected(file: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB, in memory or on a file that is only read; it looks for no extensions, and writes nothing beside."""
    settings: Settings = {**_SETTINGS, "temp_directory": ""}
    name = ":memory:" if file is None else named(file)
    try:
        connection = interruptible(duckdb.connect(name, read_only=file is not None, config=settings))
    except duckdb.Error as error:
        raise InputError(f"{file or name} cannot be read: {first_line(error)} Export again.") from error
    with connection:
        yield connection


def digest_of_files(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> Digest:
    """The digest of the rows of Parquet files together. Raises InputError where one is missing or cannot be read."""
    if not files:
        return NOTHING
    if missing := [file for file in files if not file.exists()]:
        raise InputError(f"There is no file {missing[0]}, which the manifest names: make what stands there anew.")
    try:
        return digest_of_rows(connection, rows_of(files))
    except duckdb.Error as error:
        named = files[0] if len(files) == 1 else files[0].parent
        raise InputError(f"{named} cannot be read as Parquet: {first_line(error)}") from error


def digest_of_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> Digest:
    """The digest of a table of DuckDB's; of one that is not there, or cannot be read, that of nothing."""
    try:
        return digest_of_rows(connection, identifier(schema, table))
    except duckdb.Error:
        return NOTHING


def digest_of_rows(connection: duckdb.DuckDBPyConnection, rows: str) -> Digest:
    """The digest of what stands behind FROM; `position`, if it is there, is left out."""
    columns = [
        (name, kind)
        for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
        if name != POSITION
    ]
    cells = ", ".join(f"coalesce({_cell(identifier(name), kind)}, '\\N')" for name, kind in columns)
    limbs = ", ".join(_LIMB.format(1 + place * _DIGITS_OF_A_LIMB) for place in range(_LIMBS))
    found = connection.execute(_SUM.format(limbs=limbs, cells=cells, rows=rows)).fetchone()
    assert found is not None  # aggregates always give a row
    count, *sums = found
    shifts = range(_BITS_OF_A_LIMB * (_LIMBS - 1), -1, -_BITS_OF_A_LIMB)
    return Digest(count, sum(limb << shift for limb, shift in zip(sums, shifts, strict=True)) % MODULUS)


def _cell(name: str, kind: str) -> str:
    """A value as its line has it; null where it is null."""
    if kind == "VARCHAR":
        escaped = name
        for sign, written in _ESCAPED:
            escaped = f"replace({escaped}, chr({ord(sign)}), '{written}')"
        return f"CASE WHEN regexp_matches({name}, '{_SPECIAL}') THEN {escaped} ELSE {name} END"
    if kind.startswith("DECIMAL("):
        return f"{name}::VARCHAR"
    if kind in _LINES:
        return _LINES[kind].format(name)
    raise InputError(f"The column {name} is a {kind}, which no table of the star schema has: it has no digest.")


def identifier(*names: str) -> str:
    """A name as SQL has it, with those that it stands in before it."""
    return ".".join('"{}"'.format(name.replace('"', '""')) for name in names)


def first_line(error: duckdb.Error) -> str:
    """The gist of what DuckDB says."""
    return str(error).strip().splitlines()[0].rstrip(".") + "."


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """DuckDB's errors have no numbers, so that a full disk is known by its words. Raises UsageError for that."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if any(words in str(error) for words in _IS_FULL):
            raise UsageError(
                f"The disk of {folder} is full: make room, and run the same command again. What was there is unchanged."
            ) from error
        raise
