"""Streams by ids that were not written out: what the beginning of an id stands for, as long as that is one thing.

The log is asked, whose streams are found by their ids without looking at others.
"""

from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.audit.kinds import STREAMS, HistoryKind
from replayhouse.infra.runtime.short_ids import IdStart, one_of

MOST = 100
"""So many are looked for."""

_STREAMS_FROM = sql.SQL("""
    SELECT originator_id FROM event_store.{events}
    WHERE originator_id BETWEEN %s AND %s AND originator_version = 1 AND starts_with(topic, %s)
    ORDER BY originator_id LIMIT %s
""")
_REVIEWS_FROM = """
    SELECT DISTINCT review_id FROM event_store.review_reference WHERE review_id BETWEEN %s AND %s
    ORDER BY review_id LIMIT %s
"""
_PEOPLE_BEHIND = """
    SELECT DISTINCT customer_id FROM customer.customer_alias WHERE customer_alias BETWEEN %s AND %s
    ORDER BY customer_id LIMIT %s
"""
_NEWEST_EVENT = sql.SQL("""
    SELECT notification_id FROM event_store.{events} WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1
""")


def stream_named(conn: psycopg.Connection, kind: HistoryKind, start: IdStart) -> UUID:
    """The id of the one thing of a kind whose id begins so; one that is whole is taken as it is.

    Raises Unknown where there is none, UsageError where several are.
    """
    if start.is_whole:
        return start.first
    return one_of(streams_from(conn, kind, start, MOST), f"{kind} whose id begins with {start.text}")


def streams_from(conn: psycopg.Connection, kind: HistoryKind, start: IdStart, limit: int) -> list[UUID]:
    """The ids of the things of a kind that begin so, or are so, by id: `limit` of them at most."""
    if kind is HistoryKind.REVIEW:
        found = conn.execute(_REVIEWS_FROM, [start.first, start.last, limit]).fetchall()
    else:
        context, first_topic = STREAMS[kind]
        query = _STREAMS_FROM.format(events=sql.Identifier(f"{context}_events"))
        found = conn.execute(query, [start.first, start.last, first_topic, limit]).fetchall()
    return [key for (key,) in found]


def newest_position(conn: psycopg.Connection, context: str, stream: UUID) -> int | None:
    """The position of the newest event of a stream; None where the context has no such stream."""
    query = _NEWEST_EVENT.format(events=sql.Identifier(f"{context}_events"))
    row = conn.execute(query, [stream]).fetchone()
    return None if row is None else int(row[0])


def people_behind(conn: psycopg.Connection, start: IdStart, limit: int) -> list[UUID]:
    """The people whom the source hides, in one order each, under ids that begin so."""
    return [person for (person,) in conn.execute(_PEOPLE_BEHIND, [start.first, start.last, limit])]
