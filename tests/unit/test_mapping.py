"""Every event class survives the way into the log and back, to the last decimal place."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings

from replayhouse.domain.customer.events import CustomerAnonymized
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import Line, OrderPlaced
from replayhouse.infra.event_store.serialization.errors import NewerVersion, UnknownTopic, UnreadableState
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import new_key
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry, as_it_is
from tests.support.any_event import every_event_class, values_of

STREAM = UUID("8272b63d-03f5-4d79-8ad1-4b5f5e7c1a10")
KEY = new_key()
MAPPER = Mapper()


class AnyKeys(dict[UUID, bytes | None]):
    """Whoever the subject is, its key is the same."""

    def __init__(self, key: bytes | None) -> None:
        self.key = key

    def __missing__(self, subject: UUID) -> bytes | None:
        return self.key


def there_and_back(context: str, event: DomainEvent, key: bytes | None, mapper: Mapper = MAPPER) -> DomainEvent:
    topic, state = mapper.encode(context, STREAM, event, AnyKeys(key))
    return mapper.reveal(mapper.decode(topic, state), STREAM, key)


@every_event_class
def test_an_event_comes_back_from_the_log_as_it_was(context: str, event_type: type[DomainEvent]) -> None:
    """By repr as well: equal decimals may differ in their exponents, and equal times in their zones."""

    @settings(max_examples=25, deadline=None)
    @given(values_of(event_type))
    def holds(event: DomainEvent) -> None:
        back = there_and_back(context, event, KEY)
        assert back == event
        assert repr(back) == repr(event)

    holds()


@every_event_class
def test_an_event_of_an_erased_person_comes_back_without_its_personal_fields_only(
    context: str, event_type: type[DomainEvent]
) -> None:
    @settings(max_examples=10, deadline=None)
    @given(values_of(event_type))
    def holds(event: DomainEvent) -> None:
        back = there_and_back(context, event, None)
        for field in fields(event_type):  # type: ignore[arg-type]  # every event is a dataclass; their base is none
            kept = None if field.metadata.get("personal") else getattr(event, field.name)
            assert getattr(back, field.name) == kept

    holds()


def test_a_state_is_compact_json_that_a_person_can_read() -> None:
    placed_at = datetime(2017, 10, 2, 10, 56, 33)
    line = Line(
        item_no=1,
        product_id=UUID(int=7),
        seller_id=UUID(int=8),
        price=Decimal("29.90"),
        freight=Decimal("0.00"),
        ship_by=datetime(2017, 10, 6, 11, 7, 15),
    )
    order = OrderPlaced(
        occurred_at=placed_at,
        customer_id=UUID(int=5),
        customer_alias=UUID(int=6),
        placed_at=placed_at,
        promised_by=datetime(2017, 10, 18),
        lines=(line,),
    )

    topic, state = MAPPER.encode("sales", STREAM, order, {})

    assert topic == "sales.OrderPlaced.v2"
    assert state.decode() == (
        '{"occurred_at":"2017-10-02T10:56:33","customer_id":"00000000-0000-0000-0000-000000000005",'
        '"customer_alias":"00000000-0000-0000-0000-000000000006","placed_at":"2017-10-02T10:56:33",'
        '"promised_by":"2017-10-18T00:00:00","lines":[{"item_no":1,'
        '"product_id":"00000000-0000-0000-0000-000000000007","seller_id":"00000000-0000-0000-0000-000000000008",'
        '"price":"29.90","freight":"0.00","ship_by":"2017-10-06T11:07:15"}]}'
    )


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{",
        b"[]",
        b'{"occurred_at":"2017-10-02T10:56:33"}',
        b'{"occurred_at":"yesterday","last_step":"created"}',
        b'{"occurred_at":"2017-10-02T10:56:33","last_step":7}',
        b'{"occurred_at":"2017-10-02T10:56:33","last_step":"\xff"}',
        b'{"occurred_at":"2017-10-02T10:56:33","later":' + b"[" * 100_000,
    ],
    ids=lambda state: state[:60],
)
def test_a_state_that_does_not_fit_its_topic_is_refused_by_the_topic_s_name(state: bytes) -> None:
    with pytest.raises(UnreadableState, match=r"sales\.OrderCanceled\.v1"):
        MAPPER.decode("sales.OrderCanceled.v1", state)


@dataclass(frozen=True, slots=True)
class ParcelWeighed(DomainEvent):
    """Its third version: grams since the second, a scale since the third."""

    version: ClassVar[int] = 3

    grams: int
    scale: str


@dataclass(frozen=True, slots=True)
class ParcelLost(DomainEvent):
    """Never changed."""

    where: str | None


def in_grams(state: dict[str, Any]) -> dict[str, Any]:
    return {"grams": int(Decimal(state["kilograms"]) * 1000)}


def with_a_scale(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "scale": "unknown"}


UPCASTERS: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("parcels.ParcelWeighed", 1): in_grams,
    ("parcels.ParcelWeighed", 2): with_a_scale,
}
PARCELS = Registry({"parcels": (ParcelWeighed, ParcelLost)}, UPCASTERS)


@pytest.mark.parametrize(
    ("topic", "state", "expected"),
    [
        ("parcels.ParcelWeighed.v1", b'{"kilograms":"1.25"}', ParcelWeighed(1250, "unknown")),
        ("parcels.ParcelWeighed.v2", b'{"grams":1300}', ParcelWeighed(1300, "unknown")),
        ("parcels.ParcelWeighed.v3", b'{"grams":1400,"scale":"north"}', ParcelWeighed(1400, "north")),
    ],
)
def test_a_state_of_any_version_is_read_as_the_current_one(topic: str, state: bytes, expected: ParcelWeighed) -> None:
    assert Mapper(PARCELS).decode(topic, state) == expected


def test_old_states_hold_ids_times_and_amounts_as_current_ones_do() -> None:
    """Upcasters see parsed JSON, where these are texts; what they return is read like any state."""

    @dataclass(frozen=True, slots=True)
    class Placed(DomainEvent):
        version: ClassVar[int] = 2
        order: OrderPlaced

    mapper = Mapper(Registry({"sales": [Placed]}, {("sales.Placed", 1): lambda state: {"order": state}}))
    monday = datetime(2018, 5, 7, 9, 30)
    line = Line(1, UUID(int=7), UUID(int=8), Decimal("29.90"), Decimal("0.00"), monday)
    event = OrderPlaced(monday, STREAM, STREAM, monday, monday, (line,))

    assert mapper.decode("sales.Placed.v1", msgspec.json.encode(event)) == Placed(event)


def test_events_are_written_in_their_current_version() -> None:
    topic, state = Mapper(PARCELS).encode("parcels", STREAM, ParcelWeighed(5, "north"), {})

    assert (topic, state) == ("parcels.ParcelWeighed.v3", b'{"grams":5,"scale":"north"}')


def test_an_event_of_a_newer_version_says_that_the_program_is_older_than_the_log() -> None:
    with pytest.raises(NewerVersion, match=r"parcels\.ParcelWeighed\.v4.*the program is older than the log"):
        Mapper(PARCELS).decode("parcels.ParcelWeighed.v4", b"{}")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "parcels",
        "parcels.ParcelWeighed",
        "parcels.ParcelWeighed.v0",
        "parcels.ParcelWeighed.v-1",
        "parcels.ParcelWeighed.vx",
        "parcels.ParcelWeighed.v",
        "parcels.ParcelWeighed.v03",
        "other.ParcelWeighed.v1",
        "parcels.ParcelStolen.v1",
    ],
)
def test_a_topic_that_nobody_registered_is_refused_by_its_name(topic: str) -> None:
    with pytest.raises(UnknownTopic, match="which this program does not know") as refused:
        Mapper(PARCELS).decode(topic, b"{}")
    assert not isinstance(refused.value, NewerVersion), "rubbish is no newer version of anything"


def test_an_event_of_another_context_is_not_encoded() -> None:
    with pytest.raises(UnknownTopic, match="marketplace has no event OrderPlaced"):
        REGISTRY.topic_of("marketplace", OrderPlaced)


def test_topics_and_classes_name_each_other() -> None:
    assert REGISTRY.topics
    for (context, event_type), topic in REGISTRY.topics.items():
        assert REGISTRY.topic_of(context, event_type) == topic
        assert REGISTRY.event_type_of(topic) is event_type
    assert PARCELS.event_type_of("parcels.ParcelWeighed.v1") is ParcelWeighed


def test_every_stream_may_be_rewound() -> None:
    contexts = {context for context, _ in REGISTRY.topics}

    assert contexts == {"sales", "fulfillment", "customer", "marketplace", "quality"}
    assert {f"{context}.Rewound.v1" for context in contexts} <= set(REGISTRY.topics.values())


def test_a_changed_class_without_a_way_from_its_older_versions_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="no upcaster from version 2"):
        Registry({"parcels": [ParcelWeighed]}, {("parcels.ParcelWeighed", 1): in_grams})


def test_two_classes_of_one_name_in_a_context_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"two classes of events are called parcels\.ParcelLost"):
        Registry({"parcels": [ParcelLost, ParcelLost]})


def test_an_erasure_of_version_1_did_not_say_who_did_it() -> None:
    state = b'{"occurred_at":"2026-01-01T10:00:00","reason":"asked for it"}'
    erased = MAPPER.decode("customer.CustomerAnonymized.v1", state)
    assert erased == CustomerAnonymized(datetime(2026, 1, 1, 10), "asked for it", "unknown")
    assert REGISTRY.topic_of("customer", CustomerAnonymized) == "customer.CustomerAnonymized.v2"


@pytest.mark.parametrize("name", ["promised_by", "ship_by"])
def test_an_order_of_version_1_is_read_as_it_is_and_one_of_version_2_may_not_know_its_times(name: str) -> None:
    placed = OrderPlaced(
        datetime(2018, 3, 5),
        UUID(int=1),
        UUID(int=2),
        datetime(2018, 3, 5),
        datetime(2018, 3, 20),
        (Line(1, UUID(int=3), UUID(int=4), Decimal("1.00"), Decimal("0.50"), datetime(2018, 3, 7)),),
    )
    topic, state = MAPPER.encode("sales", STREAM, placed, {})
    assert (topic, MAPPER.decode("sales.OrderPlaced.v1", state)) == ("sales.OrderPlaced.v2", placed)

    unknown = re.sub(f'"{name}":"[^"]*"'.encode(), f'"{name}":null'.encode(), state)
    read = MAPPER.decode(topic, unknown)
    assert isinstance(read, OrderPlaced)
    assert (read.promised_by if name == "promised_by" else read.lines[0].ship_by) is None
    assert MAPPER.encode("sales", STREAM, read, {}) == (topic, unknown)


def test_versions_that_only_allow_more_cost_nothing_to_read_and_others_keep_their_order() -> None:
    def older(state: dict[str, Any]) -> dict[str, Any]:
        return {"kilograms": state["kg"]}

    chain = {("parcels.ParcelWeighed", 1): older, ("parcels.ParcelWeighed", 2): as_it_is}
    registry = Registry({"parcels": [ParcelWeighed]}, chain)
    assert registry.upcasters_of("parcels.ParcelWeighed.v1") == (older,)
    assert registry.upcasters_of("parcels.ParcelWeighed.v2") == ()
