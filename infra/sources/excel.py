"""A sheet of Excel, by openpyxl, which is an extra. Its first row is the header; formulas are what they last came to.

Rows are streamed; the texts of a workbook are held as a whole, and so bounded.
"""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.sources.document import RawFile
from replayhouse.infra.sources.raw_columns import find_columns
from replayhouse.infra.sources.typed_cells import PLAIN, cell_of, rounded
from replayhouse.infra.staging.reader import RefusedError

LARGEST_WORKBOOK, LARGEST_TEXTS = 4 << 30, 256 << 20
"""Bytes of all that is packed in a workbook, and of the texts that its cells share."""
DIGITS = 15
"""Of a number, as many as Excel shows."""


class Sheet:
    """The rows of the sheet that a file names, or of its only one."""

    def __init__(self, file: RawFile, path: Path) -> None:
        self._file, self._path = file, path
        self.names: Sequence[str] = ()

    def rows(self) -> Iterator[tuple[int, list[str | None]]]:
        """Each row with its number; rows without a cell are none. Raises RefusedError, UsageError without openpyxl."""
        with _opened(self._path) as workbook:
            yield from self._rows(self._sheet(workbook))

    def all_names(self) -> Sequence[str]:
        """Names in the header, empty where a column has none."""
        with _opened(self._path) as workbook:
            sheet = self._sheet(workbook)
            sheet.reset_dimensions()
            return _names(next(sheet.iter_rows(values_only=True), ()))

    def _sheet(self, workbook: Any) -> Any:
        titles = [sheet.title for sheet in workbook.worksheets]
        wanted = self._file.sheet
        if wanted is None and len(titles) == 1:
            return workbook.worksheets[0]
        if wanted not in titles:
            there = ", ".join(titles) or "none"
            what = f"it has no sheet {wanted!r}" if wanted else "it has several sheets: say which with `sheet`"
            raise RefusedError("files_complete", f"{what} (there are: {there})")
        return workbook[wanted]

    def _rows(self, sheet: Any) -> Iterator[tuple[int, list[str | None]]]:
        sheet.reset_dimensions()  # what a file says of its size may be wrong
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
        _, header = next(rows, (1, ()))
        self.names = _names(header)
        places = find_columns(self.names, self._file).places.values()
        for number, values in rows:
            if any(value is not None for value in values):
                yield number, [_cell(values, place, number) for place in places]


def sheet_titles(path: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets."""
    with _opened(path) as workbook:
        return tuple(sheet.title for sheet in workbook.worksheets)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    openpyxl = _openpyxl()
    _refuse_too_large(path)
    with path.open("rb") as stream:
        try:
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            with closing(workbook):
                yield workbook
        except (RefusedError, GeneratorExit):
            raise
        except Exception as error:  # openpyxl raises whatever it stumbles over, and may quote cells
            raise RefusedError("files_complete", f"it cannot be read as Excel ({type(error).__name__})") from error


def _names(header: Sequence[Any]) -> list[str]:
    return [(cell_of(value, 1, DIGITS) or "").removeprefix(PLAIN) for value in header]


def _cell(values: tuple[Any, ...], place: int | None, number: int) -> str | None:
    value = values[place] if place is not None and place < len(values) else None
    return cell_of(rounded(value) if isinstance(value, datetime) else value, number, DIGITS)


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise UsageError("Excel files are not read here: pip install 'replayhouse[excel]'.") from error
    return openpyxl


def _refuse_too_large(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise RefusedError("files_complete", "it is no Excel file (.xlsx)") from error
    texts = sum(entry.file_size for entry in entries if entry.filename.endswith("sharedStrings.xml"))
    if texts > LARGEST_TEXTS or sum(entry.file_size for entry in entries) > LARGEST_WORKBOOK:
        raise RefusedError("files_complete", "it unpacks to more than is read of Excel: save it as CSV")
