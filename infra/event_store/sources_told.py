"""Which part of the log tells of one source: by the loads that appended it, and by what followed from them.

A load is of the source of its mapping, or of the built-in one. What takes a load back is of its source, and so is what
a person has decided on a record that the load kept apart. What is of nobody's load, an erasure, belongs to the streams
that it stands in.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

BUILT_IN = "olist"
"""The source of loads that no mapping made: of the nine files."""

# Of a commit without a load the record tells whose it is: that which was decided on in it.
_PART = """
    WITH load AS (
        SELECT b.batch_id, coalesce(b.source ->> 'name', %(built_in)s) AS name, (
            SELECT max(c.last_position) FROM event_store.commit AS c
            JOIN event_store.batch AS closed ON closed.batch_id = c.batch_id AND closed.status = 'completed'
            WHERE c.batch_id = r.batch_id
        ) AS gone_at
        FROM event_store.batch AS b LEFT JOIN event_store.retraction AS r ON r.load_id = b.batch_id
        WHERE b.kind = 'load'
    ),
    appended AS (
        SELECT batch_id, name, gone_at FROM load
        UNION ALL
        SELECT r.batch_id, l.name, l.gone_at FROM event_store.retraction AS r JOIN load AS l ON l.batch_id = r.load_id
    ),
    told AS (
        SELECT int8range(c.first_position, least(c.last_position, %(position)s), '[]') AS span,
            coalesce(a.name, decided.name) AS name,
            coalesce(a.gone_at <= %(position)s, false) AS is_gone
        FROM event_store.commit AS c
        LEFT JOIN appended AS a ON a.batch_id = c.batch_id
        LEFT JOIN LATERAL (
            SELECT l.name
            FROM event_store.quality_events AS d
            JOIN event_store.quality_events AS kept ON kept.originator_id = d.originator_id
                AND kept.originator_version = 1
            JOIN load AS l ON l.batch_id = kept.batch_id
            WHERE c.batch_id IS NULL AND d.notification_id BETWEEN c.first_position AND c.last_position
            LIMIT 1
        ) AS decided ON c.batch_id IS NULL
        WHERE c.first_position <= %(position)s
    )
    SELECT
        coalesce(range_agg(span) FILTER (WHERE name = %(source)s), '{}')::text,
        coalesce(range_agg(span) FILTER (WHERE name = %(source)s AND NOT is_gone), '{}')::text,
        coalesce(range_agg(span) FILTER (WHERE name <> %(source)s), '{}')::text
    FROM told
"""
_EVENTS = sql.SQL("""(
    SELECT e.* FROM {events} AS e
    WHERE e.notification_id <@ {own}::int8multirange OR (
        NOT e.notification_id <@ {not_told}::int8multirange AND EXISTS (
            SELECT FROM {events} AS o
            WHERE o.originator_id = e.originator_id AND o.notification_id <@ {own}::int8multirange
        )
    )
) AS told""")

# Areas and categories have the same streams whoever tells of them: there versions do not count what others told, so
# that what takes a load back is left out with it.
_SHARED = ("sales", "fulfillment", "marketplace")


@dataclass(frozen=True, slots=True)
class PartOfLog:
    """The part of a log that tells of a source up to a position, as multiranges of positions in PostgreSQL's words.

    `standing` is what of its `own` was not taken back by then, `others` is what tells of other sources.
    """

    source: str
    own: str
    standing: str
    others: str

    def events(self, context: str, table: sql.Identifier) -> sql.Composed:
        """What stands in the place of the table of a context's events, after FROM."""
        own, left_out = self.own, self.others
        if context in _SHARED:
            own, left_out = self.standing, _both(self.others, self.own)
        return _EVENTS.format(events=table, own=sql.Literal(own), not_told=sql.Literal(left_out))


def _both(one: str, other: str) -> str:
    """The union of two multiranges that have no position in common."""
    return "{" + ",".join(part for part in (one[1:-1], other[1:-1]) if part) + "}"


def part_of(conn: psycopg.Connection, source: str, position: int) -> PartOfLog:
    """The part of this log that tells of a source, up to a position."""
    row = conn.execute(_PART, {"built_in": BUILT_IN, "source": source, "position": position}).fetchone()
    assert row is not None  # aggregates always give a row
    return PartOfLog(source, *row)
