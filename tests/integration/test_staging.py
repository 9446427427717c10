"""Staging: what is kept apart and why (R4), what is new, changed or unchanged, and that the counts add up."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from replayhouse.infra.staging.extract import open_extract
from replayhouse.infra.staging.files import FILES, PERSONAL_FILES, SOURCE_FILES
from replayhouse.infra.staging.reader import read_file
from replayhouse.infra.staging.staging import FileCounts, Staged, stage, stage_records
from replayhouse.infra.staging.work import DuckDBWork, plan
from replayhouse.ingest.ports import Unit
from replayhouse.ingest.work import PersonWork
from tests.support.staging import (
    OPENED_ON,
    Tables,
    a_good_extract,
    an_id,
    customer,
    item,
    order,
    payment,
    review,
    sample,
    seller,
    staged,
    write,
)
from tests.support.the_sample import SAMPLE

ORDER_HEADER = "order_id,customer_alias,status,placed_at,sellers\n"


def query(result: Staged, statement: str) -> list[Any]:
    with duckdb.connect(str(result.database), read_only=True) as connection:
        return connection.execute(statement).fetchall()


def quarantined(result: Staged) -> list[tuple[str, int, str]]:
    return [(record.file, record.line, record.rule) for record in result.quarantined()]


def known_order(number: int, status: str, alias: int | None = None) -> str:
    return f"{an_id('order', number)},{an_id('alias', alias or number)},{status},2018-01-01 10:00:00,\n"


def exported(result: Staged) -> dict[str, str]:
    """The log's knowledge after a load of everything that was staged."""
    known = {
        "fingerprints": "file,key,fingerprint\n",
        "orders": ORDER_HEADER,
        "aliases": "customer_alias,customer_id\n",
        "sellers": "seller_id,zip_prefix\n",
    }
    for file in FILES:
        table = "areas" if file == "geolocation" else file
        for row in query(result, f"SELECT '{file}', key, fingerprint FROM {table}"):
            known["fingerprints"] += ",".join(map(str, row)) + "\n"
    for row in query(result, "SELECT order_id, customer_alias, status, placed_at, '' FROM orders"):
        known["orders"] += ",".join(map(str, row)) + "\n"
    for row in query(result, "SELECT customer_alias, customer_id FROM customers"):
        known["aliases"] += ",".join(map(str, row)) + "\n"
    for row in query(result, "SELECT seller_id, zip_prefix FROM sellers"):
        known["sellers"] += ",".join(map(str, row)) + "\n"
    return known


def assert_counts_add_up(result: Staged) -> None:
    assert set(result.counts) == set(FILES)
    for counts in result.counts.values():
        assert counts.rows == counts.new + counts.changed + counts.unchanged + counts.quarantined


def test_a_good_extract_is_all_new(tmp_path: Path) -> None:
    tables = a_good_extract()
    result = staged(tmp_path, tables)
    assert result.unreadable == ()
    assert result.missing == ()
    assert {file: counts.new for file, counts in result.counts.items()} == {f: len(tables[f]) for f in FILES}
    assert_counts_add_up(result)
    assert list(result.quarantined()) == []
    assert result.latest_placed_at == datetime(2018, 1, 1, 10)


def test_rows_are_typed_and_stand_on_their_lines(tmp_path: Path) -> None:
    result = staged(tmp_path, a_good_extract())
    found = query(result, "SELECT line, lines, comment FROM order_reviews ORDER BY line")
    assert found == [(2, 2, 'muito "bom",\r\nobrigado'), (4, 2, 'muito "bom",\r\nobrigado')]
    price = query(result, "SELECT price, typeof(price), typeof(item_no), typeof(order_id) FROM order_items LIMIT 1")
    assert [str(value) for value in price[0]] == ["90.00", "DECIMAL(12,2)", "INTEGER", "UUID"]


def test_loaded_again_everything_is_unchanged(tmp_path: Path) -> None:
    known = exported(staged(tmp_path, a_good_extract()))
    result = staged(tmp_path, a_good_extract(), known)
    assert all(counts.unchanged == counts.rows > 0 for counts in result.counts.values())
    assert query(result, "SELECT DISTINCT change FROM areas") == [("unchanged",)]


def test_one_changed_value_makes_one_changed_record(tmp_path: Path) -> None:
    tables = a_good_extract()
    known = exported(staged(tmp_path, tables))
    tables["order_reviews"][1]["review_comment_message"] = ""
    result = staged(tmp_path, tables, known)
    assert result.counts["order_reviews"] == FileCounts(2, 0, 1, 1, 0)
    assert query(result, "SELECT line FROM order_reviews WHERE change = 'changed'") == [(4,)]


def test_samples_of_a_prefix_are_new_changed_or_unchanged_together_in_any_order(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["geolocation"] = [sample(geolocation_zip_code_prefix=z) for z in ("1", "1", "2", "2", "3", "5")]
    tables["geolocation"][0]["geolocation_lat"] = "-23.0"
    known = exported(staged(tmp_path, tables))
    tables["geolocation"][-1]["geolocation_city"] = "campinas"
    tables["geolocation"].reverse()
    tables["geolocation"].append(sample(geolocation_zip_code_prefix="4"))
    tables["geolocation"].append(sample(geolocation_zip_code_prefix="00002"))
    result = staged(tmp_path, tables, known)
    assert query(result, "SELECT zip_prefix, samples, change FROM areas ORDER BY zip_prefix") == [
        ("00001", 2, "unchanged"),
        ("00002", 3, "changed"),
        ("00003", 1, "unchanged"),
        ("00004", 1, "new"),
        ("00005", 1, "changed"),
    ]
    assert result.counts["geolocation"] == FileCounts(8, 1, 4, 3, 0)


def test_of_records_with_one_key_the_first_good_one_stays(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["sellers"] = [
        seller(1, seller_zip_code_prefix="x"),
        seller(1, seller_state="SP"),
        seller(1, seller_state="RJ"),
        seller(1, seller_zip_code_prefix="1001"),
        seller(1, seller_state="RJ"),
    ]
    result = staged(tmp_path, tables)
    assert quarantined(result) == [
        ("sellers", 2, "values_readable"),
        ("sellers", 4, "keys_unique"),
        ("sellers", 6, "keys_unique"),
    ]
    assert result.counts["sellers"] == FileCounts(5, 1, 0, 1, 3)
    assert query(result, "SELECT line, state FROM sellers") == [(3, "SP")]


def test_only_the_first_rule_that_a_record_breaks_is_named(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["orders"].append(order(9, order_id="x", order_status="lost", customer_id=""))
    tables["orders"].append(order(9, order_id="x", order_status="lost"))
    tables["orders"].append(order(9, order_status="lost"))
    result = staged(tmp_path, tables)
    assert [(record.rule, record.reason) for record in result.quarantined()] == [
        ("required_cells_filled", "customer_id is empty"),
        ("values_readable", 'order_id is "x", not 32 hexadecimal digits'),
        ("statuses_known", 'order_status is "lost", none of the eight'),
    ]


def test_a_quarantined_order_takes_its_parts_along(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["orders"][0]["order_status"] = "lost"
    result = staged(tmp_path, tables)
    assert quarantined(result) == [
        ("order_items", 2, "orders_not_quarantined"),
        ("order_payments", 2, "orders_not_quarantined"),
        ("order_reviews", 2, "orders_not_quarantined"),
        ("orders", 2, "statuses_known"),
    ]
    assert_counts_add_up(result)


def test_a_quarantined_order_that_the_log_knows_leaves_its_parts_alone(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["orders"][0]["order_status"] = "lost"
    result = staged(tmp_path, tables, {"orders": ORDER_HEADER + known_order(1, "created")})
    assert quarantined(result) == [("orders", 2, "statuses_known")]


def test_an_order_with_a_bad_and_a_good_record_is_usable(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["orders"].insert(0, order(1, order_status="lost"))
    result = staged(tmp_path, tables)
    assert quarantined(result) == [("orders", 2, "statuses_known")]


def test_parts_of_an_order_that_nobody_knows_are_quarantined_and_those_of_a_known_one_are_not(tmp_path: Path) -> None:
    tables = a_good_extract()
    for number in (8, 9):
        tables["order_items"].append(item(number))
        tables["order_payments"].append(payment(number))
        tables["order_reviews"].append(review(number))
    result = staged(tmp_path, tables, {"orders": ORDER_HEADER + known_order(8, "created")})
    assert quarantined(result) == [
        ("order_items", 6, "orders_known"),
        ("order_payments", 6, "orders_known"),
        ("order_reviews", 8, "orders_known"),
    ]
    assert result.counts["order_items"].new == 4


@pytest.mark.parametrize(
    ("before", "after", "is_good"),
    [
        ("created", "delivered", True),
        ("invoiced", "processing", True),
        ("processing", "invoiced", True),
        ("delivered", "canceled", True),
        ("shipped", "shipped", True),
        ("approved", "created", False),
        ("processing", "approved", False),
        ("delivered", "shipped", False),
        ("canceled", "delivered", False),
        ("canceled", "unavailable", False),
        ("unavailable", "canceled", False),
    ],
)
def test_an_order_only_goes_up(tmp_path: Path, before: str, after: str, is_good: bool) -> None:
    tables = a_good_extract()
    tables["orders"][0]["order_status"] = after
    result = staged(tmp_path, tables, {"orders": ORDER_HEADER + known_order(1, before)})
    assert quarantined(result) == ([] if is_good else [("orders", 2, "statuses_go_up")])


def test_an_order_keeps_its_alias_and_an_alias_its_person(tmp_path: Path) -> None:
    known = {
        "orders": ORDER_HEADER + known_order(1, "canceled", alias=7),
        "aliases": f"customer_alias,customer_id\n{an_id('alias', 2)},{an_id('person', 9)}\n",
    }
    result = staged(tmp_path, a_good_extract(), known)
    assert quarantined(result) == [("customers", 3, "aliases_keep_person"), ("orders", 2, "orders_keep_customer")]


def test_an_order_without_its_customer_row_is_good(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["customers"] = [customer(2)]
    assert quarantined(staged(tmp_path, tables)) == []


def test_a_quarantined_record_keeps_its_text_as_it_stands_in_the_file(tmp_path: Path) -> None:
    write(tmp_path / "extract", a_good_extract())
    path = tmp_path / "extract" / SOURCE_FILES["order_reviews"].name
    broken = f'{an_id("review", 9)},{an_id("order", 1)},9,"é ""x""\r\n\n y",,2018-01-01 00:00:00,'
    with path.open("ab") as stream:
        stream.write(f"{broken}\r\n\n{broken}".encode())
    extract = open_extract(tmp_path / "extract", tmp_path)
    found = list(stage(extract, tmp_path / "stage").quarantined())
    assert [(record.line, record.text, record.rule) for record in found] == [
        (6, broken, "scores_in_range"),
        (9, "", "records_well_formed"),
        (10, broken, "scores_in_range"),
    ]
    assert found[1].reason == "the record has 1 cell, the header 7"


@pytest.mark.parametrize("file", sorted(PERSONAL_FILES))
def test_a_reason_quotes_no_cell_of_a_file_with_personal_fields(tmp_path: Path, file: str) -> None:
    """Whatever slipped into whichever column."""
    slipped = "moro na rua augusta 12"
    tables = a_good_extract()
    good = tables[file][0]
    tables[file] = [{**good, column: slipped} for column in SOURCE_FILES[file].columns]
    reasons = [record.reason for record in staged(tmp_path, tables).quarantined()]
    assert len(reasons) >= 3
    assert [reason for reason in reasons if "augusta" in reason or "moro" in reason] == []
    assert all(reason.split()[0] in good or reason.startswith("line ") for reason in reasons)


def test_a_reason_names_nobody(tmp_path: Path) -> None:
    """Neither the person of an alias, nor whose review it is: that would outlive an erasure."""
    tables = a_good_extract()
    tables["customers"].append(customer(4, customer_zip_code_prefix="01001-000"))
    tables["order_reviews"] += [review(3, review_score="987"), review(9)]
    tables["orders"][1]["order_status"] = "lost"
    aliases = f"customer_alias,customer_id\n{an_id('alias', 1)},{an_id('person', 9)}\n"
    result = staged(tmp_path, tables, {"aliases": aliases})
    assert [(record.rule, record.reason) for record in result.quarantined() if record.file in PERSONAL_FILES] == [
        (
            "aliases_keep_person",
            "customer_unique_id is not that which the customer_id belongs to since an earlier load",
        ),
        ("values_readable", "customer_zip_code_prefix is not one to five digits"),
        (
            "orders_not_quarantined",
            "order_id is of an order that is quarantined itself, and no earlier load has it",
        ),
        ("scores_in_range", "review_score is not 1 to 5"),
        ("orders_known", "order_id is of an order that is neither in this extract nor in an earlier load"),
    ]


def test_missing_files_are_named_and_count_nothing(tmp_path: Path) -> None:
    tables = a_good_extract()
    del tables["geolocation"], tables["sellers"]
    result = staged(tmp_path, tables)
    assert result.missing == ("geolocation", "sellers")
    assert result.counts["sellers"] == FileCounts(0, 0, 0, 0, 0)


def test_an_unreadable_file_leaves_nothing_to_load(tmp_path: Path) -> None:
    path = write(tmp_path / "extract", a_good_extract())
    (path / SOURCE_FILES["orders"].name).write_bytes(b"order_id\n")
    (path / SOURCE_FILES["sellers"].name).write_bytes(b"")
    result = stage(open_extract(path, tmp_path), tmp_path / "stage")
    assert [(fault.file, fault.rule) for fault in result.unreadable] == [
        ("orders", "columns_present"),
        ("sellers", "files_complete"),
    ]
    assert not result.database.exists()
    assert list(result.quarantined()) == []
    assert result.checks == ()


def test_what_a_killed_staging_left_behind_does_no_harm(tmp_path: Path) -> None:
    directory = tmp_path / "stage"
    (directory / "cells").mkdir(parents=True)
    (directory / "spill").mkdir()
    (directory / "stage.duckdb").write_bytes(b"half a database")
    (directory / "stage.duckdb.wal").write_bytes(b"half a log")
    (directory / "cells" / "orders.parquet").write_bytes(b"half")
    result = staged(tmp_path, a_good_extract())
    assert result.counts["orders"].new == 3
    assert sorted(path.name for path in directory.iterdir()) == ["stage.duckdb"]


@pytest.mark.parametrize(("placed", "newest"), [("2026-03-02 23:59:59", True), ("2026-03-03 00:00:00", False)])
def test_an_order_placed_later_than_the_day_after_the_opening_is_not_the_newest(
    tmp_path: Path, placed: str, newest: bool
) -> None:
    tables = a_good_extract()
    tables["orders"][0]["order_purchase_timestamp"] = placed
    known = {
        "orders": "order_id,customer_alias,status,placed_at,sellers\n"
        f"{an_id('order', 9)},{an_id('alias', 9)},created,2107-02-03 04:05:06,\n"
    }
    at = datetime.fromisoformat(placed) if newest else datetime(2018, 1, 1, 10)
    assert staged(tmp_path, tables, known).latest_placed_at == at


def test_the_newest_order_may_be_one_that_only_the_log_has(tmp_path: Path) -> None:
    known = {"orders": ORDER_HEADER + f"{an_id('order', 9)},{an_id('alias', 9)},created,2020-02-03 04:05:06,\n"}
    assert staged(tmp_path, a_good_extract(), known).latest_placed_at == datetime(2020, 2, 3, 4, 5, 6)


def test_the_public_sample_has_no_bad_record(tmp_path: Path) -> None:
    """On generated data where the sample is not at hand."""
    path = SAMPLE if SAMPLE.is_dir() else write(tmp_path / "extract", a_good_extract())
    result = stage(open_extract(path, tmp_path), tmp_path / "stage")
    assert result.unreadable == ()
    assert list(result.quarantined()) == []
    assert all(counts.new == counts.rows > 0 for counts in result.counts.values())


def test_tables_of_an_empty_extract_exist(tmp_path: Path) -> None:
    tables: Tables = {file: [] for file in FILES}
    result = staged(tmp_path, tables)
    assert query(result, "SELECT count(*) FROM orders, areas") == [(0,)]
    assert result.latest_placed_at is None
    assert all(check.checked == 0 for check in result.checks)


def test_records_on_one_line_are_told_apart(tmp_path: Path) -> None:
    """One line of another source may hold an order's items; each is kept, repeated or kept apart by itself."""
    tables = a_good_extract()
    tables["order_items"] = [
        item(1),
        item(1, order_item_id="2", price="5.00"),
        item(1, order_item_id="2", price="5.0"),
        item(1, order_item_id="2", price="6.00"),
        item(1, order_item_id="3", price="none"),
        item(1, order_item_id="3"),
    ]
    result = staged_on_one_line(tmp_path, tables)
    assert result.counts["order_items"] == FileCounts(6, 3, 0, 1, 2)
    assert query(result, "SELECT line, item_no, price::VARCHAR FROM order_items ORDER BY record") == [
        (2, 1, "90.00"),
        (2, 2, "5.00"),
        (2, 3, "90.00"),
    ]
    assert query(result, "SELECT line, rule, reason FROM quarantine WHERE file = 'order_items' ORDER BY record") == [
        (2, "keys_unique", "line 2 has the same key and other values"),
        (2, "values_readable", 'price is "none", not an amount with at most 10 digits before the point and 2 after it'),
    ]
    assert next(check.checked for check in result.checks if check.rule.name == "prices_positive") == 3
    assert_counts_add_up(result)
    with duckdb.connect(str(result.database)) as writing:
        plan(writing)
        [(_, person)] = DuckDBWork(writing).persons(Unit(0, 255), [str(UUID(an_id("person", 1)))])
    assert isinstance(person, PersonWork)
    assert [(row.line, row.item.item_no) for row in person.orders[0].items] == [(2, 1), (2, 2), (2, 3)]


def test_a_plan_is_the_same_where_memory_does_not_hold_both_of_its_halves_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("CREATE OR REPLACE TABLE work_sample AS SELECT 'half' AS made")
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data")

    def tables() -> dict[str, list[Any]]:
        names = query(result, "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'work%'")
        return {name: sorted(query(result, f"FROM {name}"), key=repr) for (name,) in names}

    result = staged(tmp_path, a_good_extract())
    with duckdb.connect(str(result.database)) as writing:
        sizes = plan(writing)
    at_once = tables()
    monkeypatch.setattr("replayhouse.infra.staging.work._side_by_side", give_up)
    with duckdb.connect(str(result.database)) as writing:
        assert plan(writing) == sizes
    assert tables() == at_once
    assert at_once["work_sample"]
    assert at_once["work_person"]


def staged_on_one_line(tmp_path: Path, tables: Tables) -> Staged:
    """The tables staged as if all records of a file stood on its second line."""
    extract = open_extract(write(tmp_path / "extract", tables), tmp_path / "unpacked")
    cells = tmp_path / "cells"
    cells.mkdir()
    read = {file: read_file(file, extract.files[file].path, cells) for file in FILES}
    for found in read.values():
        table = pq.read_table(found.cells)
        lines = pa.array([2] * len(table), pa.int32())
        pq.write_table(table.set_column(0, "line", lines), found.cells)
    return stage_records(extract, read, cells, tmp_path / "stage", opened_on=OPENED_ON)
