"""Given what happened to a shipment or was found of an area, when folded, then these are its rows (R23 to R28)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from replayhouse.domain.fulfillment.events import (
    AreaSurveyed,
    DeliveryCompleted,
    DeliveryRevoked,
    ShipmentCanceled,
    ShipmentDispatched,
    ShipmentPlanned,
)
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.projections.columns import hundredths_of
from replayhouse.projections.fulfillment import FACT_DELIVERY, PROJECTION, fold
from replayhouse.projections.projection import Stream
from tests.support.read_side import MONDAY, PROMISED, an_id

ORDER = an_id(1)
PLANNED = ShipmentPlanned(MONDAY, ORDER, an_id(9), MONDAY, PROMISED, "13023", ("13023", None), "01001")


def delivery(*events: DomainEvent) -> dict[str, Any]:
    [row] = fold(Stream(ORDER, 17, events))["fact_delivery"]
    return dict(zip((column.name for column in FACT_DELIVERY.columns), row, strict=True))


def dispatched(at: datetime | None) -> ShipmentDispatched:
    return ShipmentDispatched(at or MONDAY, at)


def completed(at: datetime | None) -> DeliveryCompleted:
    return DeliveryCompleted(at or MONDAY, at, None)


def test_a_delivery_as_its_events_tell_it() -> None:
    sent, arrived = MONDAY + timedelta(days=1, hours=12), PROMISED + timedelta(days=2, hours=1)
    assert delivery(PLANNED, dispatched(sent), completed(arrived)) == {
        "order_id": ORDER,
        "customer_id": an_id(9),
        "date_key": 20180108,
        "status": "delivered",
        "placed_at": MONDAY,
        "promised_by": PROMISED,
        "dispatched_at": sent,
        "delivered_at": arrived,
        "days_to_dispatch": Decimal("1.50"),
        "days_to_deliver": Decimal("18.60"),
        "days_late": 2,
        "is_late": True,
        "is_past_estimate": True,
        "destination_zip": "01001",
        "origin_zip": "13023",
        "position": 17,
    }


def test_on_the_promised_day_it_is_past_the_estimate_but_not_late() -> None:
    row = delivery(PLANNED, completed(PROMISED + timedelta(hours=15)))
    assert (row["days_late"], row["is_late"], row["is_past_estimate"]) == (0, False, True)


@pytest.mark.parametrize(("seconds", "is_past"), [(-1, False), (0, False), (1, True)])
def test_a_delivery_is_past_its_estimate_from_the_second_after_it_on(seconds: int, is_past: bool) -> None:
    row = delivery(PLANNED, completed(PROMISED + timedelta(seconds=seconds)))
    assert row["is_past_estimate"] is is_past


@pytest.mark.parametrize(("days", "is_late"), [(-1, False), (0, False), (1, True)])
def test_a_delivery_is_late_from_the_day_after_the_promised_one_on(days: int, is_late: bool) -> None:
    row = delivery(PLANNED, completed(PROMISED + timedelta(days=days)))
    assert (row["days_late"], row["is_late"]) == (max(0, days), is_late)


def test_without_a_delivery_time_nobody_knows_whether_it_was_late() -> None:
    row = delivery(PLANNED, completed(None))
    assert row["status"] == "delivered"
    assert [row[name] for name in ("days_to_deliver", "days_late", "is_late", "is_past_estimate")] == [None] * 4


def test_without_a_promise_nobody_knows_whether_it_was_late() -> None:
    row = delivery(replace(PLANNED, promised_by=None), completed(PROMISED + timedelta(days=2)))
    assert row["days_to_deliver"] == Decimal("18.60") - Decimal("0.04")
    assert [row[name] for name in ("promised_by", "days_late", "is_late", "is_past_estimate")] == [None] * 4


def test_the_status_follows_the_parcel() -> None:
    assert delivery(PLANNED)["status"] == "planned"
    assert delivery(PLANNED, ShipmentCanceled(MONDAY))["status"] == "canceled"
    assert delivery(PLANNED, dispatched(None))["status"] == "dispatched"
    assert delivery(PLANNED, dispatched(None), completed(None), DeliveryRevoked(MONDAY))["status"] == "dispatched"


def test_zips_that_nobody_knows_are_unknown() -> None:
    row = delivery(ShipmentPlanned(MONDAY, ORDER, an_id(9), MONDAY, PROMISED, None, (), None))
    assert (row["destination_zip"], row["origin_zip"]) == ("unknown", "unknown")


def test_a_shipment_that_was_never_planned_has_no_row() -> None:
    assert fold(Stream(ORDER, 17, [dispatched(None)])) == {}


def test_an_area_is_what_its_last_survey_found() -> None:
    first = AreaSurveyed("01001", -23.0, -46.5, "sao paulo", "SP", 3)
    last = AreaSurveyed("01001", -23.55, -46.63, "são paulo", "SP", 4)
    rows = fold(Stream(an_id(2), 9, [first, last]))
    assert rows == {"dim_geography": [("01001", "são paulo", "SP", "Southeast", -23.55, -46.63, 4, 9)]}


def test_an_area_without_samples_has_no_row() -> None:
    found, lost = AreaSurveyed("01001", 1.0, -46.5, "x", "SP", 3), AreaSurveyed("01001", None, None, None, None, 0)
    assert fold(Stream(an_id(2), 9, [found, lost])) == {}


@pytest.mark.parametrize(
    ("seconds", "days"),
    [(432, "0.01"), (431, "0.00"), (-432, "-0.01"), (-431, "0.00"), (0, "0.00"), (86_400, "1.00"), (-86_400, "-1.00")],
)
def test_durations_are_rounded_half_away_from_zero(seconds: int, days: str) -> None:
    rounded = hundredths_of(MONDAY, MONDAY + timedelta(seconds=seconds), 86_400, 8)
    assert rounded == Decimal(days)
    assert str(rounded) == days


@pytest.mark.parametrize(
    ("hundredths", "digits", "shown"),
    [
        (999, 3, Decimal("9.99")),
        (-999, 3, Decimal("-9.99")),
        (1_000, 3, None),
        (-1_000, 3, None),
        (1_000, 4, Decimal("10.00")),
    ],
)
def test_a_duration_has_as_many_digits_as_its_column_at_most(hundredths: int, digits: int, shown: Decimal) -> None:
    assert hundredths_of(MONDAY, MONDAY + timedelta(seconds=hundredths), 100, digits) == shown


def test_days_that_their_columns_cannot_hold_are_not_known() -> None:
    longest = MONDAY + timedelta(days=999_999, hours=23, minutes=45)
    row = delivery(PLANNED, dispatched(longest), completed(longest))
    assert [row["days_to_dispatch"], row["days_to_deliver"]] == [Decimal("999999.99")] * 2
    longer = MONDAY + timedelta(days=1_000_000)
    row = delivery(PLANNED, dispatched(longer), completed(longer))
    assert [row["days_to_dispatch"], row["days_to_deliver"]] == [None, None]


def test_a_duration_that_its_column_cannot_hold_is_not_known() -> None:
    assert hundredths_of(MONDAY, MONDAY + timedelta(days=999_999), 86_400, 8) == Decimal("999999.00")
    assert hundredths_of(MONDAY, datetime.max.replace(microsecond=0), 86_400, 8) is None


def test_the_unknown_place_lies_nowhere() -> None:
    nowhere = ("unknown", "unknown", "unknown", "unknown", None, None, 0, 0)
    assert PROJECTION.unknown_members == {"dim_geography": [nowhere]}
