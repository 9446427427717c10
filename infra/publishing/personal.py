"""Personal fields on their way out: they leave as the log has them, sealed, or not at all."""

from typing import Literal

import msgspec

from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry
from replayhouse.infra.publishing.message import LoggedEvent

_NULL = msgspec.Raw(b"null")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class PersonalFields:
    """Makes events ready to leave by the setting. Keeps what it learnt of topics."""

    def __init__(self, policy: Literal["sealed", "omitted"], registry: Registry = REGISTRY) -> None:
        self._policy = policy
        self._registry = registry
        self._names: dict[str, tuple[str, ...]] = {}

    def leaving(self, event: LoggedEvent) -> LoggedEvent:
        """The event as `of_state` has it."""
        state, personal = self.of_state(event.topic, event.state)
        return event if personal is None else event._replace(state=state, personal=personal)

    def of_state(self, topic: str, state: bytes) -> tuple[bytes, Literal["sealed", "omitted"] | None]:
        """The state as it leaves, and what has become of its personal fields: None where none has a value.

        Raises NewerVersion and UnknownTopic: of an event that it does not know it cannot say what is personal.
        """
        names = self._names.get(topic)
        if names is None:
            names = self._names[topic] = personal_fields(self._registry.event_type_of(topic))
        if not names:
            return state, None
        fields = _decode(state)
        filled = [name for name in names if fields.get(name, _NULL) != _NULL]
        if not filled:
            return state, None
        if self._policy == "sealed":
            return state, "sealed"
        fields.update((name, _NULL) for name in filled)
        return _encode(fields), "omitted"
