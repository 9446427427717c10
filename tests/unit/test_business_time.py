"""Looking back in business time: what had happened by then, whatever subsequence of a stream that is."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.customer.customer import (
    NEW_CUSTOMER,
    Address,
    AliasSeen,
    OrderOutcome,
    customer_of,
    evaluate,
    observe_aliases,
    record_purchases,
)
from replayhouse.domain.customer.events import CustomerAnonymized
from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.projections.business_time import fold_of, happened_before
from replayhouse.projections.customer import PROJECTION as CUSTOMER
from replayhouse.projections.projection import Rows, Stream, key_width
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.read_side import HOUR, MONDAY, a_header, a_line, a_payment, an_id, brl
from tests.support.read_side_events import KINDS, TIMES, a_stream

STREAM = UUID(int=4)


def rows_at(context: str, events: list[DomainEvent], before: datetime) -> Rows:
    return fold_of(PROJECTIONS[context], before)(Stream(STREAM, 42, events))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_fold_fails_at_no_time_of_any_stream_and_its_rows_fit(kind: str, data: st.DataObject) -> None:
    projection = PROJECTIONS[KINDS[kind][0]]
    events = effective(data.draw(a_stream(kind, 7)))

    rows = fold_of(projection, data.draw(TIMES))(Stream(STREAM, 42, events))

    tables = {table.name: table for table in projection.tables}
    for name, of_table in rows.items():
        assert len(line_writer(tables[name]).lines(of_table)) == len(of_table)
        width = key_width(tables[name])
        assert len({row[:width] for row in of_table}) == len(of_table), "two rows of a stream have the same key"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_fold_fails_at_no_position_of_any_stream(kind: str, data: st.DataObject) -> None:
    projection = PROJECTIONS[KINDS[kind][0]]
    events = data.draw(a_stream(kind, 7))
    for end in range(len(events) + 1):
        projection.fold(Stream(STREAM, 42, effective(events[:end])))


@given(data=st.data())
def test_before_is_exclusive_and_the_timeless_and_the_erased_always_count(data: st.DataObject) -> None:
    kind, before = data.draw(st.sampled_from(list(KINDS))), data.draw(TIMES)
    events = effective(data.draw(a_stream(kind, 7)))

    seen = happened_before(events, before)

    assert [event for event in events if event in seen] == seen
    for event in events:
        occurred_at = getattr(event, "occurred_at", None)
        counts = occurred_at is None or occurred_at < before or isinstance(event, CustomerAnonymized)
        assert (event in seen) == counts


def test_an_order_is_seen_on_its_way() -> None:
    events = list(observe(NEW_ORDER, an_id(9), a_header(), [a_line()], [a_payment()]))

    def status(before: datetime) -> list[str]:
        return [row[3] for row in rows_at("sales", events, before).get("fact_order", [])]

    assert status(MONDAY) == []
    assert status(MONDAY + timedelta(seconds=1)) == ["created"]
    assert status(MONDAY + HOUR) == ["created"]
    assert status(MONDAY + 2 * HOUR) == ["approved"]
    assert status(MONDAY + 25 * HOUR) == ["shipped"]
    assert status(MONDAY + 101 * HOUR) == ["delivered"]


def test_an_order_that_was_shipped_before_its_approval_is_seen_shipped() -> None:
    late = replace(a_header("shipped"), approved_at=MONDAY + 50 * HOUR)
    events = list(observe(NEW_ORDER, an_id(9), late, [a_line()], []))

    [row] = rows_at("sales", events, MONDAY + 30 * HOUR)["fact_order"]

    assert row[3] == "shipped"
    assert row[6] is None, "the approval had not come"


def a_buyer() -> list[DomainEvent]:
    """Somebody who bought on 8 January, was told to be churned as of September, and nobody has evaluated before."""
    address = Address("01001", "sao paulo", "SP")
    events: list[DomainEvent] = list(observe_aliases(NEW_CUSTOMER, [AliasSeen(an_id(500), MONDAY, address)]))
    outcome = OrderOutcome(an_id(1), True, brl("12.50"), MONDAY, MONDAY + 100 * HOUR)
    events += record_purchases(customer_of(events), [outcome])
    events += evaluate(customer_of(events), date(2018, 9, 1))
    return events


@pytest.mark.parametrize(
    ("before", "segment", "as_of"),
    [
        (datetime(2018, 1, 10), "NEW", None),  # ordered, and not yet delivered
        (datetime(2018, 1, 15, 12), "ONE_TIME", date(2018, 1, 15)),
        (datetime(2018, 7, 7, 23), "ONE_TIME", date(2018, 7, 7)),
        (datetime(2018, 7, 8, 1), "CHURNED", date(2018, 7, 8)),
        (datetime(2018, 12, 1), "CHURNED", date(2018, 12, 1)),
    ],
)
def test_a_segment_is_that_of_the_day_and_not_of_the_loads(before: datetime, segment: str, as_of: date | None) -> None:
    rows = rows_at("customer", a_buyer(), before)
    names = [column.name for column in CUSTOMER.tables[0].columns]
    [person] = rows["dim_customer"]
    shown = dict(zip(names, person, strict=True))
    assert (shown["segment"], shown["segment_as_of"]) == (segment, as_of)
    assert not rows.get("segment_history")


def test_quality_has_no_business_time() -> None:
    assert [p.context for p in PROJECTIONS.values() if not p.has_business_time] == ["quality"]
