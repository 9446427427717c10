"""An answer as a CSV file, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from replayhouse.infra.answers.asking import Cell, Row
from replayhouse.infra.runtime.csv_cells import harmless_text
from replayhouse.infra.runtime.files import writing


def write_csv(columns: Sequence[str], rows: Iterable[Row], path: Path, *, replaces: bool) -> None:
    """Writes columns and rows in UTF-8: numbers with a point, dates in ISO form, null as an empty cell.

    Raises UsageError where a file is there that is not to be replaced, or none can be written.
    """
    with writing(path, replaces=replaces) as file:
        lines = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)
        lines.detach()  # flushes; the file is closed, and named, by the block around


def _cell(value: Cell) -> str:
    return "" if value is None else harmless_text(value) if isinstance(value, str) else str(value)
