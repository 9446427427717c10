"""The first rows of each file of an extract that nobody has described yet: names of its columns, some cells of each."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.sources.document import (
    ENDINGS,
    LONGEST_NAME,
    MOST_COLUMNS,
    MOST_FILES,
    OWN_COLUMNS,
    Encoding,
    Format,
    RawFile,
    ending_of,
)
from replayhouse.infra.sources.excel import sheet_titles
from replayhouse.infra.sources.names import plain_name
from replayhouse.infra.sources.raw_extract import LIMITS
from replayhouse.infra.sources.texts import MARKS, in_utf8, unpacked
from replayhouse.infra.sources.typed_files import READERS
from replayhouse.infra.staging.extract import Sought, open_extract
from replayhouse.infra.staging.reader import LONGEST_RECORD, RefusedError

ROWS = 2_000
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "cp1252", "latin-1")


class Sample(NamedTuple):
    """A file as it was found: the key proposed for it, its real name, its form, some cells by the name of the column.

    Cells are None where they are empty; those of formats with types begin with PLAIN where they are numbers or times.
    `left_out` are names of columns that cannot be read: doubled ones, and those that reading needs itself. `sheets` are
    those of a workbook, of which the first is read.
    """

    key: str
    name: str
    kind: Format
    columns: dict[str, list[str | None]]
    left_out: tuple[str, ...]
    encoding: Encoding = "utf-8"
    delimiter: str = ","
    sheets: tuple[str, ...] = ()


def samples_of(path: Path, scratch: Path) -> list[Sample]:
    """The files of a folder or zip that can be read, in the order of their names; their copies go to `scratch`.

    Raises InputError where there is none, or one of them cannot be read.
    """
    samples: list[Sample] = []
    for name, file in sorted(_files(path, scratch).items()):
        key = _key(name, {sample.key for sample in samples})
        try:
            samples.append(_sample(key, name, file, scratch))
        except RefusedError as refused:
            raise InputError(f"The file {name} is unreadable: {refused.reason}.") from refused
    return samples


def _files(path: Path, scratch: Path) -> dict[str, Path]:
    known = ", ".join(ENDINGS)
    sought = Sought(
        key_of=lambda name: name if ending_of(name) in ENDINGS and not name.startswith(".") else None,
        copy_of=lambda name: name,
        twice=lambda _: "the same file twice",
        one="a file of an extract",
        none="no file that can be read",
        expected=f"Files that can be read end in {known}, perhaps with .gz behind it.",
    )
    opened = open_extract(path, scratch, LIMITS, sought)
    if len(opened.files) > MOST_FILES:
        raise InputError(f"{path} holds {len(opened.files)} files, and a mapping has {MOST_FILES} at most.")
    return {name: file.path for name, file in opened.files.items()}


def _key(name: str, taken: set[str]) -> str:
    """A name for the file's table: its own, without what changes from one extract to the next."""
    stem = name.lower().removesuffix(".gz").rpartition(".")[0]
    base = "_".join(word for word in re.split(r"[^a-z]+", stem) if word)[:36] or "file"
    numbered = (base if number == 1 else f"{base}_{number}" for number in range(1, MOST_FILES + 1))
    return next(key for key in numbered if key not in taken)


def _sample(key: str, name: str, path: Path, scratch: Path) -> Sample:
    kind = ENDINGS[ending_of(name)]
    if name.lower().endswith(".gz"):
        path = unpacked(path, scratch / f"{key}.unpacked")
    if kind == "csv":
        return _sample_of_text(key, name, path, scratch)
    sheets = sheet_titles(path) if kind == "xlsx" else ()
    form = {"path": name, "format": kind, "sheet": sheets[0] if sheets else None}
    reader = READERS[kind]
    wanted, left_out = _readable(reader(RawFile.model_validate({**form, "columns": {"-": "text"}}), path).all_names())
    file = RawFile.model_validate({**form, "columns": dict.fromkeys(wanted, "text"), "optional": wanted[1:]})
    rows = (cells for _, cells in islice(reader(file, path).rows(), ROWS))
    return Sample(key, name, kind, _by_column(wanted, rows), left_out, sheets=sheets)


def _sample_of_text(key: str, name: str, path: Path, scratch: Path) -> Sample:
    encoding = _encoding(path, scratch / f"{key}.txt")
    text = in_utf8(path, [encoding], scratch / f"{key}.txt")
    with text.open(encoding="utf-8-sig", newline="") as stream:
        head = "".join(islice(iter(lambda: stream.readline(LONGEST_RECORD), ""), ROWS))
    delimiter = max(DELIMITERS, key=lambda one: _fit(head, one))
    rows = _rows(head, delimiter)
    header = [cell.strip() for cell in next(rows, [])]
    wanted, left_out = _readable(header)
    places = [header.index(column) for column in wanted]
    cells = ([row[place] or None if place < len(row) else None for place in places] for row in rows if row)
    return Sample(key, name, "csv", _by_column(wanted, cells), left_out, encoding, delimiter)


def _encoding(path: Path, text: Path) -> Encoding:
    """The first in which the whole file can be read; in the last, any can."""
    with path.open("rb") as stream:
        if stream.read(2).startswith(MARKS["utf-16"]):
            return "utf-16"
    for encoding in ENCODINGS:
        with suppress(RefusedError):
            in_utf8(path, [encoding, encoding], text)
            return encoding
    raise RefusedError("files_in_utf8", "it is no text")


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of the beginning of a file, which may end within one."""
    with suppress(csv.Error):
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """How many rows have as many cells as the header, if it has several; and how many those are."""
    widths = [len(row) for row in _rows(text, delimiter) if row]
    width = widths[0] if widths else 0
    return (widths.count(width) / len(widths), width) if width > 1 else (0, 0)


def _readable(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The columns that a mapping can name, and those that it cannot; those without a name are neither."""
    times = Counter(map(plain_name, names))
    named = [name for name in dict.fromkeys(names) if name.strip()]
    wanted = [
        name
        for name in named
        if times[plain_name(name)] == 1 and plain_name(name) not in OWN_COLUMNS and len(name) <= LONGEST_NAME
    ]
    if not wanted:
        raise RefusedError("columns_present", "it has no header with names of columns")
    return wanted[:MOST_COLUMNS], tuple(name for name in named if name not in wanted[:MOST_COLUMNS])


def _by_column(names: Sequence[str], rows: Iterable[Sequence[str | None]]) -> dict[str, list[str | None]]:
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            columns[name].append(cell)
    return columns
