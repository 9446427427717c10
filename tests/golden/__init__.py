"""One stored event of every topic and version that the log may hold, kept for ever in `events.json`.

What was recorded once must be read by every later program. `python -m tests.golden` adds what is missing; it never
changes what stands there. Whoever changes the shape of an event gives it the next version, writes an upcaster from the
one before (infra/event_store/serialization/registry.py), and runs it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.registry import REGISTRY

GOLDEN = Path(__file__).with_name("events.json")
MAPPER = Mapper()

STREAM = UUID("5f3c1a52-8f0e-4f6b-9a57-2f1d5f6c7b80")
KEY = bytes(range(32))
"""The key of every subject: what it seals is made up."""


class GoldenEvent(NamedTuple):
    """An event as it stood in the log, and what its program read of it, personal fields in clear text."""

    topic: str
    state: str
    reads_as: dict[str, Any]


class AnyKeys(dict[UUID, bytes | None]):
    """Whoever the subject is, the key is that of the test."""

    def __missing__(self, subject: UUID) -> bytes | None:
        return KEY


def golden_events() -> list[GoldenEvent]:
    """The entries of the golden file, in the order in which they were added."""
    return [GoldenEvent(**entry) for entry in json.loads(GOLDEN.read_text(encoding="utf-8"))]


def missing_topics(found: list[GoldenEvent]) -> list[str]:
    """The current topics without an entry."""
    known = {entry.topic for entry in found}
    return [topic for topic in REGISTRY.topics.values() if topic not in known]


def add_missing() -> list[str]:
    """Adds an entry for each current topic without one; the topics added."""
    found = golden_events() if GOLDEN.exists() else []
    wanted = missing_topics(found)
    added = [_entry(context, kind) for (context, kind), topic in REGISTRY.topics.items() if topic in wanted]
    entries = [entry._asdict() for entry in (*found, *added)]
    GOLDEN.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return wanted


def read(entry: GoldenEvent) -> DomainEvent:
    """What this program reads of an entry."""
    return MAPPER.reveal(MAPPER.decode(entry.topic, entry.state.encode()), STREAM, KEY)


def told(event: DomainEvent) -> dict[str, Any]:
    """The fields of an event, as JSON has them."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    return values


def _entry(context: str, kind: type[DomainEvent]) -> GoldenEvent:
    topic, state = MAPPER.encode(context, STREAM, a_sample_of(kind), AnyKeys())
    entry = GoldenEvent(topic, state.decode(), {})
    return entry._replace(reads_as=told(read(entry)))


_SAMPLES: Mapping[Any, Callable[[str], Any]] = {
    int: lambda name: 7,
    float: lambda name: -23.5475,
    str: lambda name: f"{name} são João",
    bool: lambda name: True,
    UUID: lambda name: UUID("0d93b6f1-3c2e-4c05-8b8a-4a9be0d5f130"),
    date: lambda name: date(2018, 3, 31),
    datetime: lambda name: datetime(2017, 10, 2, 10, 56, 33),
    Decimal: lambda name: Decimal("29.90"),
}


def a_sample_of(kind: Any, name: str = "") -> Any:
    """A value of a type that events have, the same each time: filled wherever it may be null."""
    if kind in _SAMPLES:
        return _SAMPLES[kind](name)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{field.name: a_sample_of(hints[field.name], field.name) for field in fields(kind)})
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, UnionType):
        return a_sample_of(next(one for one in get_args(kind) if one is not NoneType), name)
    if get_origin(kind) is tuple:
        return (a_sample_of(get_args(kind)[0], name),)
    raise AssertionError(f"no sample of {kind}: say here what such a field may hold")
