"""A record that was kept apart: once, however often it is shown, until it is let in or given up."""

from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.marketplace.events import SellerMoved
from replayhouse.domain.quality.events import RowDiscarded, RowQuarantined, RowReleased
from replayhouse.domain.quality.row import (
    BY_LOAD,
    NEW_ROW,
    BadRecord,
    QuarantinedRow,
    discard,
    quarantine,
    release,
    row_of,
    row_stream_id,
)

calm = settings(deadline=None)  # how long one example takes says nothing on a busy machine

NOW, LATER = datetime(2026, 1, 2, 3), datetime(2026, 1, 3, 3)
TEXT = '"a1","b2",abc\r\n'
BAD = BadRecord(UUID(int=1), "order_items", 17, "readable_values", "price is not an amount: abc", TEXT)
AGAIN = BAD._replace(batch_id=UUID(int=2), line=99)
APART = quarantine(NEW_ROW, BAD, NOW)
LET_IN = RowReleased(NOW, "ana", "typing error", '"a1","b2",1.00')
GIVEN_UP = RowDiscarded(NOW, "ana", "a test order")


def test_a_bad_record_is_kept_apart_with_its_line_its_text_and_the_reason() -> None:
    (event,) = APART
    assert event == RowQuarantined(
        NOW, UUID(int=1), "order_items", 17, "readable_values", "price is not an amount: abc", TEXT
    )
    row = row_of(APART)
    assert (row.status, row.batch_id, row.file, row.line) == ("quarantined", UUID(int=1), "order_items", 17)
    assert (row.rule, row.reason, row.text) == ("readable_values", "price is not an amount: abc", TEXT)


def test_the_same_record_in_a_later_extract_is_no_news() -> None:
    assert quarantine(row_of(APART), AGAIN, LATER) == ()


def test_a_record_whose_text_nobody_can_read_any_more_is_still_the_same_record() -> None:
    unreadable = row_of([RowQuarantined(NOW, UUID(int=1), "order_items", 17, "readable_values", "price", None)])
    assert quarantine(unreadable, AGAIN, LATER) == ()


def test_a_record_that_a_load_let_in_and_is_bad_again_is_kept_apart_again() -> None:
    passed = release(row_of(APART), BY_LOAD, "passes now", NOW)
    row = row_of([*APART, *passed, *quarantine(row_of([*APART, *passed]), AGAIN, LATER)])
    assert row == QuarantinedRow("quarantined", *AGAIN)


def test_a_record_that_a_person_let_in_stays_let_in() -> None:
    assert quarantine(row_of([*APART, LET_IN]), AGAIN, LATER) == ()


def test_a_record_that_a_person_gave_up_stays_given_up() -> None:
    assert quarantine(row_of([*APART, GIVEN_UP]), AGAIN, LATER) == ()


def test_a_record_can_be_let_in_with_a_corrected_text_beside_the_original_one() -> None:
    events = release(row_of(APART), "ana", "typing error", NOW, '"a1","b2",1.00')
    assert events == (LET_IN,)
    row = row_of([*APART, *events])
    assert (row.status, row.text, row.corrected, row.by, row.why) == (
        "released",
        TEXT,
        '"a1","b2",1.00',
        "ana",
        "typing error",
    )


def test_a_record_that_passes_in_a_later_load_is_let_in_as_it_is() -> None:
    (event,) = release(row_of(APART), BY_LOAD, "passes now", LATER)
    assert event == RowReleased(LATER, "load", "passes now", None)


def test_a_record_can_be_given_up() -> None:
    assert discard(row_of(APART), "ana", "a test order", NOW) == (GIVEN_UP,)
    assert row_of([*APART, GIVEN_UP]).status == "discarded"


def test_a_decision_told_again_is_no_news() -> None:
    assert release(row_of([*APART, LET_IN]), "ana", "typing error", LATER, '"a1","b2",1.00') == ()
    assert discard(row_of([*APART, GIVEN_UP]), "ana", "a test order", LATER) == ()


@pytest.mark.parametrize("events", [(), (*APART, LET_IN), (*APART, GIVEN_UP)], ids=["new", "released", "discarded"])
def test_only_a_record_that_stands_apart_is_decided_on(events: tuple[DomainEvent, ...]) -> None:
    row = row_of(events)
    with pytest.raises(DomainError, match="only a quarantined row is released"):
        release(row, "bea", "another view", LATER)
    with pytest.raises(DomainError, match="only a quarantined row is discarded"):
        discard(row, "bea", "another view", LATER)


def test_a_record_is_known_by_its_file_and_its_text() -> None:
    assert row_stream_id("orders", TEXT) == row_stream_id("orders", TEXT)
    assert row_stream_id("orders", TEXT) != row_stream_id("order_items", TEXT)
    assert row_stream_id("orders", TEXT) != row_stream_id("orders", TEXT.strip())


def test_the_stream_of_a_record_is_the_same_on_every_machine() -> None:
    assert row_stream_id("orders", "é") == UUID("753886fb-a7f0-5f45-826c-28f7f3413e6c")


@calm
@given(st.lists(st.sampled_from([*APART, LET_IN, GIVEN_UP, SellerMoved("01001", "sao paulo", "SP")]), max_size=6))
def test_any_sequence_of_events_is_a_record_as_the_last_decision_left_it(events: list[DomainEvent]) -> None:
    status = {RowQuarantined: "quarantined", RowReleased: "released", RowDiscarded: "discarded"}
    told = [status[type(event)] for event in events if type(event) in status]
    row = row_of(events)
    assert row.status == (told[-1] if told else "")
    assert row.was_quarantined == bool(told)
