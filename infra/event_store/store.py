"""The event store: appending events under one lock, and reading streams back.

The row `event_store.head` is lock, sequence and head of the hash chain in one. Everything that can be made before the
lock is made before it; the lock is held from the UPDATE of the head to the commit, about 3 microseconds an event.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

import psycopg
from psycopg import errors, sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.event_store.commits import RECORDED_AT
from replayhouse.infra.event_store.event_encoding import EncodedEvent, EncodedRows
from replayhouse.infra.event_store.head import Head, head_from, read_head
from replayhouse.infra.event_store.keys import make_keys, read_keys
from replayhouse.infra.event_store.merkle import chain_of
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.serialization.mapper import Mapper, mapper_of_our_events
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.runtime.errors import Conflict

LARGEST_APPEND = 20_000
"""Events in one transaction, so that others wait for the head less than a tenth of a second."""

CHANNEL = "replayhouse"
"""NOTIFY tells the head's new position here."""

_END_OF_LOG = 2**63 - 1

_LOCK_HEAD = f"""
    UPDATE event_store.head
    SET position = position + %s, recorded_at = greatest(recorded_at, clock_timestamp())
    RETURNING position, {RECORDED_AT}, chain
"""
_COMMIT = """
    WITH moved AS (
        UPDATE event_store.head SET chain = %(chain)s
    ), made AS (
        INSERT INTO event_store.commit (last_position, first_position, batch_id, recorded_at, root, chain)
        VALUES (%(last)s, %(first)s, %(batch_id)s, %(recorded_at)s, %(root)s, %(chain)s)
    )
    SELECT pg_notify('replayhouse', %(last)s::bigint::text)
"""
_STREAMS = {
    context: sql.SQL("""
        SELECT originator_id, originator_version, topic, state, notification_id
        FROM event_store.{}
        WHERE originator_id = ANY(%s) AND notification_id <= %s
        ORDER BY originator_id, originator_version
    """).format(sql.Identifier(f"{context}_events"))
    for context in CONTEXTS
}


class Stream(NamedTuple):
    """A stream as the log has it: all its events in order, personal fields in clear text or None.

    `last_version` and `position` are those of the newest event that was read.
    """

    stream_id: UUID
    last_version: int
    position: int
    events: Sequence[DomainEvent]

    @property
    def effective_events(self) -> Sequence[DomainEvent]:
        """The events that count: without those that were rewound."""
        return effective(self.events)


class Rows(Protocol):
    """Events in the order of their positions, ready to be copied once the first position is known."""

    @property
    def leaves(self) -> Sequence[bytes]:
        """The leaf of each."""

    def root(self) -> bytes:
        """The Merkle tree hash of the events; there must be one at least."""

    def copy(self, conn: psycopg.Connection, first_position: int) -> None:
        """Writes the rows of each context."""


class EventStore:
    """Appends to the log and reads from it, on connections that the caller brings. Holds no connection, no keys."""

    def __init__(self, mapper: Mapper | None = None) -> None:
        self._mapper = mapper or mapper_of_our_events()

    def head(self, conn: psycopg.Connection) -> Head:
        """Where the log ends. Read it before anything that is to be complete up to there."""
        with translated():
            return read_head(conn)

    def append(
        self,
        conn: psycopg.Connection,
        recorded: Sequence[Recorded],
        batch_id: UUID | None,
        before: Callable[[psycopg.Connection], None] | None = None,
    ) -> Head:
        """Appends events (20,000 at most) in the order given, all or none, in one transaction; the new head.

        `before` runs first in that transaction, for the caller's own rows and checks, also if there are no events; what
        it raises undoes everything. Within a transaction of the caller, the head stays locked until that one ends.

        Raises Conflict if somebody recorded one of the versions first. Never tries again by itself.
        """
        if len(recorded) > LARGEST_APPEND:
            raise ValueError(f"{len(recorded)} events in one append; {LARGEST_APPEND} at most")
        with translated(), conn.transaction():
            rows = EncodedRows(self._encoded(conn, recorded, batch_id))
            if before is not None:
                before(conn)
            return append_rows(conn, rows, batch_id) if recorded else read_head(conn)

    def streams(
        self, conn: psycopg.Connection, context: str, ids: Collection[UUID], up_to: int | None = None
    ) -> dict[UUID, Stream]:
        """Those of the streams that the log has, by id; with `up_to`, as they were at that position.

        Good for thousands of ids at once: two queries whatever their number. Raises LostKeys.
        """
        if not ids:
            return {}
        bounds = [list(ids), _END_OF_LOG if up_to is None else up_to]
        with translated():
            with conn.cursor(binary=True) as cursor:
                rows = cursor.execute(_STREAMS[context], bounds).fetchall()
            return self._revealed(conn, rows)

    def _encoded(
        self, conn: psycopg.Connection, recorded: Sequence[Recorded], batch_id: UUID | None
    ) -> list[EncodedEvent]:
        subject_of, encode = self._mapper.subject_of, self._mapper.encode
        subjects = {subject_of(event, stream_id) for _, stream_id, _, event, _ in recorded}
        keys = make_keys(conn, {subject for subject in subjects if subject is not None})
        return [
            EncodedEvent(context, stream, version, *encode(context, stream, event, keys), batch_id, source)
            for context, stream, version, event, source in recorded
        ]

    def _revealed(
        self, conn: psycopg.Connection, rows: Sequence[tuple[UUID, int, str, bytes, int]]
    ) -> dict[UUID, Stream]:
        subject_of, decode, reveal = self._mapper.subject_of, self._mapper.decode, self._mapper.reveal
        events = [decode(topic, state) for _, _, topic, state, _ in rows]
        subjects = [subject_of(event, row[0]) for event, row in zip(events, rows, strict=True)]
        keys = read_keys(conn, {subject for subject in subjects if subject is not None})
        found: dict[UUID, list[DomainEvent]] = {}
        ends: dict[UUID, tuple[int, int]] = {}
        for (stream, version, _, _, position), event, subject in zip(rows, events, subjects, strict=True):
            clear = event if subject is None else reveal(event, stream, keys[subject])
            found.setdefault(stream, []).append(clear)
            ends[stream] = version, position
        return {stream: Stream(stream, *ends[stream], events) for stream, events in found.items()}


def append_rows(conn: psycopg.Connection, rows: Rows, batch_id: UUID | None) -> Head:
    """Gives the rows (one at least) the next positions and writes them, within a transaction of the caller.

    From here to the end of that transaction nobody else appends. Raises Conflict as `EventStore.append` does.
    """
    root = rows.root()
    count = len(rows.leaves)
    last, recorded_at, previous = head_from(conn, _LOCK_HEAD, count)
    first = last - count + 1
    chain = chain_of(previous, first, last, recorded_at, root)
    try:
        rows.copy(conn, first)
    except errors.UniqueViolation as error:
        told = error.diag.message_detail or error.diag.message_primary
        raise Conflict(f"Somebody else has recorded this version of a stream first: {told}") from error
    commit = {"chain": chain, "root": root, "first": first, "last": last}
    conn.execute(_COMMIT, {**commit, "batch_id": batch_id, "recorded_at": recorded_at})
    return Head(last, recorded_at, chain)
