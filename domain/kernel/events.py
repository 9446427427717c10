"""Events: facts of one stream, in order, and how a load that was taken back is read over (Rewound, effective).

An event is a frozen dataclass that carries facts only. Which stream it stands in, its version there, the load that
brought it and the line of the extract are matters of the event store.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.meaning import UTC, Means


class DomainEvent:
    """What all events have in common; a subclass is a frozen, slotted dataclass.

    Its docstring and what its fields mean (kernel/meaning.py) are what consumers elsewhere are told.

    `version` is the version of the event's shape, part of its topic. `subject` names the field with the person whose
    key encrypts the personal fields; None, or a person not known (the zero UUID), means the stream itself. An event
    that `survives_rewind` still counts after the load before it was taken back.
    """

    __slots__ = ()
    version: ClassVar[int] = 1
    subject: ClassVar[str | None] = None
    survives_rewind: ClassVar[bool] = False


def personal(withheld: str | None = None) -> Any:
    """A field that may identify a person; it is stored encrypted, and may be null once its key is destroyed.

    `withheld` is what a reader without keys sees in the place of a value: where null means that the person was
    anonymised, it must be something else. The result is Any because dataclass fields are declared by assigning it to
    an annotated name.
    """
    return field(metadata={"personal": True, "withheld": withheld})


@dataclass(frozen=True, slots=True)
class Rewound(DomainEvent):
    """The events after `to_version` came from a load that was taken back: they count no longer.

    Events that survive a rewind count all the same. Versions go on counting.
    """

    occurred_at: Annotated[datetime, Means("when the load was taken back", UTC)]
    batch_id: Annotated[UUID, Means("the load that was taken back")]
    to_version: Annotated[int, Means("the last version in the stream that still counts; 0: none does", example=4)]


def rewind(load_id: UUID, first_version: int, at: datetime) -> Rewound:
    """What a stream gets when the load is taken back that brought its events from `first_version` (1 or more) on.

    The load is the newest that counts, or the newest of its source where no other has touched the stream since. So
    whatever came after its first event is its own, or is rewound already, or survives: events of no load in between
    must have been looked for.
    """
    if first_version < 1:
        raise DomainError("versions start at 1", "stream", load=load_id, first_version=first_version)
    return Rewound(occurred_at=at, batch_id=load_id, to_version=first_version - 1)


def effective(events: Sequence[DomainEvent]) -> Sequence[DomainEvent]:
    """The events that count: those that no later Rewound took back, in order.

    `events` is a stream from its first event (version 1) on, without gaps. Events that survive a rewind stay.
    """
    if Rewound not in map(type, events):
        return events
    kept: list[tuple[int, DomainEvent]] = []
    for version, event in enumerate(events, start=1):
        if isinstance(event, Rewound):
            to_version = event.to_version
            kept = [(at, e) for at, e in kept if at <= to_version or e.survives_rewind]
        else:
            kept.append((version, event))
    return [event for _, event in kept]
