"""What a consumer does with events: handlers of whole streams, of single events, and of events that are taken back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import UUID

from replayhouse_consumer.errors import Misuse
from replayhouse_consumer.event import Event
from replayhouse_consumer.received import E, Entry


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream with the events that count now, in order; those that a later Rewound took back are gone.

    No events are left where a load was taken back that began the stream: whatever was derived from it must go.
    `unknown` counts events of types or versions that this kit has no class for, and which `events` therefore lacks.

    Events that came with earlier batches are read from the inbox' bytes only when they are asked for: `of` and `last`
    read those of their class, `events` reads all. Tests of handlers may give the events themselves as `entries`.
    """

    context: str
    id: UUID
    entries: Sequence[Event | Entry]
    unknown: int = 0

    @property
    def events(self) -> tuple[Event, ...]:
        """All events that count."""
        return tuple([_read(entry) for entry in self.entries])

    def of(self, event_type: type[E]) -> tuple[E, ...]:
        """The events of one class."""
        return tuple([cast(E, _read(entry)) for entry in self.entries if issubclass(_class_of(entry), event_type)])

    def last(self, event_type: type[E]) -> E | None:
        """The newest event of a class, if there is one."""
        for entry in reversed(self.entries):
            if issubclass(_class_of(entry), event_type):
                return cast(E, _read(entry))
        return None


def _read(entry: Event | Entry) -> Event:
    return entry.event if isinstance(entry, Entry) else entry


def _class_of(entry: Event | Entry) -> type[Event]:
    return entry.event_type if isinstance(entry, Entry) else type(entry)


StreamHandler = Callable[[Stream, Any], object]
EventHandler = Callable[[Any, Any], object]
"""Takes the event, and the connection in whose transaction its effects belong."""

S = TypeVar("S", bound=StreamHandler)
H = TypeVar("H", bound=EventHandler)


@dataclass
class Handlers:
    """The handlers of a consumer, in the order in which they were registered."""

    known: Mapping[str, type[Event]]
    of_streams: dict[str, list[StreamHandler]] = field(default_factory=dict)
    of_events: dict[str, list[EventHandler]] = field(default_factory=dict)
    of_events_taken_back: dict[str, list[EventHandler]] = field(default_factory=dict)
    ignoring: set[str] = field(default_factory=set)

    def stream(self, context: str) -> Callable[[S], S]:
        """Registers a handler that is called once for each stream of the context that a batch has touched."""
        return _into(self.of_streams, context)

    def on(self, event_type: type[Event], ignore_rewinds: bool) -> Callable[[H], H]:
        """Registers a handler that is called once for each event of a class."""
        name = self._type_of(event_type)
        if ignore_rewinds:
            self.ignoring.add(name)
        return _into(self.of_events, name)

    def taken_back(self, event_type: type[Event]) -> Callable[[H], H]:
        """Registers a handler that is called once for each event of a class that no longer counts."""
        return _into(self.of_events_taken_back, self._type_of(event_type))

    def survives(self, event_type: str) -> bool:
        """Whether events of a type still count after a Rewound."""
        known = self.known.get(event_type)
        return known is not None and known.survives_rewind

    def contexts_taken_back(self) -> set[str]:
        """The contexts in which somebody wants to know what is taken back."""
        return {self.known[name].context for name in self.of_events_taken_back}

    def check(self, contexts: Collection[str]) -> None:
        """Raises Misuse where something would silently go wrong."""
        if not self.of_streams and not self.of_events:
            raise Misuse("The consumer has no handler: register one with stream(...) or on(...).")
        asked = {
            *self.of_streams,
            *(self.known[name].context for name in (*self.of_events, *self.of_events_taken_back)),
        }
        if strange := sorted(asked - set(contexts)):
            raise Misuse(f"There are handlers for {', '.join(strange)}, which the consumer does not subscribe to.")
        for name in self.of_events:
            if not (self.survives(name) or name in self.ignoring or name in self.of_events_taken_back):
                raise Misuse(
                    f"A load may be taken back, and {name} with it: register taken_back({self.known[name].__name__}) "
                    "too, or say on(..., ignore_rewinds=True)."
                )
        if idle := sorted(set(self.of_events_taken_back) - set(self.of_events)):
            raise Misuse(f"taken_back of {', '.join(idle)} without on(...): what was not handled is not taken back.")

    def _type_of(self, event_type: type[Event]) -> str:
        name = event_type.type
        if self.known.get(name) is not event_type:
            raise Misuse(f"{event_type.__name__} is none of the classes of events that the consumer knows.")
        if name.split(".")[1] == "Rewound":
            raise Misuse("Rewound is handled by the consumer: register taken_back(...), or use stream(...).")
        return name


def _into(handlers: dict[str, list[Any]], name: str) -> Callable[[H], H]:
    def register(handler: H) -> H:
        handlers.setdefault(name, []).append(handler)
        return handler

    return register
