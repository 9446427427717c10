"""An answer as a CSV file, for a spreadsheet."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from replayhouse.infra.answers.asking import Cell, Row
from replayhouse.infra.runtime.csv_cells import harmless_text
from replayhouse.infra.runtime.files import writing

_ENDS = re.compile(r'[",\r\n]')


def write_csv(columns: Sequence[str], rows: Iterable[Row], path: Path, *, replaces: bool) -> None:
    """Writes columns and rows in UTF-8: numbers with a point, dates in ISO form, null as an empty cell.

    Raises UsageError where a file is there that is not to be replaced, or none can be written.
    """
    with writing(path, replaces=replaces) as file:
        file.writelines(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """The lines of such a file."""
    for row in (columns, *rows):
        yield f"{','.join(map(_cell, row))}\n".encode()


def _cell(value: Cell) -> str:
    """A cell, quoted where it holds what ends one; also a carriage return, which the csv module leaves as it is."""
    text = "" if value is None else harmless_text(value) if isinstance(value, str) else str(value)
    return '"' + text.replace('"', '""') + '"' if _ENDS.search(text) else text
