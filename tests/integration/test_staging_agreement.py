"""Records read one by one through the row shapes and all at once in SQL come out the same, problems included."""

import csv
import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.customer.review import Review
from replayhouse.domain.marketplace.product import Product
from replayhouse.domain.marketplace.seller import Seller
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import Order, Payment
from replayhouse.infra.staging.files import FILES, SOURCE_FILES
from replayhouse.infra.staging.reader import empty_file, read_file
from replayhouse.infra.staging.reading import read_statements
from replayhouse.infra.staging.staging import sql
from replayhouse.infra.staging.work import FACTS
from replayhouse.ingest.records import (
    MAY_BE_UNKNOWN,
    RECORDS,
    Problem,
    ProductRecord,
    Record,
    WholeOrNone,
    read_record,
    with_postcodes,
    with_unknown,
)
from replayhouse.ingest.synthetic.files import HEADERS
from tests.support.staging import Row, a_good_extract, an_id

TRAPS = (
    *(
        "",
        " ",
        "0",
        "-0",
        "00",
        "-1",
        "+1",
        "1.",
        ".5",
        "1.5",
        "1.50",
        "1.555",
        "40.0",
        "1e2",
        "1E+2",
        "-1e-400",
        "1e400",
    ),
    *(
        "nan",
        "inf",
        "1_000",
        "0x10",
        "٣",
        "１",
        "123456789",
        "1234567890",
        "9999999999.99",
        "10000000000",
        "00000000001",
    ),
    *("1 ", " 1", "1\n", "1\r\n", "-", "--1", "5\u00a0", "6", "1,5", "12345", "123456", "00001", "-12", "1e5"),
    *("sw1a 2AA", " K1A-0B1 ", "75001 ", "SW1A  2AA", "é1", "A-", "\tA1", "A1\n", "ABCDEFGHIJ", "ABCDEFGHIJK"),
    *(
        "2018-02-28 00:00:00",
        "2018-02-29 00:00:00",
        "2016-02-29 23:59:59",
        "2018-02-30 00:00:00",
        "2018-13-01 00:00:00",
    ),
    *("0000-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "10000-01-01 00:00:00", "2018-1-1 0:0:0"),
    *("2018-01-01 24:00:00", "2018-01-01 23:59:60", "2018-01-01 23:60:00", "2018-01-01", "2018-01-01T00:00:00"),
    *(
        "2018-01-01 00:00:00 ",
        "2018-01-01 00:00:00.0",
        "2018-01-01 00:00:00+00",
        "2018-01-01 00:00:00\n",
        "-2018-01-01 00:00:00",
    ),
    *("0123456789abcdef0123456789ABCDEF", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0"),
    *("{0123456789abcdef0123456789abcdef}", "01234567-89ab-cdef-0123-456789abcdef", "g123456789abcdef0123456789abcdef"),
    *("-23.5475", "-0.0", "5e-324", "2.2250738585072011e-308", "1.7976931348623159e308", "9007199254740993"),
    *(
        "-46.633862438491114",
        "0.1e1",
        "-.5",
        "+5.0",
        "1e",
        "e5",
        "1.7976931348623157e308",
        "100000000000000000000000.0",
    ),
    *("created", "Created", "delivered ", "canceled", "cancelled"),
)

texts = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=6)


def cells_of(column: str) -> st.SearchStrategy[str]:
    """What a column may hold: mostly what a good record does, else a trap, a good cell harmed, or anything."""
    good = [row[column] for rows in a_good_extract().values() for row in rows if column in row] or ["any"]
    harmed = st.tuples(st.sampled_from(good), st.integers(0, 32), texts).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    )
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(TRAPS), harmed, texts)


def records_of(file: str) -> st.SearchStrategy[list[Row]]:
    columns = SOURCE_FILES[file].columns
    return st.lists(st.fixed_dictionaries({column: cells_of(column) for column in columns}), min_size=1, max_size=20)


extracts = st.fixed_dictionaries({file: records_of(file) for file in FILES})


def every_trap_in_every_column() -> dict[str, list[Row]]:
    good = a_good_extract()
    return {
        file: [good[file][0], *({**good[file][0], column: trap} for column in source.columns for trap in TRAPS)]
        for file, source in SOURCE_FILES.items()
    }


def in_sql(
    directory: Path,
    extract: dict[str, list[Row]],
    connection: duckdb.DuckDBPyConnection,
    unknown: Collection[tuple[str, str]] = (),
    *,
    has_postcodes: bool = False,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record of each file as SQL reads it, in the order of the lines."""
    connection.execute(sql("macros"))
    connection.execute(sql("known"))
    for file, source in SOURCE_FILES.items():
        path = directory / f"{file}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, source.columns, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writeheader()
            writer.writerows(extract[file])
        read = read_file(file, path, directory) if extract[file] else empty_file(file, directory)
        assert read.unreadable is None
    connection.execute("SET VARIABLE cells = ?", [str(directory)])
    connection.execute(read_statements((), unknown, has_postcodes=has_postcodes))
    for file in FILES:
        table = connection.table(file if file == "geolocation" else f"read_{file}").order("line")
        for row in table.fetchall():
            yield file, dict(zip(table.columns, row, strict=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
@given(extract=extracts, unknown=st.sets(st.sampled_from(sorted(MAY_BE_UNKNOWN))), has_postcodes=st.booleans())
@example(extract=every_trap_in_every_column(), unknown=set(), has_postcodes=False)
@example(extract=every_trap_in_every_column(), unknown=set(MAY_BE_UNKNOWN), has_postcodes=True)
def test_sql_reads_a_record_as_its_shape_does(
    tmp_path: Path, extract: dict[str, list[Row]], unknown: set[tuple[str, str]], has_postcodes: bool
) -> None:
    shapes = with_postcodes(with_unknown(unknown)) if has_postcodes else with_unknown(unknown)
    records = iter([row for file in FILES for row in extract[file]])
    with duckdb.connect(config={"threads": 1}) as connection:
        read = list(in_sql(tmp_path, extract, connection, unknown, has_postcodes=has_postcodes))
    for file, found in read:
        cells = next(records)
        expected = read_record(file, cells, shapes)
        problem = found["problem"]
        if isinstance(expected, Problem):
            assert problem is not None, (file, cells, expected)
            assert (problem["rule"], problem["reason"].split()[0]) == expected, (file, cells)
            continue
        assert problem is None, (file, cells, problem)
        values = expected.model_dump()
        assert {name: found[name] for name in values} == values
        assert {name: str(found[name]) for name in values} == {name: str(value) for name, value in values.items()}
        if file != "geolocation":
            assert (found["key"], found["fingerprint"]) == (expected.key, expected.fingerprint), (file, cells)
    assert next(records, None) is None


class PhotographedProductRecord(ProductRecord):
    """A product of which an extract may not say how many photos it has."""

    photos: WholeOrNone = Field(None, alias="product_photos_qty")


def test_sql_reads_an_optional_column_as_its_shape_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = a_good_extract()
    before = read_record("products", good["products"][0])
    monkeypatch.setitem(RECORDS, "products", PhotographedProductRecord)
    rows = [{**good["products"][0], "product_photos_qty": cell} for cell in ("2", "02.0", "", "3", "x")]
    rows = [{**row, "product_id": an_id("product", number)} for number, row in enumerate(rows, start=1)]
    shapes = [read_record("products", row) for row in rows]
    assert shapes[-1] == Problem("values_readable", "product_photos_qty")
    expected = [(shape.key, shape.fingerprint, shape.part("photos")) for shape in shapes if isinstance(shape, Record)]
    with duckdb.connect(config={"threads": 1}) as connection:
        found = list(in_sql(tmp_path, {**good, "products": rows}, connection))
        parts = connection.execute(
            "SELECT file, key, fingerprint FROM part WHERE of_file = 'products' ORDER BY record"
        ).fetchall()
    records = [row for file, row in found if file == "products" and row["problem"] is None]
    assert [(row["key"], row["fingerprint"]) for row in records] == [(key, whole) for key, whole, _ in expected]
    assert parts == [("products.product_photos_qty", key, part) for key, _, part in expected]
    assert not isinstance(before, Problem)
    assert before.fingerprint != expected[0][1], "an optional column is no part of the fingerprint of all others"


@pytest.mark.parametrize(("file", "column"), sorted(MAY_BE_UNKNOWN))
def test_what_a_source_may_not_know_may_be_empty_in_its_records_and_in_no_others(file: str, column: str) -> None:
    cells = {**a_good_extract()[file][0], column: ""}
    assert read_record(file, cells) == Problem("required_cells_filled", column)

    shapes = with_unknown({(file, column)})
    read = read_record(file, cells, shapes)
    assert isinstance(read, Record)
    assert [shape for other, shape in shapes.items() if shape is not RECORDS[other]] == [type(read)]
    assert read.columns() == tuple(
        one._replace(may_be_empty=True) if one.name == column else one for one in RECORDS[file].columns()
    )


@pytest.mark.parametrize("column", [("orders", "order_id"), ("orders", "seller_id"), ("sellers", "seller_id")])
def test_what_nothing_can_be_decided_without_cannot_be_unknown(column: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"the column {'.'.join(column)} cannot be unknown")):
        read_statements((), {column})


def test_required_columns_are_those_that_extracts_are_generated_with() -> None:
    """The generator spells its headers out by itself, as the source has them."""
    required = {file: ",".join(source.required_columns) for file, source in SOURCE_FILES.items()}
    assert required == HEADERS


KNOWN_AS = {
    "customers": Address,
    "order_items": Line,
    "order_payments": Payment,
    "order_reviews": Review,
    "orders": Order,
    "products": Product,
    "sellers": Seller,
}
"""Where the domain keeps what it knows of a record: a value that an extract does not say is taken from there."""


@pytest.mark.parametrize("file", KNOWN_AS)
def test_facts_are_known_under_the_names_under_which_they_are_shown(file: str) -> None:
    lookups = {"customer_id", "customer_alias", "order_id", "review_id"}
    assert set(get_type_hints(FACTS[file])) - lookups <= set(get_type_hints(KNOWN_AS[file]))


@pytest.mark.parametrize("file", ["geolocation", "categories"])
def test_no_column_of_samples_and_translations_is_optional(file: str) -> None:
    """Samples have no key to be known by, and a translation says one thing: such a column would count for nothing."""
    assert not any(column.is_optional for column in RECORDS[file].columns())


@pytest.mark.parametrize("file", FILES)
def test_a_column_that_may_be_lacking_may_be_empty(file: str) -> None:
    assert all(column.may_be_empty for column in RECORDS[file].columns() if column.is_optional)


@pytest.mark.parametrize("file", FILES)
def test_a_shape_has_the_columns_of_its_file_in_their_order(file: str) -> None:
    aliases = tuple(field.alias for field in RECORDS[file].model_fields.values())
    assert aliases == SOURCE_FILES[file].columns


def test_the_same_content_written_differently_has_the_same_fingerprint() -> None:
    good = a_good_extract()
    for file, column, other in (
        ("customers", "customer_zip_code_prefix", "1001"),
        ("customers", "customer_id", good["customers"][0]["customer_id"].upper()),
        ("order_items", "price", "90"),
        ("order_items", "price", "090.00"),
        ("order_payments", "payment_installments", "03"),
        ("order_items", "order_item_id", "1.000"),
        ("products", "product_weight_g", "300.0"),
        ("orders", "order_purchase_timestamp", "2018-01-01T10:00:00.000000"),
        ("orders", "order_estimated_delivery_date", "2018-01-10"),
        ("order_reviews", "review_creation_date", "2018-01-06T00:00:00"),
    ):
        one, two = read_record(file, good[file][0]), read_record(file, {**good[file][0], column: other})
        assert not isinstance(one, Problem)
        assert not isinstance(two, Problem)
        assert (one.key, one.fingerprint) == (two.key, two.fingerprint)


def test_a_fingerprint_is_the_digest_of_the_plainest_spelling_as_stores_have_it() -> None:
    """What was loaded before other spellings were read must match."""
    good = a_good_extract()
    plain: dict[str, dict[str, str]] = {
        "orders": {},
        "order_reviews": {},
        "products": {},
        "order_items": {"price": "90.00"},
    }
    for file, spelled in plain.items():
        row = {**good[file][0], **spelled}
        record = read_record(file, row)
        assert not isinstance(record, Problem)
        digest = hashlib.md5("\0".join(row.values()).encode(), usedforsecurity=False)
        assert record.fingerprint == UUID(digest.hexdigest()), file


def test_an_empty_cell_and_its_neighbour_are_not_mixed_up_in_a_fingerprint() -> None:
    row = a_good_extract()["order_reviews"][0]
    one = read_record("order_reviews", {**row, "review_comment_title": "a", "review_comment_message": ""})
    two = read_record("order_reviews", {**row, "review_comment_title": "", "review_comment_message": "a"})
    assert not isinstance(one, Problem)
    assert not isinstance(two, Problem)
    assert one.fingerprint != two.fingerprint
