"""The log as one retraction sees it, in PostgreSQL (port RetractionLog)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.touched_streams import Decided, TouchedStreams
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import numbered
from replayhouse.ingest.retract import Touched, retraction_id_of

_OWNED = "SELECT 1 FROM event_store.batch WHERE batch_id = %s AND owner = %s AND status = 'open' FOR SHARE"

_PROGRESS = """
SELECT part, bucket, key
FROM event_store.batch_progress
WHERE batch_id = %s
ORDER BY part DESC
LIMIT 1
"""
_ADVANCE = """
INSERT INTO event_store.batch_progress (batch_id, unit, part, bucket, kind, key, is_done, events)
VALUES (%s, 0, %s, %s, 0, %s, false, %s)
"""

_FINISH_LOAD = "UPDATE event_store.batch SET status = 'retracted' WHERE batch_id = %s AND status = 'retracting'"
_FINISH = """
UPDATE event_store.batch
SET status = 'completed', completed_at = clock_timestamp(), owner = NULL, outcome = %s
WHERE batch_id = %s AND owner = %s AND status = 'open'
"""


@dataclass(frozen=True)
class _Reached:
    """How far a retraction is: its next chunk's number, the context at hand and the last stream of it that is done."""

    part: int = 0
    context: int = 0
    stream_id: UUID | None = None


class PostgresRetractionLog:
    """Appends the chunks of a retraction, each in one transaction with its progress.

    `owner` is the process that has begun it, or has taken it over; one that finds another owner ends with Conflicting.
    """

    def __init__(self, connection: psycopg.Connection, store: EventStore, load_id: UUID, owner: UUID) -> None:
        self._connection = connection
        self._store = store
        self._load_id = load_id
        self._batch_id = retraction_id_of(load_id)
        self._owner = owner
        self._reached = self._progress()
        self._touched = TouchedStreams(connection)
        self._touched.find([load_id])

    def next_touched(self, limit: int) -> Sequence[Touched]:
        """The next streams of the load, by context and id."""
        while self._reached.context < len(CONTEXTS):
            reached = self._reached
            if found := self._touched.after(CONTEXTS[reached.context], reached.stream_id, limit):
                return found
            self._reached = _Reached(reached.part, reached.context + 1)
        return []

    def append_rewinds(self, streams: Sequence[Touched], decisions: Sequence[Decision]) -> None:
        """Appends one event for each of the streams, which are of one context."""
        reached, last = self._reached, streams[-1].stream_id
        recorded = [
            Recorded(stream.context, stream.stream_id, stream.last_version + 1, decision.event, decision.source)
            for stream, decision in zip(streams, decisions, strict=True)
        ]
        counts = json.dumps({streams[0].context: len(recorded)})

        def before(connection: psycopg.Connection) -> None:
            self._check_ownership(connection)
            connection.execute(_ADVANCE, (self._batch_id, reached.part, reached.context, last, counts))

        self._store.append(self._connection, recorded, self._batch_id, before)
        self._reached = _Reached(reached.part + 1, reached.context, last)

    def streams_touched(self) -> int:
        """How many streams the load has touched, those included that are rewound."""
        return self._touched.streams()

    def events_of_load(self) -> dict[str, int]:
        """How many events the load has in each context, those of its own stream left out."""
        return self._touched.events()

    def dropped(self) -> list[Decided]:
        """The decisions of people that were rewound with what they stood on: they were recorded since it began."""
        return self._touched.dropped(self._batch_id)

    def known_load(self) -> Known:
        """The load's own stream."""
        return Known({"quality": self._store.streams(self._connection, "quality", [self._load_id])})

    def finish(self, decisions: Sequence[Decision], known: Known) -> None:
        """Appends what the load says of itself, and closes load and retraction."""
        outcome = json.dumps({"events": self.events_of_load()})
        recorded = [
            Recorded(context, stream_id, version, event, source)
            for (context, stream_id, event, source), version in numbered(decisions, known)
        ]

        def before(connection: psycopg.Connection) -> None:
            self._check_ownership(connection)
            connection.execute(_FINISH_LOAD, [self._load_id])
            connection.execute(_FINISH, [outcome, self._batch_id, self._owner])

        self._store.append(self._connection, recorded, self._batch_id, before)

    def _progress(self) -> _Reached:
        row = self._connection.execute(_PROGRESS, [self._batch_id]).fetchone()
        return _Reached() if row is None else _Reached(row[0] + 1, row[1], row[2])

    def _check_ownership(self, connection: psycopg.Connection) -> None:
        if connection.execute(_OWNED, (self._batch_id, self._owner)).fetchone() is None:
            raise Conflicting(f"another process has taken over the retraction of {self._load_id}: this one ends here")


def refuse_decided(load: str, decided: Decided | None) -> None:
    """Raises Conflicting that names an event of no load which stands on what is to be taken back of a load."""
    if decided is None:
        return
    what = {
        "quality.RowReleased": "a person has released a row that the load kept apart",
        "quality.RowDiscarded": "a person has discarded a row that the load kept apart",
    }.get(decided.topic.rpartition(".")[0], "a decision that came from no load stands on what the load brought")
    raise Conflicting(
        f"The load {load} cannot be taken back, for {what}: {decided}. Correct the data by loading a corrected extract."
    )
