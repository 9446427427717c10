"""Events as rows of PostgreSQL's binary COPY format, built by hand: the same bytes are hashed for the leaf.

A row is the number of fields, the fields that the leaf covers (all but the context, which is the table's name), then
position and leaf. The position is known only under the lock; all the rest is made before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.merkle import root_of
from replayhouse.infra.postgres.binary_copy import INT64_LENGTH, NULL, UUID_LENGTH, framed
from replayhouse.infra.runtime.errors import InputError

LARGEST_EVENT_BYTES = 998_000
"""Of state, lines and topic together. With all headers that is a message which a broker takes as it is set up."""

_LEAF = b"\x00\x00\x00\x20"  # length of a leaf
EIGHT_FIELDS = b"\x00\x08"
"""What a row begins with."""

_COLUMNS = sql.SQL("originator_id, originator_version, topic, state, batch_id, source, notification_id, leaf")
COPY = {
    context: sql.SQL("COPY event_store.{} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(f"{context}_events"), _COLUMNS
    )
    for context in CONTEXTS
}
"""By context, what takes rows: in the order of fields in which they are encoded."""


class EncodedEvent(NamedTuple):
    """An event as it will stand in the log, but for its position."""

    context: str
    stream_id: UUID
    originator_version: int
    topic: str
    state: bytes
    batch_id: UUID | None
    source: str | None


class EventTooLarge(InputError):  # noqa: N818 - named for what is the matter, as all of infra/runtime/errors.py
    """An event that could never be published, for brokers take no message of its size. Nothing is appended."""

    def __init__(self, event: EncodedEvent) -> None:
        size = len(event.state) + len((event.source or "").encode()) + len(event.topic)
        lines = f", of the lines {event.source[:100]}," if event.source else ""
        super().__init__(
            f"An event {event.topic} of the stream {event.stream_id}{lines} has {size:,} bytes, and no event may "
            f"have more than {LARGEST_EVENT_BYTES:,}, so that it can be published: nothing was appended."
        )


@dataclass(slots=True)
class _Table:
    """The rows of one context: what stands before and after the position, and the event's place in the append."""

    before: list[bytes] = field(default_factory=list)
    after: list[bytes] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


class EncodedRows:
    """Events in the order of their positions, ready to be copied once the first position is known."""

    def __init__(self, events: Sequence[EncodedEvent]) -> None:
        self.leaves: list[bytes] = []
        self._tables: dict[str, _Table] = {}
        self._fill(events)

    def root(self) -> bytes:
        """The Merkle tree hash of the events; there must be one at least."""
        return root_of(self.leaves)

    def copy(self, conn: psycopg.Connection, first_position: int) -> None:
        """Writes the rows of each context, in the order of their streams: they are read that way ever after."""
        with conn.cursor() as cursor:
            for context, table in self._tables.items():
                with cursor.copy(COPY[context]) as copy:
                    copy.write(framed(sorted(_rows(table, first_position))))

    def _fill(self, events: Sequence[EncodedEvent]) -> None:
        # The hot loop of every load: about a microsecond and a half an event, half of it SHA-256.
        started = {context: sha256(b"\x00" + _text(context)) for context in CONTEXTS}
        topics: dict[str, bytes] = {}
        batch: UUID | None = None
        batch_field = NULL  # the same batch brings all events of an append, as a rule
        for place, (context, stream_id, version, topic, state, batch_id, source) in enumerate(events):
            topic_field = topics.get(topic)
            if topic_field is None:
                topic_field = topics[topic] = _text(topic)
            if batch_id is not batch:
                batch, batch_field = batch_id, _uuid_or_null(batch_id)
            fields = b"".join(
                (
                    UUID_LENGTH,
                    stream_id.bytes,
                    INT64_LENGTH,
                    version.to_bytes(8, "big"),
                    topic_field,
                    len(state).to_bytes(4, "big"),
                    state,
                    batch_field,
                    NULL if source is None else _text(source),
                )
            )
            if len(fields) > LARGEST_EVENT_BYTES:
                raise EventTooLarge(events[place])
            hashed = started[context].copy()
            hashed.update(fields)
            leaf = hashed.digest()
            self.leaves.append(leaf)
            table = self._tables.get(context)
            if table is None:
                table = self._tables[context] = _Table()
            table.before.append(EIGHT_FIELDS + fields + INT64_LENGTH)
            table.after.append(_LEAF + leaf)
            table.places.append(place)


def _rows(table: _Table, first_position: int) -> Iterator[bytes]:
    for before, place, after in zip(table.before, table.places, table.after, strict=True):
        yield before + (first_position + place).to_bytes(8, "big") + after


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def _uuid_or_null(value: UUID | None) -> bytes:
    return NULL if value is None else UUID_LENGTH + value.bytes
