"""The keys of personal fields, one per subject, in bulk. Whose key is destroyed has a row with null, for ever.

Nothing is cached: a key that was destroyed a moment ago must not be used again.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

import psycopg

from infra.mapping.personal import new_key

Keys = dict[UUID, bytes | None]
"""By subject; None where the key was destroyed."""

_READ = "SELECT subject_id, key FROM event_store.subject_key WHERE subject_id = ANY(%s)"
_MAKE = """
    INSERT INTO event_store.subject_key (subject_id, key)
    SELECT * FROM unnest(%s::uuid[], %s::bytea[])
    ON CONFLICT DO NOTHING
    RETURNING subject_id, key
"""
_DESTROY = """
    INSERT INTO event_store.subject_key (subject_id, key)
    SELECT subject_id, NULL FROM unnest(%s::uuid[]) AS subject_id
    ON CONFLICT (subject_id) DO UPDATE SET key = NULL
"""


def read_keys(conn: psycopg.Connection, subjects: Collection[UUID]) -> Keys:
    """The keys of those subjects that have one, or had one."""
    if not subjects:
        return {}
    with conn.cursor(binary=True) as cursor:
        return dict(cursor.execute(_READ, [list(subjects)]).fetchall())


def make_keys(conn: psycopg.Connection, subjects: Collection[UUID]) -> Keys:
    """The keys of all these subjects; whoever has none gets one, in the transaction at hand."""
    keys = read_keys(conn, subjects)
    # Sorted, so that two transactions that make the same keys wait for each other instead of for ever.
    missing = sorted(subject for subject in subjects if subject not in keys)
    if missing:
        with conn.cursor(binary=True) as cursor:
            keys.update(cursor.execute(_MAKE, [missing, [new_key() for _ in missing]]).fetchall())
        keys.update(read_keys(conn, [subject for subject in missing if subject not in keys]))
    return keys


def destroy_keys(conn: psycopg.Connection, subjects: Iterable[UUID]) -> None:
    """What was sealed for these subjects cannot be read again, and what comes later is recorded as null."""
    conn.execute(_DESTROY, [sorted(set(subjects))])
