"""A first mapping of an extract that nobody has described: a beginning that is right where the files tell enough."""

import io
import json
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.sources.guess import guess_mapping
from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.raw_files import open_raw
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.reader import read_file
from replayhouse.ingest.records import RECORDS
from tests.support.extracts import a_good_extract, write, zipped
from tests.support.mappings import mapping_folder
from tests.support.spreadsheets import Form, as_spreadsheet


def guessed(folder: Path, **files: str | bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return guess_mapping(folder, "shop")


def told(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@pytest.mark.parametrize("form", [Form(), Form("\t", "cp1252", "\r\n", True, ".txt"), Form(",", "utf-8-sig")])
def test_the_nine_files_in_another_dialect_are_read_by_the_mapping_that_is_guessed(form: Form, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    spreadsheet = as_spreadsheet(extract, tmp_path / "spreadsheet", form)

    mapping = read_mapping(mapping_folder(tmp_path / "mapping", guess_mapping(spreadsheet, "shop")))
    tables = open_raw(mapping, spreadsheet, tmp_path / "into")

    assert set(mapping.records) == set(RECORDS)
    for file, source in SOURCE_FILES.items():
        record, table = mapping.records[file], tables[mapping.records[file].from_]
        assert record.columns == {column: column for column in source.columns}
        assert table.file == f"{Path(source.name).stem}{form.ending}"
        direct = pq.read_table(read_file(file, extract / source.name, tmp_path).cells).to_pylist()
        found = pq.read_table(table.parquet).to_pylist()
        assert [row["line"] for row in found] == [row["line"] for row in direct]
        for column in ("order_purchase_timestamp", "geolocation_lat", "product_weight_g", "review_comment_message"):
            assert [row.get(column) for row in found] == [row.get(column) for row in direct]


def test_a_zip_is_guessed_as_a_folder_is_and_twice_the_same(tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    first = guess_mapping(extract, "shop")
    assert guess_mapping(zipped(extract, tmp_path / "extract.zip"), "shop") == guess_mapping(extract, "shop") == first


@pytest.mark.parametrize(
    ("cells", "formats", "doubt"),
    [
        (["13/04/2018", "01/02/2018"], ["%d/%m/%Y"], None),
        (["04/13/2018", "01/02/2018"], ["%m/%d/%Y"], None),
        (["04/12/2018", "01/02/2018"], ["%d/%m/%Y"], "it is not certain that days stand before months"),
        (
            ["13/04/2018", "04/13/2018", "14/04/2018"],
            ["%d/%m/%Y"],
            "Some days stand before their months and some behind",
        ),
        (["13.4.18 9:05", "1.2.18 10:00"], ["%d.%m.%y %H:%M"], None),
        (["1/31/2018 9:05:07 PM"], ["%m/%d/%Y %I:%M:%S %p"], None),
        (["31-01-2018 09:05:07.250 +0000", "31-01-2018"], ["%d-%m-%Y %H:%M:%S.%f %z", "%d-%m-%Y"], None),
    ],
)
def test_days_and_months_are_told_apart_by_the_data(
    cells: list[str], formats: list[str], doubt: str | None, tmp_path: Path
) -> None:
    text = guessed(tmp_path, sales__csv="when;what\n" + "".join(f"{cell};x\n" for cell in cells))
    assert told(text)["source"]["times"] == formats
    is_of_two_orders = doubt is not None and doubt.startswith("Some")
    assert told(text)["files"]["sales"]["columns"]["when"] == ("text" if is_of_two_orders else "time")
    assert ("certain that days" in text, "Some days" in text) == (
        doubt is not None and not is_of_two_orders,
        is_of_two_orders,
    )


def test_times_as_iso_writes_them_need_no_format(tmp_path: Path) -> None:
    source = told(guessed(tmp_path, a__csv="when,what\n2018-01-31T10:00:00Z,x\n2018-01-31,y\n"))
    assert "times" not in source["source"]
    assert source["files"]["a"]["columns"]["when"] == "time"


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "kind", "is_certain"),
    [
        (["1,50", "2"], ",", None, "money", True),
        (["1.234,50", "2"], ",", ".", "money", True),
        (["1,234.50", "2"], ".", ",", "money", True),
        (["1.234.567"], ",", ".", "money", True),
        (["1.50"], ".", None, "money", True),
        (["-23,54731"], ",", None, "degrees", True),
        (["1.234"], ".", None, "degrees", False),
        (["1,234"], ",", None, "degrees", False),
        (["1.234", "0,50"], ",", ".", "money", True),
        (["1,5", "1.5", "2,5"], ",", None, "money", False),
    ],
)
def test_decimals_are_told_by_the_data(
    cells: list[str], decimal: str, thousands: str | None, kind: str, is_certain: bool, tmp_path: Path
) -> None:
    text = guessed(tmp_path, a__csv="total;what\n" + "".join(f"{cell};x\n" for cell in cells))
    source = told(text)["source"]
    assert (source["decimal"], source.get("thousands")) == (decimal, thousands)
    assert told(text)["files"]["a"]["columns"]["total"] == kind
    assert ("not certain which mark" in text) is not is_certain


def test_digits_that_name_things_are_text(tmp_path: Path) -> None:
    rows = "zip,serial,ean,pieces,total\n01310,7,12345678901,3,10\n20000,8,12345678902,0,20\n"
    columns = told(guessed(tmp_path, a__csv=rows))["files"]["a"]["columns"]
    assert columns == {"zip": "text", "serial": "whole", "ean": "text", "pieces": "whole", "total": "money"}


def test_words_for_nothing_are_found_among_numbers_only(tmp_path: Path) -> None:
    text = guessed(tmp_path, a__csv="pieces,who,total\n3,-,NULL\nNULL,NA,2.50\n")
    assert told(text)["source"]["nothing"] == ["NULL"]
    assert told(text)["files"]["a"]["columns"] == {"pieces": "whole", "who": "text", "total": "money"}


def test_english_names_are_known_and_what_is_lacking_is_a_comment(tmp_path: Path) -> None:
    orders = "Order No,Customer,Status,Placed At,Due Date,E-Mail\n1,2,delivered,2018-01-02,2018-02-02,john@x.example\n"
    items = "order no,position,SKU,unit price,shipping\n1,1,3,9.90,1.00\n"
    text = guessed(tmp_path, orders_2018_05__csv=orders, items__csv=items)

    assert told(text)["records"]["orders"]["columns"] == {
        "order_id": "Order No",
        "customer_id": "Customer",
        "order_status": "Status",
        "order_purchase_timestamp": "Placed At",
        "order_estimated_delivery_date": "Due Date",
    }
    assert told(text)["files"]["orders"]["path"] == "orders_*.csv"
    assert told(text)["files"]["orders"]["personal"] == ["E-Mail"]
    assert "# [records.order_items]\n" in text
    assert "# seller_id =\n# shipping_limit_date =\n" in text
    assert "john" not in text
    assert read_mapping(mapping_folder(tmp_path / "mapping", text)).records.keys() == {"orders"}


def test_formats_with_types_are_guessed_too(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["Order No", None, "Total"], ["a", 1, 2.5], ["b", 1, 1234.5]):
        workbook.active.append(row)
    workbook.create_sheet("Other")
    sheet, parquet = io.BytesIO(), io.BytesIO()
    workbook.save(sheet)
    pq.write_table(pa.table({"at": pa.array([0], pa.timestamp("s")), "in": [{"x": 1.234}], "line": [1]}), parquet)
    lines = "".join(
        json.dumps({"who": {"email": "x", "age": 7}, "items": [1], "paid": amount}) + "\n" for amount in (1, 2.5)
    )

    text = guessed(tmp_path, a__xlsx=sheet.getvalue(), b__parquet=parquet.getvalue(), c__jsonl=lines)

    files = told(text)["files"]
    assert files["a"] == {"path": "a.xlsx", "sheet": "Sheet", "columns": {"Order No": "text", "Total": "money"}}
    assert files["b"] == {"path": "b.parquet", "columns": {"at": "time", "in": "text", "in.x": "degrees"}}
    assert files["c"]["columns"] == {"who.email": "text", "who.age": "whole", "items": "text", "paid": "money"}
    assert '# Left out, for their names cannot be read or stand there twice: "line".' in text


def test_where_there_is_nothing_to_read_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no file that can be read, but a\.pdf"):
        guessed(tmp_path / "pdf", a__pdf="")
    with pytest.raises(InputError, match=r"The file a\.csv is unreadable: it has no header with names"):
        guessed(tmp_path / "empty", a__csv="")
    with pytest.raises(InputError, match="does not exist"):
        guess_mapping(tmp_path / "nowhere", "shop")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text("ab1;,.\t\"'/-:\n\r é\x00\x7f\\", max_size=60))
def test_whatever_a_file_holds_the_mapping_is_toml_or_the_file_is_refused(tmp_path: Path, content: str) -> None:
    try:
        text = guessed(tmp_path, a__csv=content)
    except InputError:
        return
    assert told(text)["files"]["a"]["columns"]
