"""Looking back in business time: which events of a stream had happened by then, and the rows that they make.

That selects a subsequence of a stream, not a prefix: an order may have been shipped before it was approved, and what a
later load corrected counts from the time of the fact on, not from the load on.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.kernel.events import DomainEvent
from projections.projection import Projection, Rows, Stream


def happened_before(events: Sequence[DomainEvent], before: datetime) -> list[DomainEvent]:
    """Those of the effective events that occurred before a local time, in order; timeless ones always count.

    So does what survives a rewind: that a person is anonymised is no fact of the past that one may look back behind.
    """
    return [
        event
        for event in events
        if (occurred_at := getattr(event, "occurred_at", None)) is None or occurred_at < before or event.survives_rewind
    ]


def fold_before(projection: Projection, stream: Stream, before: datetime) -> Rows:
    """The rows of a stream as things stood at a local time, given all its effective events.

    What follows from a day's evaluation is evaluated as of that day. No rows where the context has no business time.
    """
    if not projection.has_business_time:
        return {}
    seen = stream._replace(events=happened_before(stream.events, before))
    return projection.fold(seen) if projection.fold_as_of is None else projection.fold_as_of(seen, before.date())
