"""A message of the relay as it was received: what the headers say, and the value, not yet parsed."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from replayhouse_consumer.errors import Poison, UnknownEvent
from replayhouse_consumer.event import PLACE, Envelope, Event
from replayhouse_consumer.records import UNREADABLE

E = TypeVar("E", bound=Event)

_TOO_LARGE = 2**63
_ID_BYTES = 16
_LONGEST_NAME = 1_000

Key = tuple[str, bytes]
"""Context and stream: two contexts may have streams of one id."""


class _ToVersion(BaseModel):
    to_version: Annotated[int, Field(strict=True, ge=0, lt=_TOO_LARGE)]


_to_version = _ToVersion.model_validate_json


class NotAnEvent(ValueError):  # noqa: N818 - the name says what is the matter
    """The message is none that a relay has published; the text says what it lacks."""


class Received(NamedTuple):
    """An event as received; `handed` says whether a handler of single events was given it.

    `stream` is the id in its 16 bytes: a UUID is dear to make and to look up, and most events are only kept.
    """

    context: str
    stream: bytes
    version: int
    type: str
    position: int
    recorded_at: str
    value: bytes
    handed: bool = False

    @property
    def key(self) -> Key:
        """Which stream it stands in."""
        return self.context, self.stream

    def as_handed(self) -> "Received":
        """The same event, marked as handed out. (A third of the time of `_replace`.)"""
        return Received._make((*self[:7], True))

    @property
    def id(self) -> str:
        """The CloudEvents id."""
        return f"{UUID(bytes=self.stream)}.{self.version}"

    @property
    def envelope(self) -> Envelope:
        """Where it stands, for whoever handles it."""
        recorded_at = datetime.fromisoformat(self.recorded_at)
        return Envelope(self.context, UUID(bytes=self.stream), self.version, self.type, self.position, recorded_at)

    @property
    def is_rewound(self) -> bool:
        """Whether it takes events of its stream back."""
        return _is_rewound(self.type)


def received_of(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> Received:
    """What a message says. Raises NotAnEvent."""
    found: dict[str, Any] = dict(headers)
    if key is None or value is None:
        unreadable = (found.get(UNREADABLE) or b"").decode(errors="replace")
        raise NotAnEvent(unreadable or f"the message has no {'key' if key is None else 'value'}")
    try:
        version, position = int(found["ce_streamversion"]), int(found["ce_position"])
        if not (0 < version < _TOO_LARGE and 0 < position < _TOO_LARGE):
            raise ValueError
        recorded_at = found["ce_recordedtime"].decode()
        datetime.fromisoformat(recorded_at)
        if not recorded_at.isprintable():
            raise ValueError
        stream = bytes.fromhex(key.decode().replace("-", ""))
        if len(stream) != _ID_BYTES:
            raise ValueError
        context, event_type = _context_of(found["ce_source"]), _text_of(found["ce_type"])
        return Received(context, stream, version, event_type, position, recorded_at, value)
    except KeyError as missing:
        raise NotAnEvent(f"the message has no header {missing.args[0]}") from None
    except (ValueError, TypeError, AttributeError):  # the latter two of a header that is null
        raise NotAnEvent("the key is no id of a stream, or a header is not what its name says") from None


def typed(event_type: type[E], received: Received) -> E:
    """The event of its class. Raises Poison where the value does not fit, without quoting any of it."""
    try:
        event: E = event_type.__pydantic_validator__.validate_json(received.value)  # what model_validate_json wraps
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the value'}: {fault['type']}"
            for fault in error.errors(include_url=False, include_input=False, include_context=False)[:5]
        )
        raise Poison(f"{received.type} {received.id} does not parse: {told}") from None
    event.__dict__[PLACE] = received
    return event


class Entry:
    """An event in its stream, read when somebody first asks for it, and once."""

    __slots__ = ("_event", "_received", "event_type")

    def __init__(self, event_type: type[Event], received: Received, read: bool = False) -> None:
        """`read`: at once. Raises Poison where it then does not parse."""
        self.event_type = event_type
        self._received = received
        self._event: Event | None = typed(event_type, received) if read else None

    @property
    def event(self) -> Event:
        """The event. Raises Poison where it does not parse."""
        if self._event is None:
            self._event = typed(self.event_type, self._received)
        return self._event


def counting(events: Sequence[Received], survives: Callable[[str], bool]) -> list[Received]:
    """The events of a stream, from its first one on, that no later Rewound took back, in order.

    Events of types that survive stay. Raises UnknownEvent at a Rewound of a version that is not known here.
    """
    if not any(map(_is_rewound, {event.type for event in events})):
        return list(events)
    kept: list[Received] = []
    for event in events:
        if event.is_rewound:
            to_version = rewound_to(event)
            kept = [earlier for earlier in kept if earlier.version <= to_version or survives(earlier.type)]
        else:
            kept.append(event)
    return kept


def rewound_to(rewound: Received) -> int:
    """The last version that still counts after a Rewound. Raises UnknownEvent, and Poison where it does not parse."""
    if not rewound.type.endswith(".v1"):
        raise UnknownEvent(
            f"{rewound.id} is a {rewound.type}, and this kit knows Rewound in version 1 only: it cannot tell "
            "what is taken back. Update replayhouse-consumer."
        )
    try:
        return _to_version(rewound.value).to_version
    except ValidationError:
        raise Poison(f"{rewound.type} {rewound.id} does not parse: to_version") from None


@lru_cache(maxsize=1024)
def _is_rewound(event_type: str) -> bool:
    return event_type.split(".")[1:2] == ["Rewound"]


def _context_of(source: bytes) -> str:
    return _text_of(source).rpartition("/")[2]


def _text_of(header: bytes) -> str:
    if len(header) > _LONGEST_NAME:  # as many as are kept, and longer, would fill the memory
        raise ValueError
    return _kept_text_of(header)


@lru_cache(maxsize=1024)
def _kept_text_of(header: bytes) -> str:
    text = header.decode()
    if not text.isprintable():
        raise ValueError
    return text
