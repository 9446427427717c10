"""Stored events out of the database: rows of COPY in binary form, unpacked for who makes streams of them.

By hand, which takes half the time of the driver's own way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from struct import Struct
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.keys import read_keys
from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.event_store.sources_told import PartOfLog, part_of
from replayhouse.infra.postgres.copy_out import copied_rows
from replayhouse.infra.read_models.stream_reader import StoredRow, StoredStream, StreamReader

COLUMNS = sql.SQL("originator_id, notification_id, topic, state")
"""What `unpacked` expects of a row; rows are ordered by originator_id and originator_version."""

_SOME_STREAMS = sql.SQL("""
    COPY (
        SELECT {columns} FROM {events}
        WHERE originator_id = ANY({streams}) AND notification_id <= {position}
        ORDER BY originator_id, originator_version
    ) TO STDOUT (FORMAT binary)
""")

_FIXED = Struct(">6x16s4xqi")  # number of fields and length, originator_id, length, notification_id, length of topic
_TOPIC_AT = _FIXED.size


@dataclass(frozen=True, slots=True)
class Source:
    """Where events are read from: a schema with the tables `<context>_events`, and their keys in `subject_key`.

    Where personal fields `are_withheld`, no key is looked at: what stands for a value that may not be seen is folded.
    Of a `part` of the log, those events that tell of its source.
    """

    schema: str = "event_store"
    are_withheld: bool = False
    part: PartOfLog | None = None

    def events(self, context: str) -> sql.Composable:
        """The table of a context's events, or a query for those that are read, as they stand after FROM."""
        table = sql.Identifier(self.schema, f"{context}_events")
        return table if self.part is None else self.part.events(context, table)

    def keys_of(self, conn: psycopg.Connection) -> KeysOf | None:
        """What looks up keys there, on a connection; None where personal fields are withheld."""
        return None if self.are_withheld else partial(read_keys, conn, schema=self.schema)


LOG = Source()
"""The log of this database."""


def log_of(conn: psycopg.Connection, source: str | None, position: int) -> Source:
    """The log up to a position, or that part of it which tells of a source of loads."""
    return LOG if source is None else Source(part=part_of(conn, source, position))


def unpacked(rows: Iterable[bytes]) -> Iterator[StoredRow]:
    """The events of rows that `copied_rows` gives of COLUMNS."""
    unpack = _FIXED.unpack_from
    topics: dict[bytes, str] = {}
    for row in rows:
        stream, position, length = unpack(row)
        state_at = _TOPIC_AT + length
        name = row[_TOPIC_AT:state_at]
        topic = topics.get(name)
        if topic is None:
            topic = topics[name] = name.decode()
        yield stream, position, topic, row[state_at + 4 :]


def read_streams(
    conn: psycopg.Connection, context: str, streams: Sequence[UUID], position: int, source: Source = LOG
) -> Iterator[StoredStream]:
    """Some streams of the log, with their events up to a position."""
    statement = _SOME_STREAMS.format(
        columns=COLUMNS, events=source.events(context), streams=sql.Literal(streams), position=sql.Literal(position)
    )
    reader = StreamReader(source.keys_of(conn))
    for some in reader.read(unpacked(list(copied_rows(conn, statement)))):
        yield from some
