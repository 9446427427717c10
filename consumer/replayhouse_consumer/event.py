"""What all events have in common; the classes themselves, one per type and version, are in events.py."""

from datetime import datetime
from typing import ClassVar, NamedTuple, NewType, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Sealed = NewType("Sealed", str)
"""A personal field as it travels: ciphertext in base64 that the warehouse alone can open, until its key is destroyed.

What a reader may know from it is whether there is a value. It is null where there is none or where it was omitted.
"""


class Envelope(NamedTuple):
    """Where an event stands: its stream, the `version` there (from 1, without gaps), and its place in the whole log.

    `position` counts over all contexts; `recorded_at` is when the warehouse learnt of it, in UTC.
    """

    context: str
    stream: UUID
    version: int
    type: str
    position: int
    recorded_at: datetime


class Placed(Protocol):
    """What an event was made of, which knows where it stands."""

    @property
    def envelope(self) -> Envelope:
        """Where it stands."""


PLACE = "_place"
"""Where an event has what it was made of, or its envelope: beside the fields, where pydantic has cached properties too.

(A private attribute costs as much as parsing a small event.)
"""


class Event(BaseModel):
    """An event as a frozen model; fields that came later and are not known here are let be.

    `type` is the CloudEvents type, `sales.OrderPlaced.v1`. An event that `survives_rewind` still counts after the load
    before it was taken back.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    context: ClassVar[str]
    survives_rewind: ClassVar[bool] = False

    @property
    def envelope(self) -> Envelope:
        """Where it stands. Raises AttributeError of an event that no consumer has handed out."""
        place: Placed | Envelope | None = self.__dict__.get(PLACE)
        if place is None:
            raise AttributeError("this event was not handed out by a consumer")
        if not isinstance(place, Envelope):
            place = self.__dict__[PLACE] = place.envelope
        return place
