"""The event store behind the `eventsourcing` library's contract: a recorder on the events of one context.

Our own loads use `EventStore`, which appends to several contexts at once. This adapter shows that the log is what the
library means by an application sequence (its own test cases run against it), and lets an ordinary Application of the
library live on the same log. Events inserted here take the same positions and stand in the same hash chain.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing import persistence
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    ListenNotifySubscription,
    Notification,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.utils import Environment
from psycopg import sql
from psycopg.pq import TransactionStatus

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.event_encoding import EncodedEvent, EncodedRows, EventTooLarge
from replayhouse.infra.event_store.store import CHANNEL, LARGEST_APPEND, append_rows
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.runtime.errors import Conflict, Conflicting, ReplayhouseError, Unreachable

_POLL_SECONDS = 1.0  # a follower looks again after this time, should a NOTIFY have been lost
_STOP_SECONDS = 0.1  # how often a listener looks whether it was stopped

_LIBRARY_ERRORS = (
    (psycopg.IntegrityError, persistence.IntegrityError),
    (psycopg.DataError, persistence.DataError),
    (psycopg.ProgrammingError, persistence.ProgrammingError),
    (psycopg.NotSupportedError, persistence.NotSupportedError),
    (psycopg.InternalError, persistence.InternalError),
    (psycopg.OperationalError, persistence.OperationalError),
    (psycopg.InterfaceError, persistence.InterfaceError),
)

_SELECT_STREAM = """
    SELECT originator_id, originator_version, topic, state FROM event_store.{table}
    WHERE originator_id = %(originator_id)s
      AND (%(gt)s::bigint IS NULL OR originator_version > %(gt)s)
      AND (%(lte)s::bigint IS NULL OR originator_version <= %(lte)s)
    ORDER BY originator_version {direction} LIMIT %(limit)s
"""
_SELECT_NOTIFICATIONS = """
    SELECT originator_id, originator_version, topic, state, notification_id FROM event_store.{table}
    WHERE notification_id >= %(first)s AND (%(stop)s::bigint IS NULL OR notification_id <= %(stop)s)
      AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s))
    ORDER BY notification_id LIMIT %(limit)s
"""
_MAX_NOTIFICATION_ID = "SELECT max(notification_id) FROM event_store.{table}"


@dataclass(frozen=True)
class RecordedEvent(StoredEvent):
    """A stored event with what our log keeps beside it.

    `leaf`, if given, must be what the log will compute itself (see merkle): the caller vouches for the bytes.
    """

    batch_id: UUID | None = None
    source: str | None = None
    leaf: bytes | None = None


class Connections:
    """Open connections to one database, for any number of threads; as many as were in use at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: list[psycopg.Connection] = []
        self._lock = Lock()

    @contextmanager
    def one(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit that nobody else uses meanwhile."""
        with self._lock:
            conn = self._idle.pop() if self._idle else None
        conn = conn or self._database.connect("replayhouse recorder", autocommit=True)
        try:
            yield conn
        finally:
            if conn.info.transaction_status == TransactionStatus.IDLE:
                with self._lock:
                    self._idle.append(conn)
            else:  # broken, or left in the middle of something
                conn.close()

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for conn in idle:
            conn.close()


class PostgresAggregateRecorder(AggregateRecorder):
    """Inserts and selects the events of one context; raises the library's errors."""

    def __init__(self, connections: Connections, context: str) -> None:
        if context not in CONTEXTS:
            raise persistence.ProgrammingError(f"There is no context {context}; there are {', '.join(CONTEXTS)}.")
        self.connections = connections
        self._context = context
        self._table = sql.Identifier(f"{context}_events")

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Appends StoredEvents or RecordedEvents, all or none (20,000 at most). Tells no positions."""
        self._append(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of a stream as plain StoredEvents, their states as they stand in the log."""
        direction = sql.SQL("DESC" if desc else "ASC")
        query = sql.SQL(_SELECT_STREAM).format(table=self._table, direction=direction)
        bounds = {"originator_id": originator_id, "gt": gt, "lte": lte, "limit": limit}
        return [StoredEvent(*row) for row in self._fetch(query, bounds)]

    def _append(self, stored_events: Sequence[StoredEvent]) -> range:
        """The positions that the events were given."""
        if not stored_events:
            return range(0)
        if len(stored_events) > LARGEST_APPEND:
            raise persistence.ProgrammingError(f"{len(stored_events)} events at once; {LARGEST_APPEND} at most")
        try:
            rows = EncodedRows([_encoded(self._context, event) for event in stored_events])
        except EventTooLarge as error:
            raise persistence.DataError(str(error)) from error
        for event, leaf in zip(stored_events, rows.leaves, strict=True):
            if isinstance(event, RecordedEvent) and event.leaf not in (None, leaf):
                raise persistence.DataError(f"The leaf given with {event.topic} is not that of the event.")
        batches = {event.batch_id if isinstance(event, RecordedEvent) else None for event in stored_events}
        with _as_library_errors(), self.connections.one() as conn, translated(), conn.transaction():
            head = append_rows(conn, rows, batches.pop() if len(batches) == 1 else None)
        return range(head.position - len(stored_events) + 1, head.position + 1)

    def _fetch(self, query: sql.Composed, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        with _as_library_errors(), self.connections.one() as conn, translated(), conn.cursor(binary=True) as cursor:
            return cursor.execute(query, parameters).fetchall()


class PostgresApplicationRecorder(PostgresAggregateRecorder, ApplicationRecorder):
    """The events of one context as an application sequence.

    Its notification ids are positions of the whole log: they rise, without gaps only if no other context appends.
    """

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Appends StoredEvents or RecordedEvents, all or none (20,000 at most); their positions."""
        return list(self._append(stored_events))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events by position, from `start` (or after it) to `stop`, of some topics if any are named.

        Positions become visible in order, since commits follow one another under the head's lock.
        """
        first = 0 if start is None else start if inclusive_of_start else start + 1
        query = sql.SQL(_SELECT_NOTIFICATIONS).format(table=self._table)
        bounds = {"first": first, "stop": stop, "topics": list(topics) or None, "limit": limit}
        return [Notification(*row) for row in self._fetch(query, bounds)]

    def max_notification_id(self) -> int | None:
        """The position of the context's newest event; None if there is none."""
        [[newest]] = self._fetch(sql.SQL(_MAX_NOTIFICATION_ID).format(table=self._table), {})
        return None if newest is None else int(newest)

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "PostgresSubscription":
        """The events after position `gt`, those to come included; ends when it is stopped."""
        return PostgresSubscription(self, gt=gt, topics=topics)


class PostgresSubscription(ListenNotifySubscription[PostgresApplicationRecorder]):
    """Wakes up when something is appended, and once a second anyway."""

    def __init__(
        self, recorder: PostgresApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._listen_thread = Thread(target=self._listen, daemon=True)
        self._listen_thread.start()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        try:
            super().__exit__(*args, **kwargs)
        finally:
            self._listen_thread.join()

    def _listen(self) -> None:
        try:
            with _as_library_errors(), self._recorder.connections.one() as conn, translated():
                conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                self._has_been_notified.set()  # what was appended before LISTEN told nobody
                waited = 0.0
                while not self._has_been_stopped:
                    heard = any(True for _ in conn.notifies(timeout=_STOP_SECONDS, stop_after=1))
                    waited = 0.0 if heard else waited + _STOP_SECONDS
                    if heard or waited >= _POLL_SECONDS:
                        waited = 0.0
                        self._has_been_notified.set()
                conn.execute("UNLISTEN *")
        except BaseException as error:  # kept for the thread that iterates, which raises it
            self._thread_error = self._thread_error or error
            self.stop()


class PostgresFactory(InfrastructureFactory[TrackingRecorder]):
    """The library's infrastructure on one context of our log, made from our settings; no environment is read."""

    def __init__(self, database: Database, context: str) -> None:
        super().__init__(Environment("replayhouse", {}))
        self._connections = Connections(database)
        self._context = context

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """A recorder of the context. Only events: snapshots have no place in the log."""
        if purpose != "events":
            raise InfrastructureFactoryError(f"The log keeps events only, not {purpose}.")
        return PostgresAggregateRecorder(self._connections, self._context)

    def application_recorder(self) -> ApplicationRecorder:
        """A recorder of the context."""
        return PostgresApplicationRecorder(self._connections, self._context)

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        """Refused: read models keep their positions themselves, in the transaction that writes their rows."""
        raise InfrastructureFactoryError("The log tracks no other application; see the projections.")

    def process_recorder(self) -> ProcessRecorder:
        """Refused, as `tracking_recorder` is."""
        raise InfrastructureFactoryError("The log tracks no other application; see the projections.")

    def close(self) -> None:
        """Closes the connections."""
        self._connections.close()


def _encoded(context: str, event: StoredEvent) -> EncodedEvent:
    stream = event.originator_id if isinstance(event.originator_id, UUID) else UUID(event.originator_id)
    beside = (event.batch_id, event.source) if isinstance(event, RecordedEvent) else (None, None)
    return EncodedEvent(context, stream, event.originator_version, event.topic, event.state, *beside)


@contextmanager
def _as_library_errors() -> Iterator[None]:
    """Our errors and the driver's become the library's, which callers of the library expect."""
    try:
        yield
    except Conflict as error:
        raise persistence.IntegrityError(str(error)) from error
    except (Unreachable, Conflicting) as error:
        raise persistence.OperationalError(str(error)) from error
    except ReplayhouseError as error:
        raise persistence.PersistenceError(str(error)) from error
    except psycopg.Error as error:
        theirs = (to for of, to in _LIBRARY_ERRORS if isinstance(error, of))
        raise next(theirs, persistence.PersistenceError)(str(error)) from error
