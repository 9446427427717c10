"""A dead letter of the kit for consumers says what could not be handled and why, and nobody's personal fields."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse_consumer.dead_letters import letter, without_personal
from replayhouse_consumer.events import EVENTS, OrderPlacedV1, ReviewSubmittedV1
from replayhouse_consumer.inbox import Partition
from replayhouse_consumer.message import Message

REVIEW = {
    "occurred_at": "2018-03-05T09:30:00",
    "review_id": "0d93b6f1-3c2e-4c05-8b8a-4a9be0d5f130",
    "score": 5,
    "title": "c2VhbGVkIHRpdGxl",
    "comment": "c2VhbGVkIGNvbW1lbnQ=",
    "nickname": "Zeca",
}


def a_message(value: bytes | None, event_type: str | None = ReviewSubmittedV1.type) -> Message:
    headers = () if event_type is None else (("ce_type", event_type.encode()), ("ce_id", b"7.1"))
    return Message(Partition("replayhouse.customer.events.v1", 3), 41, value, None, "", headers)


def test_it_tells_where_the_message_was_and_why_it_is_here() -> None:
    key, value, headers = letter(a_message(json.dumps(REVIEW).encode()), "five is too good", "g", EVENTS)
    assert key == b"7.1"
    assert json.loads(value or b"") == {name: REVIEW[name] for name in ("occurred_at", "review_id", "score")}
    assert dict(headers) == {
        "reason": b"five is too good",
        "group": b"g",
        "topic": b"replayhouse.customer.events.v1",
        "partition": b"3",
        "offset": b"41",
        "ce_id": b"7.1",
        "ce_type": b"customer.ReviewSubmitted.v1",
    }


@pytest.mark.parametrize(
    ("value", "event_type"),
    [
        (json.dumps(REVIEW).encode(), "customer.ReviewPraised.v1"),
        (json.dumps(REVIEW).encode(), None),
        (b'"Zeca"', ReviewSubmittedV1.type),
        (b"Zeca \xff", ReviewSubmittedV1.type),
        (None, ReviewSubmittedV1.type),
    ],
)
def test_what_cannot_be_told_apart_has_no_value_at_all(value: bytes | None, event_type: str | None) -> None:
    key, kept, _ = letter(a_message(value, event_type), "why not", "g", EVENTS)
    assert kept is None
    assert key == (b"replayhouse.customer.events.v1.3.41" if event_type is None else b"7.1")


def test_a_reason_that_quotes_a_personal_field_does_so_no_longer() -> None:
    reason = f"cannot read {REVIEW['comment']} of\0 {REVIEW['title']}{'!' * 1000}"
    _, _, headers = letter(a_message(json.dumps(REVIEW).encode()), reason, "g", EVENTS)
    told = dict(headers)["reason"].decode()
    assert told.startswith("cannot read [sealed] of\\x00 [sealed]!")
    assert len(told) == 500


def test_what_a_part_of_an_event_does_not_declare_goes_too() -> None:
    line = {"item_no": 1, "price": "1.00", "buyer": "Zeca"}
    placed = {"lines": [line, "Zeca"], "placed_at": {"buyer": "Zeca"}, "customer_id": "x"}
    assert without_personal(OrderPlacedV1, placed) == {
        "customer_id": "x",
        "placed_at": None,
        "lines": [{"item_no": 1, "price": "1.00"}, None],
    }


SECRET = "c2VjcmV0IHRleHQ="
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("plain"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    event_type=st.sampled_from(list(EVENTS.values())),
    value=st.dictionaries(st.text(max_size=6), anything),
    data=st.data(),
)
def test_no_personal_field_of_any_event_is_left_whatever_else_the_value_has(
    event_type: Any, value: dict[str, Any], data: st.DataObject
) -> None:
    personal = [name for name, field in event_type.model_fields.items() if "Sealed" in str(field.annotation)]
    whole = value | {name: data.draw(anything) for name in event_type.model_fields} | dict.fromkeys(personal, SECRET)
    whole["a field of tomorrow"] = SECRET
    _, kept, headers = letter(a_message(json.dumps(whole).encode(), event_type.type), f"no: {SECRET}", "g", EVENTS)
    assert SECRET.encode() not in (kept or b"")
    assert not personal or all(SECRET.encode() not in text for _, text in headers)
