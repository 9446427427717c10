"""Reading one CSV file strictly (R1, R2): cells, exact physical lines, and what makes a file unreadable."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.staging import reader
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.reader import ReadFile, read_file

HEADER = b"product_category_name,product_category_name_english\n"
BLOCK_SIZES = st.sampled_from([1, 2, 3, 5, 8, 13, 64, 4096])
Cells = list[tuple[int, int, str | None, str | None]]

fresh_directories_do_not_matter = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)


def read(tmp_path: Path, content: bytes, block_bytes: int = 4096) -> ReadFile:
    path = tmp_path / "extract.csv"
    path.write_bytes(content)
    return read_file("categories", path, tmp_path, block_bytes)


def cells_of(result: ReadFile) -> Cells:
    columns = pq.read_table(result.cells).to_pydict().values()
    return list(zip(*columns, strict=True))


def malformed_of(result: ReadFile) -> list[tuple[int, int, int]]:
    return list(zip(*pq.read_table(result.malformed).to_pydict().values(), strict=True))


class Expected(NamedTuple):
    """What a reader that goes character by character makes of the bytes after the header."""

    good: Cells
    malformed: list[tuple[int, int, int]]
    fault: tuple[str, int | None, int | None] | None


def character_by_character(text: str) -> Expected:
    records: list[tuple[int, int, list[str]]] = []
    blank_at_end = 0
    cells: list[str] = []
    cell, state, line, start, opened, began = "", "start", 2, 2, 0, 0
    at = 0
    while at < len(text):
        character = text[at]
        if state != "quoted" and character == "\r" and text[at + 1 : at + 2] != "\n":
            return Expected([], [], ("lines_end_in_lf", line, at))
        if state == "quoted":
            if character == '"' and text[at + 1 : at + 2] == '"':
                cell += '"'
                at += 1
            elif character == '"':
                state = "closed"
            else:
                cell += character
        elif state == "closed" and character not in ",\n" and text[at : at + 2] != "\r\n":
            return Expected([], [], ("quotes_closed", line, at - 1))
        elif character == '"' and state == "start":
            state, opened = "quoted", at
        elif character == '"':
            return Expected([], [], ("quotes_closed", line, at))
        elif character in ",\n":
            if character == "\n" and state == "unquoted":
                cell = cell.removesuffix("\r")
            cells.append(cell)
            cell, state = "", "start"
            if character == "\n":
                records.append((start, line - start + 1, cells))
                blank_at_end = blank_at_end + 1 if text[began:at] in ("", "\r") else 0
                cells, start, began = [], line + 1, at + 1
        elif state != "closed":
            cell += character
            state = "unquoted"
        line += character == "\n"
        at += 1
    if state == "quoted":
        return Expected([], [], ("quotes_closed", 2 + text.count("\n", 0, opened), opened))
    if began < len(text):
        records.append((start, line - start + 1, [*cells, cell]))
        blank_at_end = 0
    return of_records(records[: len(records) - blank_at_end])


def of_records(records: list[tuple[int, int, list[str]]]) -> Expected:
    if records and len(records[-1][2]) < 2:
        return Expected([], [], ("files_complete", records[-1][0], None))
    good = [(at, lines, cells[0] or None, cells[1] or None) for at, lines, cells in records if len(cells) == 2]
    malformed = [(at, lines, len(cells)) for at, lines, cells in records if len(cells) != 2]
    return Expected(good, malformed, None)


@fresh_directories_do_not_matter
@given(text=st.text(alphabet=st.sampled_from('a,"\n\r'), max_size=40), block_bytes=BLOCK_SIZES)
def test_any_bytes_are_read_as_a_reader_would_that_goes_character_by_character(
    tmp_path: Path, text: str, block_bytes: int
) -> None:
    expected = character_by_character(text)
    result = read(tmp_path, HEADER + text.encode(), block_bytes)
    if expected.fault is not None:
        rule, line, at = expected.fault
        assert result.unreadable is not None
        assert (result.unreadable.rule, result.unreadable.line) == (rule, line)
        assert result.unreadable.offset == (None if at is None else len(HEADER) + at)
    else:
        assert result.unreadable is None
        assert cells_of(result) == expected.good
        assert malformed_of(result) == expected.malformed
        assert result.records == len(expected.good) + len(expected.malformed)


@settings(fresh_directories_do_not_matter, max_examples=100)  # each takes ten times as long as one of the others
@given(
    rows=st.lists(st.tuples(*[st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))] * 2)),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block_bytes=BLOCK_SIZES,
)
def test_what_a_csv_writer_wrote_is_read_back_unchanged(
    tmp_path: Path, rows: list[tuple[str, str]], quoting: int, line_end: str, block_bytes: int
) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # Python leaves a lone CR without the quotes that it needs
        rows = [(a.replace("\r", ""), b.replace("\r", "")) for a, b in rows]
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=quoting, lineterminator=line_end).writerows(rows)  # type: ignore[arg-type]  # an enum
    result = read(tmp_path, HEADER + stream.getvalue().encode(), block_bytes)
    assert result.unreadable is None
    assert [cells for _, _, *cells in cells_of(result)] == [[a or None, b or None] for a, b in rows]


def test_a_record_stands_on_the_physical_line_where_it_begins(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + b'a,"x\ny\r\nz"\nb,c\r\n"d\n",e\nf,g')
    assert cells_of(result) == [(2, 3, "a", "x\ny\r\nz"), (5, 1, "b", "c"), (6, 2, "d\n", "e"), (8, 1, "f", "g")]


def test_empty_cells_are_null_quoted_or_not_and_blanks_stay(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + b'"",\n ," x "\n')
    assert cells_of(result) == [(2, 1, None, None), (3, 1, " ", " x ")]


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 4096])
def test_a_return_within_quotes_is_a_sign_as_any_other(tmp_path: Path, block_bytes: int) -> None:
    result = read(tmp_path, HEADER + b'"\r","\ra\r\r\n"\r\nc,"d\r"\r\n', block_bytes)
    assert cells_of(result) == [(2, 2, "\r", "\ra\r\r\n"), (4, 1, "c", "d\r")]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert cells_of(read(tmp_path, b"\xef\xbb\xbf" + HEADER + b"a,b\n")) == [(2, 1, "a", "b")]


def test_columns_are_found_by_their_names_and_others_are_ignored(tmp_path: Path) -> None:
    content = b'more,"product_category_name_english",product_category_name\r\n1,english,portuguese\r\n'
    result = read(tmp_path, content)
    assert result.unreadable is None
    assert cells_of(result) == [(2, 1, "portuguese", "english")]


@pytest.mark.parametrize(
    "header",
    [
        "PRODUCT_CATEGORY_NAME,Product_Category_Name_English",
        ' product_category_name,"product_category_name_english\t"',
        "product_category_name,product_category_name_english,,",
        'product_category_name,product_category_name_english," "',
    ],
)
def test_names_in_a_header_may_differ_by_case_and_blanks(tmp_path: Path, header: str) -> None:
    result = read(tmp_path, f"{header}\na,b\n".encode())
    assert result.unreadable is None
    assert cells_of(result) == [(2, 1, "a", "b")]


def test_a_header_that_spells_right_what_the_source_misspells_is_read(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    names = ",".join(SOURCE_FILES["products"].columns)
    path.write_text(f"{names.replace('lenght', 'length').upper()}\na,b,40,300,1,2,3,4,5\n")
    result = read_file("products", path, tmp_path)
    assert result.unreadable is None
    [cells] = pq.read_table(result.cells).to_pylist()
    assert (cells["product_name_lenght"], cells["product_description_lenght"]) == ("40", "300")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("block_bytes", [4, 4096])
def test_what_stands_under_no_name_must_be_empty(tmp_path: Path, line_end: str, block_bytes: int) -> None:
    lines = ["a,b,,", "c,d", 'e,f,""', "g,h,,i", "j,k,,,", "l", '"m\n",n,,', "o,p,,", ""]
    content = HEADER[:-1] + b",," + line_end.encode() + line_end.join(lines).encode()
    result = read(tmp_path, content, block_bytes)
    assert [(at, *cells) for at, _, *cells in cells_of(result)] == [
        (2, "a", "b"),
        (3, "c", "d"),
        (4, "e", "f"),
        (8, "m\n", "n"),
        (10, "o", "p"),
    ]
    assert malformed_of(result) == [(5, 1, 4), (6, 1, 5), (7, 1, 1)]
    assert result.header_cells == 2


@pytest.mark.parametrize("name", [" product_category_name", "PRODUCT_CATEGORY_NAME"])
def test_two_names_of_one_column_are_told(tmp_path: Path, name: str) -> None:
    unreadable = read(tmp_path, HEADER[:-1] + f",{name}\na,b,c\n".encode()).unreadable
    assert unreadable is not None
    assert "the header names 'product_category_name' twice" in unreadable.reason


@pytest.mark.parametrize(("separator", "told"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_a_header_separated_by_something_else_than_commas_says_so(tmp_path: Path, separator: str, told: str) -> None:
    unreadable = read(tmp_path, HEADER.replace(b",", separator.encode()) + b"a,b\n").unreadable
    assert unreadable is not None
    assert f"the header is separated by {told}, not by commas" in unreadable.reason
    assert unreadable.rule == "columns_present"


def test_empty_lines_at_the_end_are_no_records_but_others_are(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + b"\na,b\n\r\nc,d\n\n\r\n", block_bytes=3)
    assert cells_of(result) == [(3, 1, "a", "b"), (5, 1, "c", "d")]
    assert malformed_of(result) == [(2, 1, 1), (4, 1, 1)]
    assert result.records == 4


def test_a_header_alone_is_a_file_without_records(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER)
    assert (result.records, result.unreadable) == (0, None)


def test_of_a_persons_record_in_the_place_of_the_header_nothing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    for content, told in (
        (b"a1,customer_id,01310,santos\n", "found: (not quoted), customer_id, (not quoted), (not quoted)"),
        (b"santos,customer_id,santos\n", "the header names '(not quoted)' twice"),
    ):
        path.write_bytes(content)
        unreadable = read_file("customers", path, tmp_path).unreadable
        assert unreadable is not None
        assert told in unreadable.reason
        assert "santos" not in unreadable.reason


@pytest.mark.parametrize(
    ("content", "rule", "line", "words"),
    [
        (b"", "files_complete", None, "the file is empty"),
        (b"\xef\xbb\xbf", "files_complete", None, "no header"),
        (HEADER + b"a,b\nc", "files_complete", 3, "line 3, has 1 cells instead of 2"),
        (b"product_category_name\na\n", "columns_present", 1, "lacks the column product_category_name_english"),
        (b"product_category_name,english\na,b\n", "columns_present", 1, "found: product_category_name, english"),
        (b"\na,b\n", "columns_present", 1, "found: nothing"),
        (HEADER[:-1] + b",product_category_name\na,b,c\n", "columns_present", 1, "'product_category_name' twice"),
        (HEADER + b'a,b\nc,d"e\n', "quotes_closed", 3, "line 3 has a quote inside an unquoted cell (byte 59)"),
        (
            HEADER + b'a,"b\nc" d\n',
            "quotes_closed",
            3,
            "text after a closing quote (byte 58); that quote opens on line 2",
        ),
        (HEADER + b'a,b\nc,"d\ne,f\n', "quotes_closed", 3, "line 3 has a quote that is never closed"),
        (HEADER + b'a,b\nc,"d""\n', "quotes_closed", 3, "a quote that is never closed (byte 58)"),
        (b'product_category_name,"product\n', "quotes_closed", 1, "a quote that is never closed"),
        (HEADER + b"a,b\n\xe9,d\n", "files_in_utf8", 3, "the byte 0xe9, which is not UTF-8 (byte 56)"),
        (HEADER + b"a,b\n\xe2\x82,d\n", "files_in_utf8", 3, "which is not UTF-8 (byte 56)"),
        (HEADER + b"a,b\nc\0,d\n", "files_in_utf8", 3, "a NUL byte (byte 57)"),
        (HEADER[:-1].decode().encode("utf-16"), "files_in_utf8", 1, "line 1 has the byte 0xff, which is not UTF-8"),
        ((HEADER + b'a,"b"\nc,d\n').replace(b"\n", b"\r"), "lines_end_in_lf", 1, "a line end of CR alone"),
        (HEADER[:-1] + b"\r" + b"a,b\r" * 50_000, "lines_end_in_lf", 1, "a line end of CR alone"),
        (HEADER + b"a,b\r" * 50_000, "lines_end_in_lf", 2, "a line end of CR alone"),
        ((HEADER + b"a,b\n").replace(b"\n", b"\r\r\n"), "lines_end_in_lf", 1, "a line end of CR CR LF"),
        (HEADER + b'"a\r\r\n",b\nc,d\r\r\n', "lines_end_in_lf", 4, "a line end of CR CR LF"),
        (HEADER + b'a,"b"\r\r\n', "lines_end_in_lf", 2, "a line end of CR CR LF"),
        (HEADER + b'a,"b"\rc,d\r', "lines_end_in_lf", 2, "a line end of CR alone"),
        (HEADER + b"a,b\rc,d\re,f\r", "lines_end_in_lf", 2, "a line end of CR alone"),
        (HEADER + b"a,b\r\nc,d\re,f\r\n", "lines_end_in_lf", 3, "a line end of CR alone"),
        (HEADER + b"a,b\nc\r,d\n", "lines_end_in_lf", 3, "a line end of CR alone"),
        (HEADER + b"a,b\r\nc,d\r", "lines_end_in_lf", 3, "a line end of CR alone"),
        (HEADER + b'a,b\r\nc,"d\r"\r', "lines_end_in_lf", 3, "a line end of CR alone"),
        (HEADER[:-1] + b"\r", "lines_end_in_lf", 1, "a line end of CR alone"),
    ],
)
@pytest.mark.parametrize("block_bytes", [4, 4096])
def test_an_unreadable_file_says_where_and_why(
    tmp_path: Path, content: bytes, rule: str, line: int | None, words: str, block_bytes: int
) -> None:
    """A file longer than any record may be is read in a hundred blocks at most: each costs as much as a large one."""
    unreadable = read(tmp_path, content, max(block_bytes, len(content) // 100)).unreadable
    assert unreadable is not None
    assert (unreadable.file, unreadable.rule, unreadable.line) == ("categories", rule, line)
    assert words in unreadable.reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'a,b\nc,"' + b"x\n" * 4000, "line 3 has a quote that is not closed within"),
        (b"a,b\n" + b"x" * 8000, "line 3 has a record of more than"),
    ],
)
def test_a_record_without_end_is_given_up_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, words: str
) -> None:
    monkeypatch.setattr(reader, "LONGEST_RECORD", 1000)
    unreadable = read(tmp_path, HEADER + body, block_bytes=100).unreadable
    assert unreadable is not None
    assert words in unreadable.reason


@pytest.mark.parametrize("block_bytes", [100, 5_000])
def test_a_record_too_long_is_refused_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(reader, "LONGEST_RECORD", 1000)
    longest, longer = b"a," + b"x" * 998 + b"\n", b"a," + b"x" * 999 + b"\n"
    assert read(tmp_path, HEADER + longest + b"a,b\n", block_bytes).unreadable is None
    unreadable = read(tmp_path, HEADER + longest + b"a,b\n" + longer + b"a,b\n", block_bytes).unreadable
    assert unreadable is not None
    assert (unreadable.rule, unreadable.line) == ("files_complete", 4)
    assert "line 4 has a record of more than 1,000 bytes" in unreadable.reason


def test_a_long_header_is_told_in_part(tmp_path: Path) -> None:
    unreadable = read(tmp_path, b"y" * 5_000 + b",b" * 5_000 + b"\n").unreadable
    assert unreadable is not None
    assert len(unreadable.reason) < 1_000


def test_a_header_without_end_is_given_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LONGEST_RECORD", 1000)
    unreadable = read(tmp_path, b'"product_category_name\n' + b"a,b\n" * 4000).unreadable
    assert unreadable is not None
    assert (unreadable.rule, unreadable.line) == ("quotes_closed", 1)
