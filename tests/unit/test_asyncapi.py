"""The AsyncAPI document says what is there: every topic, every event, and what the relay writes beside each."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.contracts.files import ASYNCAPI, CONTRACTS
from replayhouse.infra.kafka.topics import wanted_topics
from replayhouse.infra.publishing.message import event_of
from replayhouse.infra.publishing.names import events_topic, positions_topic, state_topic
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.golden import golden_events

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / CONTRACTS
OFFICIAL = Draft7Validator(json.loads((ROOT / "tests/asyncapi/3.0.0.json").read_text(encoding="utf-8")))
DOCUMENT: dict[str, Any] = json.loads((ROOT / ASYNCAPI).read_text(encoding="utf-8"))
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
EVENTS = [entry.topic for entry in golden_events()]


def referred(reference: str) -> Any:
    """What a reference of the document leads to: a place in it, or a file beside it."""
    if not reference.startswith("#/"):
        return json.loads((FOLDER / reference).read_text(encoding="utf-8"))
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for each in part.values() for found in references(each)]


def test_it_keeps_the_official_schema() -> None:
    assert [error.message for error in OFFICIAL.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("channels", "sales.events", "bindings", "kafka", "partitions"), 0),
        (("channels", "sales.events", "topic"), "replayhouse.sales.events.v1"),
        (("operations", "publish.sales.events", "action"), "publish"),
        (("servers", "brokers", "protocol"), None),
    ],
)
def test_the_official_schema_refuses_what_is_none(path: tuple[str, ...], value: Any) -> None:
    document: Any = json.loads(json.dumps(DOCUMENT))
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not OFFICIAL.is_valid(document)


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert len(found) > 2 * len(EVENTS)
    assert all(referred(reference) for reference in found)


def test_every_topic_has_its_channel_at_its_address_with_the_settings_it_is_made_with() -> None:
    kafka = KafkaSettings.model_construct(state=",".join(CONTEXTS))
    wanted = {topic.name: topic for topic in wanted_topics(kafka)}
    channels = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
    assert set(channels) == set(wanted)
    assert set(channels) == {
        *(events_topic("replayhouse", context) for context in CONTEXTS),
        *(state_topic("replayhouse", context) for context in CONTEXTS),
        positions_topic("replayhouse"),
    }
    for address, topic in wanted.items():
        binding = channels[address]["bindings"]["kafka"]
        assert binding["partitions"] == topic.partitions
        told = {name: _as_text(value) for name, value in binding["topicConfiguration"].items()}
        assert told.items() <= topic.settings.items()


def _as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def test_every_event_stands_in_the_channel_of_its_context_and_in_no_other() -> None:
    for context in CONTEXTS:
        told = list(DOCUMENT["channels"][f"{context}.events"]["messages"])
        assert sorted(told) == sorted(name for name in EVENTS if name.startswith(f"{context}."))


def test_what_is_sent_to_each_channel_is_an_operation() -> None:
    operations = {operation["channel"]["$ref"]: operation["action"] for operation in DOCUMENT["operations"].values()}
    assert operations == {f"#/channels/{channel}": "send" for channel in DOCUMENT["channels"]}


@pytest.mark.parametrize("name", EVENTS)
def test_the_example_of_a_message_keeps_the_contracts_of_its_headers_and_its_value(name: str) -> None:
    message = MESSAGES[name]
    (example,) = message["examples"]
    for part in ("headers", "payload"):
        schema = referred(message[part]["schema"]["$ref"])
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example[part])
    assert example["headers"]["ce_type"] == name == referred(message["payload"]["schema"]["$ref"])["title"]
    assert ("ce_time" in example["headers"]) == (example["payload"].get("occurred_at") is not None)

    headers = [(header, text.encode()) for header, text in example["headers"].items()]
    key = example["headers"]["ce_subject"]
    assert Draft202012Validator(message["bindings"]["kafka"]["key"]).is_valid(key)
    event = event_of(key.encode(), json.dumps(example["payload"]).encode(), headers)
    assert (event.topic, event.context) == (name, name.partition(".")[0])
