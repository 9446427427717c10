"""Extracts loaded one after another: what a later one changes, what it leaves alone, and what it may not do.

In the end, and where it matters after each load, the live read models must be those that a rebuild makes. Where the
newest extract is complete, they must also be those of the oracle, which knows that extract alone (R42).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.oracle.expected import DEPENDS_ON_EARLIER_LOADS, expected
from tests.oracle.lines import NOBODY, a_customer, a_payment, an_id, an_item, an_order, line, moment, money
from tests.support.extracts import a_good_extract, a_review, adding, changed, instead, replacing, times, without, write
from tests.support.in_process import Warehouse
from tests.support.loads import NO_EVENTS, Loads, events_of, of_file


@pytest.fixture
def loads(database: Database, tmp_path: Path) -> Iterator[Loads]:
    """No loads yet; when the test is through, a rebuild must not change anything."""
    loads = Loads(Warehouse(database, tmp_path / "home"), tmp_path)
    yield loads
    loads.check()


# --- what a later extract changes ------------------------------------------------------------------------------------


def test_everything_may_be_corrected_by_a_later_extract(loads: Loads) -> None:
    loads.load_whole(a_good_extract())
    corrected = changed(
        a_good_extract(),
        customers=replacing("são paulo", "santo andré"),
        order_items=replacing("94.9,", "95.90,"),
        order_payments=replacing("credit_card,3,110.00", "boleto,1,111.00"),
        order_reviews=replacing("5,,", "2,,"),
        orders=replacing(times(1, 3, 10)["approved"], "2017-04-01 13:00:00"),
        products=replacing("casa,40,500,2,800", "livros,41,500,2,900"),
        sellers=replacing("04001", "04002"),
        categories=replacing("home", "house"),
        geolocation=replacing("-22.9,", "-22.8,"),
    )
    told = loads.load_whole(corrected)
    assert [of_file(told, file)[:2] for file in told["files"]] == [(0, 1)] * 9


def test_a_filled_cell_that_becomes_empty_is_corrected_to_nothing(loads: Loads) -> None:
    loads.begin(a_good_extract())
    emptied = changed(
        a_good_extract(),
        order_reviews=lambda some: [a_review(801, 1, 5, answered=""), some[1].replace("atrasou", "")],
        orders=lambda some: [an_order(1), some[1], some[2].replace("2017-05-01 10:00:01", ""), *some[3:]],
        products=instead(0, line(an_id(70), *[""] * 8)),
    )
    loads.load_whole(emptied)
    assert loads.shown(
        "SELECT approved_at, shipped_at, completed_at, status FROM sales.fact_order ORDER BY order_id LIMIT 1"
    ) == [(None, None, None, "delivered")]
    assert loads.shown("SELECT comment, answered_at FROM customer.fact_review ORDER BY review_id LIMIT 1") == [
        (None, None)
    ]


def test_an_order_goes_its_way_in_steps_and_each_step_is_told_once(loads: Loads) -> None:
    lines = a_good_extract()
    steps = [
        an_order(3, "created", placed="2017-05-01 10:00:00"),
        an_order(3, "invoiced", placed="2017-05-01 10:00:00", approved="2017-05-01 10:00:01"),
        an_order(3, "processing", placed="2017-05-01 10:00:00", approved="2017-05-01 10:00:01"),
        an_order(3, "delivered", placed="2017-05-01 10:00:00", **times(1, 3, 10, month=5)),
        an_order(3, "canceled", placed="2017-05-01 10:00:00", **times(1, 3, 10, month=5)),
    ]
    for step in steps:
        loads.load_whole(changed(lines, orders=instead(2, step)))
        loads.check()
    assert [
        name
        for (name,) in loads.shown(
            "SELECT split_part(topic, '.', 2) FROM event_store.sales_events"
            f" WHERE originator_id = '{an_id(3)}' ORDER BY originator_version"
        )
    ] == [
        *("OrderPlaced", "PaymentReceived", "OrderPaid", "OrderApproved", "OrderInvoiced", "OrderProcessingStarted"),
        *("OrderAmended", "OrderShipped", "OrderCompleted", "OrderCanceled"),
    ]
    assert loads.shown(f"SELECT status, delivered_at FROM fulfillment.fact_delivery WHERE order_id = '{an_id(3)}'") == [
        ("dispatched", None)
    ]
    assert loads.shown(f"SELECT orders FROM customer.dim_customer WHERE customer_id = '{UUID(int=902)}'") == [(0,)]


def test_an_order_that_turns_out_to_have_been_placed_at_another_time_moves_all_that_follows_from_it(
    loads: Loads,
) -> None:
    loads.begin(a_good_extract())
    # The person's two orders change places, and with them the current address.
    loads.load_whole(changed(a_good_extract(), orders=replacing("2017-03-01 10:00:00", "2017-04-03 10:00:00")))
    assert loads.shown(
        "SELECT zip_prefix, valid_from FROM customer.address_history"
        f" WHERE customer_id = '{UUID(int=901)}' ORDER BY seq"
    ) == [("20000", moment("2017-04-02 09:30:00")), ("01001", moment("2017-04-03 10:00:00"))]


# --- what a later extract leaves alone -------------------------------------------------------------------------------


def test_the_same_content_written_differently_brings_no_event(loads: Loads) -> None:
    loads.begin(a_good_extract())
    otherwise = changed(
        a_good_extract(),
        order_items=lambda some: [*reversed(some[1:]), some[0].replace("94.9,", "94.90,").replace("10.05", "010.05")],
        orders=lambda some: [text.replace(an_id(1), an_id(1).upper()) for text in reversed(some)],
        geolocation=lambda some: [text.replace("01001,", "1001,") for text in reversed(some)],
        products=lambda some: [*some, some[0]],
        sellers=replacing("04001", '"4001"'),
    )
    told = loads.load_whole(otherwise)
    assert events_of(told) == NO_EVENTS
    assert all(of_file(told, file) == (0, 0, told["files"][file]["rows"], 0) for file in told["files"])


def test_what_a_later_extract_lacks_stays_as_it_was(loads: Loads) -> None:
    loads.begin(a_good_extract())
    before = loads.warehouse.digests()
    told = loads.load({file: some[:1] for file, some in a_good_extract().items() if file != "geolocation"})
    assert events_of(told) == NO_EVENTS
    assert loads.warehouse.digests() == before

    # One line of an order is corrected; the other one and the payment are not in the extract.
    loads.load({"order_items": [an_item(1, 2, "6.00", "0.05", seller=51)]})
    assert loads.shown("SELECT item_count, price, paid FROM sales.fact_order ORDER BY order_id LIMIT 1") == [
        (2, money("100.90"), money("110.00"))
    ]


def test_items_alone_reach_the_orders_that_are_known(loads: Loads) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    added = [an_item(1, 3, "1.00", seller=52), an_item(2, 1, "901.00", "20.00", seller=51), an_item(4)]
    told = loads.load({"order_items": added})
    assert of_file(told, "order_items") == (2, 1, 0, 0)
    together = changed(lines, order_items=lambda some: [*some[:2], *added, *some[3:]])
    assert events_of(loads.load_whole(together)) == NO_EVENTS
    assert loads.shown("SELECT price, is_paid FROM sales.fact_order ORDER BY order_id LIMIT 2") == [
        (money("100.90"), False),
        (money("901.00"), False),
    ]


def test_payments_and_reviews_alone_reach_the_orders_that_are_known(loads: Loads) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    payments, reviews = [a_payment(4, 1, "5.00")], [a_review(804, 4, 3)]
    told = loads.load({"order_payments": payments, "order_reviews": reviews})
    assert events_of(told) == {**NO_EVENTS, "sales": 2, "customer": 1}
    together = changed(lines, order_payments=adding(*payments), order_reviews=adding(*reviews))
    assert events_of(loads.load_whole(together)) == NO_EVENTS


# --- what arrives late -----------------------------------------------------------------------------------------------


def test_a_customer_who_arrives_late_gets_their_order_with_all_that_hangs_on_it(loads: Loads) -> None:
    lines = a_good_extract()
    loads.load_whole(changed(lines, customers=without(1)))
    person = f"SELECT customer_id FROM sales.fact_order WHERE order_id = '{an_id(2)}'"
    assert loads.shown(person) == [(NOBODY,)]

    told = loads.load({"customers": lines["customers"][1:2]})
    assert of_file(told, "customers") == (1, 0, 0, 0)
    assert loads.shown(person) == [(UUID(int=901),)]
    for table in ("fulfillment.fact_delivery", "customer.fact_review", "sales.fact_order_item"):
        assert loads.shown(f"SELECT customer_id FROM {table} WHERE order_id = '{an_id(2)}'") == [(UUID(int=901),)]
    assert events_of(loads.load_whole(lines)) == NO_EVENTS


def test_a_seller_who_arrives_late_or_moves_changes_where_the_parcels_come_from(loads: Loads) -> None:
    lines = a_good_extract()
    loads.load_whole(changed(lines, sellers=without(0)))
    origins = "SELECT origin_zip FROM fulfillment.fact_delivery ORDER BY order_id"
    assert loads.shown(origins) == [("unknown",), ("80000",), ("unknown",), ("unknown",), ("unknown",)]

    loads.load({"sellers": lines["sellers"][:1]})
    assert loads.shown(origins) == [("04001",), ("80000",), ("04001",), ("unknown",), ("04001",)]
    assert events_of(loads.load_whole(lines)) == NO_EVENTS

    loads.load({"sellers": [line(an_id(50), "70000", "brasília", "DF")]})
    loads.load_whole(changed(lines, sellers=instead(0, line(an_id(50), "70000", "brasília", "DF"))))
    assert loads.shown(origins)[0] == ("70000",)


def test_an_older_order_that_arrives_late_moves_nobody(loads: Loads) -> None:
    lines = a_good_extract()
    loads.load_whole(changed(lines, orders=without(0), **dict.fromkeys(PARTS, of_other_orders_than(1))))
    loads.load_whole(lines)
    assert loads.shown(f"SELECT zip_prefix FROM customer.dim_customer WHERE customer_id = '{UUID(int=901)}'") == [
        ("20000",)
    ]


PARTS = ("order_items", "order_payments", "order_reviews")


def of_other_orders_than(number: int) -> Any:
    return lambda some: [text for text in some if an_id(number) not in text.split(",")[:2]]


def test_the_samples_of_the_newest_extract_replace_those_of_their_prefix_alone(loads: Loads) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    areas = "SELECT zip_prefix, city, latitude, samples FROM fulfillment.dim_geography WHERE samples > 0 ORDER BY 1"
    assert loads.shown(areas) == [("01001", "são paulo", -23.55, 3), ("20000", "rio de janeiro", -22.9, 1)]

    told = loads.load({"geolocation": [*lines["geolocation"][:1], "30000,-19.9,-43.9,belo horizonte,MG"]})
    assert of_file(told, "geolocation") == (1, 1, 0, 0)
    assert loads.shown(areas) == [
        ("01001", "sao paulo", -23.5475, 1),
        ("20000", "rio de janeiro", -22.9, 1),
        ("30000", "belo horizonte", -19.9, 1),
    ]

    loads.load({"geolocation": ["30000,45.0,9.0,milano,SP"]})  # none is left inside Brazil
    assert [row[0] for row in loads.shown(areas)] == ["01001", "20000"]


def test_the_calendar_grows_and_shrinks_with_the_latest_time(loads: Loads) -> None:
    def ends() -> list[tuple[Any, ...]]:
        return loads.shown("SELECT max(date) FROM shared.dim_date")

    lines = a_good_extract()
    loads.begin(lines)
    assert ends() == [(date(2018, 12, 31),)]
    for file, new, last_year in (
        ("order_items", an_item(1, 3).replace("2017-03-05", "2019-01-01"), 2020),
        ("order_reviews", a_review(803, 3, answered="2020-12-31 23:59:59"), 2021),
        ("orders", an_order(6, "created", promised="2022-01-01 00:00:00"), 2023),
    ):
        loads.load({file: [new]})
        assert ends() == [(date(last_year, 12, 31),)]
    loads.load({"orders": [an_order(6, "created")]})
    assert ends() == [(date(2021, 12, 31),)]


def test_a_category_is_noticed_first_and_translated_later(loads: Loads) -> None:
    lines = a_good_extract()
    loads.load_whole({**lines, "categories": []})
    english = "SELECT DISTINCT category_english FROM marketplace.dim_product ORDER BY 1"
    assert loads.shown(english) == [("casa",), ("unknown",)]
    loads.load({"categories": ["casa,home"]})
    assert loads.shown(english) == [("home",), ("unknown",)]
    assert events_of(loads.load_whole(changed(lines, categories=without(1)))) == NO_EVENTS


# --- segments --------------------------------------------------------------------------------------------------------


def segments(loads: Loads) -> list[tuple[Any, ...]]:
    return loads.shown(
        "SELECT as_of, from_segment, to_segment FROM customer.segment_history"
        f" WHERE customer_id = '{UUID(int=901)}' ORDER BY seq"
    )


def test_persons_whom_a_load_does_not_show_are_evaluated_as_of_its_newest_order(loads: Loads) -> None:
    lines = a_good_extract()
    loads.begin(lines)
    for placed in ("2017-09-29 23:59:59", "2017-09-30 00:00:00"):  # 180 and 181 days after the last purchase
        loads.load({"orders": [an_order(7, "created", placed=placed)]})
    assert segments(loads) == [(date(2017, 5, 3), "NEW", "REGULAR"), (date(2017, 9, 30), "REGULAR", "CHURNED")]

    # One who comes back is a regular customer again.
    back = an_order(8, placed="2017-09-30 12:00:00")
    loads.load({"orders": [back], "customers": [a_customer(108, 901)]})
    assert segments(loads)[2:] == [(date(2017, 9, 30), "CHURNED", "REGULAR")]


def test_a_newest_order_that_was_placed_earlier_after_all_takes_the_evaluation_back(loads: Loads) -> None:
    lines = a_good_extract()
    late = changed(lines, orders=adding(an_order(7, "created", placed="2018-05-03 00:00:00")))
    loads.load_whole(late)
    assert segments(loads) == [(date(2018, 5, 3), "NEW", "CHURNED")]

    corrected = write(
        loads.folder / "corrected",
        changed(lines, orders=adding(an_order(7, "created", placed="2017-05-04 00:00:00"))),
    )
    dry = loads.warehouse.json("ingest", corrected, "--dry-run")
    told = loads.load_whole(changed(lines, orders=adding(an_order(7, "created", placed="2017-05-04 00:00:00"))))
    assert segments(loads)[1:] == [(date(2017, 5, 4), "CHURNED", "REGULAR")]
    assert dry["events"] == told["events"]


# --- day by day ------------------------------------------------------------------------------------------------------


def test_extracts_of_one_day_after_another_end_as_the_last_one_alone(loads: Loads, tmp_path: Path) -> None:
    days = ("2016-12-31", "2017-06-30", "2017-12-01", "2018-08-31T12:00:00")
    for day in days:
        loads.warehouse.json("generate", tmp_path / day, "--orders", "150", "--seed", "5", "--until", day)
        told = loads.warehouse.ingest(tmp_path / day)
        assert sum(counts["quarantined"] for counts in told["files"].values()) == 0
        loads.check()
        assert loads.warehouse.differs_from(expected(tmp_path / day), *DEPENDS_ON_EARLIER_LOADS) == "", day
    assert loads.shown("SELECT count(DISTINCT as_of) > 1, max(seq) > 1 FROM customer.segment_history") == [(True, True)]
