"""The streams that a load has touched, found by the load's commits: in proportion to the load, not to the log.

They stand in a temporary table of the session, so that memory holds some of them at a time.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.postgres.planner import BY_INDEX
from replayhouse.ingest.retract import Touched

# Streams and commits are looked up by their keys; the planner, who knows little of either, might read all of them.

_MAKE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS touched_stream (
        context int NOT NULL,
        originator_id uuid NOT NULL,
        first_version bigint NOT NULL,
        events bigint NOT NULL,
        PRIMARY KEY (context, originator_id)
    );
    TRUNCATE touched_stream
"""
_FILL = sql.SQL("""
    INSERT INTO touched_stream AS known
    SELECT {number}, e.originator_id, min(e.originator_version), count(*)
    FROM event_store.commit AS c
    JOIN event_store.{events} AS e
        ON e.notification_id BETWEEN c.first_position AND c.last_position AND e.batch_id = c.batch_id
    WHERE c.batch_id = %(load)s AND e.originator_id <> %(load)s
    GROUP BY e.originator_id
    ON CONFLICT (context, originator_id) DO UPDATE SET
        first_version = least(known.first_version, excluded.first_version),
        events = known.events + excluded.events
""")
_COUNTS = "SELECT context, sum(events)::bigint, count(*) FROM touched_stream GROUP BY context ORDER BY context"
_AFTER = sql.SQL("""
    SELECT t.originator_id, t.first_version, (
        SELECT max(e.originator_version) FROM event_store.{events} AS e WHERE e.originator_id = t.originator_id
    )
    FROM touched_stream AS t
    WHERE t.context = {number} AND (%(after)s::uuid IS NULL OR t.originator_id > %(after)s)
    ORDER BY t.originator_id
    LIMIT %(limit)s
""")
_DECIDED = sql.SQL("""
    SELECT e.originator_id, e.topic, e.notification_id
    FROM touched_stream AS t
    JOIN event_store.{events} AS e ON e.originator_id = t.originator_id AND e.originator_version > t.first_version
    WHERE t.context = {number} AND e.batch_id IS NULL AND NOT e.topic LIKE ANY(%(surviving)s)
    ORDER BY e.notification_id
    LIMIT 1
""")


_DROPPED = sql.SQL("""
    SELECT e.originator_id, e.topic, e.notification_id
    FROM touched_stream AS t
    JOIN event_store.{events} AS e ON e.originator_id = t.originator_id AND e.originator_version > t.first_version
    WHERE t.context = {number} AND e.batch_id IS NULL AND NOT e.topic LIKE ANY(%(surviving)s) AND EXISTS (
        SELECT FROM event_store.{events} AS r
        WHERE r.originator_id = e.originator_id AND r.originator_version > e.originator_version
            AND r.batch_id = %(retraction)s
    )
    ORDER BY e.notification_id
""")


class Decided(NamedTuple):
    """An event of no load on a stream that a load has touched, after the load's first event there."""

    context: str
    stream_id: UUID
    topic: str
    position: int

    def __str__(self) -> str:
        return f"{self.topic} at position {self.position:,}, in the stream {self.stream_id} of {self.context}"


_SURVIVING = [
    f"{context}.{event_type.__name__}.v%" for context, event_type in REGISTRY.topics if event_type.survives_rewind
]


class TouchedStreams:
    """The streams touched by one load, or by several together, as the session at hand has found them."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn

    def find(self, load_ids: Iterable[UUID]) -> None:
        """Finds the streams of these loads, each with the first event that any of them brought.

        What was found before is forgotten. `conn` is in autocommit.
        """
        with self._conn.transaction():
            self._conn.execute(BY_INDEX)
            self._conn.execute(_MAKE)
            for load_id in load_ids:
                for number, context in enumerate(CONTEXTS):
                    query = _FILL.format(number=sql.Literal(number), events=_events(context))
                    self._conn.execute(query, {"load": load_id})
            self._conn.execute("ANALYZE touched_stream")

    def events(self) -> dict[str, int]:
        """How many events of the loads each context has, all five; those of the loads' own streams are left out."""
        counts = {CONTEXTS[number]: events for number, events, _ in self._conn.execute(_COUNTS)}
        return {context: counts.get(context, 0) for context in CONTEXTS}

    def streams(self) -> int:
        """How many streams of all contexts the loads have touched."""
        return sum(streams for _, _, streams in self._conn.execute(_COUNTS))

    def after(self, context: str, stream_id: UUID | None, limit: int) -> list[Touched]:
        """The streams of a context after one of them, or from the first on, in order; `limit` at most."""
        query = _AFTER.format(number=_number(context), events=_events(context))
        with self._conn.transaction():
            self._conn.execute(BY_INDEX)
            rows = self._conn.execute(query, {"after": stream_id, "limit": limit}).fetchall()
        return [Touched(context, *row) for row in rows]

    def decided(self) -> Decided | None:
        """The first event of no load that stands after the loads' first event on a stream, and survives no rewind."""
        return next(self._of_no_load(_DECIDED, {}), None)

    def dropped(self, retraction_id: UUID) -> list[Decided]:
        """Such events that a retraction has rewound, with what they stood on."""
        return list(self._of_no_load(_DROPPED, {"retraction": retraction_id}))

    def _of_no_load(self, query: sql.SQL, parameters: dict[str, UUID]) -> Iterator[Decided]:
        for context in CONTEXTS:
            with self._conn.transaction():
                self._conn.execute(BY_INDEX)
                rows = self._conn.execute(
                    query.format(number=_number(context), events=_events(context)),
                    {"surviving": _SURVIVING, **parameters},
                ).fetchall()
            yield from (Decided(context, *row) for row in rows)


def _number(context: str) -> sql.Literal:
    return sql.Literal(CONTEXTS.index(context))


def _events(context: str) -> sql.Identifier:
    return sql.Identifier(f"{context}_events")
