"""An extract of the nine files as somebody else would write it, and the mapping that reads it.

Other names of files and columns, semicolons, decimal commas, days before months, Latin-1 (of reviews, which may have
any sign, UTF-8 with a byte order mark), CR LF, and a first column of row numbers without a name; each record still
stands on the line where it stood.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.ingest.records import RECORDS, CellKind, Column

_TYPES = {CellKind.TIME: "time", CellKind.MONEY: "money", CellKind.WHOLE: "whole", CellKind.DEGREES: "degrees"}


def rewritten(extract: Path, folder: Path, encoding: str = "latin-1") -> Path:
    """Writes the files of an extract in the other dialect, all but reviews in that encoding; returns the folder."""
    folder.mkdir(parents=True)
    for file, source in SOURCE_FILES.items():
        if (extract / source.name).exists():
            columns = {column.name: column for column in RECORDS[file].columns()}
            with (extract / source.name).open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            with (folder / f"export_{file}.txt").open("w", encoding=_encoding(file, encoding), newline="") as stream:
                writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
                writer.writerow(["", *(_name(column) for column in columns)])
                for number, row in enumerate(rows):
                    writer.writerow([number, *(_cell(columns[name], row[name]) for name in columns)])
    return folder


def mapping(folder: Path, name: str = "dialect", encoding: str = "latin-1") -> Path:
    """Writes the mapping of such extracts; returns its folder."""
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text("".join(_mapping(name, encoding)), encoding="utf-8")
    return folder


def _mapping(name: str, encoding: str) -> Iterator[str]:
    yield f'[source]\nname = "{name}"\nzone = "America/Sao_Paulo"\ndecimal = ","\n'
    yield 'times = ["%d/%m/%Y %H:%M:%S"]\nnothing = ["-"]\n'
    for file, shape in RECORDS.items():
        columns = shape.columns()
        types = ", ".join(f'"{_name(column.name)}" = "{_TYPES.get(column.kind, "text")}"' for column in columns)
        made = ", ".join(f'{column.name} = "{_name(column.name)}"' for column in columns)
        yield f'[files.{file}]\npath = "export_{file}*.txt"\nformat = "csv"\ndelimiter = ";"\n'
        yield f'encoding = "{_encoding(file, encoding).removesuffix("-sig")}"\n'
        yield f"columns = {{ {types} }}\n"
        yield f'[records.{file}]\nfrom = "{file}"\ncolumns = {{ {made} }}\n'


def _encoding(file: str, of_others: str) -> str:
    return "utf-8-sig" if file == "order_reviews" else of_others


def _name(column: str) -> str:
    return column.replace("_", " ").title()


def _cell(column: Column, cell: str) -> str:
    if not cell:
        return "-" if column.may_be_empty else ""
    if column.kind is CellKind.TIME:
        try:
            return datetime.fromisoformat(cell).strftime("%d/%m/%Y %H:%M:%S")
        except ValueError:
            return cell
    return cell.replace(".", ",") if column.kind in (CellKind.MONEY, CellKind.DEGREES) else cell
