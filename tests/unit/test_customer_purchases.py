"""What a person bought, and the segment that puts them in."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from replayhouse.domain.customer.customer import (
    NEW_CUSTOMER,
    Customer,
    OrderOutcome,
    Purchase,
    customer_of,
    due_on,
    evaluate,
    record_purchases,
)
from replayhouse.domain.customer.events import (
    PurchaseAmended,
    PurchaseRecorded,
    PurchaseRevoked,
    Segment,
    SegmentChanged,
)
from replayhouse.domain.customer.segment import segment_at
from replayhouse.domain.kernel.events import DomainEvent

PLACED, DELIVERED = datetime(2018, 3, 1, 23, 30), datetime(2018, 3, 9, 12)
ORDER, OTHER = UUID(int=1), UUID(int=2)
TEN = Decimal("10.00")


def delivered(
    order_id: UUID = ORDER,
    amount: Decimal = TEN,
    placed_at: datetime = PLACED,
    completed_at: datetime | None = DELIVERED,
) -> OrderOutcome:
    return OrderOutcome(order_id, True, amount, placed_at, completed_at)


def not_delivered(order_id: UUID = ORDER) -> OrderOutcome:
    return OrderOutcome(order_id, False, TEN, PLACED, None)


def buyer(*outcomes: OrderOutcome, then: tuple[DomainEvent, ...] = ()) -> Customer:
    return customer_of([*record_purchases(NEW_CUSTOMER, outcomes), *then])


def buyer_of(orders: int, spent: str, last: datetime = PLACED) -> Customer:
    """Somebody whose purchases add up to `spent`, the last of them placed at `last`."""
    amounts = [Decimal(spent)] + [Decimal("0.00")] * (orders - 1)
    days_before = range(orders)
    return buyer(
        *(
            delivered(UUID(int=days), amount, last - timedelta(days=days))
            for days, amount in zip(days_before, amounts, strict=True)
        )
    )


# --- purchases --------------------------------------------------------------------------------------------------


def test_a_delivered_order_is_a_purchase_from_its_delivery_on() -> None:
    assert record_purchases(NEW_CUSTOMER, [delivered()]) == (
        PurchaseRecorded(DELIVERED, ORDER, TEN, PLACED, DELIVERED),
    )


def test_a_delivery_without_a_time_is_a_purchase_from_its_placing_on() -> None:
    events = record_purchases(NEW_CUSTOMER, [delivered(completed_at=None)])
    assert events == (PurchaseRecorded(PLACED, ORDER, TEN, PLACED, None),)


def test_an_order_that_was_not_delivered_is_no_purchase() -> None:
    assert record_purchases(NEW_CUSTOMER, [not_delivered()]) == ()


def test_a_purchase_that_is_known_as_it_is_is_no_news() -> None:
    assert record_purchases(buyer(delivered()), [delivered()]) == ()


def test_a_corrected_purchase_is_amended() -> None:
    customer = buyer(delivered(completed_at=None))
    assert record_purchases(customer, [delivered()]) == (PurchaseAmended(DELIVERED, ORDER, TEN, PLACED, DELIVERED),)


def test_a_purchase_whose_order_was_canceled_is_revoked_at_the_time_at_which_it_stood() -> None:
    assert record_purchases(buyer(delivered()), [not_delivered()]) == (PurchaseRevoked(DELIVERED, ORDER),)
    assert buyer(delivered(), then=(PurchaseRevoked(DELIVERED, ORDER),)).orders == 0


def test_purchases_are_recorded_in_the_order_in_which_they_were_placed() -> None:
    later = delivered(OTHER, placed_at=PLACED + timedelta(days=1))
    assert record_purchases(NEW_CUSTOMER, [later, delivered()]) == record_purchases(NEW_CUSTOMER, [delivered(), later])


def test_orders_that_are_not_mentioned_stay_purchases() -> None:
    assert record_purchases(buyer(delivered()), []) == ()


def test_purchases_add_up() -> None:
    customer = buyer(
        delivered(ORDER, Decimal("10.00")), delivered(OTHER, Decimal("0.01"), placed_at=PLACED + timedelta(days=30))
    )
    assert customer.orders == 2
    assert customer.spent == Decimal("10.01")
    assert customer.first_purchase_at == PLACED
    assert customer.last_purchase_at == PLACED + timedelta(days=30)


def test_the_average_is_rounded_half_away_from_zero() -> None:
    assert buyer(delivered(ORDER, Decimal("10.00")), delivered(OTHER, Decimal("0.01"))).average_order == Decimal("5.01")


def test_who_bought_nothing_spent_nothing_and_has_no_average() -> None:
    assert str(NEW_CUSTOMER.spent) == "0.00"
    assert NEW_CUSTOMER.average_order is None
    assert NEW_CUSTOMER.first_purchase_at is None
    assert NEW_CUSTOMER.last_purchase_at is None


def test_an_amended_purchase_counts_without_the_recorded_one() -> None:
    """By business time the record may be filtered out: the correction can stand at an earlier time."""
    customer = customer_of([PurchaseAmended(DELIVERED, ORDER, TEN, PLACED, DELIVERED)])
    assert customer.purchases == {ORDER: Purchase(ORDER, TEN, PLACED, DELIVERED)}


def test_revoking_what_was_never_recorded_leaves_nothing() -> None:
    assert customer_of([PurchaseRevoked(DELIVERED, ORDER)]) == NEW_CUSTOMER


# --- segments (R33) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orders", "spent", "segment"),
    [
        (1, "10.00", "ONE_TIME"),
        (1, "5000.00", "ONE_TIME"),
        (2, "10.00", "REGULAR"),
        (5, "5000.00", "REGULAR"),
        (6, "10.00", "LOYAL"),
        (6, "1000.00", "LOYAL"),
        (6, "1000.01", "VIP"),
        (17, "9999.99", "VIP"),
    ],
)
def test_the_segment_follows_from_the_number_of_purchases_and_what_was_spent(
    orders: int, spent: str, segment: Segment
) -> None:
    assert segment_at(buyer_of(orders, spent), PLACED.date()) == segment


def test_who_bought_nothing_is_new_on_any_day() -> None:
    assert segment_at(NEW_CUSTOMER, date.max) == "NEW"


@pytest.mark.parametrize(("orders", "spent"), [(1, "10.00"), (3, "10.00"), (6, "10.00"), (6, "2000.00")])
def test_whoever_bought_last_more_than_180_days_ago_is_churned(orders: int, spent: str) -> None:
    customer = buyer_of(orders, spent)
    assert segment_at(customer, PLACED.date() + timedelta(days=180)) != "CHURNED"
    assert segment_at(customer, PLACED.date() + timedelta(days=181)) == "CHURNED"


def test_days_are_counted_from_the_date_of_placing_not_from_its_hour_or_from_delivery() -> None:
    midnight, evening = datetime(2018, 3, 1), datetime(2018, 3, 1, 23, 59, 59)
    last_day = date(2018, 8, 28)
    assert (last_day - date(2018, 3, 1)).days == 180
    for placed_at in (midnight, evening):
        customer = buyer(delivered(placed_at=placed_at))
        assert segment_at(customer, last_day) == "ONE_TIME"
        assert segment_at(customer, last_day + timedelta(days=1)) == "CHURNED"


# --- evaluations (R33, R34) -------------------------------------------------------------------------------------


def test_a_person_starts_as_new_without_an_event() -> None:
    assert evaluate(NEW_CUSTOMER, date(2018, 3, 1)) == ()
    assert (NEW_CUSTOMER.segment, NEW_CUSTOMER.segment_as_of) == ("NEW", None)


def test_an_evaluation_that_changes_the_segment_tells_from_what_to_what_and_why() -> None:
    changed = SegmentChanged(datetime(2018, 3, 10), "NEW", "ONE_TIME", date(2018, 3, 10), 1, TEN)
    assert evaluate(buyer(delivered()), date(2018, 3, 10)) == (changed,)


def test_an_evaluation_that_finds_the_known_segment_tells_nothing() -> None:
    customer = buyer(delivered())
    evaluated = buyer(delivered(), then=evaluate(customer, date(2018, 3, 10)))
    assert evaluate(evaluated, date(2018, 3, 20)) == ()


def test_the_segment_is_that_of_the_newest_change_and_the_earlier_ones_are_kept() -> None:
    first = SegmentChanged(datetime(2018, 3, 10), "NEW", "ONE_TIME", date(2018, 3, 10), 1, TEN)
    second = SegmentChanged(datetime(2018, 9, 1), "ONE_TIME", "CHURNED", date(2018, 9, 1), 1, TEN)
    customer = buyer(delivered(), then=(first, second))
    assert (customer.segment, customer.segment_as_of) == ("CHURNED", date(2018, 9, 1))
    assert customer.segment_changes == (first, second)


def test_a_change_of_segment_alone_tells_the_segment() -> None:
    alone = SegmentChanged(datetime(2018, 3, 10), "NEW", "ONE_TIME", date(2018, 3, 10), 1, TEN)
    assert customer_of([alone]).segment == "ONE_TIME"


def test_who_comes_back_is_no_longer_churned() -> None:
    churned = SegmentChanged(datetime(2018, 9, 1), "ONE_TIME", "CHURNED", date(2018, 9, 1), 1, TEN)
    customer = buyer(delivered(), delivered(OTHER, placed_at=datetime(2018, 10, 1)), then=(churned,))
    (back,) = evaluate(customer, date(2018, 10, 2))
    assert (back.from_segment, back.to_segment) == ("CHURNED", "REGULAR")


def test_a_revoked_purchase_can_make_a_person_new_again() -> None:
    one_time = SegmentChanged(datetime(2018, 3, 10), "NEW", "ONE_TIME", date(2018, 3, 10), 1, TEN)
    customer = buyer(delivered(), then=(one_time, PurchaseRevoked(DELIVERED, ORDER)))
    (back,) = evaluate(customer, date(2018, 3, 11))
    assert (back.to_segment, back.orders, back.spent) == ("NEW", 0, Decimal("0.00"))


# --- when somebody falls due ------------------------------------------------------------------------------------


def test_a_buyer_falls_due_181_days_after_the_date_of_the_last_purchase() -> None:
    assert due_on(buyer(delivered())) == date(2018, 8, 29)


def test_who_bought_nothing_never_falls_due() -> None:
    assert due_on(NEW_CUSTOMER) is None


def test_who_is_found_churned_falls_due_no_more() -> None:
    customer = buyer(delivered())
    assert due_on(buyer(delivered(), then=evaluate(customer, date(2018, 8, 29)))) is None


def test_of_a_purchase_on_the_last_days_that_there_are_nobody_falls_due() -> None:
    assert due_on(buyer(delivered(placed_at=datetime(9999, 7, 3)))) == date.max
    for placed_at in (datetime(9999, 7, 4), datetime(9999, 12, 31, 23, 59, 59)):
        customer = buyer(delivered(placed_at=placed_at))
        assert due_on(customer) is None
        assert [segment_at(customer, day) for day in (date(2018, 3, 10), date.max)] == ["ONE_TIME", "ONE_TIME"]
