"""The raw files of an extract as tables: the same rows from whatever form they come in, or a refusal with its line."""

import csv
import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.runtime.errors import InputError, Rejected, UsageError
from replayhouse.infra.sources import excel
from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.raw_files import RawTable, UnreadableFiles, open_raw
from replayhouse.infra.staging.blocks import COMMAS, Dialect
from replayhouse.infra.staging.reader import Header, read_cells
from tests.support.mappings import mapping_folder, one_file

COLUMNS = {"Order No": "text", "Placed": "time", "Total": "money", "Stars": "whole", "Note": "text"}
ROWS: list[list[str | None]] = [
    ["a1", "2018-03-14 10:20:30", "1234.50", "5", " bom "],
    ["a2", "2018-12-01 00:00:00", "0.05", None, 'muito "bom",\nó'],
    ["a3", None, None, "1", None],
]


def opened(folder: Path, name: str, content: bytes, text: str) -> RawTable:
    extract = folder / "extract"
    extract.mkdir(parents=True, exist_ok=True)
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


def as_json_lines(rows: Sequence[object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_parquet(table: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(table), stream)
    return stream.getvalue()


def as_excel(*sheets: Sequence[Any]) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for number, rows in enumerate(sheets, 1):
        sheet = workbook.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


MARKS = 'times = ["%Y-%d-%m %H:%M:%S"]\ndecimal = ","\nthousands = "."'
"""By which a plain number and a plain time would be read wrongly, were they taken for written ones."""
TYPED = {"Order No": "text", "Placed": "time", "Total": "money", "Stars": "whole", "Note": "text", "Paid": "text"}
EXPECTED: list[list[str | None]] = [
    ["a1", "2018-03-04 10:20:30", "1.234", "5", " bom ", "true"],
    ["7", "2018-12-01 00:00:00", "94.9", None, '{"von":[1,2.50]}', "false"],
    ["a3", None, None, "1", None, None],
]


def test_lines_of_json_are_read_with_what_lies_within(tmp_path: Path) -> None:
    rows = [
        {"order no": "a1", "Placed": "2018-04-03 10:20:30", "Total": 1.234, "Stars": 5, "Note": " bom ", "Paid": True},
        {"Order No": 7, "Placed": "2018-12-01", "Total": "94,9", "Note": {"von": [1, 2.5]}, "Paid": False, "Other": 1},
        {"Order No": "a3", "Total": None, "Stars": "1", "Note": ""},
    ]
    content = as_json_lines(rows[:1]) + b"\n  \n" + as_json_lines(rows[1:]).replace(b"2.5", b"2.50")
    table = opened(tmp_path, "raw.jsonl", content, one_file("raw.jsonl", TYPED, source=MARKS))

    found = rows_of(table)
    assert [row[2:] for row in found] == [EXPECTED[0], [*EXPECTED[1][:4], '{"von":[1,2.5]}', "false"], EXPECTED[2]]
    assert [row[:2] for row in found] == [[1, 1], [4, 1], [5, 1]]
    assert (table.rows, table.unused, table.text) == (3, ("Other",), tmp_path / "into/unpacked/raw")


def test_a_point_leads_into_an_object_unless_the_name_has_it(tmp_path: Path) -> None:
    rows = [{"a": {"b": {"c": 1}}, "d.e": 2}, {"a": {"b.c": 3}, "d": {"e": 4}}, {"a": [5], "d": {"e": [6, {"f": "ü"}]}}]
    table = opened(tmp_path, "raw.ndjson", as_json_lines(rows), one_file("*.ndjson", {"a.b.c": "whole", "D.e": "text"}))

    assert [row[2:] for row in rows_of(table)] == [["1", "2"], ["3", "4"], [None, '[6,{"f":"ü"}]']]
    assert table.unused == ()


def test_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    struct = [{"c": "x", "d": 1}, {"c": None, "d": 2}, None]
    content = as_parquet(
        {
            "ORDER NO": ["a1", "7", "a3"],
            "Placed": pa.array(
                [datetime(2018, 3, 4, 10, 20, 30, 999), datetime(2018, 12, 1), None], pa.timestamp("ns")
            ),
            "Total": pa.array([1.234, 94.9, None], pa.float32()),
            "Stars": pa.array([5, None, 1], pa.int8()),
            "Note": pa.array([" bom ", '{"von":[1,2.50]}', None]).dictionary_encode(),
            "Paid": [True, False, None],
            "inner": struct,
        }
    )
    columns = {**TYPED, "inner.c": "text"}
    table = opened(tmp_path, "raw.parquet", content, one_file("raw.parquet", columns, source=MARKS))

    inner = ["x", None, None]
    expected = [[line, 1, *row, last] for line, (row, last) in enumerate(zip(EXPECTED, inner, strict=True), 1)]
    assert rows_of(table) == expected
    assert (table.rows, table.text) == (3, None)


def test_times_of_parquet_in_a_zone_are_local_to_the_warehouse(tmp_path: Path) -> None:
    moments = pa.array([datetime(2018, 3, 4, 10, 20, 30)], pa.timestamp("us", "Europe/Lisbon"))
    table = opened(tmp_path, "raw.parquet", as_parquet({"at": moments}), one_file("raw.parquet", {"at": "time"}))
    assert rows_of(table) == [[1, 1, "2018-03-04 07:20:30"]]


def test_excel_is_read_as_it_is_shown(tmp_path: Path) -> None:
    rows = [
        ["Order No", "Placed", "Total", "Stars", "Note", "Paid", None],
        ["a1", datetime(2018, 3, 4, 10, 20, 29, 999_900), 1.234, 5, " bom ", True],
        [7, datetime(2018, 12, 1), 94.900000000000006, None, '{"von":[1,2.50]}', False],
        [],
        ["a3", None, None, 1],
    ]
    table = opened(tmp_path, "raw.xlsx", as_excel(rows), one_file("raw.xlsx", TYPED, source=MARKS))

    expected = [[line, 1, *row] for line, row in zip((2, 3, 5), EXPECTED, strict=True)]
    assert rows_of(table) == expected


def test_a_sheet_is_the_only_one_or_is_named(tmp_path: Path) -> None:
    content = as_excel([["a"], [1]], [["a"], [2]])
    text = one_file("raw.xlsx", {"a": "whole"})
    assert "it has several sheets: say which with `sheet` (there are: Sheet 1, Sheet 2)" in refused(
        tmp_path / "none", "raw.xlsx", content, text
    )
    named = text.replace("[files.raw.columns]", 'sheet = "Sheet 2"\n[files.raw.columns]')
    assert rows_of(opened(tmp_path / "named", "raw.xlsx", content, named)) == [[2, 1, "2"]]
    other = named.replace("Sheet 2", "Sheet 3")
    assert "it has no sheet 'Sheet 3'" in refused(tmp_path / "other", "raw.xlsx", content, other)


def test_without_openpyxl_it_is_told_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError, match=r"pip install 'replayhouse\[excel\]'"):
        opened(tmp_path, "raw.xlsx", as_excel([["a"], [1]]), one_file("raw.xlsx", {"a": "whole"}))


def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "LARGEST_WORKBOOK", 1_000)
    told = refused(tmp_path, "raw.xlsx", as_excel([["a"], [1]]), one_file("raw.xlsx", {"a": "whole"}))
    assert told == "it unpacks to more than is read of Excel: save it as CSV."


PLAIN_CSV = one_file("raw.csv", {"a": "text", "b": "text", "c": "text"}, 'optional = ["c"]')
PERSONAL_CSV = one_file("raw.csv", {"a": "text", "b": "text"}, 'personal = ["b"]')
JSON_LINES = one_file("raw.jsonl", {"a": "text"}, 'personal = ["a"]')
REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "a column that is missing": ("raw.csv", b"a,x\n1,2\n", PLAIN_CSV, "it lacks the column b (found: a, x)."),
    "two that are missing": ("raw.csv", b"x\n1\n", PLAIN_CSV, "it lacks the columns a, b (found: x)."),
    "no header, of a personal file": (
        "raw.csv",
        b"1,john\n",
        PERSONAL_CSV,
        "it lacks the columns a, b (found: (not quoted), (not quoted)).",
    ),
    "another delimiter": (
        "raw.csv",
        b"a;b\n1;2\n",
        PLAIN_CSV,
        "it lacks the columns a, b (found: a;b): its names are separated by semicolons: write delimiter = ';'.",
    ),
    "a name that stands twice": ("raw.csv", b"a,b, A \n", PLAIN_CSV, "the header names 'a' twice."),
    "an empty file": ("raw.csv", b"", PLAIN_CSV, "the file is empty."),
    "a quote that is not closed": ("raw.csv", b'a,b\n1,"2\n', PLAIN_CSV, "line 2 has a quote that is never closed"),
    "a byte that is not UTF-8": ("raw.csv", b"a,b\n1,2\n3,\xe9\n", PLAIN_CSV, "line 3 has the byte 0xe9, which is not"),
    "a byte that is not of the encoding": (
        "raw.csv",
        b"a,b\n1,2\n3,\x81\n",
        PLAIN_CSV.replace("optional", 'encoding = "cp1252"\noptional'),
        "line 3 has the byte 0x81, which is not cp1252.",
    ),
    "UTF-16 without its mark": (
        "raw.csv",
        "a,b\n".encode("utf-16-le"),
        PLAIN_CSV.replace("optional", 'encoding = "utf-16"\noptional'),
        "it has no byte order mark, as a file in utf-16 must.",
    ),
    "what is cut off": ("raw.csv", b"a,b\n1,2\n3", PLAIN_CSV, "the last record, on line 3, has 1 cells instead of 2"),
    "what is no gzip": ("raw.csv.gz", b"a,b\n1,2\n", PLAIN_CSV, "it cannot be unpacked (Not a gzipped file"),
    "a gzip that is cut off": ("raw.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-4], PLAIN_CSV, "it cannot be unpacked"),
    "a gzip that grows": ("raw.csv.gz", gzip.compress(b"a" * (2 << 20)), PLAIN_CSV, "it unpacks to more than"),
    "a line that is no JSON": ("raw.jsonl", b'{"a": 1}\n\n{"a": "john"\n', JSON_LINES, "line 3 is no JSON, is cut off"),
    "a key that stands twice": ("raw.jsonl", b'{"a": 1, "A": 2}\n', JSON_LINES, "line 1 is no JSON, is cut off"),
    "JSON that is no object": ("raw.jsonl", b"[1]\n", JSON_LINES, "line 1 is no object of JSON."),
    "JSON that is nested too deep": ("raw.jsonl", b'{"a": ' + b"[" * 50_000 + b"\n", JSON_LINES, "line 1 is no JSON"),
    "JSON that is not UTF-8": ("raw.jsonl", b'{"a": "\xe9"}\n', JSON_LINES, "line 1 has a byte that is not UTF-8."),
    "JSON with half a character": (
        "raw.jsonl",
        b'{"a": "\\ud800"}\n',
        JSON_LINES,
        "line 1 has a text that is no UTF-8",
    ),
    "JSON with a NUL": ("raw.jsonl", b'{"a": "\\u0000"}\n', JSON_LINES, "line 1 has a NUL character."),
    "a line that is too long": ("raw.jsonl", b'{"a": "' + b"x" * (1 << 17), JSON_LINES, "line 1 is longer than"),
    "no line": ("raw.jsonl", b"", JSON_LINES, "the file is empty."),
    "no line with the key": ("raw.jsonl", b'{"b": 1}\n', JSON_LINES, "it lacks the column a (found: (not quoted))."),
    "what is no Parquet": ("raw.parquet", b"PAR1", one_file("raw.parquet", {"a": "text"}), "it is no file of Parquet"),
    "Parquet without a column": (
        "raw.parquet",
        as_parquet({"b": [1]}),
        one_file("raw.parquet", {"a": "text"}),
        "it lacks the column a (found: b).",
    ),
    "what is no Excel": ("raw.xlsx", b"PK", one_file("raw.xlsx", {"a": "text"}), "it is no Excel file (.xlsx)."),
    "Excel without a column": (
        "raw.xlsx",
        as_excel([["b"], [1]]),
        one_file("raw.xlsx", {"a": "text"}),
        "it lacks the column a (found: b).",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_not_what_the_mapping_says_is_refused(case: str, tmp_path: Path) -> None:
    name, content, text, told = REFUSED[case]
    message = refused(tmp_path, name, content, text)
    assert message.startswith(told)
    assert "john" not in message


def test_all_files_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    text = one_file("raw.csv", {"a": "text"}) + '[files.other]\npath = "other.csv"\ncolumns = { b = "text" }\n'
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract/other.csv").write_bytes(b"x\n")
    with pytest.raises(UnreadableFiles) as refusal:
        opened(tmp_path, "raw.csv", b"x\n", text)
    assert [fault.file for fault in refusal.value.faults] == ["raw.csv", "other.csv"]
    assert list(refusal.value.then) == ["The file other.csv is unreadable: it lacks the column b (found: x)."]


def test_a_record_with_too_few_cells_is_kept_apart_with_its_line(tmp_path: Path) -> None:
    table = opened(tmp_path, "raw.csv", b'a,b\n1,2\n3\n"4\n",5\n6,7\n', PLAIN_CSV)
    assert rows_of(table) == [[2, 1, "1", "2", None], [4, 2, "4\n", "5", None], [6, 1, "6", "7", None]]
    assert pq.read_table(table.malformed).to_pylist() == [{"line": 3, "lines": 1, "cells": 1}]
    assert (table.rows, table.malformed_rows, table.header_cells, table.absent) == (4, 1, 2, ("c",))


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["BRL", "", " ", "brl ", "n/a"], ""),
        (
            ["BRL", "", "USD", "EUR", "BRL"],
            'line 4: Currency is "USD" (and so on, in 2 rows), and amounts of this source',
        ),
        (["R$"], 'line 2: Currency is "R$", and'),
        (["ana@example.com"], "line 2: Currency is no code of a currency, such as BRL, and"),
    ],
)
def test_amounts_in_another_currency_are_refused_with_their_line(cells: list[str], told: str, tmp_path: Path) -> None:
    columns = {"No": "text", "Currency": "text"}
    text = one_file("raw.csv", columns, 'currency = "Currency"', 'nothing = ["n/a"]')
    rows: list[list[str | None]] = [["1", cell] for cell in cells]
    content = as_csv([["No", "Currency"], *rows])
    if not told:
        assert opened(tmp_path, "raw.csv", content, text).rows == len(cells)
        return
    with pytest.raises(Rejected) as refusal:
        opened(tmp_path, "raw.csv", content, text)
    assert str(refusal.value).startswith(f"{tmp_path / 'extract'} is rejected. raw.csv, {told}")
    assert str(refusal.value).endswith(
        "are in BRL. Export the rows in BRL only, or load them by a mapping whose [source] says their currency, into a "
        "warehouse of that one."
    )


def test_without_a_quote_quotes_are_text(tmp_path: Path) -> None:
    text = one_file("raw.tsv", {"a": "text", "b": "text"}, 'delimiter = "\\t"\nquote = ""')
    assert rows_of(opened(tmp_path, "raw.tsv", b'a\tb\n3" disk\t"\n', text)) == [[2, 1, '3" disk', '"']]


def test_a_packed_file_is_read_and_is_what_stands_in_the_extract(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n")
    table = opened(tmp_path, "RAW.csv.GZ", packed, PLAIN_CSV)
    assert rows_of(table) == [[2, 1, "1", "2", None]]
    assert (table.file, table.bytes, table.sha256) == ("RAW.csv.GZ", len(packed), hashlib.sha256(packed).hexdigest())


def test_a_zip_is_read_as_a_folder_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "extract.zip", "w") as archive:
        archive.writestr("of may/raw.csv", "a,b\n1,2\n")
        archive.writestr("of may/README", "no part of it")
    mapping = read_mapping(mapping_folder(tmp_path / "mapping", PLAIN_CSV, orders="SELECT 1"))
    assert rows_of(open_raw(mapping, tmp_path / "extract.zip", tmp_path / "into")["raw"]) == [[2, 1, "1", "2", None]]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a.csv", "b.csv"], "holds two files that fit [ab].csv (files.raw): a.csv and b.csv."),
        (["a.csv", "a.csv.gz"], "holds two files that fit [ab].csv (files.raw): a.csv and a.csv.gz."),
        (
            ["x.csv", "y.txt"],
            "holds none of the files of shop, but x.csv, y.txt. An extract of shop holds [ab].csv, o*.",
        ),
        ([], "is empty. An extract of shop holds [ab].csv, o*."),
        (["other", "x"], "holds no file that fits [ab].csv (files.raw), but other, x."),
    ],
)
def test_a_pattern_fits_one_file_of_the_extract(names: list[str], told: str, tmp_path: Path) -> None:
    text = (
        one_file("[ab].csv", {"a": "text"}) + '[files.other]\npath = "o*"\nformat = "csv"\ncolumns = { b = "text" }\n'
    )
    mapping = read_mapping(mapping_folder(tmp_path / "mapping", text, orders="SELECT 1"))
    extract = tmp_path / "extract"
    extract.mkdir()
    for name in names:
        (extract / name).write_bytes(b"a\n1\n")
    with pytest.raises(InputError) as refusal:
        open_raw(mapping, extract, tmp_path / "into")
    assert str(refusal.value) == f"{extract} {told}"


def test_a_file_that_two_patterns_fit_is_refused(tmp_path: Path) -> None:
    text = one_file("r*.csv", {"a": "text"}) + '[files.other]\npath = "*.csv"\ncolumns = { b = "text" }\n'
    with pytest.raises(InputError, match=r"^raw.csv fits r\*.csv \(files.raw\) and \*.csv \(files.other\): make"):
        opened(tmp_path, "raw.csv", b"a\n", text)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("a,;\"'\r\n\tü", max_size=30), block_bytes=st.sampled_from([1, 3, 4096]))
def test_another_dialect_is_read_as_commas_and_quotes_are(tmp_path: Path, text: str, block_bytes: int) -> None:
    exchanged = str.maketrans({",": "\t", "\t": ",", '"': "'", "'": '"'})
    found = []
    for number, (dialect, written) in enumerate([(COMMAS, text), (Dialect("\t", "'"), text.translate(exchanged))]):
        path, header = tmp_path / f"{number}.csv", f"a{dialect.delimiter}b\n"
        path.write_bytes((header + written).encode())
        read = read_cells(
            f"{number}", path, tmp_path, ("a", "b"), lambda _: Header({"a": 0, "b": 1}, 2, 0), dialect, block_bytes
        )
        cells, malformed = (pq.read_table(table).to_pylist() for table in (read.cells, read.malformed))
        fault = read.unreadable and (read.unreadable.rule, read.unreadable.line, read.unreadable.offset)
        found.append((cells, malformed, fault))
    for row in found[1][0]:
        row.update({name: row[name] and row[name].translate(exchanged) for name in ("a", "b")})
    assert found[0] == found[1]
