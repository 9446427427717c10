"""What the event store records beside an event: where it stands, and which lines of the extract caused it."""

from typing import NamedTuple
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent


class Recorded(NamedTuple):
    """One event at its place: stream `originator_id` of `context`, at `originator_version`.

    `source` lists every physical line that caused it (`orders:1042 order_items:2210-2212`), or None.
    """

    context: str
    stream_id: UUID
    originator_version: int
    event: DomainEvent
    source: str | None = None
