"""A message as it is shown to people: what its headers say, and its facts, with personal fields hidden.

Anything may stand on a topic: what is missing is None, and nothing is refused.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec

from replayhouse.infra.event_store.serialization.errors import UnknownTopic
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.kafka.reader import Received

_MOST_DIGITS = 19
"""So many has the largest position."""


class Seen(NamedTuple):
    """An event as a consumer sees it. `time` is when it happened, None for timeless ones; `facts` its state.

    Personal fields that have a value are `sealed` or `omitted`, as `personal` says; what stands there is not shown.
    """

    position: int | None
    time: str | None
    recorded_at: str | None
    type: str | None
    stream: str | None
    version: int | None
    batch: str | None
    lines: str | None
    personal: str | None
    partition: int
    offset: int
    facts: Any

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return self._asdict()


def seen(message: Received) -> Seen:
    """What there is to show of a message."""
    told = {name: value.decode(errors="replace") for name, value in message.headers if value is not None}
    kind, personal = told.get("ce_type"), told.get("ce_personal")
    return Seen(
        position=_number(told.get("ce_position")),
        time=told.get("ce_time"),
        recorded_at=told.get("ce_recordedtime"),
        type=kind,
        stream=told.get("ce_subject"),
        version=_number(told.get("ce_streamversion")),
        batch=told.get("ce_batch"),
        lines=told.get("ce_lines"),
        personal=personal,
        partition=message.partition,
        offset=message.offset,
        facts=_facts(message.value, kind, personal),
    )


def _number(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text or "") if is_number else None


def _facts(value: bytes | None, kind: str | None, personal: str | None) -> Any:
    try:
        facts = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if personal is None or not isinstance(facts, dict):
        return facts
    hidden = _personal_of(kind or "")
    return {name: personal if name in hidden and _is_hidden(name, facts, personal) else facts[name] for name in facts}


def _is_hidden(name: str, facts: Mapping[str, Any], personal: str) -> bool:
    """Of omitted fields nobody can tell which had a value."""
    return facts[name] is not None or personal == "omitted"


@cache
def _personal_of(kind: str) -> frozenset[str]:
    """The personal fields of a type of events; none of one that this program does not know."""
    try:
        return frozenset(personal_fields(REGISTRY.event_type_of(kind)))
    except UnknownTopic:
        return frozenset()
