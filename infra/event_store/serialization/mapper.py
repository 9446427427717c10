"""Events to stored topic and state, and back.

A state is compact JSON that a person can read. msgspec takes plain dataclasses, but refuses unions of them, hence one
decoder per topic; it ignores fields that a class does not have, and keeps the exponents of decimals, so amounts are
brought to cents before they become events.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.event_store.serialization.errors import UnreadableState
from replayhouse.infra.event_store.serialization.personal import PersonalFields, personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry, Upcaster

Reader = Callable[[bytes], DomainEvent]


class Mapper:
    """Encodes and decodes the events of a registry; personal fields leave it sealed, and come back sealed.

    Keeps one decoder per topic. Holds no keys.
    """

    def __init__(self, registry: Registry = REGISTRY) -> None:
        self._registry = registry
        self._json = msgspec.json.Encoder().encode
        self._readers: dict[str, Reader] = {}
        self._personal = {
            event_type: PersonalFields(topic, event_type)
            for (_, event_type), topic in registry.topics.items()
            if personal_fields(event_type)
        }

    def encode(
        self, context: str, stream_id: UUID, event: DomainEvent, keys: Mapping[UUID, bytes | None]
    ) -> tuple[str, bytes]:
        """Topic and state of an event; its personal fields sealed under the key of its subject, null if that is None.

        Raises UnknownTopic where the context has no such event, MissingKey where `keys` lacks its subject.
        """
        event_type = type(event)
        topic = self._registry.topic_of(context, event_type)
        personal = self._personal.get(event_type)
        if personal is None:
            return topic, self._json(event)
        return topic, self._json(personal.sealed(event, stream_id, keys))

    def topic_of(self, context: str, event_type: type[DomainEvent]) -> str:
        """The topic of a class of events. Raises UnknownTopic where the context has no such event."""
        return self._registry.topic_of(context, event_type)

    def personal_fields_of(self, event_type: type[DomainEvent]) -> PersonalFields | None:
        """What seals the personal fields of a class of events; None where it has none."""
        return self._personal.get(event_type)

    def decode(self, topic: str, state: bytes) -> DomainEvent:
        """The event of a topic and a state, brought to the current version; its personal fields still sealed.

        Raises UnknownTopic and UnreadableState.
        """
        read = self._readers.get(topic) or self._reader_of(topic)
        try:
            return read(state)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise UnreadableState(f"The state of an event {topic} cannot be read: {exc}.") from exc

    def subject_of(self, event: DomainEvent, stream_id: UUID) -> UUID | None:
        """Whose key the personal fields need: the person that the event names, or its stream where it names nobody.

        None where no personal field has a value. The same before encoding and after decoding.
        """
        personal = self._personal.get(type(event))
        return None if personal is None else personal.subject_of(event, stream_id)

    def reveal(self, event: DomainEvent, stream_id: UUID, key: bytes | None) -> DomainEvent:
        """A freshly decoded event with its personal fields in clear text, None where the key is None.

        It is changed in place, so once only. Raises BrokenSeal, which names topic and stream.
        """
        personal = self._personal.get(type(event))
        return event if personal is None else personal.reveal(event, stream_id, key)

    def withhold(self, event: DomainEvent) -> DomainEvent:
        """A freshly decoded event with what stands for its personal fields where nobody has keys; changed in place."""
        personal = self._personal.get(type(event))
        return event if personal is None else personal.withhold(event)

    def _reader_of(self, topic: str) -> Reader:
        event_type = self._registry.event_type_of(topic)
        upcasters = self._registry.upcasters_of(topic)
        read = _upcasting(event_type, upcasters) if upcasters else msgspec.json.Decoder(event_type).decode
        self._readers[topic] = read
        return read


@cache
def mapper_of_our_events() -> Mapper:
    """One a process: what decoders are made of takes a hundredth of a second to find out."""
    return Mapper()


def _upcasting(event_type: type[DomainEvent], upcasters: tuple[Upcaster, ...]) -> Reader:
    parse = msgspec.json.Decoder(dict[str, Any]).decode

    def read(state: bytes) -> DomainEvent:
        values = parse(state)
        for upcast in upcasters:
            values = upcast(values)
        return msgspec.convert(values, event_type)

    return read
