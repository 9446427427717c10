"""Mappings that come with the program, and the one on their page: each is read, and reads what it says it reads."""

import re
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest

from replayhouse.infra.sources.document import (
    ENDINGS,
    TIME_PARTS,
    ColumnType,
    Encoding,
    Expectations,
    Format,
    RawFile,
    Record,
    Source,
    Unknowable,
)
from replayhouse.infra.sources.mapping import NAME, read_mapping
from replayhouse.infra.sources.raw_files import open_raw
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.reader import read_file
from replayhouse.ingest.records import RECORDS, CellKind, read_money, read_time
from tests.support.extracts import a_good_extract, write
from tests.support.mappings import SHIPPED, mapping_folder
from tests.support.spreadsheets import Form, as_spreadsheet

PARTS = (Source, RawFile, Record, Expectations)
FORMS = {
    "semicolons": Form(),
    "tabs, with row numbers": Form("\t", has_row_numbers=True, ending=".tsv"),
    "commas in quotes, of Windows": Form(",", "utf-8-sig", "\r\n"),
    "Latin-1": Form(encoding="latin-1", line_end="\r\n", has_row_numbers=True),
    "cp1252": Form(encoding="cp1252", ending=".txt"),
}


def test_every_shipped_mapping_is_read_and_has_the_name_of_its_folder() -> None:
    folders = [path.parent for path in SHIPPED.glob(f"*/{NAME}")]
    assert folders
    assert [read_mapping(folder).source.name for folder in folders] == [folder.name for folder in folders]


@pytest.mark.parametrize("form", FORMS)
def test_a_spreadsheet_of_the_nine_files_is_read_as_they_are(form: str, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    spreadsheet = as_spreadsheet(extract, tmp_path / "spreadsheet", FORMS[form])

    tables = open_raw(read_mapping(SHIPPED / "olist-spreadsheet"), spreadsheet, tmp_path / "into")

    for file, source in SOURCE_FILES.items():
        direct = read_file(file, extract / source.name, tmp_path)
        assert values(file, tables[file].parquet) == values(file, direct.cells)
        assert (tables[file].rows, tables[file].malformed_rows, tables[file].unused) == (direct.records, 0, ())


def test_the_page_shows_a_mapping_that_is_read_and_names_every_key(tmp_path: Path) -> None:
    page = (SHIPPED.parents[2] / "docs/source-toml.md").read_text(encoding="utf-8")
    shown = re.search(r"^```toml\n(.*?)^```$", page, re.M | re.S)
    assert shown is not None
    assert read_mapping(mapping_folder(tmp_path, shown[1])).source.name == "shop"
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    fields = {field.alias or key for part in PARTS for key, field in part.model_fields.items()}
    assert fields <= named <= {*fields, *get_args(ColumnType), *RECORDS}
    for record, shape in RECORDS.items():
        [row] = re.findall(rf"^\| `{record}` \| (.*)$", page, re.M)
        assert [column.name for column in shape.columns() if f"`{column.name}`" not in row] == []
    for words in (ColumnType, Format, Encoding, Unknowable):
        assert [word for word in get_args(words) if f"`{word}`" not in page] == []
    assert [
        name for name in (*RECORDS, *ENDINGS, *(f"%{part}" for part in TIME_PARTS)) if f"`{name}`" not in page
    ] == []


def values(file: str, cells: Path) -> list[dict[str, Any]]:
    """Rows with lines and cells; those of times and money as values, for 94.9 and 94.90 are one."""
    readers = {CellKind.TIME: read_time, CellKind.MONEY: read_money}
    kinds = {column.name: column.kind for column in RECORDS[file].columns()}
    return [
        {
            name: reader(cell) if cell and (reader := readers.get(kinds.get(name, CellKind.TEXT))) else cell
            for name, cell in row.items()
        }
        for row in pq.read_table(cells).to_pylist()
    ]
