"""Where in the log each load ended: the moments at which the warehouse was complete."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.event_store.sources_told import BUILT_IN

_ENDS = """
    SELECT e.notification_id, b.name, e.topic LIKE 'quality.BatchRetracted.%%', b.batch_id, (
        SELECT c.recorded_at FROM event_store.commit AS c
        WHERE c.last_position >= e.notification_id ORDER BY c.last_position LIMIT 1
    ), coalesce(b.source ->> 'name', %s)
    FROM event_store.quality_events AS e JOIN event_store.batch AS b ON b.batch_id = e.originator_id
    WHERE e.topic LIKE 'quality.BatchCompleted.%%' OR e.topic LIKE 'quality.BatchRetracted.%%'
    ORDER BY e.notification_id
"""


class LoadEnd(NamedTuple):
    """The position of the log at which a load was complete, or had been taken back, and of which source it is."""

    position: int
    load: str
    is_retraction: bool
    batch_id: UUID
    recorded_at: datetime
    source: str

    def __str__(self) -> str:
        return f"{self.load} (taken back)" if self.is_retraction else self.load


def load_ends(conn: psycopg.Connection) -> list[LoadEnd]:
    """The ends of loads, and of their being taken back, by position."""
    return [LoadEnd(*row) for row in conn.execute(_ENDS, [BUILT_IN]).fetchall()]


def load_before(ends: Sequence[LoadEnd], position: int) -> LoadEnd | None:
    """The end of the load before the last one that is seen at a position; `ends` by position."""
    seen = [end for end in ends if end.position <= position]
    return seen[-2] if len(seen) > 1 else None


def load_that_brought(ends: Sequence[LoadEnd], position: int) -> LoadEnd | None:
    """The end of the load whose events an event's position is among; None where that has not ended."""
    place = bisect_left(ends, position, key=lambda end: end.position)
    return ends[place] if place < len(ends) else None
