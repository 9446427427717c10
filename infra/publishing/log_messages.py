"""The events of a context after a position, in order, as the messages that a relay sends.

What is text in a header comes as text out of the server, which makes it in a tenth of Python's time; what events have
in common is made once. What a header is called and holds stands in `message`.
"""

from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from struct import Struct
from typing import NamedTuple

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.copy_out import copied_rows
from replayhouse.infra.publishing.log_reader import WINDOW, time_at
from replayhouse.infra.publishing.message import Told, headers_of, in_utc, occurred_at_of
from replayhouse.infra.publishing.personal import PersonalFields
from replayhouse.infra.publishing.ports import LogEntry, Outgoing

_COLUMNS = sql.SQL("""
    notification_id, originator_version, originator_id::text, encode(leaf, 'hex'), chain, recorded_at,
    batch_id IS NOT NULL, coalesce(batch_id, '00000000-0000-0000-0000-000000000000')::text,
    octet_length(topic), coalesce(octet_length(source), -1), topic, source, state
""")

# Number of fields, then each field with its length before it: those of fixed length, and the length of the topic.
_FIXED = Struct(">6xq4xq4x36s4x64s4x32s4xq4x?4x36s4xi4xi4x")
_LENGTH_BYTES = 4


class Block(NamedTuple):
    """Messages of neighbouring events that go together, and where the last event of them stands."""

    messages: list[Outgoing]
    position: int
    standing: LogEntry


class LogMessages:
    """Makes the messages of a context's events, for a topic and as from a source."""

    def __init__(self, context: str, topic: str, source: bytes, personal: PersonalFields) -> None:
        self._events = sql.Identifier(f"{context}_events")
        self._topic = topic
        self._source = source
        self._personal = personal
        self._types: dict[bytes, str] = {}

    def blocks(
        self, conn: psycopg.Connection, after: int, end: int, limit: int, most_events: int, most_bytes: int
    ) -> Generator[Block]:
        """The next `limit` events at most up to `end`, in blocks of so many, and, but for the last, of so many bytes.

        Close it where it is left before its end; until then `conn` can do nothing else.
        """
        window = WINDOW.format(
            columns=_COLUMNS,
            events=self._events,
            after=sql.Literal(after),
            end=sql.Literal(end),
            limit=sql.Literal(limit),
        )
        messages: list[Outgoing] = []
        size, times = 0, dict[int, bytes]()
        with closing(copied_rows(conn, window)) as rows:
            for row in rows:
                position, version, stream, leaf, chain, at, has_batch, batch, topic_bytes, lines_bytes = (
                    _FIXED.unpack_from(row)
                )
                lines_at = _FIXED.size + topic_bytes + _LENGTH_BYTES
                lines_end = lines_at + max(lines_bytes, 0)
                topic, logged = row[_FIXED.size : _FIXED.size + topic_bytes], row[lines_end + _LENGTH_BYTES :]
                recorded_at = times.get(at)
                if recorded_at is None:
                    recorded_at = times[at] = in_utc(time_at(at))
                state, personal = self._leaving(topic, logged)
                told = Told(
                    stream,
                    version,
                    topic,
                    position,
                    recorded_at,
                    leaf,
                    occurred_at_of(logged),
                    batch if has_batch else None,
                    row[lines_at:lines_end] if lines_bytes >= 0 else None,
                    personal,
                )
                messages.append(Outgoing(self._topic, stream, state, headers_of(told, self._source)))
                size += len(logged)
                if len(messages) == most_events or size > most_bytes:
                    yield _block(messages, position, leaf, time_at(at), chain)
                    messages, size = [], 0
            if messages:
                yield _block(messages, position, leaf, time_at(at), chain)

    def _leaving(self, topic: bytes, state: bytes) -> tuple[bytes, bytes | None]:
        name = self._types.get(topic)
        if name is None:
            name = self._types[topic] = topic.decode()
        left, personal = self._personal.of_state(name, state)
        return left, None if personal is None else personal.encode()


def _block(messages: list[Outgoing], position: int, leaf: bytes, recorded_at: datetime, chain: bytes) -> Block:
    return Block(messages, position, LogEntry(bytes.fromhex(leaf.decode()), recorded_at, chain))
