"""Ids and names of loads that were not written out: what they stand for, as long as that is one thing.

The log is asked, whose streams are found by their ids without looking at others.
"""

from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.audit.short_ids import IdStart, id_start, listed, one_of
from replayhouse.infra.cli.history import STREAMS
from replayhouse.infra.cli.options import HistoryKind
from replayhouse.infra.runtime.errors import UsageError

_STREAMS_FROM = sql.SQL("""
    SELECT originator_id FROM event_store.{events}
    WHERE originator_id BETWEEN %s AND %s AND originator_version = 1 AND starts_with(topic, %s)
    ORDER BY originator_id LIMIT 100
""")
_REVIEWS_FROM = """
    SELECT DISTINCT review_id FROM event_store.review_reference WHERE review_id BETWEEN %s AND %s
    ORDER BY review_id LIMIT 100
"""
_LOADS = """
    SELECT batch_id, name, status NOT IN ('retracted', 'rejected') FROM event_store.batch
    WHERE kind = 'load' ORDER BY batch_seq
"""


class _Load(NamedTuple):
    id: UUID
    name: str
    stands: bool


def stream_named(conn: psycopg.Connection, kind: HistoryKind, start: IdStart) -> UUID:
    """The id of the one thing of a kind whose id begins so. Raises UsageError where there is none, or several are."""
    if start.is_whole:
        return start.first
    if kind is HistoryKind.REVIEW:
        found = conn.execute(_REVIEWS_FROM, [start.first, start.last]).fetchall()
    else:
        context, first_topic = STREAMS[kind]
        query = _STREAMS_FROM.format(events=sql.Identifier(f"{context}_events"))
        found = conn.execute(query, [start.first, start.last, first_topic]).fetchall()
    return one_of([key for (key,) in found], f"{kind} whose id begins with {start.text}")


def load_named(conn: psycopg.Connection, text: str) -> UUID:
    """The load with that id or name, or the one whose id or name begins so.

    An id in full is taken as it is; a name in full counts for more than the beginning of others. Of several the only
    one that was neither taken back nor rejected is meant. Raises UsageError.
    """
    start = id_start(text)
    if start is not None and start.is_whole:
        return start.first
    loads = [_Load(*row) for row in conn.execute(_LOADS)]
    found = [load for load in loads if load.name == text] or [
        load
        for load in loads
        if load.name.startswith(text) or (start is not None and start.first <= load.id <= start.last)
    ]
    if not found:
        raise UsageError(f"There is no load {text}: replayhouse batches lists them all.")
    meant = [load for load in found if load.stands] or found
    if len(meant) > 1:
        told = listed([f"{load.id} ({load.name})" for load in meant])
        raise UsageError(f"'{text}' may be one of {len(meant)} loads: {told}. Write more of it, or the id.")
    return meant[0].id
