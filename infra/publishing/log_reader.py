"""The events of a context after a position, in order, out of the log and ready to be messages.

Rows come by binary COPY and are unpacked by hand, as those of a rebuild do. Nothing is read ahead: memory stays that of
a transaction, whatever the backlog.
"""

from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.postgres.copy_out import copied_rows
from replayhouse.infra.publishing.message import LoggedEvent
from replayhouse.infra.publishing.ports import LogEntry

WINDOW = sql.SQL("""
    COPY (
        SELECT {columns}
        FROM event_store.{events}
        CROSS JOIN LATERAL (
            SELECT recorded_at, chain FROM event_store.commit
            WHERE last_position >= notification_id
            ORDER BY last_position
            LIMIT 1
        ) AS brought
        WHERE notification_id > {after} AND notification_id <= {end}
        ORDER BY notification_id
        LIMIT {limit}
    ) TO STDOUT (FORMAT binary)
""")
"""The next events of a context, each with the commit that brought it, in the order of positions; `columns` of both."""

_COLUMNS = sql.SQL(
    "originator_id, originator_version, notification_id, recorded_at, chain, leaf, batch_id, topic, source, state"
)
_STANDING = sql.SQL("""
    SELECT leaf, recorded_at, chain
    FROM event_store.{events}
    CROSS JOIN LATERAL (
        SELECT recorded_at, chain FROM event_store.commit
        WHERE last_position >= notification_id
        ORDER BY last_position
        LIMIT 1
    ) AS brought
    WHERE notification_id = %s
""")
_STORE = "SELECT chain FROM event_store.commit ORDER BY last_position LIMIT 1"

# Number of fields, then each field with its length before it: those of fixed length up to the leaf.
_FIXED = Struct(">2x4x16s4xq4xq4xq4x32s4x32s")
_LENGTH = Struct(">i")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL counts microseconds from here


class Row(NamedTuple):
    """An event as the log has it, and the hash chain at the commit that brought it."""

    event: LoggedEvent
    chain: bytes


class ContextLog:
    """The log as the relay of a context reads it (port History), on a connection in autocommit."""

    def __init__(self, conn: psycopg.Connection, context: str) -> None:
        self._conn = conn
        self._context = context
        self._events = sql.Identifier(f"{context}_events")
        self._topics: dict[bytes, str] = {}

    def head(self) -> int:
        """The position of the newest event, of any context; everything up to it is visible from now on."""
        return read_head(self._conn).position

    def store(self) -> bytes | None:
        """The hash chain at the first commit; None while the log is empty."""
        row = self._conn.execute(_STORE).fetchone()
        return None if row is None else bytes(row[0])

    def standing(self, position: int) -> LogEntry | None:
        """The event of the context at a position; None where there is none."""
        row = self._conn.execute(_STANDING.format(events=self._events), [position]).fetchone()
        return None if row is None else LogEntry(*row)

    def after(self, position: int, end: int, limit: int) -> Generator[Row]:
        """The next events up to `end`, `limit` at most, by position. Close it where it is left before its end."""
        window = WINDOW.format(
            columns=_COLUMNS,
            events=self._events,
            after=sql.Literal(position),
            end=sql.Literal(end),
            limit=sql.Literal(limit),
        )
        with closing(copied_rows(self._conn, window)) as rows:
            for row in rows:
                yield self._read(row)

    def _read(self, row: bytes) -> Row:
        stream, version, position, recorded_at, chain, leaf = _FIXED.unpack_from(row)
        batch, at = _field(row, _FIXED.size)
        topic, at = _field(row, at)
        lines, at = _field(row, at)
        state, _ = _field(row, at)
        convert = msgspec.convert  # makes a UUID in a third of the time of its constructor
        assert topic is not None  # neither is null in the log
        assert state is not None
        name = self._topics.get(topic)
        if name is None:
            name = self._topics[topic] = topic.decode()
        event = LoggedEvent(
            self._context,
            convert(stream, UUID),
            version,
            name,
            state,
            position,
            None if batch is None else convert(batch, UUID),
            None if lines is None else lines.decode(),
            leaf,
            time_at(recorded_at),
        )
        return Row(event, chain)


@lru_cache(maxsize=256)
def time_at(microseconds: int) -> datetime:
    """A time as PostgreSQL sends it: microseconds since the year 2000."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _field(row: bytes, at: int) -> tuple[bytes | None, int]:
    (length,) = _LENGTH.unpack_from(row, at)
    start = at + 4
    return (None, start) if length < 0 else (row[start : start + length], start + length)
