"""Events that came from elsewhere than the log of this database, in a schema of their own for the time of a rebuild.

Its tables hold of an event what a fold needs, and are not logged: what a killed command leaves of them is removed by
the next one.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.binary_copy import INT64_LENGTH, UUID_LENGTH, framed
from replayhouse.infra.read_models.stream_source import Source
from replayhouse.infra.runtime.errors import Rejected

SCHEMA = "unfinished_received"
"""Of a name that no prefix may have."""

KEYS_IN = sql.SQL("COPY {}.subject_key (subject_id, key) FROM STDIN (FORMAT binary)").format(sql.Identifier(SCHEMA))
"""Takes the keys of a backup, as they stand in its file."""

_REMOVE = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCHEMA))
_MAKE = sql.SQL("""
    CREATE SCHEMA {schema};
    CREATE UNLOGGED TABLE {schema}.subject_key (subject_id uuid PRIMARY KEY, key bytea);
    ALTER TABLE {schema}.subject_key ALTER COLUMN key SET STATISTICS 0
""").format(schema=sql.Identifier(SCHEMA))
_TABLE = sql.SQL("""
    CREATE UNLOGGED TABLE {} (
        originator_id uuid NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        notification_id bigint NOT NULL
    )
""")
_COPY = sql.SQL("""
    COPY {} (originator_id, originator_version, topic, state, notification_id) FROM STDIN (FORMAT binary)
""")
_KEY = sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (originator_id, originator_version)")
_ANALYZE = sql.SQL("ANALYZE {}")
_GAP = sql.SQL("""
    SELECT originator_id, version
    FROM (
        SELECT originator_id, originator_version,
            row_number() OVER (PARTITION BY originator_id ORDER BY originator_version) AS version
        FROM {}
    ) AS numbered
    WHERE originator_version <> version
    ORDER BY originator_id, version LIMIT 1
""")
_BACKWARDS = sql.SQL("""
    SELECT originator_id, originator_version
    FROM (
        SELECT originator_id, originator_version, notification_id,
            lag(notification_id) OVER (PARTITION BY originator_id ORDER BY originator_version) AS before
        FROM {}
    ) AS ordered
    WHERE notification_id <= before
    ORDER BY originator_id, originator_version LIMIT 1
""")
_TOLD_ERASED = sql.SQL("""
    UPDATE {schema}.subject_key SET key = NULL
    WHERE key IS NOT NULL AND subject_id IN (
        SELECT originator_id FROM {events} WHERE topic LIKE 'customer.CustomerAnonymized.%'
    )
""")

_FIVE_FIELDS_AND_UUID = b"\x00\x05" + UUID_LENGTH


class ReceivedEvent(NamedTuple):
    """What a fold needs of an event."""

    stream: UUID
    version: int
    topic: bytes
    state: bytes
    position: int


def make(conn: psycopg.Connection, contexts: Iterable[str]) -> Source:
    """Makes the schema, with a table for each context and an empty one for keys."""
    source = Source(SCHEMA)
    with conn.transaction():
        conn.execute(_MAKE)
        for context in contexts:
            conn.execute(_TABLE.format(source.events(context)))
    return source


def remove(conn: psycopg.Connection) -> None:
    """Removes the schema, if it is there; the caller knows that nobody uses it."""
    conn.execute(_REMOVE)


def copy(conn: psycopg.Connection, source: Source, context: str, events: Sequence[ReceivedEvent]) -> None:
    """Adds some events of a context, in whatever order: they are sorted, so as to be read the quicker."""
    rows = sorted(
        b"".join(
            (
                _FIVE_FIELDS_AND_UUID,
                event.stream.bytes,
                INT64_LENGTH,
                event.version.to_bytes(8, "big"),
                len(event.topic).to_bytes(4, "big"),
                event.topic,
                len(event.state).to_bytes(4, "big"),
                event.state,
                INT64_LENGTH,
                event.position.to_bytes(8, "big"),
            )
        )
        for event in events
    )
    with conn.cursor() as cursor, cursor.copy(_COPY.format(source.events(context))) as into:
        into.write(framed(rows))


def complete(conn: psycopg.Connection, source: Source, contexts: Sequence[str]) -> None:
    """Makes the tables ready to be read, when all events are in.

    Raises Rejected where a stream is not whole: its versions run from 1 on without gaps, and with its positions.
    """
    for context in contexts:
        events = source.events(context)
        try:
            conn.execute(_KEY.format(events))
        except errors.UniqueViolation as error:
            raise Rejected(f"An event of {context} came twice: {error.diag.message_detail} {_VERIFY}") from error
        conn.execute(_ANALYZE.format(events))
        if gap := conn.execute(_GAP.format(events)).fetchone():
            stream, version = gap
            raise Rejected(
                f"The stream {stream} of {context} lacks its version {version:,}: the topic does not hold all of its "
                f"events, or holds them no longer. {_VERIFY}"
            )
        if backwards := conn.execute(_BACKWARDS.format(events)).fetchone():
            stream, version = backwards
            raise Rejected(
                f"The stream {stream} of {context} has its version {version:,} at a position before that of the "
                f"version before. {_VERIFY}"
            )


_VERIFY = "'replayhouse publish --verify', at the publisher's, says where topic and log differ."


def forget_erased(conn: psycopg.Connection, source: Source) -> None:
    """Destroys the keys here of those people of whom the events tell that they were erased: keys may be older."""
    conn.execute(_TOLD_ERASED.format(schema=sql.Identifier(source.schema), events=source.events("customer")))
