"""Streams by ids that were not written out: what the beginning of an id stands for, as long as that is one thing.

The log is asked, whose streams are found by their ids without looking at others.
"""

from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.audit.kinds import STREAMS, HistoryKind
from replayhouse.infra.runtime.short_ids import IdStart, one_of

_STREAMS_FROM = sql.SQL("""
    SELECT originator_id FROM event_store.{events}
    WHERE originator_id BETWEEN %s AND %s AND originator_version = 1 AND starts_with(topic, %s)
    ORDER BY originator_id LIMIT 100
""")
_REVIEWS_FROM = """
    SELECT DISTINCT review_id FROM event_store.review_reference WHERE review_id BETWEEN %s AND %s
    ORDER BY review_id LIMIT 100
"""


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
