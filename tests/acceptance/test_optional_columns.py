"""Columns that an extract may lack: what an extract does not say is no change, and nothing shifts.

No column of today is one. Here some are declared so for the time of a test, and one that nobody decides on is put among
them, in the middle.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from replayhouse.infra.postgres.connection import Database
from replayhouse.ingest import records
from replayhouse.ingest.records import (
    Id,
    OrderReviewRecord,
    ProductRecord,
    Record,
    Status,
    TextOrNone,
    Time,
    TimeOrNone,
    WholeOrNone,
)
from tests.oracle.expected import FILES
from tests.oracle.lines import an_id, an_item
from tests.support.extracts import Lines, a_good_extract, adding, changed, replacing, times, write
from tests.support.in_process import Warehouse
from tests.support.loads import NO_EVENTS, Loads, events_of, of_file


class OrderRecord(Record):
    """An order with a channel, which an extract may lack as it may the time of approval."""

    natural_key = ("order_id",)
    order_id: Id = Field(alias="order_id")
    customer_alias: Id = Field(alias="customer_id")
    channel: TextOrNone = Field(None, alias="order_channel")
    status: Status = Field(alias="order_status")
    placed_at: Time = Field(alias="order_purchase_timestamp")
    approved_at: TimeOrNone = Field(None, alias="order_approved_at")
    shipped_at: TimeOrNone = Field(alias="order_delivered_carrier_date")
    completed_at: TimeOrNone = Field(alias="order_delivered_customer_date")
    promised_by: Time = Field(alias="order_estimated_delivery_date")


class ReviewRecord(OrderReviewRecord):
    """A review that may come without a title."""

    title: TextOrNone = Field(None, alias="review_comment_title")


class PhotographedProductRecord(ProductRecord):
    """A product of which an extract may not say how many photos it has."""

    photos: WholeOrNone = Field(None, alias="product_photos_qty")


OPTIONAL = {
    "orders": ("order_channel", "order_approved_at"),
    "order_reviews": ("review_comment_title",),
    "products": ("product_photos_qty",),
}
"""What is declared optional here, by file."""

APPROVED = "SELECT approved_at::text FROM sales.fact_order ORDER BY order_id"


class Extracts:
    """A warehouse that is fed small extracts, with and without columns."""

    def __init__(self, loads: Loads, folder: Path) -> None:
        self.loads = loads
        self._folder = folder
        self._number = 0

    def load(self, lines: Lines, *lacking: str, channel: str | None = None) -> Any:
        """Loads an extract without some columns; with a channel, each order has it, in the column after its id."""
        self._number += 1
        folder = write(self._folder / f"extract-{self._number}", lines)
        for file in lines:
            path = folder / FILES[file]
            with path.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            for row in rows:
                for column in lacking:
                    row.pop(column, None)
            if channel is not None and file == "orders":
                rows = [{"order_id": row["order_id"], "order_channel": channel, **row} for row in rows]
            with path.open("w", encoding="utf-8", newline="") as stream:
                stream.write(
                    " " * self._number
                )  # no two extracts are the same bytes, which would be passed over unread
                writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return self.loads.warehouse.ingest(folder)

    @property
    def shown(self) -> Any:
        """What the read models show, but for the positions of events."""
        return {
            table: self.loads.shown(f"SELECT to_jsonb(t) - 'position' FROM {table} AS t ORDER BY 1")
            for table in ("sales.fact_order", "customer.fact_review", "marketplace.product")
        }


@pytest.fixture
def extracts(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Extracts]:
    """No loads yet, and the columns declared; when the test is through, a rebuild must not change anything."""
    for file, shape in (
        ("orders", OrderRecord),
        ("order_reviews", ReviewRecord),
        ("products", PhotographedProductRecord),
    ):
        monkeypatch.setitem(records.RECORDS, file, shape)
    loads = Loads(Warehouse(database, tmp_path / "home"), tmp_path)
    yield Extracts(loads, tmp_path)
    loads.check()


LACKING = [column for columns in OPTIONAL.values() for column in columns]


def test_an_extract_that_lacks_the_columns_changes_nothing_of_what_one_with_them_brought(extracts: Extracts) -> None:
    extracts.load(a_good_extract(), channel="web")
    before = extracts.shown
    told = extracts.load(a_good_extract(), *LACKING)
    assert [of_file(told, file)[:2] for file in told["files"]] == [(0, 0)] * 9
    assert events_of(told) == NO_EVENTS
    assert extracts.shown == before


def test_an_extract_that_lacks_the_columns_loads_and_a_later_one_fills_them(extracts: Extracts) -> None:
    extracts.load(a_good_extract(), *LACKING)
    assert {time for (time,) in extracts.loads.shown(APPROVED)} == {None}
    told = extracts.load(a_good_extract())
    assert {file: of_file(told, file)[:2] for file in OPTIONAL} == {
        "orders": (0, 4),  # the fifth was never approved
        "order_reviews": (0, 1),  # the other has no title
        "products": (0, 1),  # nothing is known of the other
    }
    filled = extracts.shown
    assert extracts.loads.shown(APPROVED)[0] == (times(1, 3, 10)["approved"],)
    assert events_of(extracts.load(a_good_extract(), *LACKING)) == NO_EVENTS
    assert events_of(extracts.load(a_good_extract(), channel="web")) == NO_EVENTS
    assert extracts.shown == filled


def test_what_else_an_extract_without_the_columns_says_is_decided_on_with_the_values_that_are_known(
    extracts: Extracts,
) -> None:
    extracts.load(a_good_extract())
    before = extracts.shown
    corrected = changed(
        a_good_extract(),
        orders=replacing("2017-04-20 00:00:00", "2017-04-21 00:00:00"),
        order_reviews=replacing("atrasou", "atrasou muito"),
        products=replacing("casa,40,500,2,800", "casa,41,500,2,900"),
    )
    told = extracts.load(corrected, *LACKING)
    assert {file: of_file(told, file)[:2] for file in OPTIONAL} == dict.fromkeys(OPTIONAL, (0, 1))
    assert extracts.loads.shown("SELECT photos, weight_g FROM marketplace.product WHERE weight_g = 900") == [(2, 900)]
    assert extracts.loads.shown("SELECT title FROM customer.fact_review WHERE score = 1") == [(" ",)]
    after = extracts.shown
    assert after != before
    told = extracts.load(corrected)
    assert [of_file(told, file)[:2] for file in told["files"]] == [(0, 0)] * 9
    assert extracts.shown == after


def test_an_emptied_cell_of_a_column_that_the_extract_has_is_corrected_to_nothing(extracts: Extracts) -> None:
    extracts.load(a_good_extract())
    extracts.load(a_good_extract(), *LACKING)
    emptied = changed(
        a_good_extract(),
        orders=replacing(times(1, 3, 10)["approved"], ""),
        products=replacing("casa,40,500,2,800", "casa,40,500,,800"),
    )
    told = extracts.load(emptied)
    assert {file: of_file(told, file)[:2] for file in ("orders", "products")} == {"orders": (0, 1), "products": (0, 1)}
    assert extracts.loads.shown(APPROVED)[0] == (None,)
    assert extracts.loads.shown("SELECT photos FROM marketplace.product WHERE weight_g = 800") == [(None,)]
    assert events_of(extracts.load(emptied)) == NO_EVENTS


def test_a_column_in_the_middle_shifts_nothing_and_what_it_says_alone_is_a_change(extracts: Extracts) -> None:
    extracts.load(a_good_extract())
    before = extracts.shown
    for channel, orders_changed in (("web", 5), ("web", 0), ("app", 5), ("", 5), ("", 0)):
        told = extracts.load(a_good_extract(), channel=channel)
        assert (of_file(told, "orders"), events_of(told)) == ((0, orders_changed, 5 - orders_changed, 0), NO_EVENTS)
        assert extracts.shown == before


def test_a_load_that_is_taken_back_takes_what_its_columns_said_along(extracts: Extracts) -> None:
    extracts.load(a_good_extract(), *LACKING)
    before = extracts.shown
    told = extracts.load(a_good_extract())
    filled = extracts.shown
    extracts.loads.warehouse.json("retract", told["batch"], "--reason", "a test")
    assert extracts.shown == before
    extracts.load(a_good_extract())
    assert extracts.shown == filled != before


def test_records_of_one_key_that_differ_in_such_a_column_alone_are_not_the_same(extracts: Extracts) -> None:
    twice = changed(a_good_extract(), products=adding(a_good_extract()["products"][0].replace(",500,2,", ",500,3,")))
    told = extracts.load(twice)
    assert of_file(told, "products") == (2, 0, 0, 1)
    assert extracts.loads.kept_apart() == [("products", 4, "keys_unique", "quarantined")]


def test_of_records_of_one_key_an_extract_without_the_column_sees_a_repetition(extracts: Extracts) -> None:
    twice = changed(a_good_extract(), products=adding(a_good_extract()["products"][0].replace(",500,2,", ",500,3,")))
    assert of_file(extracts.load(twice, *LACKING), "products") == (2, 0, 1, 0)


def test_a_bad_cell_of_such_a_column_is_told_and_its_absence_is_none(extracts: Extracts) -> None:
    bad = changed(a_good_extract(), products=replacing("casa,40,500,2,800", "casa,40,500,two,800"))
    extracts.load(bad)
    assert extracts.loads.kept_apart() == [("products", 2, "values_readable", "quarantined")]
    assert of_file(extracts.load(bad, *LACKING), "products")[3] == 0


def test_what_a_person_let_in_stands_against_an_extract_that_lacks_the_column(extracts: Extracts) -> None:
    other = a_good_extract()["products"][0].replace(",500,2,", ",500,3,")
    twice = changed(a_good_extract(), products=adding(other))
    extracts.load(twice)
    [(row,)] = extracts.loads.shown("SELECT row_id::text FROM quality.quarantine")
    extracts.loads.warehouse.json("quality", "release", row)
    photos = "SELECT photos FROM marketplace.product WHERE weight_g = 800"
    assert extracts.loads.shown(photos) == [(3,)]
    for lacking in ([], LACKING):
        assert events_of(extracts.load(twice, *lacking)) == NO_EVENTS
        assert extracts.loads.shown(photos) == [(3,)]
    corrected = changed(a_good_extract(), products=replacing("casa,40,500,2,800", "casa,40,500,4,800"))
    extracts.load(corrected)
    assert extracts.loads.shown(photos) == [(4,)]


@pytest.mark.parametrize("cells", [["livros", "40", "500", "2", *"3456"], ["livros", "40", "500", *"3456"]], ids=len)
def test_a_person_lets_in_a_record_with_the_optional_cells_or_without(extracts: Extracts, cells: list[str]) -> None:
    bad = changed(a_good_extract(), products=replacing("casa,40,500,2,800", "casa,x,500,2,800"))
    extracts.load(bad)
    [(row,)] = extracts.loads.shown("SELECT row_id::text FROM quality.quarantine")
    refused = extracts.loads.warehouse.run("quality", "release", row, "--text", f"{an_id(70)},1,2")
    assert refused.code != 0
    assert "the record has 3 cells, the file 8 or 9" in refused.out + refused.err
    extracts.loads.warehouse.json("quality", "release", row, "--text", ",".join([an_id(70), *cells]))
    [(weight, photos)] = extracts.loads.shown("SELECT weight_g, photos FROM marketplace.product WHERE name_length = 40")
    assert (weight, photos) == (3, 2 if len(cells) == 8 else None)


def test_a_required_column_is_required_still(extracts: Extracts, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "cut", {"orders": a_good_extract()["orders"], "order_items": [an_item(1, 1, "1.00", "0")]}
    )
    path = folder / FILES["orders"]
    path.write_text(path.read_text(encoding="utf-8").replace("order_status", "state", 1), encoding="utf-8")
    refused = extracts.loads.warehouse.run("ingest", folder)
    assert (
        "the header lacks the column order_status (found: order_id, customer_id, state, " in refused.out + refused.err
    )
