"""Extracts as of earlier days (R41): each agrees with the later ones of the same seed, and none goes backwards."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.sales.order import RANK
from replayhouse.ingest.synthetic import generate
from replayhouse.ingest.synthetic.knowledge import as_known
from replayhouse.ingest.synthetic.orders import Market
from replayhouse.ingest.synthetic.people import BLOCK, LAYOUT
from replayhouse.ingest.synthetic.plans import TRAPS
from tests.oracle.expected import expected
from tests.oracle.snapshots import snapshot
from tests.support.synthetic import Records, records_of

ORDERS = 400
SEED = 11
DAYS = (
    date(2016, 9, 4),
    date(2017, 3, 1),
    date(2017, 11, 24),
    date(2018, 3, 15),
    date(2018, 8, 30),
    date(2018, 10, 17),
)


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole")
    generate(directory, ORDERS, SEED)
    return directory


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> list[Records]:
    extracts = []
    for day in DAYS:
        directory = tmp_path_factory.mktemp("day")
        generate(directory, ORDERS, SEED, until=end_of(day))
        extracts.append(records_of(directory))
    return extracts


@pytest.mark.parametrize("day", DAYS)
def test_an_extract_as_of_a_day_is_the_snapshot_of_the_whole_on_that_day(
    tmp_path: Path, whole: Path, daily: list[Records], day: date
) -> None:
    with expected(whole) as oracle:
        cut = records_of(snapshot(whole, oracle, day, tmp_path / "cut"))

    assert daily[DAYS.index(day)] == cut


def test_what_an_extract_shows_stays_in_all_later_ones(daily: list[Records]) -> None:
    kept = {"customers", "order_items", "order_payments", "order_reviews"}
    for earlier, later in pairwise(daily):
        for file in kept:
            assert {tuple(row.values()) for row in earlier[file]} <= {tuple(row.values()) for row in later[file]}
        for file in ("products", "sellers", "geolocation", "categories"):
            assert earlier[file] == later[file]


def test_no_order_goes_backwards_and_no_time_changes_once_known(daily: list[Records]) -> None:
    for earlier, later in pairwise(daily):
        now = {row["order_id"]: row for row in later["orders"]}
        for row in earlier["orders"]:
            then = now[row["order_id"]]
            assert RANK[row["order_status"]] <= RANK[then["order_status"]]
            assert all(then[cell] == value for cell, value in row.items() if cell != "order_status" and value)


def test_orders_are_seen_on_their_way(daily: list[Records], whole: Path) -> None:
    ended = {row["order_id"]: row["order_status"] for row in records_of(whole)["orders"]}

    seen = {
        (row["order_status"], ended[row["order_id"]])
        for extract in daily
        for row in extract["orders"]
        if row["order_status"] != ended[row["order_id"]]
    }
    assert ("shipped", "delivered") in seen
    assert ("approved", "delivered") in seen


def test_nothing_is_known_before_the_first_order_but_the_catalogue(tmp_path: Path) -> None:
    counted = generate(tmp_path, 50, SEED, until=datetime(2016, 9, 3, 23, 59, 59))

    assert not any(counted[file] for file in ("orders", "customers", "order_items", "order_payments", "order_reviews"))
    assert all(counted[file] for file in ("products", "sellers", "geolocation", "categories"))


@given(
    seed=st.integers(0, 50),
    number=st.integers(0, 99),
    hours=st.lists(st.integers(0, 24 * 120), min_size=2, max_size=2).map(sorted),
)
def test_between_any_two_moments_an_order_only_goes_up(seed: int, number: int, hours: list[int]) -> None:
    order = Market(seed, 100).order(number)
    earlier, later = (as_known(order, order.placed_at + timedelta(hours=after)) for after in hours)

    assert RANK[earlier.status] <= RANK[later.status] <= RANK[order.status]
    for known in (earlier, later):
        assert known._replace(status=order.status, journey=order.journey, reviews=order.reviews) == order
    for then, now in zip(earlier.journey, later.journey, strict=True):
        assert then in (None, now)
    assert set(earlier.reviews) <= set(later.reviews) <= set(order.reviews)


def test_in_the_end_everything_is_known() -> None:
    market = Market(SEED, 100)
    for order in map(market.order, range(100)):
        assert as_known(order, datetime(2020, 1, 1)) == order


def test_no_slot_is_meant_for_a_regular_customer_and_for_a_trap() -> None:
    assert not set(LAYOUT) & set(TRAPS)
    assert max(LAYOUT) < BLOCK
