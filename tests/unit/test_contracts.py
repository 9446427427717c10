"""The contracts with consumers: well-formed, made from the classes, and kept by whatever the program records."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.contracts.compatibility import resolved
from replayhouse.infra.contracts.files import CONTRACTS, made_files, stale_files
from replayhouse.infra.contracts.schemas import SEALED, Schema, current_schemas
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry
from replayhouse_consumer.events import EVENTS
from tests.golden import AnyKeys, GoldenEvent, golden_events
from tests.support.any_event import every_event_class, values_of
from tests.support.json_schemas import undeclared

ROOT = Path(__file__).parents[2]
MAPPER = Mapper()
STREAM = UUID("8272b63d-03f5-4d79-8ad1-4b5f5e7c1a10")


def contract_of(topic: str) -> Schema:
    """The contract as it is checked in."""
    context, _, event = topic.partition(".")
    contract: Schema = json.loads((ROOT / CONTRACTS / context / f"{event}.json").read_text(encoding="utf-8"))
    return contract


def keeps(schema: Schema, state: Any) -> bool:
    """Whether an event keeps its contract as the program has to: validly, and without fields that it does not name."""
    Draft202012Validator(schema).validate(state)
    return undeclared(resolved(schema), state) == []


def test_what_is_checked_in_is_what_the_classes_make() -> None:
    stale = [str(path.relative_to(ROOT)) for path in stale_files(ROOT, made_files(ROOT))]
    assert stale == [], "run `make contracts`, look at what it changes, and commit it"


@pytest.mark.parametrize("path", sorted((ROOT / CONTRACTS).rglob("*.v*.json")), ids=lambda path: path.stem)
def test_a_contract_is_a_json_schema_and_its_examples_keep_it(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["examples"]
    for example in schema["examples"]:
        assert keeps(schema, example)


@pytest.mark.parametrize("entry", golden_events(), ids=[entry.topic for entry in golden_events()])
def test_what_was_recorded_once_keeps_its_contract_and_is_an_event_of_the_kit(entry: GoldenEvent) -> None:
    assert keeps(contract_of(entry.topic), json.loads(entry.state))
    event = EVENTS[entry.topic].model_validate_json(entry.state)
    assert (event.type, event.context) == (entry.topic, entry.topic.partition(".")[0])


@every_event_class
def test_whatever_an_event_holds_its_state_keeps_the_contract_and_is_an_event_of_the_kit(
    context: str, event_type: type[DomainEvent]
) -> None:
    topic = REGISTRY.topic_of(context, event_type)
    schema = contract_of(topic)
    validator, shape = Draft202012Validator(schema), resolved(schema)

    @settings(max_examples=15, deadline=None)
    @given(values_of(event_type))
    def holds(event: DomainEvent) -> None:
        _, state = MAPPER.encode(context, STREAM, event, AnyKeys())
        told = json.loads(state)
        validator.validate(told)
        assert undeclared(shape, told) == []
        typed = EVENTS[topic].model_validate_json(state)
        for name in set(told) - set(personal_fields(event_type)):
            assert plain(getattr(typed, name)) == plain(getattr(event, name))

    holds()


def plain(value: Any) -> Any:
    """A value by its fields, whatever its class."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


class _Doubtful(NamedTuple):
    topic: str
    field: str
    value: Any


@pytest.mark.parametrize(
    "case",
    [
        _Doubtful("sales.OrderPaid.v1", "paid", 29.9),
        _Doubtful("sales.OrderPaid.v1", "paid", "29.9"),
        _Doubtful("sales.OrderPaid.v1", "occurred_at", "2017-10-02T10:56:33Z"),
        _Doubtful("sales.OrderPaid.v1", "occurred_at", None),
        _Doubtful("sales.OrderCanceled.v1", "last_step", None),
        _Doubtful("sales.OrderAmended.v1", "what", "status"),
        _Doubtful("customer.CustomerMoved.v1", "zip_prefix", "01001"),
        _Doubtful("customer.CustomerMoved.v1", "city", "a city in clear text, long enough for a ciphertext"),
    ],
)
def test_a_contract_refuses_what_the_program_never_writes(case: _Doubtful) -> None:
    schema = contract_of(case.topic)
    validator = Draft202012Validator(schema)
    assert not validator.is_valid(schema["examples"][0] | {case.field: case.value})


@every_event_class
def test_personal_fields_are_marked_with_whose_key_seals_them_and_no_others(
    context: str, event_type: type[DomainEvent]
) -> None:
    schema = contract_of(REGISTRY.topic_of(context, event_type))
    marked = {name for name, field in schema["properties"].items() if field.get("x-personal")}
    assert marked == set(personal_fields(event_type))
    assert schema.get("x-subject") == ((event_type.subject or "stream") if marked else None)
    assert all(schema["properties"][name].items() >= {"pattern": SEALED["pattern"]}.items() for name in marked)
    assert schema["x-survives-rewind"] == event_type.survives_rewind == EVENTS[schema["title"]].survives_rewind


def test_an_older_version_keeps_its_contract_although_no_class_makes_it_any_more() -> None:
    assert "customer.CustomerAnonymized.v1" not in current_schemas()
    assert "by" not in contract_of("customer.CustomerAnonymized.v1")["properties"]
    assert set(EVENTS) == {entry.topic for entry in golden_events()}, "the kit knows whatever the log may hold"


def test_a_field_that_says_nothing_has_no_schema() -> None:
    @dataclass(frozen=True, slots=True)
    class Weighed(DomainEvent):
        """A parcel was weighed."""

        grams: int

    with pytest.raises(ValueError, match=r"Weighed\.grams does not say what it means"):
        current_schemas(Registry({"fulfillment": [Weighed]}))
