"""A raw file of text with delimiters, read as strictly as the nine files are (infra/staging/reader.py)."""

from pathlib import Path
from typing import NamedTuple

from replayhouse.infra.sources.document import RawFile
from replayhouse.infra.sources.raw_columns import Found, find_columns, missing_columns
from replayhouse.infra.sources.texts import in_utf8
from replayhouse.infra.staging.blocks import NO_QUOTE, Dialect
from replayhouse.infra.staging.reader import Header, ReadFile, RefusedError, header_names, read_cells, without_empty_end


class ReadText(NamedTuple):
    """What came of it, with the columns that were found, and the text in UTF-8 that has the lines."""

    read: ReadFile
    found: Found
    text: Path


def read_csv(key: str, file: RawFile, path: Path, directory: Path) -> ReadText:
    """Reads into `directory`/KEY.parquet and `directory`/KEY.malformed.parquet. Raises RefusedError."""
    text = in_utf8(path, file.encoding, directory / f"{key}.txt")
    dialect = _dialect(file, text)
    found = find_columns(header_names(text, dialect), file)
    read = read_cells(key, text, directory, tuple(file.columns), lambda names: _header(names, found), dialect)
    if read.unreadable:
        fault = read.unreadable
        raise RefusedError(fault.rule, fault.reason, fault.line, fault.offset)
    return ReadText(read, found, text)


def _header(names: list[str], found: Found) -> Header:
    filled, empty_names = without_empty_end(names)
    return Header(found.places, len(filled), empty_names)


def _dialect(file: RawFile, text: Path) -> Dialect:
    """That of the first delimiter by which the header has all columns; else the first, by which it is told."""
    dialects = [Dialect(delimiter, file.quote or NO_QUOTE) for delimiter in file.delimiter]
    return next((dialect for dialect in dialects if _names_all(file, text, dialect)), dialects[0])


def _names_all(file: RawFile, text: Path, dialect: Dialect) -> bool:
    try:
        return not missing_columns(header_names(text, dialect), file)
    except RefusedError:
        return False
