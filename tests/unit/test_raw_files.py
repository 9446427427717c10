"""The raw files of an extract as tables: the same rows from whatever form they come in, or a refusal with its line."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.raw_files import RawTable, UnreadableFiles, open_raw
from tests.support.mappings import mapping_folder, one_file

COLUMNS = {"Order No": "text", "Placed": "time", "Total": "money", "Stars": "whole", "Note": "text"}
ROWS: list[list[str | None]] = [
    ["a1", "2018-03-14 10:20:30", "1234.50", "5", " bom "],
    ["a2", "2018-12-01 00:00:00", "0.05", None, 'muito "bom",\nó'],
    ["a3", None, None, "1", None],
]


def opened(folder: Path, name: str, content: bytes, text: str) -> RawTable:
    extract = folder / "extract"
    extract.mkdir(exist_ok=True)
    (extract / name).write_bytes(content)
    mapping = read_mapping(mapping_folder(folder / "mapping", text, orders="SELECT 1"))
    return open_raw(mapping, extract, folder / "into")["raw"]


def rows_of(table: RawTable) -> list[list[Any]]:
    return [list(row.values()) for row in pq.read_table(table.parquet).to_pylist()]


def refused(folder: Path, name: str, content: bytes, text: str) -> str:
    with pytest.raises(UnreadableFiles) as refusal:
        opened(folder, name, content, text)
    return str(refusal.value).removeprefix(f"{folder / 'extract'} is rejected. The file {name} is unreadable: ")


def as_csv(rows: list[list[str | None]], encoding: str = "utf-8", end: str = "\n", **dialect: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, **dialect).writerows(rows)
    return text.getvalue().encode(encoding)


def in_portuguese(row: list[str | None]) -> list[str | None]:
    number, placed, total, *rest = row
    there = f"{datetime.fromisoformat(placed):%d/%m/%Y %H:%M:%S}" if placed else None
    return [number, there, total and f"{float(total):,.2f}".translate(str.maketrans(",.", ".,")), *rest]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_text_is_read_in_any_dialect(delimiter: str, encoding: str, tmp_path: Path) -> None:
    header: list[str | None] = ["", " order no ", "Placed", "TOTAL", "Stars", "Note", "Other"]
    rows = [header, *([str(number), *in_portuguese(row), "x"] for number, row in enumerate(ROWS))]
    content = as_csv(rows, encoding, "\r\n", delimiter=delimiter, quotechar="'")
    named = encoding.removesuffix("-sig")
    keys = f"delimiter = [';', '\\t', '|', ',']\nencoding = {named!r}\nquote = \"'\"".replace("'\\t'", '"\\t"')
    source = 'times = ["%d/%m/%Y %H:%M:%S"]\ndecimal = ","\nthousands = "."'

    table = opened(tmp_path, "orders 2018.csv", content, one_file("orders*.csv", COLUMNS, keys, source))

    expected = [[line, lines, *row] for (line, lines), row in zip([(2, 1), (3, 2), (5, 1)], ROWS, strict=True)]
    assert rows_of(table) == expected
    assert (table.file, table.rows, table.unused, table.absent) == ("orders 2018.csv", 3, ("Other",), ())
    assert table.text is not None
    assert table.text.read_text(encoding="utf-8-sig").split("\n")[1].split(delimiter)[1] == "a1"
