"""Whatever stands on a topic is told from an event, by the kit for consumers and by the program, and stops neither."""

import filecmp
import json
import tracemalloc
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from replayhouse.infra.application.rebuild_from_topics import _Arrival
from replayhouse.infra.cli.consume import _line
from replayhouse.infra.kafka import records as of_the_program
from replayhouse.infra.kafka.comparison import changed, leaf_from
from replayhouse.infra.kafka.message_view import seen
from replayhouse.infra.kafka.reader import Received
from replayhouse.infra.publishing.message import event_of, message_of
from replayhouse.infra.publishing.names import source_of
from replayhouse.infra.runtime.errors import InputError, Rejected
from replayhouse_consumer import ConsumerError, Counts, Poison, Stuck, records
from replayhouse_consumer.counts import MOST_TYPES, OTHERS
from replayhouse_consumer.dead_letters import letter
from replayhouse_consumer.delivery import Delivery, Patience
from replayhouse_consumer.events import EVENTS, PaymentReceivedV1
from replayhouse_consumer.handlers import Handlers, Stream
from replayhouse_consumer.handling import Handling
from replayhouse_consumer.inbox import Partition
from replayhouse_consumer.message import Message, messages_of
from replayhouse_consumer.opening import open_inbox
from replayhouse_consumer.received import typed
from tests.support.consuming import Log, told
from tests.support.hostile import HOSTILE, raw

PARTITION = Partition("t", 0)
GZIP, LZ4 = 1, 3

DEEP = b"[" * 100_000
VALUES: list[bytes | None] = [
    None,
    b"",
    b"\xff\xfe",
    DEEP,
    b'{"amount":' + DEEP,
    b'{"later":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"to_version":' + b"9" * 5_000 + b"}",
    b'{"to_version":1e400}',
    b'{"to_version":true}',
    b'{"occurred_at":"2018-03-05T09:30:00","payment_no":1,"method":"voucher","installments":1,"amount":1e400}',
    b'{"occurred_at":"2018-03-05T09:30:00","payment_no":1,"method":"voucher","installments":1,"amount":"NaN"}',
    b'{"occurred_at":"9999-99-99","payment_no":' + b"9" * 5_000 + b',"method":NaN,"method":"\\ud800"}',
    b'{"amount":"1e999999999","amount":NaN}',
    json.dumps({"comment": HOSTILE, "score": float("inf")}).encode(),
    b"null",
]
TYPES = (PaymentReceivedV1.type, "sales.Rewound.v1", "customer.ReviewSubmitted.v1", "sales.Unheard.v7", HOSTILE)
KEYS = st.sampled_from([None, b"", b"\xff", b"-" * 1_000, b"%032d" % 7, b"00000000-0000-0000-0000-000000000007"])
STEERING = HOSTILE.encode("utf-8", "replace")
ODD = st.sampled_from([None, b"", b"\xff\xfe", b"9" * 5_000, b"-1", b"1e400", b"x" * 2_000, STEERING])


def header(*usual: bytes) -> st.SearchStrategy[bytes | None]:
    return (st.sampled_from(usual) if usual else ODD) | ODD | st.binary(max_size=20)


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "ce_streamversion": header(b"1", b"2"),
        "ce_position": header(b"1", b"77"),
        "ce_recordedtime": header(b"2026-01-02T03:04:05.000678Z", b"0001-01-01T00:00:00+23:59"),
        "ce_source": header(b"/replayhouse/sales", b"/replayhouse/customer"),
        "ce_type": header(*(name.encode("utf-8", "replace") for name in TYPES)),
        "ce_personal": header(b"omitted", b"sealed"),
        "ce_leaf": header(b"00" * 32),
        "ce_batch": header(b"00000000-0000-0000-0000-000000000009"),
        records.UNREADABLE: header(),
        STEERING.decode(): header(),
    },
).map(lambda found: list(found.items()))
WHOLE: Any = [
    ("ce_streamversion", b"1"),
    ("ce_position", b"1"),
    ("ce_recordedtime", b"2026-01-02T03:04:05.000678Z"),
    ("ce_source", b"/replayhouse/sales"),
    ("ce_leaf", b"00" * 32),
]
ID = b"00000000-0000-0000-0000-000000000007"


def received_by_the_kit(key: bytes | None, value: bytes | None, headers: Any) -> Message:
    record = SimpleNamespace(key=key, value=value, headers=headers, offset=0)
    (message,) = messages_of(PARTITION, [record])
    return message


@given(KEYS, st.sampled_from(VALUES) | st.binary(max_size=50), HEADERS)
@example(ID, DEEP, [*WHOLE, ("ce_type", b"sales.Rewound.v1")])
@example(ID, DEEP, [*WHOLE, ("ce_type", PaymentReceivedV1.type.encode())])
def test_the_kit_takes_any_message_for_an_event_or_a_fault_and_writes_a_letter_of_it(
    key: bytes | None, value: bytes | None, headers: Any
) -> None:
    message = received_by_the_kit(key, value, headers)
    assert (message.event is None) == bool(message.fault)
    assert message.fault.isprintable() or message.event is None
    if message.event is not None:
        for event_type in EVENTS.values():
            with suppress(Poison):
                typed(event_type, message.event)
    name, kept, told_headers = letter(message, f"{HOSTILE} {value!r}", "g", EVENTS)
    assert len(name) <= 3 * 500
    assert all(len(text) <= 3 * 500 for _, text in told_headers)
    if kept is not None:
        json.loads(kept, parse_constant=pytest.fail)


@pytest.mark.parametrize("event_type", TYPES[:2])
@pytest.mark.parametrize("number", range(len(VALUES)))
def test_the_kit_puts_any_message_aside_and_handles_the_next(number: int, event_type: str) -> None:
    inbox, handlers, letters = open_inbox(":memory:", "g", "p"), Handlers(EVENTS), list[str]()
    seen = []

    @handlers.stream("sales")
    def follow(stream: Stream, db: Any) -> None:
        seen.append([event.amount for event in stream.of(PaymentReceivedV1)])

    class Letters:
        topic = "dead"

        def send(self, message: Message, reason: str) -> None:
            letter(message, reason, "g", EVENTS)
            letters.append(reason)

    log = Log()
    [good] = told([log.paid(8, "2.00")], offset=1)
    bad = received_by_the_kit(ID, VALUES[number], [*WHOLE, ("ce_type", event_type.encode())])
    counts = Counts()
    delivery = Delivery(Handling(inbox, handlers), Patience(), 1, Letters(), counts)  # type: ignore[arg-type] # sends
    delivery.next = inbox.begin({PARTITION: 0})
    delivery.deliver([bad, good])
    assert (counts.dead, len(letters)) == (1, 1)
    assert [[str(amount) for amount in amounts] for amounts in seen if amounts] == [["2.00"]]
    assert delivery.next == {PARTITION: 2}


def test_what_the_kit_says_is_legible(caplog: pytest.LogCaptureFixture) -> None:
    assert str(ConsumerError(f"no topic {HOSTILE}")).isprintable()
    inbox, counts = open_inbox(":memory:", "g", "p"), Counts()
    delivery = Delivery(Handling(inbox, Handlers(EVENTS)), Patience(), 1, None, counts)
    delivery.next = inbox.begin({PARTITION: 0})
    odd = received_by_the_kit(None, b"", [("ce_type", STEERING)])
    with pytest.raises(Stuck) as refused:
        delivery.deliver([odd])
    assert raw(str(refused.value)) == []

    class Letters:
        topic = HOSTILE

        def send(self, message: Message, reason: str) -> None: ...

    delivery = Delivery(Handling(inbox, Handlers(EVENTS)), Patience(), 1, Letters(), counts)  # type: ignore[arg-type]
    delivery.next = inbox.begin({PARTITION: 0})
    delivery.deliver([odd])
    assert "\\x1b[31m" in caplog.text
    assert raw(caplog.records[-1].getMessage()) == []


def test_unknown_types_are_counted_in_bounded_memory() -> None:
    counts = Counts()
    for number in range(2 * MOST_TYPES):
        other = Counts()
        other.unknown[f"sales.Odd{number}.v1"] = 1
        counts.add(other)
    assert len(counts.unknown) == MOST_TYPES + 1
    assert counts.unknown[OTHERS] == MOST_TYPES


@given(KEYS, st.sampled_from(VALUES) | st.binary(max_size=50), HEADERS)
@example(ID, DEEP, [*WHOLE, ("ce_type", b"customer.CustomerRegistered.v1"), ("ce_personal", b"omitted")])
def test_the_program_shows_compares_and_refuses_any_message(
    key: bytes | None, value: bytes | None, headers: Any
) -> None:
    message = Received("sales", 0, 0, key, value, headers)
    json.dumps(seen(message).document())
    _line(seen(message))
    for parse, error in (
        (lambda: message.position, InputError),
        (lambda: event_of(key, value, headers), InputError),
        (lambda: _Arrival(None, None, ["sales"])._event(message), Rejected),  # type: ignore[arg-type] # not used here
    ):
        with suppress(error):
            parse()
    leaf_from(message)
    paid = Log().paid(7, "1.00")
    assert changed(message_of(paid, source_of("replayhouse", "sales").encode()), message) is not None


@pytest.mark.parametrize("value", [value for value in VALUES if value is not None])
def test_a_position_that_makes_no_sense_is_refused(value: bytes) -> None:
    from replayhouse.infra.publishing.position import read_position

    cluster: Any = SimpleNamespace(last_of_key=lambda *_: SimpleNamespace(value=value))
    with pytest.raises(InputError, match="makes no sense"):
        read_position(cluster, "p", "sales")


# --- batches ---------------------------------------------------------------------------------------------------------


def a_batch(packing: int, *values: bytes, header: str = "name") -> bytes:
    builder = DefaultRecordBatchBuilder(2, packing, False, -1, -1, -1, 1 << 30)
    for offset, value in enumerate(values):
        assert builder.append(offset, 0, b"k", value, [(header, b"v")])
    return bytes(builder.build())


def read(data: bytes) -> list[Any]:
    batches = MemoryRecords(data)
    found = []
    while (batch := batches.next_batch()) is not None:
        found += list(batch)
    return found


@pytest.fixture(params=[records, of_the_program], ids=["kit", "program"])
def within_bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    from kafka.record import memory_records

    monkeypatch.setattr(memory_records, "DefaultRecordBatch", memory_records.DefaultRecordBatch)
    request.param.read_within_bounds()


@pytest.mark.usefixtures("within_bounds")
@pytest.mark.parametrize("packing", [0, GZIP, LZ4])
def test_a_batch_is_read_as_it_was_written(packing: int) -> None:
    found = read(a_batch(packing, b"one", b"two", b"x" * 1_000_000))
    assert [(record.offset, record.key, len(record.value), record.headers) for record in found] == [
        (0, b"k", 3, [("name", b"v")]),
        (1, b"k", 3, [("name", b"v")]),
        (2, b"k", 1_000_000, [("name", b"v")]),
    ]


@pytest.mark.usefixtures("within_bounds")
@pytest.mark.parametrize("packing", [GZIP, LZ4])
def test_a_batch_that_would_fill_the_memory_is_one_record_and_the_next_is_read(packing: int) -> None:
    bomb = a_batch(packing, b"small", bytes(100_000_000))
    tracemalloc.start()
    found = read(bomb + a_batch(packing, b"next"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 80_000_000
    told, next_one = found
    assert (told.offset, told.key, told.value) == (1, None, None)
    [(name, why)] = told.headers
    assert name == records.UNREADABLE
    assert b"larger than" in why
    assert next_one.value == b"next"
    message = received_by_the_kit(told.key, told.value, told.headers)
    assert message.fault == why.decode()


@pytest.mark.usefixtures("within_bounds")
@pytest.mark.parametrize("packing", [GZIP, LZ4])
def test_a_batch_that_cannot_be_unpacked_is_one_record_and_the_next_is_read(packing: int) -> None:
    whole = bytearray(a_batch(packing, b"one" * 1_000, b"two"))
    whole[70:] = bytes(len(whole) - 70)
    found = read(bytes(whole) + a_batch(packing, b"next"))
    assert [record.value for record in found] == [None, b"next"]
    assert b"cannot be unpacked" in found[0].headers[0][1]


@pytest.mark.usefixtures("within_bounds")
def test_a_header_whose_name_is_not_utf_8_is_read_and_what_is_no_record_is_told() -> None:
    batch = a_batch(0, b"one", b"two", header="NAME")
    found = read(batch.replace(b"NAME", b"\xff\xfe\x9bM"))
    assert [(record.value, record.headers) for record in found] == [
        (b"one", [("\\xff\\xfe\\x9bM", b"v")]),
        (b"two", [("\\xff\\xfe\\x9bM", b"v")]),
    ]
    at = batch.index(b"two") - 1
    broken = batch[:at] + b"\x7f" + batch[at + 1 :]
    found = read(broken)
    assert [(record.offset, record.value) for record in found] == [(0, b"one"), (1, None)]
    assert b"no record" in found[1].headers[0][1]


def test_the_program_and_the_kit_read_in_the_same_way() -> None:
    """They share no module, for the kit is a distribution of its own."""
    assert filecmp.cmp(str(Path(records.__file__)), str(Path(of_the_program.__file__)), shallow=False)
