"""Looking back in business time: which events of a stream had happened by then, and the rows that they make.

That selects a subsequence of a stream, not a prefix: an order may have been shipped before it was approved, and what a
later load corrected counts from the time of the fact on, not from the load on.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.projections.projection import Fold, Projection, Rows, Stream


def happened_before(events: Sequence[DomainEvent], before: datetime) -> list[DomainEvent]:
    """Those of the effective events that occurred before a local time, in order; timeless ones always count.

    So does what survives a rewind: that a person is anonymised is no fact of the past that one may look back behind.
    """
    return [
        event
        for event in events
        if (occurred_at := getattr(event, "occurred_at", None)) is None or occurred_at < before or event.survives_rewind
    ]


def fold_of(projection: Projection, before: datetime | None) -> Fold:
    """The fold of a projection, or with a local time `before` the fold of how things stood then.

    Given all effective events of a stream. What follows from a day's evaluation is evaluated as of that day. No rows
    where the context has no business time.
    """
    if before is None:
        return projection.fold
    if not projection.has_business_time:
        return _nothing
    return partial(_fold_before, projection, before)


def _fold_before(projection: Projection, before: datetime, stream: Stream) -> Rows:
    seen = stream._replace(events=happened_before(stream.events, before))
    return projection.fold(seen) if projection.fold_as_of is None else projection.fold_as_of(seen, before.date())


def _nothing(_: Stream) -> Rows:
    return {}
