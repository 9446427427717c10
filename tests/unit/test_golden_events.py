"""What was recorded once is read for ever: every topic and version that a log may hold stands in the golden file."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

import tests.golden
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY, UPCASTERS, Registry
from tests.golden import GOLDEN, GoldenEvent, add_missing, golden_events, missing_topics, read, told

HOW = "run `python -m tests.golden`, look at what it adds, and commit it"
ENTRIES = golden_events()
CURRENT = set(REGISTRY.topics.values())


def test_every_topic_has_its_golden_event() -> None:
    missing = missing_topics(ENTRIES)
    assert not missing, f"tests/golden/events.json lacks {', '.join(missing)}: {HOW}"


def test_every_older_version_has_one_too() -> None:
    known = {entry.topic for entry in ENTRIES}
    older = {
        f"{topic.rpartition('.v')[0]}.v{version}"
        for (_, event_type), topic in REGISTRY.topics.items()
        for version in range(1, event_type.version)
    }
    assert older <= known, (
        f"tests/golden/events.json lacks {', '.join(sorted(older - known))}: take these entries from the program that "
        "still recorded them"
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.topic for entry in ENTRIES])
def test_a_golden_event_is_read(entry: GoldenEvent) -> None:
    event = read(entry)
    fields = told(event)
    if entry.topic in CURRENT:
        assert fields == entry.reads_as, (
            f"{entry.topic} is read otherwise than when it was recorded. Give the event the next version and an "
            f"upcaster from this one (infra/event_store/serialization/registry.py), then {HOW}; "
            "entries are never changed"
        )
    else:  # brought up: what became of the fields is its upcasters' matter, and their tests'
        assert type(event) is REGISTRY.event_type_of(entry.topic)
    for name in personal_fields(type(event)):
        if name in entry.reads_as:
            assert fields[name] == entry.reads_as[name], f"{name} was sealed, and opens under its key"


def test_no_topic_has_two() -> None:
    topics = [entry.topic for entry in ENTRIES]
    assert len(topics) == len(set(topics))


def test_sealed_fields_stand_there_as_they_stand_in_the_log() -> None:
    sealed = [entry for entry in ENTRIES if personal_fields(REGISTRY.event_type_of(entry.topic))]
    assert len(sealed) >= 10
    for entry in sealed:
        state = msgspec.json.decode(entry.state)
        for name in personal_fields(REGISTRY.event_type_of(entry.topic)):
            assert name not in state or state[name] != entry.reads_as[name]


@dataclass(frozen=True, slots=True)
class ParcelWeighed(DomainEvent):
    """An event that nobody added to the golden file."""

    version: ClassVar[int] = 2
    grams: int


def test_an_event_that_was_added_without_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events: dict[str, list[type[DomainEvent]]] = {}
    for context, event_type in REGISTRY.topics:
        events.setdefault(context, []).append(event_type)
    events["fulfillment"].append(ParcelWeighed)
    grown = Registry(events, {**UPCASTERS, ("fulfillment.ParcelWeighed", 1): lambda state: state})
    monkeypatch.setattr(tests.golden, "REGISTRY", grown)
    monkeypatch.setattr(tests.golden, "GOLDEN", tmp_path / "events.json")
    before = GOLDEN.read_text("utf-8")
    (tmp_path / "events.json").write_text(before, "utf-8")
    assert missing_topics(golden_events()) == ["fulfillment.ParcelWeighed.v2"]

    monkeypatch.setattr(tests.golden, "MAPPER", Mapper(grown))
    assert add_missing() == ["fulfillment.ParcelWeighed.v2"]
    after = golden_events()
    assert after[:-1] == ENTRIES, "what stood there stays"
    assert after[-1] == GoldenEvent("fulfillment.ParcelWeighed.v2", '{"grams":7}', {"grams": 7})
    assert add_missing() == []
