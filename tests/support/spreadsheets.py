"""The nine files as they come out of a spreadsheet: decimal commas, days before months, row numbers."""

import csv
from pathlib import Path
from typing import NamedTuple

from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.ingest.records import RECORDS, CellKind


class Form(NamedTuple):
    """How a spreadsheet writes: with what between cells, in which encoding and with which line ends, and more."""

    delimiter: str = ";"
    encoding: str = "utf-8"
    line_end: str = "\n"
    has_row_numbers: bool = False
    ending: str = ".csv"


def as_spreadsheet(extract: Path, folder: Path, form: Form) -> Path:
    """Writes the files of an extract in that form into a folder; each record stands on the line where it stood."""
    folder.mkdir(parents=True)
    for file, source in SOURCE_FILES.items():
        with (extract / source.name).open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        kinds = {column.name: column.kind for column in RECORDS[file].columns()}
        path = (folder / source.name).with_suffix(form.ending)
        with path.open("w", encoding=form.encoding, newline="") as stream:
            writer = csv.writer(stream, delimiter=form.delimiter, lineterminator=form.line_end)
            for number, row in enumerate([header, *rows]):
                cells = [_cell(kinds[name], cell) for name, cell in zip(header, row, strict=True)] if number else header
                writer.writerow([str(number) if number else "", *cells] if form.has_row_numbers else cells)
    return folder


def _cell(kind: CellKind, cell: str) -> str:
    if kind is CellKind.TIME and cell:
        day, _, time = cell.partition(" ")
        year, month, date = day.split("-")
        return f"{date}/{month}/{year}" + (f" {time}" if time not in ("", "00:00:00") else "")
    if kind is CellKind.MONEY and len(cell.partition(".")[0]) > 3:
        return f"{float(cell):,.2f}".translate(str.maketrans(",.", ".,"))
    return cell.replace(".", ",") if kind in (CellKind.MONEY, CellKind.DEGREES) else cell
