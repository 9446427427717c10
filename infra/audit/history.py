"""The streams of one order, person or product as an auditor reads them: every event, even if it counts no longer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.kernel.events import DomainEvent, Rewound, effective
from replayhouse.infra.audit.kinds import STREAMS, HistoryKind
from replayhouse.infra.event_store.keys import erased_among, read_keys
from replayhouse.infra.event_store.serialization.mapper import Mapper, mapper_of_our_events
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.runtime.errors import Unknown
from replayhouse.infra.runtime.identity import SEALED

ERASED = "erased"
"""Stands for a personal field whose key was destroyed."""

EVENTS = """
SELECT
    e.originator_id, e.originator_version, e.notification_id, e.topic, e.state, e.batch_id, b.name, e.source,
    b.source -> 'files',
    (SELECT c.recorded_at FROM event_store.commit AS c
     WHERE c.last_position >= e.notification_id ORDER BY c.last_position LIMIT 1)
FROM event_store.{events} AS e
LEFT JOIN event_store.batch AS b USING (batch_id)
WHERE e.originator_id = ANY(%s)
ORDER BY e.originator_id, e.originator_version
"""

ORDERS_OF_REVIEW = "SELECT DISTINCT order_id FROM event_store.review_reference WHERE review_id = %s ORDER BY order_id"


class _Stored(NamedTuple):
    stream: UUID
    version: int
    position: int
    topic: str
    state: bytes
    batch_id: UUID | None
    batch_name: str | None
    source: str | None
    files: dict[str, Any] | None
    recorded_at: datetime


class HistoricEvent(NamedTuple):
    """One event of a stream, as it is shown. `facts` are its fields but `occurred_at`, as JSON has them.

    `real_files` are names by kind of record, of an event from a load of files of another shape.
    """

    context: str
    stream: UUID
    version: int
    position: int
    topic: str
    occurred_at: datetime | None
    recorded_at: datetime
    batch_id: UUID | None
    batch_name: str | None
    source: str | None
    is_rewound: bool
    facts: dict[str, Any]
    real_files: Mapping[str, str] = MappingProxyType({})

    @property
    def told_source(self) -> str | None:
        """Where it came from, by the names of the files that the load had: `export.csv:12` for `orders:12`."""
        parts = [part.partition(":") for part in (self.source or "").split()]
        told = dict.fromkeys(f"{self.real_files.get(file, file)}{colon}{lines}" for file, colon, lines in parts)
        return " ".join(told) or None

    @property
    def name(self) -> str:
        """The event's name without context and version."""
        return self.topic.split(".")[1]

    def document(self) -> dict[str, Any]:
        """The event as `--json` shows it."""
        return {
            "context": self.context,
            "stream": self.stream,
            "version": self.version,
            "position": self.position,
            "event": self.name,
            "topic": self.topic,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "batch": self.batch_id,
            "source": self.source,
            "rewound": self.is_rewound,
            "facts": self.facts,
            **({"files": dict(self.real_files)} if self.real_files else {}),
        }


def history_of(
    connection: psycopg.Connection, kind: HistoryKind, key: UUID, *, reveals: bool = True
) -> list[HistoricEvent]:
    """Every event of the streams that the key names, stream by stream; personal fields are sealed unless it `reveals`.

    Raises Unknown where there is none, LostKeys where personal fields can be neither shown nor said to be erased.
    """
    context, first_topic = STREAMS[kind]
    ids = subjects_of(connection, kind, key)
    found = [stored for stored in _stored(connection, context, ids) if stored[0].topic.startswith(first_topic)]
    if not found:
        raise Unknown(f"The log knows no {kind} {key}. Ids are those of the source; a customer's is the person's.")
    mapper = mapper_of_our_events()
    return [event for stored in found for event in _revealed(connection, mapper, context, stored, reveals)]


def subjects_of(connection: psycopg.Connection, kind: HistoryKind, key: UUID) -> list[UUID]:
    """The streams that the key names."""
    return _streams_of_review(connection, key) if kind is HistoryKind.REVIEW else [key]


def history_of_stream(
    connection: psycopg.Connection, context: str, stream: UUID, *, reveals: bool = True
) -> list[HistoricEvent]:
    """Every event of one stream, in order; nothing where the context has no such stream. Raises LostKeys."""
    found = _stored(connection, context, [stream])
    return [
        event for stored in found for event in _revealed(connection, mapper_of_our_events(), context, stored, reveals)
    ]


def _stored(connection: psycopg.Connection, context: str, ids: Sequence[UUID]) -> list[list[_Stored]]:
    """The events of streams, stream by stream."""
    query = sql.SQL(EVENTS).format(events=sql.Identifier(f"{context}_events"))
    streams: dict[UUID, list[_Stored]] = {}
    with connection.cursor(binary=True) as cursor:
        for row in map(_Stored._make, cursor.execute(query, [ids])):
            streams.setdefault(row.stream, []).append(row)
    return list(streams.values())


def _streams_of_review(connection: psycopg.Connection, review_id: UUID) -> list[UUID]:
    rows = connection.execute(ORDERS_OF_REVIEW, [review_id]).fetchall()
    return [review_stream_id(review_id, order_id) for (order_id,) in rows]


def _revealed(
    connection: psycopg.Connection, mapper: Mapper, context: str, stored: Sequence[_Stored], reveals: bool
) -> Iterator[HistoricEvent]:
    events = [mapper.decode(row.topic, row.state) for row in stored]
    told = (mapper.subject_of(event, row.stream) for event, row in zip(events, stored, strict=True))
    subjects = {subject for subject in told if subject is not None}
    keys = read_keys(connection, subjects) if reveals else {}
    erased = {one for one, key in keys.items() if key is None} if reveals else erased_among(connection, subjects)
    counting = {id(event) for event in effective(events)}
    for row, event in zip(stored, events, strict=True):
        is_rewound = id(event) not in counting and not isinstance(event, Rewound)
        subject = mapper.subject_of(event, row.stream)
        key = None if subject is None else keys.get(subject)
        facts = _facts(mapper, event, row.stream, key, ERASED if subject in erased else SEALED)
        facts.pop("occurred_at", None)
        yield HistoricEvent(
            context,
            row.stream,
            row.version,
            row.position,
            row.topic,
            getattr(event, "occurred_at", None),
            row.recorded_at,
            row.batch_id,
            row.batch_name,
            row.source,
            is_rewound,
            facts,
            {file: told["name"] for file, told in (row.files or {}).items()},
        )


def _facts(mapper: Mapper, event: DomainEvent, stream: UUID, key: bytes | None, instead: str) -> dict[str, Any]:
    """The fields of an event, personal ones in clear text with a key, and without one what stands instead of each."""
    sealed = [name for name in personal_fields(type(event)) if getattr(event, name) is not None]
    facts: dict[str, Any] = msgspec.to_builtins(mapper.reveal(event, stream, key) if sealed else event)
    if key is None:
        facts.update(dict.fromkeys(sealed, instead))
    return facts
