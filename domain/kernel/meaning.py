"""What a field of an event means, told where the field is declared.

It stands beside the type in `Annotated`, where it costs nothing at run time. The contracts of those who read events
elsewhere are made from it: JSON Schemas, typed models, the page for consumers.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

BRL = "BRL"
"""The unit of money."""

UTC = "UTC"
"""The unit of a recorded time, when we did something. Other times are local to Brazil and have no zone."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a field says, in words for people who do not know the code; `unit` of a number or time.

    `example` is a value as JSON has it, of a tuple that of an element; needed where the type alone does not tell one.
    """

    text: str
    unit: str | None = None
    example: str | float | None = None


OccurredAt = Annotated[
    datetime,
    Means("when it happened; where the source does not tell, the latest time known before it in the stream"),
]
RecordedAt = Annotated[datetime, Means("when it was done", UTC)]
