"""The kit for consumers, without a broker: what handlers are given of streams that loads wrote to and rewound."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.kernel.events import DomainEvent, Rewound, effective
from replayhouse.infra.publishing.message import LoggedEvent
from replayhouse_consumer import Counts, Envelope, Event, Hole, Misuse, Poison, Stream, UnknownEvent, received
from replayhouse_consumer.events import (
    EVENTS,
    CustomerAnonymizedV2,
    CustomerRewoundV1,
    PaymentReceivedV1,
    PurchaseRevokedV1,
)
from replayhouse_consumer.handlers import Handlers
from replayhouse_consumer.handling import Handling
from replayhouse_consumer.inbox import Inbox, Move, Parked, Partition
from replayhouse_consumer.opening import open_inbox
from replayhouse_consumer.received import Received
from tests.support.consuming import Log, told

PARTITION = Partition("t", 0)
MONDAY = datetime(2018, 3, 5)
SOME_ID = UUID(int=9)


@dataclass
class Desk:
    """A handling on an inbox in memory, which is fed batch by batch."""

    handlers: Handlers = field(default_factory=lambda: Handlers(EVENTS))
    inbox: Inbox = field(default_factory=lambda: open_inbox(":memory:", "g", "p"))
    on_unknown: Any = "skip"
    next: int = 0

    def __post_init__(self) -> None:
        self.inbox.begin({PARTITION: 0})

    @property
    def handling(self) -> Handling:
        return Handling(self.inbox, self.handlers, self.on_unknown)

    def take(self, events: Sequence[LoggedEvent]) -> Counts:
        received = [message.event for message in told(events) if message.event is not None]
        counts = self.handling.handle([Move(PARTITION, self.next, self.next + len(events))], received)
        self.next += len(events)
        return counts

    def put_aside(self, event: LoggedEvent) -> None:
        (message,) = told([event])
        self.handling.put_aside(Move(PARTITION, self.next, self.next + 1), message.event, "poison")
        self.next += 1


@dataclass
class Seen:
    """What handlers were given, by stream: versions that count, as of the last call and event by event."""

    desk: Desk
    as_streams: dict[UUID, list[int]] = field(default_factory=dict)
    one_by_one: dict[UUID, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        handlers = self.desk.handlers
        handlers.stream("customer")(self._changed)
        handlers.on(PurchaseRevokedV1, ignore_rewinds=False)(self._happened)
        handlers.on(CustomerAnonymizedV2, ignore_rewinds=False)(self._happened)
        handlers.taken_back(PurchaseRevokedV1)(self._taken_back)
        handlers.check(["customer"])

    def _changed(self, stream: Stream, db: Any) -> None:
        self.as_streams[stream.id] = [event.envelope.version for event in stream.events]

    def _happened(self, event: Event, db: Any) -> None:
        self.one_by_one.setdefault(event.envelope.stream, []).append(event.envelope.version)

    def _taken_back(self, event: Event, db: Any) -> None:
        self.one_by_one[event.envelope.stream].remove(event.envelope.version)


@dataclass(frozen=True)
class Fact(DomainEvent):
    version_there: int


@dataclass(frozen=True)
class Survivor(Fact):
    survives_rewind = True


def logged(log: Log, kind: str, stream: int, to_version: int) -> LoggedEvent:
    if kind == "fact":
        return log.add(stream, "PurchaseRevoked", order_id=str(SOME_ID))
    if kind == "survivor":
        return log.add(stream, "CustomerAnonymized.v2", reason="asked", by="someone")
    if kind == "unknown":
        return log.add(stream, "CustomerPraised")
    return log.rewound(stream, to_version)


def what_counts(events: Sequence[LoggedEvent]) -> list[int]:
    """The versions of a stream's known events that count, by the rule that the warehouse folds with."""
    facts: list[DomainEvent] = []
    for event in events:
        if event.topic == "customer.Rewound.v1":
            facts.append(Rewound(MONDAY, SOME_ID, int(event.state.rpartition(b":")[2].rstrip(b"}"))))
        else:
            facts.append((Survivor if "Anonymized" in event.topic else Fact)(event.version))
    counting = {fact.version_there for fact in effective(facts) if isinstance(fact, Fact)}
    return [event.version for event in events if event.version in counting and "Praised" not in event.topic]


kinds = st.sampled_from(["fact", "fact", "fact", "survivor", "unknown", "rewound"])
histories = st.lists(st.tuples(kinds, st.integers(1, 3), st.integers(0, 8)), max_size=30)


@given(history=histories, cuts=st.lists(st.integers(1, 7), min_size=30, max_size=30))
def test_whatever_is_taken_back_handlers_of_both_kinds_end_with_what_counts(
    history: list[tuple[str, int, int]], cuts: list[int]
) -> None:
    log, desk = Log("customer"), Desk()
    seen = Seen(desk)
    events = [logged(log, kind, stream, to_version) for kind, stream, to_version in history]
    at = 0
    for size in cuts:
        if at < len(events):
            desk.take(events[at : at + size])
        at += size

    for stream in {event.stream for event in events}:
        expected = what_counts([event for event in events if event.stream == stream])
        assert seen.as_streams[stream] == expected
        assert sorted(seen.one_by_one.get(stream, [])) == expected


def test_events_are_taken_back_newest_first_and_only_those_that_were_handed_out() -> None:
    desk, log = Desk(), Log()
    said: list[str] = []
    desk.take([log.paid(1, "1.00")])  # nobody listens yet
    desk.handlers.on(PaymentReceivedV1, ignore_rewinds=False)(lambda event, db: said.append(f"+{event.amount}"))
    desk.handlers.taken_back(PaymentReceivedV1)(lambda event, db: said.append(f"-{event.amount}"))
    desk.take([log.paid(1, "2.00"), log.paid(1, "3.00")])
    desk.take([log.rewound(1, 0)])
    assert said == ["+2.00", "+3.00", "-3.00", "-2.00"]


def test_a_stream_that_is_rewound_to_its_beginning_has_no_events_left() -> None:
    desk, log = Desk(), Log()
    given_streams: list[Stream] = []
    desk.handlers.stream("sales")(lambda stream, db: given_streams.append(stream))
    desk.take([log.paid(1, "1.00"), log.rewound(1, 0)])
    assert [stream.events for stream in given_streams] == [()]


def test_a_stream_is_handed_out_once_a_batch_with_what_earlier_batches_brought() -> None:
    desk, log = Desk(), Log()
    given_streams: list[Stream] = []
    desk.handlers.stream("sales")(lambda stream, db: given_streams.append(stream))
    desk.take([log.paid(1, "1.00"), log.paid(2, "5.00"), log.paid(1, "2.00")])
    desk.take([log.add(1, "OrderInvoiced")])
    assert [(stream.id.int, len(stream.events)) for stream in given_streams] == [(1, 2), (2, 1), (1, 3)]
    last = given_streams[-1].last(PaymentReceivedV1)
    assert last is not None
    assert str(last.amount) == "2.00"
    assert [event.envelope.position for event in given_streams[-1].of(PaymentReceivedV1)] == [1, 3]


def test_of_what_earlier_batches_brought_only_that_is_read_that_a_handler_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, log = Desk(), Log()
    read: list[int] = []
    typed = received.typed

    def watched(event_type: Any, event: Received) -> Any:
        read.append(event.version)
        return typed(event_type, event)

    @desk.handlers.stream("sales")
    def changed(stream: Stream, db: Any) -> None:
        assert stream.last(PaymentReceivedV1) is stream.of(PaymentReceivedV1)[-1]

    desk.take([log.paid(1, "1.00"), log.add(1, "OrderInvoiced"), log.add(1, "OrderInvoiced")])
    monkeypatch.setattr(received, "typed", watched)
    desk.take([log.add(1, "OrderInvoiced")])
    assert read == [4, 1]


def test_a_handler_can_be_tested_with_events_alone() -> None:
    paid = PaymentReceivedV1.model_validate_json(Log().paid(1, "1.00").state)
    stream = Stream("sales", SOME_ID, [paid])
    assert (stream.events, stream.of(PaymentReceivedV1), stream.last(PaymentReceivedV1)) == ((paid,), (paid,), paid)
    assert stream.last(PurchaseRevokedV1) is None


def test_an_event_that_does_not_parse_is_told_when_it_comes_whatever_the_handler_asks_for() -> None:
    desk, log = Desk(), Log()
    desk.handlers.stream("sales")(lambda stream, db: None)
    with pytest.raises(Poison, match="does not parse"):
        desk.take([log.add(1, "PaymentReceived")])


def test_an_event_knows_where_it_stands_and_tells_so_beside_its_fields() -> None:
    log = Log()
    event = log.paid(3, "1.00")
    (message,) = told([event])
    assert message.event is not None
    read = received.typed(PaymentReceivedV1, message.event)
    for one in (read, read.model_copy(), pickle.loads(pickle.dumps(read))):
        assert one.envelope == Envelope("sales", UUID(int=3), 1, PaymentReceivedV1.type, 1, event.recorded_at)
        assert one == read
        assert one.model_dump().keys() == PaymentReceivedV1.model_fields.keys()
    with pytest.raises(AttributeError, match="not handed out"):
        _ = PaymentReceivedV1.model_validate(read.model_dump()).envelope


def test_what_a_newer_warehouse_says_is_passed_over_counted_and_kept() -> None:
    desk, log = Desk(), Log()
    given_streams: list[Stream] = []
    desk.handlers.stream("sales")(lambda stream, db: given_streams.append(stream))
    counts = desk.take([log.paid(1, "1.00"), log.add(1, "PaymentReceived.v2"), log.add(1, "OrderGifted")])
    assert counts.events == 3
    assert counts.unknown == {"sales.PaymentReceived.v2": 1, "sales.OrderGifted.v1": 1}
    assert (len(given_streams[0].events), given_streams[0].unknown) == (1, 2)
    key = given_streams[0].context, given_streams[0].id.bytes
    with desk.inbox.transaction() as work:
        assert [event.version for event in work.histories([key])[key]] == [1, 2, 3]


def test_a_consumer_that_wants_to_stops_at_what_it_does_not_know() -> None:
    desk, log = Desk(on_unknown="stop"), Log()
    with pytest.raises(UnknownEvent, match=r"PaymentReceived\.v2.*update"):
        desk.take([log.paid(1, "1.00"), log.add(1, "PaymentReceived.v2")])
    assert desk.inbox.offsets() == {PARTITION: 0}


def test_a_rewound_of_an_unknown_version_is_never_passed_over() -> None:
    desk, log = Desk(), Log()
    with pytest.raises(UnknownEvent, match=r"Rewound\.v2"):
        desk.take([log.add(1, "Rewound.v2", to_version=0)])


def test_what_was_received_before_is_not_handled_again() -> None:
    desk, log = Desk(), Log()
    said: list[str] = []
    desk.handlers.on(PaymentReceivedV1, ignore_rewinds=True)(lambda event, db: said.append(str(event.amount)))
    first, second = log.paid(1, "1.00"), log.paid(1, "2.00")
    desk.take([first])
    assert desk.take([first, second]).repeated == 1
    assert said == ["1.00", "2.00"]


def test_an_event_whose_predecessor_never_came_stops_the_consumer() -> None:
    desk, log = Desk(), Log()
    log.paid(1, "1.00")
    with pytest.raises(Hole, match="events 1 to 1 are missing"):
        desk.take([log.paid(1, "2.00")])
    assert desk.inbox.offsets() == {PARTITION: 0}


def test_a_stream_with_an_event_that_cannot_be_handled_is_parked_and_others_go_on() -> None:
    desk, log = Desk(), Log()
    said: list[str] = []
    desk.handlers.on(PaymentReceivedV1, ignore_rewinds=False)(lambda event, db: said.append(f"+{event.amount}"))
    desk.handlers.taken_back(PaymentReceivedV1)(lambda event, db: said.append(f"-{event.amount}"))
    desk.take([log.paid(1, "1.00")])
    desk.put_aside(log.paid(1, "2.00"))
    counts = desk.take([log.rewound(1, 1), log.paid(1, "3.00"), log.paid(2, "4.00")])
    assert counts.parked == 2
    assert said == ["+1.00", "+4.00"]

    (parked,) = desk.inbox.all_parked()
    assert parked == Parked("sales", UUID(int=1), 2, PARTITION, "poison")
    desk.handling.retry(parked)
    assert said == ["+1.00", "+4.00", "+2.00", "-2.00", "+3.00"]
    assert desk.inbox.all_parked() == []
    desk.take([log.rewound(1, 0)])
    assert said[-2:] == ["-3.00", "-1.00"]


def test_a_parked_stream_that_fails_again_stays_parked_without_any_effect() -> None:
    desk, log = Desk(), Log()

    def refuse(event: Event, db: Any) -> None:
        raise Poison("no")

    desk.handlers.on(PaymentReceivedV1, ignore_rewinds=True)(refuse)
    desk.put_aside(log.paid(1, "2.00"))
    (parked,) = desk.inbox.all_parked()
    with pytest.raises(Poison):
        desk.handling.retry(parked)
    assert desk.inbox.all_parked() == [parked]


def test_a_value_that_does_not_fit_its_type_is_poison_and_is_not_quoted() -> None:
    desk, log = Desk(), Log()
    desk.handlers.on(PaymentReceivedV1, ignore_rewinds=True)(lambda event, db: None)
    with pytest.raises(Poison, match=r"PaymentReceived\.v1 .* does not parse: payment_no: int_parsing") as raised:
        desk.take([log.add(1, "PaymentReceived", payment_no="Maria", method="x", installments=1, amount="1.00")])
    assert "Maria" not in str(raised.value)


@pytest.mark.parametrize(
    ("handlers", "told_so"),
    [
        ([], "has no handler"),
        (["on"], "register taken_back"),
        (["taken_back"], r"has no handler"),
        (["stream", "taken_back"], r"without on"),
        (["on other context"], "does not subscribe"),
        (["on rewound"], "Rewound is handled"),
        (["on stranger"], "none of the classes"),
    ],
)
def test_what_would_silently_go_wrong_is_refused_at_the_start(handlers: list[str], told_so: str) -> None:
    registered = Handlers(EVENTS)

    class Stranger(Event):
        type = "sales.Stranger.v1"
        context = "sales"

    def register(kind: str) -> None:
        if kind == "stream":
            registered.stream("sales")(print)
        elif kind == "taken_back":
            registered.taken_back(PaymentReceivedV1)(print)
        else:
            event_types: dict[str, type[Event]] = {
                "on": PaymentReceivedV1,
                "on other context": CustomerAnonymizedV2,
                "on rewound": CustomerRewoundV1,
                "on stranger": Stranger,
            }
            registered.on(event_types[kind], ignore_rewinds=False)(print)

    def put_together() -> None:
        for kind in handlers:
            register(kind)
        registered.check(["sales"])

    with pytest.raises(Misuse, match=told_so):
        put_together()


def test_handlers_of_events_that_survive_and_those_told_to_ignore_rewinds_need_nothing_more() -> None:
    registered = Handlers(EVENTS)
    registered.on(CustomerAnonymizedV2, ignore_rewinds=False)(print)
    registered.on(PaymentReceivedV1, ignore_rewinds=True)(print)
    registered.check(["sales", "customer"])
