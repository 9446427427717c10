"""The message of an event: CloudEvents 1.0 in binary mode, from which the event can be had again."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.event_store.event_encoding import LARGEST_EVENT_BYTES
from replayhouse.infra.publishing.message import LoggedEvent, event_of, message_of, time_of
from replayhouse.infra.publishing.names import source_of
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.kafka_settings import LARGEST_MESSAGE_BYTES

SOURCE = b"/replayhouse/sales"

_times = st.datetimes(datetime(2016, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
_events = st.builds(
    LoggedEvent,
    context=st.just("sales"),
    stream=st.uuids(),
    version=st.integers(1, 2**31),
    topic=st.just("sales.OrderPlaced.v1"),
    state=st.just(b'{"occurred_at":"2017-10-02T10:56:33"}'),
    position=st.integers(1, 2**62),
    batch_id=st.none() | st.uuids(),
    lines=st.none() | st.text(min_size=1),
    leaf=st.binary(min_size=32, max_size=32),
    recorded_at=_times,
    personal=st.sampled_from([None, "sealed", "omitted"]),
)


class _Case(NamedTuple):
    occurred_at: str
    told: str


def _event(state: bytes = b"{}") -> LoggedEvent:
    recorded_at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(microseconds=5)
    stream, batch = UUID(int=7), UUID(int=8)
    return LoggedEvent("sales", stream, 3, "sales.OrderPlaced.v1", state, 41, batch, "orders:2", bytes(32), recorded_at)


@given(event=_events)
def test_an_event_survives_the_way_through_its_message(event: LoggedEvent) -> None:
    assert event_of(*message_of(event, SOURCE)) == event


def test_the_headers_are_those_of_cloud_events() -> None:
    message = message_of(_event(b'{"occurred_at":"2017-10-02T10:56:33"}'), SOURCE)
    stream = b"00000000-0000-0000-0000-000000000007"
    assert message.key == stream
    assert dict(message.headers) == {
        "ce_specversion": b"1.0",
        "content-type": b"application/json",
        "ce_id": stream + b".3",
        "ce_source": SOURCE,
        "ce_type": b"sales.OrderPlaced.v1",
        "ce_subject": stream,
        "ce_time": b"2017-10-02T10:56:33-03:00",
        "ce_position": b"41",
        "ce_streamversion": b"3",
        "ce_recordedtime": b"2026-01-01T12:00:00.000005Z",
        "ce_batch": b"00000000-0000-0000-0000-000000000008",
        "ce_lines": b"orders:2",
        "ce_leaf": b"0" * 64,
    }


@pytest.mark.parametrize(
    "case",
    [
        _Case("2017-10-02T10:56:33", "2017-10-02T10:56:33-03:00"),
        _Case("2017-10-02T10:56:33.25", "2017-10-02T10:56:33.25-03:00"),
        _Case("2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"),
        _Case("2026-01-01T12:00:00+00:00", "2026-01-01T12:00:00+00:00"),
        _Case("2026-01-01T12:00:00-02:00", "2026-01-01T12:00:00-02:00"),
    ],
)
def test_a_business_time_gets_brasilias_offset_and_a_recorded_time_keeps_its_own(case: _Case) -> None:
    assert time_of(case.occurred_at) == case.told
    assert datetime.fromisoformat(case.told).tzinfo is not None


def test_the_largest_event_that_may_be_appended_makes_a_message_that_brokers_take() -> None:
    longest = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    state = b'{"occurred_at":"2026-01-01T12:00:00.000001+00:00","text":"%b"}'
    topic, lines = "fulfillment.ShipmentReplanned.v999", "orders:9"
    room = LARGEST_EVENT_BYTES - len(topic) - len(lines) - len(state) + 2
    event = LoggedEvent(
        *("fulfillment", UUID(int=7), 2**63 - 1, topic, state % (b"x" * room), 2**63 - 1),
        *(UUID(int=8), lines, bytes(32), longest, "omitted"),
    )
    message = message_of(event, source_of("p" * 40, "fulfillment").encode())
    size = len(message.key) + len(message.value) + sum(len(name) + len(text) for name, text in message.headers)
    assert LARGEST_MESSAGE_BYTES - 1_500 < size < LARGEST_MESSAGE_BYTES


def test_what_happened_at_no_time_has_no_time() -> None:
    for state in (b"{}", b'{"occurred_at":null}'):
        assert "ce_time" not in dict(message_of(_event(state), SOURCE).headers)


@pytest.mark.parametrize("missing", ["ce_position", "ce_type", "ce_leaf", "ce_source"])
def test_a_message_of_somebody_else_is_refused_by_what_it_lacks(missing: str) -> None:
    message = message_of(_event(), SOURCE)
    headers = [(name, text) for name, text in message.headers if name != missing]
    with pytest.raises(InputError, match=missing):
        event_of(message.key, message.value, headers)


def test_a_message_without_key_or_value_is_refused() -> None:
    message = message_of(_event(), SOURCE)
    with pytest.raises(InputError, match="key"):
        event_of(None, message.value, message.headers)
    with pytest.raises(InputError, match="value"):
        event_of(message.key, None, message.headers)


def test_a_header_that_is_no_number_is_told() -> None:
    message = message_of(_event(), SOURCE)
    headers = [(name, b"many" if name == "ce_position" else text) for name, text in message.headers]
    with pytest.raises(InputError, match="many"):
        event_of(message.key, message.value, headers)
