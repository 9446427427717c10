"""Exports that were cut off, doubled, or written with what nobody expects, read by mappings that come with the program.

Each is told in plain words with its line, and nothing of it is loaded by halves.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.support import shopify_export, woocommerce_export
from tests.support.in_process import Warehouse

Rows = list[dict[str, str]]
Change = Callable[["Form", bytes], bytes]


class Form(NamedTuple):
    """A mapping, and an export of it: three orders of a `Mug` in são paulo, the last with a line for something else."""

    source: str
    write: Callable[[Path, Rows], Path]
    rows: Rows
    time: str
    """How the first order's time is written."""
    column: str
    """The column that it stands in."""


_LAST = {"order_total": "73.00"}
FORMS = {
    "shopify": Form(
        "shopify",
        shopify_export.write,
        [
            shopify_export.row(1001),
            shopify_export.row(1002, Created_at="2018-01-02 09:30:00 -0200"),
            shopify_export.row(1003, Created_at="2018-01-02 09:45:00 -0200", Subtotal="61.00", Total="73.00"),
            shopify_export.line(1003, Lineitem_name="Lamp", Lineitem_sku="LAMP"),
        ],
        "2018-01-02 10:00:00 -0200",
        "Created at",
    ),
    "woocommerce": Form(
        "woocommerce",
        woocommerce_export.write,
        [
            woocommerce_export.row(1001),
            woocommerce_export.row(1002, date="2018-01-03 10:00:00"),
            woocommerce_export.row(1003, 1, date="2018-01-04 10:00:00", **_LAST),
            woocommerce_export.row(1003, 2, date="2018-01-04 10:00:00", item_name="Lamp", item_sku="LAMP", **_LAST),
        ],
        "2018-01-02 10:00:00",
        "date",
    ),
}

REJECTED: dict[str, tuple[Change, tuple[str, ...]]] = {
    "cut off in a record": (lambda _, export: export[:-60], ("line 5", "the file is cut off")),
    "cut off in quotes": (lambda _, export: export.replace(b"Mug", b'"Mug', 1), ("line 2", "never closed")),
    "a missing column": (
        lambda form, export: export.replace(form.column.encode(), b"when", 1),
        ("lacks the column {column}",),
    ),
    "a cell of 3 MB": (lambda _, export: export.replace(b"Mug", b"M" * 3_000_000, 1), ("line 2", "131,072 bytes")),
    "a byte that is no text": (
        lambda _, export: export.replace("são".encode(), "são".encode("latin-1"), 1),
        ("line 2", "not UTF-8"),
    ),
    "a NUL": (lambda _, export: export.replace(b"Mug", b"M\0g", 1), ("line 2", "NUL")),
    "another currency": (lambda _, export: export.replace(b"BRL", b"USD", 1), ("line 2", "USD", "BRL only")),
    "nothing": (lambda _, export: b"", ("is empty",)),
}
DRESSES: dict[str, Change] = {
    "marked": lambda _, export: b"\xef\xbb\xbf" + export.replace(b"\n", b"\r\n"),
    "semicolons": lambda _, export: export.replace(b",", b";"),
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def written(form: Form, folder: Path, change: Change = lambda _, export: export) -> Path:
    """The export, as it is after the change."""
    form.write(folder, form.rows)
    [file] = folder.iterdir()
    file.write_bytes(change(form, file.read_bytes()))
    return folder


def broken(warehouse: Warehouse) -> dict[str, int]:
    """How often each rule was found broken."""
    return {
        str(rule): int(failed)
        for rule, failed in warehouse.rows("SELECT rule, sum(failed)::int FROM quality.fact_check GROUP BY rule")
        if failed
    }


def test_what_cannot_be_read_is_told_with_its_line_and_nothing_is_loaded(
    warehouse: Warehouse, form: Form, tmp_path: Path
) -> None:
    for case, (change, words) in REJECTED.items():
        export = written(form, tmp_path / case, change)
        done = warehouse.run("ingest", export, "--source", form.source, "--json")
        lacking = [word for word in words if word.format(column=form.column) not in done.out]
        assert (case, done.code, lacking) == (case, 1, []), done
        assert "Traceback" not in done.err
    assert set(warehouse.events()) <= {"quality"}


def test_an_export_that_was_cut_off_between_lines_of_an_order_is_found_out(
    warehouse: Warehouse, form: Form, tmp_path: Path
) -> None:
    export = written(form, tmp_path / "export", lambda _, export: export[: export.rindex(b"\n", 0, -1) + 1])
    warehouse.json("ingest", export, "--source", form.source)
    assert broken(warehouse) == {"payments_match_total": 1}


def test_rows_that_stand_twice_count_once(warehouse: Warehouse, form: Form, tmp_path: Path) -> None:
    export = written(form, tmp_path / "export", lambda _, export: export + export.split(b"\n", 1)[1])
    warehouse.json("ingest", export, "--source", form.source)
    assert warehouse.rows("SELECT count(*)::int FROM sales.fact_order_item") == [(len(form.rows),)]
    assert warehouse.rows("SELECT count(*)::int, sum(paid) = sum(total) FROM sales.fact_order") == [(3, True)]
    assert broken(warehouse) == {"records_not_repeated": len(form.rows)}


def test_an_unreadable_time_keeps_its_order_apart_with_its_line(
    warehouse: Warehouse, form: Form, tmp_path: Path
) -> None:
    export = written(
        form, tmp_path / "export", lambda form, export: export.replace(form.time.encode(), b"one morning", 1)
    )
    warehouse.json("ingest", export, "--source", form.source)
    kept_apart = {(row["file"], row["line"], row["rule"]) for row in warehouse.json("quality", "quarantine")}
    assert kept_apart == {
        ("orders", 2, "values_readable"),
        ("order_items", 2, "orders_not_quarantined"),
        ("order_payments", 2, "orders_not_quarantined"),
    }
    assert warehouse.rows("SELECT count(*)::int FROM sales.fact_order") == [(2,)]


def test_any_sign_may_stand_in_a_name_and_lines_are_those_of_the_file(
    warehouse: Warehouse, form: Form, tmp_path: Path
) -> None:
    name = '"Mug ""☕️"", \n💥 \'=x\' \\ ; é'
    export = written(form, tmp_path / "export", lambda _, export: export.replace(b"Mug", f'{name}"'.encode(), 1))
    warehouse.json("ingest", export, "--source", form.source)
    assert broken(warehouse) == {}
    [(last,)] = warehouse.rows("SELECT order_id::text FROM sales.fact_order WHERE item_count = 2")
    assert "order_items:5-6" in warehouse.json("audit", "history", "order", last)[0]["source"]


def test_another_dress_makes_the_same_records(warehouse: Warehouse, form: Form, tmp_path: Path) -> None:
    """A byte order mark and lines that end in CR LF; semicolons."""
    plain = warehouse.json("sources", "check", form.source, written(form, tmp_path / "plain"))
    for dress, change in DRESSES.items():
        dressed = warehouse.json("sources", "check", form.source, written(form, tmp_path / dress, change))
        assert dressed["records"] == plain["records"], dress
