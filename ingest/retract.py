"""Taking a load back: its streams are rewound chunk by chunk, and in the end the load itself says so.

Killed at any point and started again, it goes on after its last chunk, and what it appends is the same: which streams
a load has touched follows from its events, which stay.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from replayhouse.domain.kernel.events import rewind
from replayhouse.domain.quality.batch import batch_of, retract
from replayhouse.domain.quality.events import ContextCount
from replayhouse.ingest.decision import Decision, Known

STREAMS_A_CHUNK = 15_000
"""So many streams are rewound in one transaction, one event each, so that others wait for the log but a moment."""


class Touched(NamedTuple):
    """A stream that holds events of a load: the version of the first of them, and that of its newest event of all."""

    context: str
    stream_id: UUID
    first_version: int
    last_version: int


class Retraction(NamedTuple):
    """A load to be taken back: why, by whom, and when that began (UTC)."""

    load_id: UUID
    reason: str
    by: str
    at: datetime


class RetractionLog(Protocol):
    """The log as one retraction sees it."""

    def next_touched(self, limit: int) -> Sequence[Touched]:
        """The next streams of the load that this retraction has not rewound yet, `limit` at most; empty at the end.

        The load's own stream is none of them. Whether a person has decided on one was asked before it began: what was
        decided since is rewound with the rest, for a retraction that has begun can always be finished.
        """

    def append_rewinds(self, streams: Sequence[Touched], decisions: Sequence[Decision]) -> None:
        """Appends to each of the streams the decision at its place, in one transaction with the progress."""

    def events_of_load(self) -> Mapping[str, int]:
        """How many events the load has in each context, those of its own stream left out."""

    def known_load(self) -> Known:
        """The load's own stream."""

    def finish(self, decisions: Sequence[Decision], known: Known) -> None:
        """Appends what the load says of itself; in the same transaction it counts no longer."""


def retraction_id_of(load_id: UUID) -> UUID:
    """The batch that takes a load back: a load is taken back once."""
    return uuid5(NAMESPACE_URL, f"replayhouse:retraction:{load_id}")


def take_back(log: RetractionLog, retraction: Retraction, done: Callable[[int], None]) -> dict[str, int]:
    """Rewinds what is left of a load; returns how many of its events count no longer, by context.

    `done` is told how many streams have just been rewound.
    """
    while streams := log.next_touched(STREAMS_A_CHUNK):
        log.append_rewinds(
            streams,
            [
                Decision(s.context, s.stream_id, rewind(retraction.load_id, s.first_version, retraction.at), None)
                for s in streams
            ],
        )
        done(len(streams))
    events = dict(log.events_of_load())
    known = log.known_load()
    batch = batch_of(known.events("quality", retraction.load_id))
    told = (
        retract(
            batch, retraction.reason, retraction.by, [ContextCount(*count) for count in events.items()], retraction.at
        )
        if batch.is_opened
        else ()
    )
    log.finish([Decision("quality", retraction.load_id, event, None) for event in told], known)
    return events
