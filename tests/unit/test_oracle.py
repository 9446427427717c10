"""The oracle's reading of extracts, its sales and its fulfillment, against examples worked out by hand."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from tests.oracle.expected import FILES, expected, rows
from tests.oracle.lines import (
    NOBODY,
    a_customer,
    a_payment,
    an_id,
    an_item,
    an_order,
    line,
    moment,
    money,
    shown,
    write_extract,
)

Given = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Gives the oracle of an extract that holds the lines of each file."""
    return lambda **lines: expected(write_extract(tmp_path, lines))


def test_identifiers_zips_and_amounts_are_read_in_their_plain_form(given: Given) -> None:
    order = an_order(0xABC).replace(an_id(0xABC), an_id(0xABC).upper())
    oracle = given(
        orders=[order], customers=[a_customer(0xABC + 100, 2, "1001")], order_items=[an_item(0xABC, 1, "94.9", "7")]
    )
    assert shown(oracle, "sales.fact_order", "order_id", "customer_id", "total") == [
        (UUID(int=0xABC), UUID(int=2), money("101.90"))
    ]
    assert shown(oracle, "customer.dim_customer", "zip_prefix") == [("01001",)]


def test_empty_cells_are_null_and_texts_keep_blanks_and_line_ends(given: Given) -> None:
    times = ("2017-04-01 00:00:00", "2017-04-01 00:00:18")
    reviews = [
        line(an_id(8), an_id(1), 4, '""', '"two\r\nlines, "" and all "', *times),
        line(an_id(9), an_id(1), 3, " ", "", "2017-04-01 00:00:00", ""),
    ]
    oracle = given(orders=[an_order(1)], order_reviews=reviews)
    assert shown(oracle, "customer.fact_review", "review_id", "title", "comment", "sentiment", "hours_to_answer") == [
        (UUID(int=8), None, 'two\r\nlines, " and all ', "positive", money("0.01")),
        (UUID(int=9), " ", None, "neutral", None),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column(given: Given, tmp_path: Path) -> None:
    given(orders=[an_order(1)])
    path = tmp_path / FILES["orders"]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(rows(expected(tmp_path), "sales.fact_order")) == 1


@pytest.mark.parametrize(
    "bad",
    [
        an_order(1, status="Delivered"),
        an_order(1, placed=""),
        an_order(1, placed="2017-02-30 10:00:00"),
        an_order(1, placed="2017-03-01T10:00:00Z"),
        an_order(1, placed="2017-03-01 24:00:00"),
        an_order(1, delivered="soon"),
        an_order(1, promised=""),
        an_order(1).replace(an_id(1), "no-identifier"),
        an_order(1) + ",one cell more",
    ],
)
def test_an_order_that_cannot_be_read_is_quarantined_and_takes_its_rows_along(given: Given, bad: str) -> None:
    oracle = given(
        orders=[bad, an_order(2)],
        order_items=[an_item(1), an_item(2)],
        order_payments=[a_payment(1, 1, "10.00"), a_payment(2, 1, "10.00")],
    )
    for table in ("sales.fact_order", "sales.fact_order_item", "sales.fact_payment", "fulfillment.fact_delivery"):
        assert shown(oracle, table, "order_id") == [(UUID(int=2),)]
    counted = {file: count for file, _, _, count in rows(oracle, "quality.batch_file")}
    assert (counted["orders"], counted["order_items"], counted["sellers"]) == (2, 2, 0)


def test_rows_with_values_out_of_their_form_are_quarantined(given: Given) -> None:
    answered = ("2017-04-01 00:00:00", "2017-04-02 00:00:00")
    oracle = given(
        orders=[an_order(1)],
        order_items=[
            an_item(1, 1, "-1.00"),
            an_item(1, 2, "1.001"),
            an_item(1, 3, "1e2"),
            an_item(1, "4.5"),
            an_item(1, 5),
        ],
        order_payments=[
            a_payment(1, 1, "12345678901"),
            a_payment(1, 2, "0", installments=-1),
            a_payment(1, 3, "", "x"),
        ],
        order_reviews=[line(an_id(8), an_id(1), score, "", "", *answered) for score in (0, 6, "4.5", 5)],
        customers=[a_customer(101, 1, "123456"), a_customer(102, 2, city="")],
        products=[line(an_id(1), "", "40.5", "", "", "", "", "", ""), line(an_id(2), "", "-4", "", "", 0, "", "", "")],
    )
    assert shown(oracle, "sales.fact_order_item", "item_no") == [(5,)]
    assert shown(oracle, "sales.fact_payment", "payment_no", "installments", "amount") == [(2, -1, money("0.00"))]
    assert shown(oracle, "customer.fact_review", "score") == [(5,)]
    assert shown(oracle, "customer.dim_customer", "customer_id") == []
    assert shown(oracle, "marketplace.product", "name_length", "weight_g") == [(-4, 0)]


def test_forms_that_say_the_same_are_read(given: Given) -> None:
    oracle = given(
        orders=[an_order(1, placed="2017-03-01T10:00:00.000", delivered="2017-03-04")],
        order_items=[an_item(1, "4.0")],
        products=[line(an_id(1), "", "40.0", "", "", "-0.00", "", "", "")],
    )
    times = (moment("2017-03-01 10:00:00"), moment("2017-03-04 00:00:00"))
    assert shown(oracle, "sales.fact_order", "placed_at", "completed_at") == [times]
    assert shown(oracle, "sales.fact_order_item", "item_no") == [(4,)]
    assert shown(oracle, "marketplace.product", "name_length", "weight_g") == [(40, 0)]


def test_of_rows_with_the_same_key_the_first_good_one_counts(given: Given) -> None:
    oracle = given(
        orders=[an_order(1, "lost"), an_order(1, "shipped"), an_order(1, "delivered")],
        customers=[a_customer(101, 1), a_customer(101, 2)],
        order_payments=[a_payment(1, 1, "x"), a_payment(1, 1, "3.00"), a_payment(1, 1, "4.00")],
        categories=["casa,home", "casa,house"],
    )
    assert shown(oracle, "sales.fact_order", "status", "paid", "customer_id") == [
        ("shipped", money("3.00"), UUID(int=1))
    ]
    assert shown(oracle, "marketplace.dim_category", "category", "english") == [("casa", "home")]


@pytest.mark.parametrize(
    ("status", "approved", "shipped", "completed", "delivery"),
    [
        ("created", False, False, False, "planned"),
        ("approved", True, False, False, "planned"),
        ("invoiced", True, False, False, "planned"),
        ("processing", True, False, False, "planned"),
        ("shipped", True, True, False, "dispatched"),
        ("delivered", True, True, True, "delivered"),
        ("canceled", True, True, False, "dispatched"),
        ("unavailable", True, True, False, "dispatched"),
    ],
)
def test_only_times_that_the_status_allows_are_shown(
    given: Given, status: str, approved: bool, shipped: bool, completed: bool, delivery: str
) -> None:
    order = an_order(
        1, status, approved="2017-03-02 00:00:00", carrier="2017-03-03 00:00:00", delivered="2017-03-04 00:00:00"
    )
    oracle = given(orders=[order])
    ((*times,),) = rows(oracle, "sales.fact_order", ("approved_at", "shipped_at", "completed_at"))
    assert [time is not None for time in times] == [approved, shipped, completed]
    ((found, *times_of_delivery),) = rows(
        oracle, "fulfillment.fact_delivery", ("status", "dispatched_at", "delivered_at")
    )
    assert (found, times_of_delivery) == (delivery, times[1:])


def test_a_status_without_a_time_still_says_how_far_the_delivery_is(given: Given) -> None:
    oracle = given(orders=[an_order(n, status) for n, status in enumerate(("shipped", "delivered", "canceled"), 1)])
    assert shown(
        oracle, "fulfillment.fact_delivery", "order_id", "status", "days_late", "is_late", "is_past_estimate"
    ) == [
        (UUID(int=1), "dispatched", None, None, None),
        (UUID(int=2), "delivered", None, None, None),
        (UUID(int=3), "canceled", None, None, None),
    ]


@pytest.mark.parametrize(
    ("delivered", "days", "late", "is_late", "past_estimate"),
    [
        ("2017-03-19 23:59:59", "18.58", 0, False, False),  # 18 days, 13:59:59: 18.583...
        ("2017-03-20 00:00:00", "18.58", 0, False, False),
        ("2017-03-20 00:00:01", "18.58", 0, False, True),  # on the promised day: on time by the date rule
        ("2017-03-21 00:00:00", "19.58", 1, True, True),
        ("2017-03-01 10:07:12", "0.01", 0, False, False),  # 432 s are 0.005 days
        ("2017-03-01 10:07:11", "0.00", 0, False, False),
        ("2017-03-01 09:52:48", "-0.01", 0, False, False),  # half away from zero on this side too
    ],
)
def test_a_delivery_is_timed_in_hundredths_of_days_and_late_by_the_date(
    given: Given, delivered: str, days: str, late: int, is_late: bool, past_estimate: bool
) -> None:
    oracle = given(orders=[an_order(1, carrier=delivered, delivered=delivered)])
    names = ("days_to_dispatch", "days_to_deliver", "days_late", "is_late", "is_past_estimate")
    assert shown(oracle, "fulfillment.fact_delivery", *names) == [
        (money(days), money(days), late, is_late, past_estimate)
    ]


def test_an_order_sums_its_lines_and_payments(given: Given) -> None:
    oracle = given(
        orders=[an_order(1), an_order(2)],
        order_items=[
            an_item(1, 2, "10.10", "1.05", seller=51),
            an_item(1, 1, "5.00", "0.00"),
            an_item(1, 3, "0.85", "0"),
        ],
        order_payments=[
            a_payment(1, 4, "8.50", "voucher", 3),
            a_payment(1, 3, "8.50", "boleto", 1),
            a_payment(1, 2, "0.00", "debit_card", 9),
        ],
    )
    names = ("item_count", "seller_count", "price", "freight", "total", "paid", "payment_count", "max_installments")
    assert shown(oracle, "sales.fact_order", "order_id", *names, "payment_method", "is_paid") == [
        (UUID(int=1), 3, 2, *map(money, ("15.95", "1.05", "17.00", "17.00")), 3, 9, "boleto", True),
        (UUID(int=2), 0, 0, *map(money, ("0.00", "0.00", "0.00", "0.00")), 0, None, "unknown", False),
    ]


@pytest.mark.parametrize(
    ("price", "paid", "is_paid"),
    [("10.00", "9.99", False), ("10.00", "10.00", True), ("0.00", "0.00", False), (None, "0.01", True)],
)
def test_an_order_is_paid_by_something_that_reaches_its_total(
    given: Given, price: str | None, paid: str, is_paid: bool
) -> None:
    items = [] if price is None else [an_item(1, 1, price)]
    oracle = given(orders=[an_order(1)], order_items=items, order_payments=[a_payment(1, 1, paid)])
    assert shown(oracle, "sales.fact_order", "is_paid") == [(is_paid,)]


def test_lines_and_payments_take_person_status_and_day_from_their_order(given: Given) -> None:
    oracle = given(
        orders=[an_order(1, "canceled")],
        customers=[a_customer(101, 9)],
        order_items=[an_item(1)],
        order_payments=[a_payment(1, 7, "1.00")],
    )
    assert shown(oracle, "sales.fact_order_item", "customer_id", "date_key", "status", "ship_by") == [
        (UUID(int=9), 20170301, "canceled", moment("2017-03-05 00:00:00"))
    ]
    assert shown(oracle, "sales.fact_payment", "payment_no", "date_key") == [(7, 20170301)]


def test_a_parcel_goes_from_the_seller_of_the_first_line_to_the_alias_of_the_order(given: Given) -> None:
    oracle = given(
        orders=[an_order(1), an_order(2, placed="2017-05-01 00:00:00"), an_order(3)],
        customers=[a_customer(101, 9, "11111"), a_customer(102, 9, "22222")],
        sellers=[line(an_id(50), "5", "Itú", "SP"), line(an_id(51), "6", "x", "XX")],
        order_items=[an_item(1, 2, seller=50), an_item(1, 1, seller=51), an_item(2, 1, seller=52), an_item(2, 2)],
    )
    names = ("order_id", "customer_id", "destination_zip", "origin_zip")
    assert shown(oracle, "fulfillment.fact_delivery", *names) == [
        (UUID(int=1), UUID(int=9), "11111", "00006"),
        (UUID(int=2), UUID(int=9), "22222", "unknown"),
        (UUID(int=3), NOBODY, "unknown", "unknown"),
    ]
    assert shown(oracle, "marketplace.dim_seller", "zip_prefix", "city_normalised", "region") == [
        ("00005", "itu", "Southeast"),
        ("00006", "x", "unknown"),
    ]


def test_an_area_is_the_median_point_and_the_commonest_names_of_its_samples(given: Given) -> None:
    oracle = given(
        geolocation=[
            "1001,-23.5,-46.1,sao paulo,SP",
            "01001,-23.1,-46.4,são paulo,RJ",
            "01001,-23.4,-46.2,são paulo,SP",
            "01001,-23.1,-46.3,sao paulo,RJ",
            "01001,45.0,-46.3,sao paulo,RJ",  # outside: counts for nothing
            "69900,5.28,-74.00,rio branco,AC",
            "69900,-33.76,-28.84,rio branco,AC",
            "69900,0,-30,Acre,AC",
            "90000,5.29,-50.0,nowhere,RS",
            "90000,0.0,-28.83,nowhere,RS",
        ]
    )
    assert shown(oracle, "fulfillment.dim_geography", *oracle.table("fulfillment.dim_geography").columns) == [
        ("01001", "sao paulo", "RJ", "Southeast", (-23.4 + -23.1) / 2, (-46.3 + -46.2) / 2, 4),
        ("69900", "rio branco", "AC", "North", 0.0, -30.0, 3),
    ]
