"""Personal fields stand in the log as ciphertext of their subject, and nowhere else."""

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import pytest

from replayhouse.domain.customer.events import CustomerRegistered, ReviewSubmitted
from replayhouse.domain.kernel.events import DomainEvent, personal
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.quality.events import RowQuarantined
from replayhouse.domain.sales.events import OrderCanceled
from replayhouse.infra.event_store.serialization.errors import BrokenSeal, MissingKey
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import new_key, personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry

STREAM = UUID("8272b63d-03f5-4d79-8ad1-4b5f5e7c1a10")
OTHER_STREAM = UUID("51c4c5a1-7b0a-4b1e-9d38-5a3e1f6b2c20")
PERSON = UUID("0d93b6f1-3c2e-4c05-8b8a-4a9be0d5f130")
KEY = new_key()
MONDAY = datetime(2018, 5, 7, 9, 30)
SECRET = "vila são joão, casa 13"  # longer than any chance repetition in ciphertext
MAPPER = Mapper()

PERSONAL = {
    "customer.AliasAmended.v1": ("zip_prefix", "city"),
    "customer.AliasLinked.v1": ("zip_prefix", "city"),
    "customer.CustomerMoved.v1": ("zip_prefix", "city"),
    "customer.CustomerRegistered.v1": ("zip_prefix", "city"),
    "customer.ReviewRevised.v1": ("title", "comment"),
    "customer.ReviewSubmitted.v1": ("title", "comment"),
    "fulfillment.ShipmentPlanned.v2": ("destination_zip",),
    "fulfillment.ShipmentReplanned.v2": ("destination_zip",),
    "quality.RowQuarantined.v1": ("text",),
    "quality.RowReleased.v1": ("text",),
}


def registered(zip_prefix: str | None = "01310", city: str | None = SECRET) -> CustomerRegistered:
    return CustomerRegistered(
        occurred_at=MONDAY, alias=OTHER_STREAM, state="SP", placed_at=MONDAY, zip_prefix=zip_prefix, city=city
    )


def review(customer_id: UUID = PERSON, title: str | None = None, comment: str | None = SECRET) -> ReviewSubmitted:
    return ReviewSubmitted(
        occurred_at=MONDAY,
        review_id=OTHER_STREAM,
        order_id=OTHER_STREAM,
        customer_id=customer_id,
        score=4,
        created_at=MONDAY,
        answered_at=None,
        title=title,
        comment=comment,
    )


def quarantined() -> RowQuarantined:
    return RowQuarantined(
        occurred_at=MONDAY, batch_id=OTHER_STREAM, file="customers", line=7, rule="shape", reason="why", text=SECRET
    )


def test_what_may_identify_a_person_is_marked_personal_and_nothing_is_forgotten() -> None:
    marked = {topic: personal_fields(event_type) for (_, event_type), topic in REGISTRY.topics.items()}

    assert {topic: names for topic, names in marked.items() if names} == PERSONAL


@pytest.mark.parametrize(
    ("context", "event", "subject"),
    [("customer", registered(), STREAM), ("customer", review(), PERSON), ("quality", quarantined(), STREAM)],
)
def test_a_stored_event_does_not_show_its_personal_fields(context: str, event: DomainEvent, subject: UUID) -> None:
    _, state = MAPPER.encode(context, STREAM, event, {subject: KEY})

    stored = json.loads(state)
    shown = str(stored) + "".join(
        b64decode(stored[name]).decode("latin-1") for name in personal_fields(type(event)) if stored[name] is not None
    )
    assert SECRET not in shown
    assert SECRET.encode().decode("latin-1") not in shown


def test_other_fields_of_such_an_event_stay_readable() -> None:
    _, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})

    stored = json.loads(state)
    assert list(stored) == ["occurred_at", "alias", "state", "placed_at", "zip_prefix", "city"]
    assert stored["state"] == "SP"
    assert stored["alias"] == str(OTHER_STREAM)
    assert len(b64decode(stored["zip_prefix"], validate=True)) == 12 + len("01310") + 16


def test_a_decoded_event_is_sealed_until_it_is_revealed() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})

    sealed = MAPPER.decode(topic, state)
    assert isinstance(sealed, CustomerRegistered)
    assert sealed.city == json.loads(state)["city"]
    assert MAPPER.reveal(sealed, STREAM, KEY) == registered()


def test_the_same_text_never_looks_the_same_twice() -> None:
    states = {MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})[1] for _ in range(100)}
    seals = [json.loads(state)[name] for state in states for name in ("zip_prefix", "city")]

    assert len({b64decode(seal)[:12] for seal in seals}) == 200


def test_a_field_without_value_is_stored_as_null_and_stays_so() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(zip_prefix=None, city=""), {STREAM: KEY})

    assert json.loads(state)["zip_prefix"] is None
    assert MAPPER.reveal(MAPPER.decode(topic, state), STREAM, KEY) == registered(zip_prefix=None, city="")


def test_of_an_erased_subject_personal_fields_are_recorded_as_null() -> None:
    _, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: None})

    stored = json.loads(state)
    assert (stored["zip_prefix"], stored["city"], stored["state"]) == (None, None, "SP")


def test_once_the_key_is_gone_what_was_sealed_reads_as_null() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})

    assert MAPPER.reveal(MAPPER.decode(topic, state), STREAM, None) == registered(zip_prefix=None, city=None)


def test_a_value_that_may_not_be_seen_does_not_read_as_an_erased_one() -> None:
    """A fold takes a person without zip prefix for an anonymised one: this one is not."""
    topic, state = MAPPER.encode("customer", PERSON, registered(), {PERSON: KEY})
    assert MAPPER.withhold(MAPPER.decode(topic, state)) == registered("unknown", "unknown")
    topic, state = MAPPER.encode("customer", PERSON, registered(), {PERSON: None})
    assert MAPPER.withhold(MAPPER.decode(topic, state)) == registered(None, None)
    topic, state = MAPPER.encode("customer", STREAM, review(), {PERSON: KEY})
    assert MAPPER.withhold(MAPPER.decode(topic, state)) == review(comment=None)
    topic, state = MAPPER.encode("sales", STREAM, OrderCanceled(MONDAY, "created"), {})
    assert MAPPER.withhold(MAPPER.decode(topic, state)) == OrderCanceled(MONDAY, "created")


def test_a_key_that_nobody_looked_up_is_an_error_not_an_erasure() -> None:
    with pytest.raises(MissingKey, match=rf"customer\.ReviewSubmitted\.v1 of stream {STREAM}.*{PERSON}"):
        MAPPER.encode("customer", STREAM, review(), {STREAM: KEY})


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        (registered(), STREAM),
        (review(), PERSON),
        (review(customer_id=UNKNOWN_ID), STREAM),
        (review(comment=""), PERSON),
        (review(comment=None), None),
        (quarantined(), STREAM),
        (OrderCanceled(MONDAY, "created"), None),
    ],
)
def test_the_subject_is_the_person_named_else_the_stream_and_nobody_where_nothing_is_personal(
    event: DomainEvent, subject: UUID | None
) -> None:
    assert MAPPER.subject_of(event, STREAM) == subject


def test_the_subject_of_a_sealed_event_is_that_of_the_open_one() -> None:
    topic, state = MAPPER.encode("customer", STREAM, review(), {PERSON: KEY})

    assert MAPPER.subject_of(MAPPER.decode(topic, state), STREAM) == PERSON


def with_city(state: bytes, city: str) -> bytes:
    return json.dumps(json.loads(state) | {"city": city}).encode()


def test_another_key_does_not_open_a_seal_and_the_error_names_topic_and_stream() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})

    for wrong in (new_key(), b"short", b""):
        with pytest.raises(BrokenSeal, match=rf"customer\.CustomerRegistered\.v1 of stream {STREAM}"):
            MAPPER.reveal(MAPPER.decode(topic, state), STREAM, wrong)


def test_a_seal_moved_to_another_stream_does_not_open() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})

    with pytest.raises(BrokenSeal):
        MAPPER.reveal(MAPPER.decode(topic, state), OTHER_STREAM, KEY)


def test_a_seal_moved_to_another_field_does_not_open() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})

    with pytest.raises(BrokenSeal):
        MAPPER.reveal(MAPPER.decode(topic, with_city(state, json.loads(state)["zip_prefix"])), STREAM, KEY)


def test_a_damaged_seal_does_not_open() -> None:
    topic, state = MAPPER.encode("customer", STREAM, registered(), {STREAM: KEY})
    seal = json.loads(state)["city"]
    flipped = ("B" if seal[20] == "A" else "A").join((seal[:20], seal[21:]))

    for damaged in (flipped, seal[:-4], "", "AAAA", "clear text", "são paulo", seal + "!"):
        with pytest.raises(BrokenSeal):
            MAPPER.reveal(MAPPER.decode(topic, with_city(state, damaged)), STREAM, KEY)


@dataclass(frozen=True, slots=True)
class Aged(DomainEvent):
    age: int = personal()


@dataclass(frozen=True, slots=True)
class Named(DomainEvent):
    subject: ClassVar[str | None] = "nobody"

    name: str | None = personal()


def test_only_texts_that_may_be_null_can_be_personal() -> None:
    with pytest.raises(ValueError, match=r"Aged\.age is personal"):
        Mapper(Registry({"people": [Aged]}))


def test_a_subject_that_is_no_field_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="Named has no field nobody"):
        Mapper(Registry({"people": [Named]}))
