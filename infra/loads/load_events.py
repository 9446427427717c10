"""The events of a load: where in the log they are, by its commits, and how many there are of each kind."""

from collections import Counter
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS

_SPAN = """
    SELECT min(first_position), max(last_position), count(*), sum(last_position - first_position + 1)
    FROM event_store.commit WHERE batch_id = %s
"""
_BY_TOPIC = sql.SQL("""
    SELECT topic, count(*) FROM event_store.{events}
    WHERE notification_id BETWEEN %s AND %s AND batch_id = %s GROUP BY topic
""")


class Span(NamedTuple):
    """The first and the last position of a load, in how many commits, and how many events."""

    first: int
    last: int
    commits: int
    events: int


def span_of(conn: psycopg.Connection, load: UUID) -> Span | None:
    """Where in the log a load is; None where it has appended nothing."""
    row = conn.execute(_SPAN, [load]).fetchone()
    return None if row is None or row[0] is None else Span(*map(int, row))


def events_by_topic(conn: psycopg.Connection, load: UUID, span: Span) -> Counter[str]:
    """How many events of each topic a load has appended: all of them are looked at, a million a second or so."""
    found: Counter[str] = Counter()
    for context in CONTEXTS:
        query = _BY_TOPIC.format(events=sql.Identifier(f"{context}_events"))
        found.update(dict(conn.execute(query, [span.first, span.last, load]).fetchall()))
    return found
