"""A message is held against the one that its event makes, and its leaf is computed from it alone."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from replayhouse.infra.event_store.event_encoding import EncodedEvent, EncodedRows
from replayhouse.infra.kafka.comparison import changed, leaf_from, partition_of, partition_of_key
from replayhouse.infra.kafka.reader import Received
from replayhouse.infra.publishing.message import LoggedEvent, message_of

RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)
STATE = b'{"occurred_at":"2017-10-02T10:56:33"}'


BATCH = UUID(int=8)


def an_event(batch: UUID | None = BATCH, lines: str | None = "orders:2") -> LoggedEvent:
    encoded = EncodedEvent("sales", UUID(int=7), 3, "sales.OrderPlaced.v1", STATE, batch, lines)
    [leaf] = EncodedRows([encoded]).leaves
    return LoggedEvent("sales", UUID(int=7), 3, "sales.OrderPlaced.v1", STATE, 41, batch, lines, leaf, RECORDED_AT)


def received(event: LoggedEvent, **headers: bytes | None) -> Received:
    """The message of an event, with some headers changed; without those that are None."""
    message = message_of(event, b"/replayhouse/sales")
    told = {**dict(message.headers), **headers}
    kept = [(name, value) for name, value in told.items() if value is not None]
    return Received("sales", 0, 0, message.key, message.value, kept)


@pytest.mark.parametrize("event", [an_event(), an_event(batch=None), an_event(lines=None)])
def test_the_leaf_that_the_log_has_is_computed_from_the_message_alone(event: LoggedEvent) -> None:
    assert leaf_from(received(event)) == event.leaf
    assert changed(message_of(event, b"/replayhouse/sales"), received(event)) is None


@pytest.mark.parametrize("name", ["ce_source", "ce_type", "ce_streamversion", "ce_batch", "ce_lines"])
def test_the_leaf_depends_on_all_that_it_covers(name: str) -> None:
    other = {"ce_streamversion": b"4", "ce_batch": str(UUID(int=9)).encode()}.get(name, b"/replayhouse/else")
    assert leaf_from(received(an_event(), **{name: other})) != an_event().leaf
    assert leaf_from(received(an_event(), **{name: None})) != an_event().leaf
    assert leaf_from(received(an_event())._replace(value=b"{}")) != an_event().leaf
    assert leaf_from(received(an_event())._replace(key=b"no id")) is None


@pytest.mark.parametrize("name", [name for name, _ in message_of(an_event(), b"/replayhouse/sales").headers])
def test_each_header_that_is_another_one_or_missing_is_named(name: str) -> None:
    expected = message_of(an_event(), b"/replayhouse/sales")
    for value in (b"?", None):
        why = changed(expected, received(an_event(), **{name: value}))
        assert why is not None
        assert name in why
        assert ("'?'" if value else "missing") in why


def test_headers_that_no_relay_writes_are_named() -> None:
    expected = message_of(an_event(), b"/replayhouse/sales")
    assert "extra" in str(changed(expected, received(an_event(), extra=b"?")))
    twice = received(an_event())
    assert changed(expected, twice._replace(headers=[*twice.headers, twice.headers[0]])) is not None
    assert changed(expected, twice._replace(headers=list(reversed(twice.headers)))) is None, "their order is no matter"


def test_a_key_belongs_to_the_partition_that_java_says() -> None:
    """Its hashes are those that Kafka's own tests expect of Utils.murmur2."""
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    for key, of_java in hashes.items():
        for partitions in (1, 6, 7, 1_000):
            assert partition_of_key(key, partitions) == (of_java & 0x7FFFFFFF) % partitions
    assert partition_of(UUID(int=7), 6) == partition_of_key(str(UUID(int=7)).encode(), 6)
