"""The rules of the star schema, each by an example worked out by hand that the program loads.

All examples stand in one extract, loaded once; the numbers of the orders tell whose they are. The oracle must agree on
all of it.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.expected import FILES, expected
from tests.oracle.lines import NOBODY, PLACED, moment, money
from tests.support.examples import (
    APPROVED,
    AWAY,
    CARRIER,
    CITIES,
    DELIVERED,
    DELIVERIES,
    EVALUATION,
    HOME,
    PAID,
    PERSONS,
    SELLER_OF_CITY,
    SELLER_OF_STATE,
    STATES,
    STATUSES,
    examples,
)
from tests.support.extracts import write, zipped
from tests.support.in_process import Warehouse


class Loaded(Warehouse):
    """The warehouse after the load of the examples, and the folder that they came from."""

    def __init__(self, database: Database, home: Path, extract: Path) -> None:
        super().__init__(database, home)
        self.extract = extract

    def of(self, table: str, names: str, key: str) -> dict[Any, tuple[Any, ...]]:
        """The columns of a table, named with commas, by a key; ids that are small numbers as such."""
        rows = self.table(table, [key, *names.split(", ")])
        return {small(found): tuple(map(small, values)) for found, *values in rows}

    def of_order(self, table: str, number: int, names: str) -> list[list[Any]]:
        """The columns of a table for one order, in the order of their values."""
        return sorted(
            (row for key, *row in self.table(table, ["order_id", *names.split(", ")]) if key == UUID(int=number)),
            key=repr,
        )


def small(value: object) -> object:
    return value.int if isinstance(value, UUID) and value.int < 0x10000 else value


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The examples, loaded from a zip; nobody changes them afterwards."""
    folder = tmp_path_factory.mktemp("examples")
    extract = write(folder / "extract", examples())
    name = sql.Identifier("rules_by_example")
    url = server.url()
    with psycopg.connect(url.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE replayhouse STRATEGY file_copy").format(name))
        warehouse = Loaded(Database(url.replace("/replayhouse?", "/rules_by_example?")), folder / "home", extract)
        warehouse.ingest(zipped(extract, folder / "extract.zip", zipfile.ZIP_DEFLATED))
        yield warehouse
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_the_oracle_agrees_on_all_examples(loaded: Loaded) -> None:
    assert loaded.differs_from(expected(loaded.extract)) == ""


def test_what_is_odd_but_legal_is_loaded_and_found(loaded: Loaded) -> None:
    assert loaded.rows("SELECT * FROM quality.quarantine") == []
    found = {rule for (rule,) in loaded.rows("SELECT rule FROM quality.fact_check WHERE failed > 0")}
    assert found >= {
        *("orders_have_customer", "items_have_product", "items_have_seller", "states_known"),
        *("orders_have_lines", "orders_have_payments", "payments_positive", "installments_positive"),
        *("times_fit_status", "shipped_after_approved", "delivered_after_shipped", "answered_after_created"),
    }
    assert loaded.of_order("sales.fact_order", 63, "status, max_installments") == [["delivered", 0]]


def test_durations_are_rounded_half_away_from_zero_and_may_be_negative(loaded: Loaded) -> None:
    shown = loaded.of("fulfillment.fact_delivery", "days_to_dispatch, days_to_deliver", "order_id")
    assert {number: shown[number] for number in DELIVERIES} == {
        number: (money(days), money(days)) for number, (_, days, *_) in DELIVERIES.items()
    }
    hours = {(row[0], row[1]): row[2] for row in reviews(loaded, "hours_to_answer")}
    assert hours == {(1, 51): money("0.01"), (1, 52): money("-0.01"), (2, 51): None}


def reviews(loaded: Loaded, names: str) -> list[tuple[Any, ...]]:
    rows = loaded.table("customer.fact_review", ["review_id", "order_id", *names.split(", ")])
    return sorted((tuple(map(small, row)) for row in rows), key=lambda row: row[:2])


def test_of_nothing_counts_and_sums_are_zero_and_codes_unknown_and_the_rest_is_null(loaded: Loaded) -> None:
    counts = "item_count, seller_count, payment_count, price, freight, total, paid"
    assert loaded.of_order("sales.fact_order", 99, counts) == [[0, 0, 0, *[money("0.00")] * 4]]
    rest = "max_installments, payment_method, is_paid, approved_at"
    assert loaded.of_order("sales.fact_order", 99, rest) == [[None, "unknown", False, None]]
    spent = loaded.of("customer.dim_customer", "orders, spent, average_order, first_purchase_at", "customer_id")
    assert spent[0x2002] == (0, money("0.00"), None, None)


def test_a_date_key_is_the_local_date_of_placing_and_for_reviews_of_asking(loaded: Loaded) -> None:
    for table in ("sales.fact_order", "sales.fact_order_item", "sales.fact_payment", "fulfillment.fact_delivery"):
        assert {key for (key,) in loaded.of_order(table, 51, "date_key")} == {20170331}
    assert [row[2] for row in reviews(loaded, "date_key")] == [20170401, 20170401, 20170501]


def test_each_state_lies_in_its_region(loaded: Loaded) -> None:
    sellers = loaded.of("marketplace.dim_seller", "state, region", "seller_id")
    assert {sellers[number] for number in SELLER_OF_STATE.values()} == set(STATES.items())


def test_cities_are_normalised_and_shown_as_they_are(loaded: Loaded) -> None:
    sellers = loaded.of("marketplace.dim_seller", "city, city_normalised", "seller_id")
    assert {sellers[number] for number in SELLER_OF_CITY.values()} == set(CITIES.items())
    assert loaded.of("customer.dim_customer", "city, city_normalised", "customer_id")[0x2001] == ("Á  b", "a b")


POSITIONS = """
    WITH newest AS (
        SELECT originator_id, max(notification_id) AS position FROM event_store.{}_events GROUP BY originator_id
    )
    SELECT count(*)
    FROM {} AS shown LEFT JOIN newest ON newest.originator_id = shown.{}
    WHERE shown.position <> coalesce(newest.position, 0)
"""


def test_a_row_shows_the_position_of_the_newest_event_of_its_stream(loaded: Loaded) -> None:
    for context, table, stream in (
        ("sales", "sales.fact_order", "order_id"),
        ("sales", "sales.fact_order_item", "order_id"),
        ("sales", "sales.fact_payment", "order_id"),
        ("fulfillment", "fulfillment.fact_delivery", "order_id"),
        ("customer", "customer.dim_customer", "customer_id"),
        ("customer", "customer.customer_alias", "customer_id"),
        ("customer", "customer.address_history", "customer_id"),
        ("customer", "customer.segment_history", "customer_id"),
        ("marketplace", "marketplace.product", "product_id"),
        ("marketplace", "marketplace.dim_seller", "seller_id"),
        ("quality", "quality.batch_file", "batch_id"),
    ):
        assert loaded.rows(POSITIONS.format(context, table, stream)) == [(0,)], table


def test_dimensions_have_an_unknown_member_and_facts_keep_keys_that_no_dimension_has(loaded: Loaded) -> None:
    for table, key in (
        ("customer.dim_customer", "customer_id"),
        ("marketplace.product", "product_id"),
        ("marketplace.dim_product", "product_id"),
        ("marketplace.dim_seller", "seller_id"),
        ("marketplace.dim_category", "category"),
        ("fulfillment.dim_geography", "zip_prefix"),
    ):
        assert loaded.of(table, "position", key)["unknown" if key in ("category", "zip_prefix") else 0] == (0,)
    deliveries = loaded.of("fulfillment.fact_delivery", "destination_zip, origin_zip", "order_id")
    assert (deliveries[61], deliveries[99]) == (("99999", "unknown"), ("unknown", "unknown"))
    assert "99999" not in loaded.of("fulfillment.dim_geography", "state", "zip_prefix")
    assert loaded.of_order("sales.fact_order_item", 52, "item_no, product_id, seller_id") == [
        [1, UUID(int=70), UUID(int=0x9999)],
        [2, UUID(int=70), UUID(int=50)],
    ]
    assert 70 not in loaded.of("marketplace.product", "category", "product_id")


def test_the_calendar_ends_with_the_year_after_the_latest_time(loaded: Loaded) -> None:
    assert loaded.rows("SELECT min(date), max(date), count(*) FROM shared.dim_date") == [
        (date(2016, 1, 1), date(2018, 12, 31), 366 + 365 + 365)
    ]


def test_days_are_described_in_english_with_iso_weeks_and_national_holidays(loaded: Loaded) -> None:
    names = "date_key, month_name, year_month, week, day_of_week, day_name, is_weekend, is_month_end, holiday_name"
    shown = {row[0]: row[1:] for row in loaded.table("shared.dim_date", names.split(", "))}
    assert shown[20160101] == (*("January", "2016-01", 53, 5, "Friday", False, False, "Universal Fraternization Day"),)
    assert [shown[day][5] for day in (20170428, 20170429, 20170430, 20170501)] == [False, True, True, False]
    assert shown[20170430] == ("April", "2017-04", 17, 7, "Sunday", True, True, None)
    assert [key for key, row in shown.items() if row[-1] == "Good Friday"] == [20160325, 20170414, 20180330]
    assert shown[20170228][-1] is None  # carnival
    assert shown[20171120][-1] is None  # a holiday since 2024


def test_only_times_that_the_status_allows_are_shown(loaded: Loaded) -> None:
    shown = loaded.of("sales.fact_order", "status, approved_at, shipped_at, completed_at", "order_id")
    for number, (status, times, _, _) in STATUSES.items():
        given = (APPROVED, CARRIER, DELIVERED)
        allowed = [moment(time) if is_shown else None for time, is_shown in zip(given, times, strict=True)]
        assert shown[number] == (status, *allowed)
        assert shown[number + 10] == (status, None, None, None)


def test_an_order_belongs_to_the_person_behind_its_alias(loaded: Loaded) -> None:
    orders = loaded.of("sales.fact_order", "customer_id, customer_alias", "order_id")
    assert orders[51] == (0x2000, 151)
    assert orders[52] == (0x2001, 152)
    assert orders[11] == (NOBODY.int, 111)


def test_an_order_sums_its_lines_and_names_its_largest_payment(loaded: Loaded) -> None:
    names = "item_count, seller_count, price, freight, total, paid, payment_count, max_installments, payment_method"
    assert loaded.of_order("sales.fact_order", 51, names) == [
        [3, 2, *map(money, ("15.95", "1.05", "17.00", "17.00")), 3, 9, "boleto"]
    ]


def test_an_order_is_paid_by_something_that_reaches_its_total(loaded: Loaded) -> None:
    orders = loaded.of("sales.fact_order", "is_paid", "order_id")
    assert {number: orders[number] for number in PAID} == {number: (paid,) for number, (*_, paid) in PAID.items()}


def test_lines_and_payments_take_what_they_lack_from_their_order(loaded: Loaded) -> None:
    lines = loaded.of_order("sales.fact_order_item", 51, "item_no, customer_id, status, date_key, total, ship_by")
    ship_by = moment("2017-03-05 00:00:00")
    assert lines == [
        [number, UUID(int=0x2000), "canceled", 20170331, money(total), ship_by]
        for number, total in ((1, "5.00"), (2, "11.15"), (3, "0.85"))
    ]
    assert loaded.of_order("sales.fact_payment", 51, "payment_no, amount, date_key") == [
        [2, money("0.00"), 20170331],
        [3, money("8.50"), 20170331],
        [4, money("8.50"), 20170331],
    ]


def test_a_delivery_is_as_far_as_the_status_and_the_dispatch_say(loaded: Loaded) -> None:
    shown = loaded.of("fulfillment.fact_delivery", "status", "order_id")
    for number, (_, _, with_times, without_times) in STATUSES.items():
        assert (shown[number], shown[number + 10]) == ((with_times,), (without_times,))
    assert len(shown) == len(examples()["orders"])


def test_the_delivery_of_a_canceled_order_is_none(loaded: Loaded) -> None:
    names = "dispatched_at, delivered_at, days_to_dispatch, days_to_deliver, days_late"
    shown = loaded.of("fulfillment.fact_delivery", names, "order_id")
    assert shown[62] == (moment(CARRIER), None, money("3.00"), None, None)
    assert shown[26] == (moment(CARRIER), moment(DELIVERED), money("3.00"), money("4.00"), 0)


def test_a_delivery_is_late_by_the_date_and_past_its_estimate_by_the_time(loaded: Loaded) -> None:
    shown = loaded.of("fulfillment.fact_delivery", "days_late, is_late, is_past_estimate", "order_id")
    assert {number: shown[number] for number in DELIVERIES} == {n: given[2:] for n, given in DELIVERIES.items()}
    assert shown[61] == (None, None, None)  # delivered, nobody knows when


def test_a_parcel_goes_from_the_seller_of_the_first_line_to_the_alias_of_the_order(loaded: Loaded) -> None:
    shown = loaded.of("fulfillment.fact_delivery", "destination_zip, origin_zip", "order_id")
    assert shown[51] == ("11111", "04001")
    assert shown[52] == ("11111", "unknown")  # of the first line's seller nothing is known
    assert shown[55] == ("22222", "unknown")  # not where the person lives now


def test_an_area_is_the_median_point_and_the_commonest_names_of_its_samples_inside_brazil(loaded: Loaded) -> None:
    areas = loaded.of("fulfillment.dim_geography", "city, state, region, latitude, longitude, samples", "zip_prefix")
    del areas["unknown"]
    assert areas == {
        "01001": ("sao paulo", "RJ", "Southeast", (-23.4 + -23.1) / 2, (-46.3 + -46.2) / 2, 4),
        "69900": ("rio branco", "AC", "North", 0.0, -30.0, 3),
        "80000": ("Zona", "PR", "South", -25.0, -49.0, 3),
    }


def test_every_person_has_a_row_with_orders_or_without(loaded: Loaded) -> None:
    persons = loaded.of("customer.dim_customer", "alias_count, orders", "customer_id")
    assert (persons[0x2001], persons[0x2002]) == ((4, 3), (2, 0))
    assert len(persons) == 1 + len(PERSONS) + 5
    assert loaded.of("customer.customer_alias", "customer_id", "customer_alias")[155] == (0x2001,)


def test_aliases_stand_in_the_order_of_their_orders_and_the_last_one_shows_the_address(loaded: Loaded) -> None:
    persons = loaded.of("customer.dim_customer", "zip_prefix, city, state, region", "customer_id")
    assert persons[0x2001] == (*HOME, "Southeast")  # of the newest order, canceled as it is
    assert persons[0x2002] == ("33333", "c", "BA", "Northeast")  # without orders: of the larger alias
    assert persons[0x2004][0] == "55555"  # an alias without an order comes first


def test_moving_back_makes_a_third_address(loaded: Loaded) -> None:
    names = ["customer_id", "seq", "zip_prefix", "city", "state", "valid_from"]
    rows = sorted(row for row in loaded.table("customer.address_history", names) if row[0].int in (0x2001, 0x2002))
    assert [row[1:] for row in rows] == [
        (1, *HOME, moment("2017-01-02 00:00:00")),
        (2, *AWAY, moment("2017-01-04 00:00:00")),
        (3, *HOME, moment("2017-01-05 00:00:00")),
        (1, "22222", "c", "BA", None),
        (2, "33333", "c", "BA", None),
    ]


def test_a_purchase_is_a_delivered_order_dated_by_its_placing(loaded: Loaded) -> None:
    names = "orders, spent, average_order, first_purchase_at, last_purchase_at"
    persons = loaded.of("customer.dim_customer", names, "customer_id")
    # Orders 61 and 63, one delivered without a time; order 62 was canceled. Half a cent is rounded up.
    assert persons[0x2003] == (2, money("10.01"), money("5.01"), moment(PLACED), moment(PLACED))
    first, last = moment("2017-01-02 00:00:00"), moment("2017-01-04 00:00:00")
    assert persons[0x2001] == (3, money("20.01"), money("6.67"), first, last)
    assert persons[0x1500][:3] == (8, money("1000.08"), money("125.01"))


def test_the_segment_is_that_of_the_date_of_the_newest_order(loaded: Loaded) -> None:
    persons = loaded.of("customer.dim_customer", "segment", "customer_id")
    assert {number: persons[number] for number in PERSONS} == {n: (segment,) for n, (*_, segment) in PERSONS.items()}
    assert persons[0x2002] == ("NEW",)


def test_a_person_starts_as_new_without_a_change_of_segment(loaded: Loaded) -> None:
    changes = loaded.of("customer.segment_history", "seq, as_of, from_segment, to_segment", "customer_id")
    assert {number: changes[number] for number in PERSONS} == {
        number: (1, EVALUATION, "NEW", segment) for number, (*_, segment) in PERSONS.items()
    }
    assert 0x2002 not in changes
    since = loaded.of("customer.dim_customer", "segment_as_of", "customer_id")
    assert (since[0x1000], since[0x2002]) == ((EVALUATION,), (None,))


def test_every_pair_of_review_and_order_is_a_review_of_the_orders_person(loaded: Loaded) -> None:
    assert reviews(loaded, "customer_id, score, sentiment, answered_at") == [
        (1, 51, 0x2000, 4, "positive", moment("2017-04-02 00:00:17")),
        (1, 52, 0x2001, 3, "neutral", moment("2017-03-31 23:59:42")),
        (2, 51, 0x2000, 2, "negative", None),
    ]
    anonymous = loaded.of("customer.dim_customer", "is_anonymized", "customer_id")
    assert set(anonymous.values()) == {(False,)}


def test_categories_are_those_translated_and_those_that_products_show(loaded: Loaded) -> None:
    assert loaded.of("marketplace.dim_category", "english", "category") == {
        "casa": ("home",),
        "livros": ("books",),
        "pc_gamer": ("pc_gamer",),
        "unknown": ("unknown",),
    }


def test_products_show_their_measures_and_the_volume_where_all_sides_are_known(loaded: Loaded) -> None:
    names = "name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm, volume_cm3"
    products = loaded.of("marketplace.product", names, "product_id")
    assert products[1] == (40, 500, 2, 0, 20, 10, 3, 600)
    assert products[2] == (1, 2, 3, 4, 20, None, 3, None)
    assert products[3] == (None,) * 8


def test_the_view_of_products_adds_the_english_category(loaded: Loaded) -> None:
    assert loaded.of("marketplace.dim_product", "category, category_english", "product_id") == {
        0: ("unknown", "unknown"),
        1: ("casa", "home"),
        2: ("pc_gamer", "pc_gamer"),
        3: ("unknown", "unknown"),
    }
    relations = "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'marketplace'"
    assert ("dim_product", "VIEW") in loaded.rows(relations)


def test_files_are_told_with_size_hash_and_records_as_unpacked(loaded: Loaded) -> None:
    shown = loaded.of("quality.batch_file", "bytes, sha256, rows", "file")
    assert shown == {
        file: (len(content), hashlib.sha256(content).hexdigest(), len(examples()[file]))
        for file, name in FILES.items()
        for content in [(loaded.extract / name).read_bytes()]
    }
