"""Ids and names of loads that were not written out: what they stand for, as long as that is one load."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.runtime.errors import Unknown, UsageError
from replayhouse.infra.runtime.short_ids import id_start, listed

_LOADS = """
    SELECT batch_id, name, status NOT IN ('retracted', 'rejected') FROM event_store.batch
    WHERE kind = 'load' ORDER BY batch_seq
"""
# What takes a load back is of its source; decisions are of no one load.
_NAMES = """
    SELECT b.batch_id, b.name, CASE WHEN b.kind <> 'decision' THEN coalesce(l.source ->> 'name', %s) END
    FROM event_store.batch AS b
    LEFT JOIN event_store.retraction AS r ON r.batch_id = b.batch_id
    LEFT JOIN event_store.batch AS l ON l.batch_id = coalesce(r.load_id, b.batch_id)
    WHERE b.batch_id = ANY(%s)
"""
_IS_LOAD = "SELECT 1 FROM event_store.batch WHERE batch_id = %s AND kind = 'load'"


class NamedLoad(NamedTuple):
    """A load; whether it `stands`: it was neither taken back nor rejected."""

    id: UUID
    name: str
    stands: bool


def load_named(conn: psycopg.Connection, text: str) -> UUID:
    """The load with that id or name, or the one whose id or name begins so.

    An id in full is taken as it is; a name in full counts for more than the beginning of others. Of several the only
    one that was neither taken back nor rejected is meant. Raises Unknown where there is none, UsageError where several
    are left.
    """
    start = id_start(text)
    if start is not None and start.is_whole:
        return start.first
    found = loads_from(conn, text)
    if not found:
        raise Unknown(f"There is no load {text}: replayhouse batches lists them all.")
    meant = [load for load in found if load.stands] or found
    if len(meant) > 1:
        told = listed([f"{load.id} ({load.name})" for load in meant])
        raise UsageError(f"'{text}' may be one of {len(meant)} loads: {told}. Write more of it, or the id.")
    return meant[0].id


def all_loads(conn: psycopg.Connection) -> list[NamedLoad]:
    """All loads by name, the oldest first."""
    return [NamedLoad(*row) for row in conn.execute(_LOADS)]


def loads_from(conn: psycopg.Connection, text: str) -> list[NamedLoad]:
    """The loads of that name; where there is none, those whose id or name begins so, the oldest first."""
    start, loads = id_start(text), all_loads(conn)
    return [load for load in loads if load.name == text] or [
        load
        for load in loads
        if load.name.startswith(text) or (start is not None and start.first <= load.id <= start.last)
    ]


def known_load_named(conn: psycopg.Connection, text: str) -> UUID:
    """The same; an id in full must be that of a load, too."""
    load_id = load_named(conn, text)
    if conn.execute(_IS_LOAD, [load_id]).fetchone() is None:
        raise Unknown(f"There is no load {load_id}: replayhouse batches lists them all.")
    return load_id


class NameAndSource(NamedTuple):
    """What a batch is called, and of which source it is; None of what is of no one load."""

    name: str
    source: str | None


def names_of(conn: psycopg.Connection, batches: Collection[UUID]) -> dict[UUID, NameAndSource]:
    """What batches are called, loads and what else appended to the log, and their sources."""
    found = conn.execute(_NAMES, [BUILT_IN, list(batches)])
    return {batch_id: NameAndSource(name, source) for batch_id, name, source in found}
