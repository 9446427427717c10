"""The oracle's customers, products and calendar, against examples worked out by hand."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import holidays as calendar
import pytest

from tests.oracle.expected import easter, expected, holidays, normalised, rows
from tests.oracle.lines import (
    NOBODY,
    PLACED,
    a_customer,
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


def test_addresses_follow_the_orders_and_moving_back_makes_a_third(given: Given) -> None:
    home, away = ("11111", "Á  b", "RJ"), ("22222", "c", "BA")
    oracle = given(
        orders=[
            an_order(4, placed="2017-01-04 00:00:00"),
            an_order(1, placed="2017-01-02 00:00:00"),
            an_order(2, "canceled", placed="2017-01-05 00:00:00"),
            an_order(3, placed="2017-01-03 00:00:00"),
        ],
        customers=[
            a_customer(101, 9, *home),
            a_customer(102, 9, *home),
            a_customer(103, 9, *home),
            a_customer(104, 9, *away),
        ],
    )
    assert shown(oracle, "customer.address_history", "seq", "zip_prefix", "city", "state", "valid_from") == [
        (1, *home, moment("2017-01-02 00:00:00")),
        (2, *away, moment("2017-01-04 00:00:00")),
        (3, *home, moment("2017-01-05 00:00:00")),
    ]
    names = ("zip_prefix", "city", "city_normalised", "state", "region", "alias_count", "orders")
    assert shown(oracle, "customer.dim_customer", *names) == [("11111", "Á  b", "a b", "RJ", "Southeast", 4, 3)]


def test_an_alias_without_an_order_comes_first_and_shows_no_time(given: Given) -> None:
    oracle = given(
        orders=[an_order(1)],
        customers=[a_customer(101, 9, "11111"), a_customer(150, 9, "22222"), a_customer(140, 9, "33333")],
    )
    assert shown(oracle, "customer.address_history", "seq", "zip_prefix", "valid_from") == [
        (1, "33333", None),
        (2, "22222", None),
        (3, "11111", moment(PLACED)),
    ]


def test_an_address_is_valid_from_the_first_order_that_shows_it(given: Given) -> None:
    oracle = given(orders=[an_order(1)], customers=[a_customer(101, 9), a_customer(150, 9)])
    assert shown(oracle, "customer.address_history", "seq", "valid_from") == [(1, moment(PLACED))]


def test_a_person_without_a_purchase_is_new_and_has_no_history(given: Given) -> None:
    oracle = given(orders=[an_order(1, "shipped")], customers=[a_customer(101, 9), a_customer(109, 8)])
    names = ("orders", "spent", "average_order", "last_purchase_at", "segment", "segment_as_of", "is_anonymized")
    assert shown(oracle, "customer.dim_customer", *names) == [(0, money("0.00"), None, None, "NEW", None, False)] * 2
    assert rows(oracle, "customer.segment_history") == []


@pytest.mark.parametrize(
    ("purchases", "price", "latest", "segment"),
    [
        (1, "10.00", "2017-08-28 00:00:00", "ONE_TIME"),  # 180 days after 1 March
        (1, "10.00", "2017-08-29 00:00:00", "CHURNED"),
        (2, "10.00", PLACED, "REGULAR"),
        (5, "900.00", PLACED, "REGULAR"),
        (8, "125.00", PLACED, "LOYAL"),  # 1,000.00
        (8, "125.01", PLACED, "VIP"),
        (8, "125.01", "2017-08-29 00:00:00", "CHURNED"),
    ],
)
def test_segments_follow_purchases_as_of_the_latest_order(
    given: Given, purchases: int, price: str, latest: str, segment: str
) -> None:
    orders = range(1, purchases + 1)
    oracle = given(
        orders=[*(an_order(n) for n in orders), an_order(99, "created", placed=latest)],
        customers=[a_customer(100 + n, 9) for n in orders],
        order_items=[an_item(n, 1, price) for n in orders],
    )
    as_of = moment(latest).date()
    assert shown(oracle, "customer.dim_customer", "orders", "segment", "segment_as_of") == [(purchases, segment, as_of)]
    assert shown(oracle, "customer.segment_history", "seq", "as_of", "from_segment", "to_segment") == [
        (1, as_of, "NEW", segment)
    ]


def test_the_average_order_is_rounded_half_away_from_zero(given: Given) -> None:
    oracle = given(
        orders=[an_order(1), an_order(2, placed="2017-03-02 00:00:00")],
        customers=[a_customer(101, 9), a_customer(102, 9)],
        order_items=[an_item(1, 1, "10.00", "0.01")],
    )
    names = ("spent", "average_order", "first_purchase_at", "last_purchase_at")
    assert shown(oracle, "customer.dim_customer", *names) == [
        (money("10.01"), money("5.01"), moment(PLACED), moment("2017-03-02 00:00:00"))
    ]


@pytest.mark.parametrize(
    ("city", "plain"),
    [
        ("São Paulo", "sao paulo"),
        (" rio\u00a0 de\tjaneiro ", "rio de janeiro"),
        ("mogi-guaçu / SP", "mogi-guacu / sp"),
        ("santa bárbara d´oeste 2", "santa barbara d´oeste 2"),
        ("1º de maio", "1º de maio"),
    ],
)
def test_a_city_is_normalised_by_its_marks_case_and_blanks_only(city: str, plain: str) -> None:
    assert normalised(city) == plain


def test_products_show_measures_volume_and_the_english_category(given: Given) -> None:
    oracle = given(
        products=[
            line(an_id(1), "casa", 40, 500, 2, 0, 20, 10, 3),
            line(an_id(2), "pc_gamer", 1, 2, 3, 4, 20, "", 3),
            line(an_id(3), *[""] * 8),
        ],
        categories=["casa,home", "livros,books"],
    )
    nothing = (None,) * 8
    assert sorted(rows(oracle, "marketplace.dim_product")) == [
        (NOBODY, "unknown", "unknown", *nothing),
        (UUID(int=1), "casa", "home", 40, 500, 2, 0, 20, 10, 3, 600),
        (UUID(int=2), "pc_gamer", "pc_gamer", 1, 2, 3, 4, 20, None, 3, None),
        (UUID(int=3), "unknown", "unknown", *nothing),
    ]
    assert [row[:2] for row in sorted(rows(oracle, "marketplace.product"))] == [
        *((NOBODY, "unknown"), (UUID(int=1), "casa"), (UUID(int=2), "pc_gamer"), (UUID(int=3), "unknown"))
    ]
    assert shown(oracle, "marketplace.dim_category", "category", "english") == [
        ("casa", "home"),
        ("livros", "books"),
        ("pc_gamer", "pc_gamer"),
    ]


def test_an_empty_extract_gives_unknown_members_and_two_years(given: Given) -> None:
    oracle = given()
    unknown = ("unknown",) * 6
    zero = money("0.00")
    assert rows(oracle, "customer.dim_customer") == [
        (NOBODY, *unknown[:5], 0, 0, zero, None, None, None, "unknown", None, False)
    ]
    assert rows(oracle, "fulfillment.dim_geography") == [(*unknown[:4], None, None, 0)]
    assert rows(oracle, "marketplace.dim_seller") == [(NOBODY, *unknown[:5])]
    assert rows(oracle, "marketplace.dim_category") == [("unknown", "unknown")]
    assert [day for (day,) in shown_days(oracle)] == [date(2016, 1, 1) + timedelta(days) for days in range(366 + 365)]


def shown_days(oracle: duckdb.DuckDBPyConnection) -> list[tuple[date]]:
    return sorted(rows(oracle, "shared.dim_date", ("date",)))


@pytest.mark.parametrize(
    ("orders", "items", "last_year"),
    [
        ([an_order(1)], [], 2018),
        ([an_order(1, promised="2019-01-01 00:00:00")], [], 2020),
        ([an_order(1, "canceled", delivered="2030-01-01 00:00:00")], [], 2018),  # a time that is recorded nowhere
        ([an_order(1)], [an_item(1).replace("2017-03-05", "2020-02-05"), an_item(1, 2)], 2021),
    ],
)
def test_the_calendar_ends_the_year_after_the_latest_time_shown(
    given: Given, orders: list[str], items: list[str], last_year: int
) -> None:
    assert shown_days(given(orders=orders, order_items=items))[-1] == (date(last_year, 12, 31),)


def test_days_are_described_in_english_with_iso_weeks(given: Given) -> None:
    days = {row[0]: row[1:] for row in rows(given(), "shared.dim_date")}
    assert days[20160101] == (
        *(date(2016, 1, 1), 2016, 1, 1, "January", "2016-01", 53, 1, 5, "Friday"),
        *(False, True, False, True, "Universal Fraternization Day"),
    )
    assert days[20160229] == (
        *(date(2016, 2, 29), 2016, 1, 2, "February", "2016-02", 9, 29, 1, "Monday", False, False, True, False, None),
    )
    assert days[20171231][-5:] == (True, False, True, False, None)


def test_easter_and_the_holidays_agree_with_the_calendar_package() -> None:
    assert [easter(year) for year in (2016, 2017, 2018, 2019)] == [
        *(date(2016, 3, 27), date(2017, 4, 16), date(2018, 4, 1), date(2019, 4, 21))
    ]
    for year in range(2016, 2031):
        assert holidays(year) == dict(calendar.country_holidays("BR", years=year, language="en_US"))
