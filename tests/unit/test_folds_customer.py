"""Given what is known of a person or a review, when folded, then these are its rows (R29 to R35)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from replayhouse.domain.customer.events import (
    AliasLinked,
    CustomerAnonymized,
    CustomerRegistered,
    PurchaseRecorded,
    ReviewRevised,
    ReviewSubmitted,
    SegmentChanged,
)
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.projections.customer import PROJECTION, fold
from replayhouse.projections.projection import Rows, Stream
from tests.support.read_side import MONDAY, an_id, brl

PERSON = an_id(9)
LATER = MONDAY + timedelta(days=30)


def folded(*events: DomainEvent) -> Rows:
    return fold(Stream(PERSON, 17, events))


def registered(
    zip_prefix: str | None = "01001", city: str | None = "São  Paulo", alias: int = 500
) -> CustomerRegistered:
    return CustomerRegistered(MONDAY, an_id(alias), "SP", MONDAY, zip_prefix, city)


def linked(alias: int, placed_at: datetime | None, zip_prefix: str = "69005", city: str = "manaus") -> AliasLinked:
    return AliasLinked(placed_at, an_id(alias), "AM", placed_at, zip_prefix, city)


def bought(order: int, amount: str, placed_at: datetime = MONDAY) -> PurchaseRecorded:
    return PurchaseRecorded(placed_at, an_id(order), brl(amount), placed_at, None)


def test_a_person_without_purchases_is_new() -> None:
    person = (PERSON, "01001", "São  Paulo", "sao paulo", "SP", "Southeast", 1, 0, brl("0.00"))
    assert folded(registered()) == {
        "dim_customer": [(*person, None, None, None, "NEW", None, False, 17)],
        "customer_alias": [(an_id(500), PERSON, 17)],
        "address_history": [(PERSON, 1, "01001", "São  Paulo", "SP", MONDAY, 17)],
        "segment_history": [],
    }


def test_purchases_add_up() -> None:
    rows = folded(registered(), bought(1, "10.00", LATER), bought(2, "0.01"), bought(3, "0.00"))
    [row] = rows["dim_customer"]
    assert row[7:12] == (3, brl("10.01"), brl("3.34"), MONDAY, LATER)


def test_each_change_of_segment_is_kept() -> None:
    first = SegmentChanged(MONDAY, "NEW", "ONE_TIME", date(2018, 1, 9), 1, brl("5.00"))
    second = SegmentChanged(LATER, "ONE_TIME", "CHURNED", date(2018, 9, 9), 1, brl("5.00"))
    rows = folded(registered(), first, second)
    assert rows["segment_history"] == [
        (PERSON, 1, date(2018, 1, 9), "NEW", "ONE_TIME", 17),
        (PERSON, 2, date(2018, 9, 9), "ONE_TIME", "CHURNED", 17),
    ]
    assert rows["dim_customer"][0][12:14] == ("CHURNED", date(2018, 9, 9))


def test_the_address_is_that_of_the_newest_order_whenever_it_was_learnt() -> None:
    rows = folded(registered(), linked(501, MONDAY - timedelta(days=1)))
    assert rows["dim_customer"][0][1] == "01001"
    assert [row[1:3] for row in rows["address_history"]] == [(1, "69005"), (2, "01001")]
    assert folded(registered(), linked(501, LATER))["dim_customer"][0][1:6] == (
        "69005",
        "manaus",
        "manaus",
        "AM",
        "North",
    )


def test_of_an_anonymised_person_the_state_stays() -> None:
    [row] = folded(registered(), CustomerAnonymized(LATER, "asked for it", "ana"))["dim_customer"]
    assert row[1:6] == ("unknown", "unknown", "unknown", "SP", "Southeast")
    assert row[14] is True


def test_whom_the_customers_file_has_not_shown_has_no_rows() -> None:
    assert folded(bought(1, "10.00")) == {}


def review(kind: type[ReviewSubmitted | ReviewRevised], score: int, answered_at: datetime | None) -> DomainEvent:
    return kind(MONDAY, an_id(7), an_id(1), PERSON, score, MONDAY, answered_at, "Ótimo", None)


def test_a_review_is_what_it_was_last() -> None:
    rows = folded(review(ReviewSubmitted, 5, None), review(ReviewRevised, 2, MONDAY + timedelta(minutes=90)))
    told = (an_id(7), an_id(1), PERSON, 2, "negative", "Ótimo", None, MONDAY, MONDAY + timedelta(minutes=90))
    assert rows == {"fact_review": [(*told, 20180108, Decimal("1.50"), 17)]}


def test_a_review_that_was_not_answered_took_no_hours() -> None:
    [row] = folded(review(ReviewSubmitted, 3, None))["fact_review"]
    assert (row[4], row[8], row[10]) == ("neutral", None, None)


def test_the_unknown_person_has_no_orders_and_no_times() -> None:
    nobody = an_id(0), *["unknown"] * 5, 0, 0, brl("0.00"), None, None, None, "unknown", None, False, 0
    assert PROJECTION.unknown_members == {"dim_customer": [nobody]}
