"""Bad rows are kept apart and the rest is loaded; odd forms of good ones are read; nothing is loaded twice."""

import json
import zipfile
from pathlib import Path

import pytest

from replayhouse.infra.application import ingest as loading
from replayhouse.infra.postgres.connection import Database
from tests.oracle.expected import FILES, expected
from tests.oracle.lines import HEADERS, a_customer, a_payment, an_id, an_item, an_order, line
from tests.support.extracts import Lines, a_good_extract, a_review, adding, changed, write, zipped
from tests.support.in_process import READ_MODELS, Warehouse, refused

KEPT_APART = """
    SELECT file, line, rule, reason, text, status
    FROM quality.quarantine
    ORDER BY file, line
"""
STATES_OF_ROWS = """
    SELECT convert_from(state, 'UTF8')
    FROM event_store.quality_events
    WHERE topic LIKE 'quality.RowQuarantined.%%'
"""


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


# --- the same content in another dress -------------------------------------------------------------------------------


def in_another_dress(folder: Path, lines: Lines) -> Path:
    """The same records: a BOM, CR LF after each, every cell quoted, ids in upper case, columns in another order and
    more of them, some without a name, names in capitals and spelt right, zip prefixes without their zeros, amounts with
    all decimals, whole numbers and times with a fraction, midnight as a date, and no line end at the very end.
    """
    folder.mkdir()
    for file, some in lines.items():
        records = [[*reversed(cells_of(text)), "more"] for text in (HEADERS[file], *some)]
        header = records[0]
        records[0] = [f" {name.replace('lenght', 'length').upper()}" for name in header] + ["", ""]
        for record in records[1:]:
            for place, name in enumerate(header):
                record[place] = dressed(name, record[place])
            record += ["", ""]
        quoted = "\r\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in record) for record in records)
        (folder / FILES[file].upper()).write_bytes(b"\xef\xbb\xbf" + quoted.encode())
    return folder


def cells_of(text: str) -> list[str]:
    """The cells of a record as the examples write them: none holds a comma but the one that is quoted."""
    before, *quoted = text.split('"', 1)
    if not quoted:
        return text.split(",")
    inner, after = quoted[0].rsplit('"', 1)
    return [*before.split(",")[:-1], inner.replace('""', '"'), *after.split(",")[1:]]


def dressed(name: str, cell: str) -> str:
    if name in ("order_id", "customer_id", "customer_unique_id", "product_id", "seller_id", "review_id"):
        return cell.upper()
    if name.endswith("zip_code_prefix"):
        return cell.lstrip("0")
    if name in ("price", "freight_value", "payment_value"):
        return f"{float(cell):.2f}"
    if name in ("geolocation_lat", "geolocation_lng"):
        return f"{cell}0"
    if name.endswith(("_lenght", "_qty", "_g", "_cm", "_score", "_sequential", "_installments", "order_item_id")):
        return f"{cell}.0" if cell else ""
    if name.endswith(("_date", "_at", "_timestamp")):
        return (
            cell.removesuffix(" 00:00:00")
            if cell.endswith(" 00:00:00")
            else cell.replace(" ", "T") + ".000" * bool(cell)
        )
    return cell


def test_the_same_content_in_another_dress_is_the_same(warehouse: Warehouse, tmp_path: Path) -> None:
    lines = changed(
        a_good_extract(),
        orders=adding(an_order(0xABCDEF)),
        customers=adding(line(an_id(0xABCDEF + 100), an_id(0xFACE), "00001", " x ", "SP")),
    )
    plain = write(tmp_path / "plain", lines)
    odd = in_another_dress(tmp_path / "odd", lines)
    oracle = expected(plain)

    told = warehouse.ingest(zipped(odd, tmp_path / "odd.zip", zipfile.ZIP_DEFLATED))
    assert [counts["quarantined"] for counts in told["files"].values()] == [0] * 9
    assert warehouse.differs_from(oracle) == ""
    comments = warehouse.rows("SELECT title, comment FROM customer.fact_review ORDER BY review_id")
    assert comments == [(None, 'muito "bom",\r\nobrigado '), (" ", "atrasou")]

    again = warehouse.ingest(plain)
    assert [counts["unchanged"] for counts in again["files"].values()] == [
        counts["rows"] for counts in told["files"].values()
    ]
    assert again["events"] == {**dict.fromkeys(READ_MODELS, 0), "quality": 4}


# --- bad rows: kept apart, and the rest goes on ----------------------------------------------------------------------

A_TIME = "2017-05-01 00:00:00"

# The file, the record, the rule that it breaks, and what is said of it.
BAD_ROWS: list[tuple[str, str, str, str]] = [
    ("customers", a_customer(120, 920, "123456", "rua x"), "values_readable", "zip_code_prefix is not one to five"),
    ("customers", a_customer(121, 921, city=""), "required_cells_filled", "customer_city is empty"),
    ("customers", a_customer(122, 922).replace(an_id(922), "nobody"), "values_readable", "customer_unique_id"),
    ("customers", a_customer(101, 923, city="another"), "keys_unique", "line 2 has the same key"),
    ("customers", a_customer(124, 924) + ",more", "records_well_formed", "6 cells, the header 5"),
    ("geolocation", "01001,north,-46.6,são paulo,SP", "values_readable", "geolocation_lat"),
    ("geolocation", "01001,-23.5,nan,são paulo,SP", "values_readable", "geolocation_lng"),
    ("geolocation", "01001,,-46.6,são paulo,SP", "required_cells_filled", "geolocation_lat is empty"),
    ("order_items", an_item(1, "3.5"), "values_readable", "order_item_id"),
    ("order_items", an_item(1, 4, "-1.00"), "values_readable", "price"),
    ("order_items", an_item(1, 5, "1.999"), "values_readable", "price"),
    ("order_items", an_item(1, 6, '"1,50"'), "values_readable", "price"),
    ("order_items", an_item(1, 7, freight="R$ 1"), "values_readable", "freight_value"),
    ("order_items", an_item(1, 8).replace("2017-03-05", "2017-02-30"), "values_readable", "shipping_limit_date"),
    ("order_items", an_item(1, 1, "95.00", "10.05"), "keys_unique", "line 2 has the same key"),
    ("order_items", an_item(99), "orders_known", "neither in this extract nor in an earlier load"),
    ("order_items", an_item(20), "orders_not_quarantined", "quarantined itself"),
    ("order_items", line(an_id(1), 9), "records_well_formed", "2 cells, the header 7"),
    ("order_payments", a_payment(1, 2, "12345678901"), "values_readable", "payment_value"),
    ("order_payments", a_payment(1, 3, "1.00", ""), "required_cells_filled", "payment_type is empty"),
    ("order_payments", a_payment(1, 4, "1.00", installments="1234567890"), "values_readable", "installments"),
    ("order_payments", a_payment(1, 1, "111.00"), "keys_unique", "line 2 has the same key"),
    ("order_payments", a_payment(99, 1, "1.00"), "orders_known", "neither in this extract"),
    ("order_payments", a_payment(20, 1, "1.00"), "orders_not_quarantined", "quarantined itself"),
    ("order_reviews", a_review(820, 1, 0), "scores_in_range", "review_score is not 1 to 5"),
    ("order_reviews", a_review(821, 1, 6), "scores_in_range", "review_score is not 1 to 5"),
    ("order_reviews", a_review(822, 1, "4.5"), "values_readable", "review_score"),
    ("order_reviews", a_review(823, 1, comment='"de Maria,\nrua x"', created="soon"), "values_readable", "creation"),
    ("order_reviews", a_review(824, 1, answered="2017-05-02 18:00"), "values_readable", "review_answer_timestamp"),
    ("order_reviews", a_review(801, 1, 4), "keys_unique", "line 2 has the same key"),
    ("order_reviews", a_review(825, 99), "orders_known", "neither in this extract"),
    ("order_reviews", a_review(826, 20), "orders_not_quarantined", "quarantined itself"),
    ("orders", an_order(20, "Delivered"), "statuses_known", 'order_status is "Delivered"'),
    ("orders", an_order(21, placed=""), "required_cells_filled", "order_purchase_timestamp is empty"),
    ("orders", an_order(22, placed="2017-02-30 10:00:00"), "values_readable", "order_purchase_timestamp"),
    ("orders", an_order(23, placed="2017-03-01T10:00:00Z"), "values_readable", "order_purchase_timestamp"),
    ("orders", an_order(24, approved="24/12/2017"), "values_readable", "order_approved_at"),
    ("orders", an_order(25, carrier="2017-03-01 24:00:00"), "values_readable", "order_delivered_carrier_date"),
    ("orders", an_order(26, delivered="2017-03-01 10:60:00"), "values_readable", "order_delivered_customer_date"),
    ("orders", an_order(27, promised=""), "required_cells_filled", "order_estimated_delivery_date is empty"),
    ("orders", an_order(1, "canceled"), "keys_unique", "line 2 has the same key"),
    ("orders", an_order(28).replace(an_id(128), an_id(128)[:-1]), "values_readable", "customer_id"),
    ("products", line(an_id(80), "casa", "40.5", *[""] * 6), "values_readable", "product_name_lenght"),
    ("products", line("", "casa", *[""] * 7), "required_cells_filled", "product_id is empty"),
    ("products", line(an_id(70), "livros", *[""] * 7), "keys_unique", "line 2 has the same key"),
    ("sellers", line(an_id(60), "1234x", "rua x", "SP"), "values_readable", "zip_code_prefix is not one to five"),
    ("sellers", line(an_id(61), "12345", "x", ""), "required_cells_filled", "seller_state is empty"),
    ("categories", "sem,", "required_cells_filled", "product_category_name_english is empty"),
    ("categories", "casa,house", "keys_unique", "line 2 has the same key"),
]


def with_bad_rows() -> tuple[Lines, list[tuple[object, ...]]]:
    """The good extract with all bad rows before its last line, and what must be told of each of them."""
    lines, told = a_good_extract(), []
    for file, some in lines.items():
        last = some.pop()
        for of, text, rule, reason in BAD_ROWS:
            if of == file:
                at = "\n".join((HEADERS[file], *some)).count("\n") + 2
                told.append((file, at, rule, reason, text, "quarantined"))
                some.append(text)
        some.append(last)
    return lines, sorted(told, key=lambda row: row[:2])


def test_a_bad_row_is_kept_apart_with_its_line_its_text_and_why_and_the_rest_is_loaded(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    lines, bad = with_bad_rows()
    folder = write(tmp_path / "given", lines)

    told = warehouse.ingest(folder)

    shown = warehouse.rows(KEPT_APART)
    assert [(*row[:3], *row[4:]) for row in shown] == [(*row[:3], *row[4:]) for row in bad]
    for found, wanted in zip(shown, bad, strict=True):
        assert str(wanted[3]) in found[3], found
    counted = {file: counts["quarantined"] for file, counts in told["files"].items()}
    assert counted == {file: sum(row[0] == file for row in bad) for file in counted}
    assert warehouse.rows("SELECT quarantined, status FROM quality.batch") == [(len(bad), "completed")]
    assert warehouse.differs_from(expected(folder)) == ""


def test_the_text_of_a_bad_row_stands_sealed_in_the_log(warehouse: Warehouse, tmp_path: Path) -> None:
    lines, bad = with_bad_rows()
    warehouse.ingest(write(tmp_path / "given", lines))

    states = [state for (state,) in warehouse.rows(STATES_OF_ROWS)]
    assert len(states) == len(bad)
    for _, _, _, _, text, _ in bad:
        inside_json = json.dumps(text, ensure_ascii=False)[1:-1]
        assert not any(str(text) in state or inside_json in state for state in states)
    assert not any(word in state for state in states for word in ("rua x", "Maria"))
    assert {row[4] for row in warehouse.rows(KEPT_APART)} == {row[4] for row in bad}


def test_bad_rows_again_are_counted_again_but_told_once(warehouse: Warehouse, tmp_path: Path) -> None:
    lines = changed(a_good_extract(), order_reviews=adding(a_review(820, 1, 0), a_review(820, 1, 0)))
    first = warehouse.ingest(write(tmp_path / "first", lines))
    again = warehouse.ingest(write(tmp_path / "again", changed(lines, sellers=adding(line(an_id(52), 1, "x", "SP")))))

    assert [told["files"]["order_reviews"]["quarantined"] for told in (first, again)] == [2, 2]
    assert (first["events"]["quality"], again["events"]["quality"]) == (5, 4)
    assert warehouse.rows("SELECT line, batch_id::text FROM quality.quarantine") == [(5, first["batch"])]
    assert warehouse.rows("SELECT quarantined FROM quality.batch") == [(2,), (2,)]


def test_what_is_called_like_an_unknown_member_is_shown_as_that_member(warehouse: Warehouse, tmp_path: Path) -> None:
    nobody, unknown = an_id(0), ("unknown",) * 5
    lines = changed(
        a_good_extract(),
        customers=adding(line(an_id(190), nobody, "01001", "x", "SP")),
        orders=adding(an_order(90)),
        products=adding(line(nobody, "livros", *[1] * 7), line(an_id(72), "unknown", *[""] * 7)),
        sellers=adding(line(nobody, "01001", "x", "SP")),
        categories=adding("unknown,nobody knows"),
    )
    warehouse.ingest(write(tmp_path / "given", lines))

    assert warehouse.rows(
        "SELECT zip_prefix, city, state, region, segment, orders FROM customer.dim_customer"
        f" WHERE customer_id = '{nobody}'"
    ) == [(*unknown, 0)]
    assert warehouse.rows(f"SELECT category, weight_g FROM marketplace.product WHERE product_id = '{nobody}'") == [
        ("unknown", None)
    ]
    assert warehouse.rows(f"SELECT city, state FROM marketplace.dim_seller WHERE seller_id = '{nobody}'") == [
        ("unknown", "unknown")
    ]
    assert warehouse.rows("SELECT english FROM marketplace.dim_category WHERE category = 'unknown'") == [("unknown",)]
    live = warehouse.digests()
    assert {context: warehouse.rebuilt_digests()[context] for context in live} == live


# --- the same files again, and a load that was not finished ----------------------------------------------------------


def test_the_same_files_again_append_nothing_and_that_is_said(warehouse: Warehouse, tmp_path: Path) -> None:
    first = write(tmp_path / "first", a_good_extract())
    loaded = warehouse.ingest(first)
    renamed = write(tmp_path / "renamed", a_good_extract())
    events = warehouse.events()

    for path in (first, renamed, zipped(renamed, tmp_path / "packed.zip")):
        told = warehouse.json("ingest", path)
        assert (told["status"], told["batch"]) == ("unchanged", loaded["batch"])
        assert (told["position"], told["chain"]) == (loaded["position"], loaded["chain"])
        assert set(told["events"].values()) == {0}
        assert [counts["unchanged"] for counts in told["files"].values()] == [
            counts["rows"] for counts in loaded["files"].values()
        ]
    assert "Nothing is new" in warehouse.run("ingest", renamed).out
    assert warehouse.events() == events
    assert len(warehouse.json("batches")) == 1


def test_a_load_that_was_interrupted_goes_on_with_its_files_and_bars_all_others(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    lines = a_good_extract()
    folder = write(tmp_path / "given", changed(lines, order_reviews=adding(a_review(820, 1, 0))))
    other = write(tmp_path / "other", lines)
    with monkeypatch.context() as patched:
        patched.setattr(loading, "run_units", interrupted)
        assert warehouse.run("ingest", folder).code == 130
    ((batch, status),) = warehouse.rows("SELECT batch_id::text, status FROM event_store.batch")
    assert status == "open"

    refused(warehouse.run("ingest", other, "--json"), 4, batch, "given", "is open")
    told = warehouse.ingest(zipped(folder, tmp_path / "packed.zip"))

    assert (told["batch"], told["name"]) == (batch, "given")
    assert told["events"]["quality"] == 5
    assert warehouse.rows("SELECT status FROM quality.batch") == [("completed",)]
    assert warehouse.differs_from(expected(folder)) == ""
    warehouse.ingest(other)
