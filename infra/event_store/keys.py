"""The keys of personal fields, one per subject, in bulk. Whose key is destroyed has a row with null, for ever.

So a subject without a row is not an erased one: its key is lost. Nothing is cached: a key that was destroyed a moment
ago must not be used again.
"""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.known_keys import NOT_GIVEN, Keys, refuse_lost
from replayhouse.infra.event_store.serialization.personal import new_key
from replayhouse.infra.postgres.binary_copy import field, framed

LOG = "event_store"
"""The schema of the log and its keys."""

_LOST = "the table event_store.subject_key has no row for it. Restore the keys from their backup."

_READ = sql.SQL("SELECT subject_id, key FROM {}.subject_key WHERE subject_id = ANY(%s::uuid[])")
_STATES = "SELECT subject_id, is_erased FROM event_store.subject WHERE subject_id = ANY(%s)"
_MAKE = """
    INSERT INTO event_store.subject_key (subject_id, key)
    SELECT * FROM unnest(%s::uuid[], %s::bytea[])
    ON CONFLICT DO NOTHING
    RETURNING subject_id, key
"""
_WRITE = "COPY event_store.subject_key (subject_id, key) FROM STDIN (FORMAT binary)"
_TWO_FIELDS = b"\x00\x02"
_DESTROY = """
    INSERT INTO event_store.subject_key (subject_id, key)
    SELECT subject_id, NULL FROM unnest(%s::uuid[]) AS subject_id
    ON CONFLICT (subject_id) DO UPDATE SET key = NULL
"""


def read_keys(conn: psycopg.Connection, subjects: Collection[UUID], *, schema: str = LOG) -> Keys:
    """The keys of subjects for which something was sealed, each of them, None where it was destroyed.

    `schema` is where they stand; somewhere else than beside the log, where events were taken from elsewhere.

    Raises LostKeys where one of them has no row: shown as erased, it would be taken for that by everybody after.
    """
    keys = known_keys(conn, subjects, schema)
    if len(keys) < len(subjects):
        refuse_lost(subjects, keys, _LOST if schema == LOG else NOT_GIVEN)
    return keys


def erased_among(conn: psycopg.Connection, subjects: Collection[UUID]) -> set[UUID]:
    """Those of the subjects, for which something was sealed, whose key was destroyed; no key is read.

    Raises LostKeys as `read_keys` does.
    """
    known: dict[UUID, bool] = dict(conn.execute(_STATES, [list(subjects)]).fetchall()) if subjects else {}
    refuse_lost(subjects, known, _LOST)
    return {subject for subject, is_erased in known.items() if is_erased}


def make_keys(conn: psycopg.Connection, subjects: Collection[UUID]) -> Keys:
    """The keys of all these subjects; whoever has none gets one, in the transaction at hand."""
    keys = known_keys(conn, subjects)
    # Sorted, so that two transactions that make the same keys wait for each other instead of for ever.
    missing = sorted(subject for subject in subjects if subject not in keys)
    if missing:
        with conn.cursor(binary=True) as cursor:
            keys.update(cursor.execute(_MAKE, [missing, [new_key() for _ in missing]]).fetchall())
        keys.update(known_keys(conn, [subject for subject in missing if subject not in keys]))
    return keys


def write_keys(conn: psycopg.Connection, keys: Mapping[UUID, bytes]) -> None:
    """Writes keys of subjects who have none, in the transaction at hand, which fails where somebody has one."""
    if keys:
        rows = (_TWO_FIELDS + field(subject.bytes) + field(key) for subject, key in keys.items())
        with conn.cursor().copy(_WRITE) as copy:
            copy.write(framed(rows))


def known_keys(conn: psycopg.Connection, subjects: Collection[UUID], schema: str = LOG) -> Keys:
    """Of those subjects that have a row."""
    if not subjects:
        return {}
    ids = f"{{{','.join([subject.hex for subject in subjects])}}}"  # in half of the time that the driver takes for it
    with conn.cursor(binary=True) as cursor:
        return dict(cursor.execute(_READ.format(sql.Identifier(schema)), [ids]).fetchall())


def destroy_keys(conn: psycopg.Connection, subjects: Iterable[UUID]) -> None:
    """What was sealed for these subjects cannot be read again, and what comes later is recorded as null."""
    conn.execute(_DESTROY, [sorted(set(subjects))])
