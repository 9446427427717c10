"""How often personal fields were read in clear, by role and by kind of thing, without reading the access log anew."""

from collections import Counter
from collections.abc import Mapping

import psycopg

from replayhouse.infra.runtime.identity import Role

OTHER = "other"
"""Stands for a role or a thing that this program does not know."""

RESOURCES: Mapping[str, str] = {
    "history of the %": "history",
    "the event at position %": "event",
    "texts of %": "record",
    "lineage of %": "lineage",
    "rows behind %": "figure",
    "the table %": "table",
    "what would change in %": "retraction",
    "from % to % changed %": "comparison",
    "%, into %": "export",
    "the %": "thing",
}
"""How the access log begins to say what was read (LIKE), and what kind of thing that is; the first that fits."""

_NAMED = {role.value for role in Role}

# Entries of the last minute are counted each time: one with a smaller number may still be on its way.
_SETTLED = """
    SELECT coalesce(min(access_id) FILTER (WHERE at > clock_timestamp() - interval '1 minute') - 1, max(access_id))
    FROM event_store.access WHERE access_id > %s
"""
_COUNT = """
    SELECT role, coalesce((SELECT kind FROM unnest(%(begins)s::text[], %(kinds)s::text[]) WITH ORDINALITY
            AS known (begins, kind, place) WHERE resource LIKE begins ORDER BY place LIMIT 1), %(other)s),
        access_id <= %(settled)s, count(*)
    FROM event_store.access WHERE access_id > %(known)s
    GROUP BY 1, 2, 3
"""

Counts = Mapping[tuple[str, str], int]
"""Readings by the name of the role and the kind of thing."""


class AccessCounts:
    """Counts of one access log. Not to be shared among threads."""

    def __init__(self) -> None:
        self._known = 0
        self._counted: Counter[tuple[str, str]] = Counter()

    def now(self, conn: psycopg.Connection) -> Counts:
        """All entries by role and kind: those that are new to it are read, with those of the last minute."""
        row = conn.execute(_SETTLED, [self._known]).fetchone()
        settled = self._known if row is None or row[0] is None else row[0]
        asked = {
            "begins": list(RESOURCES),
            "kinds": list(RESOURCES.values()),
            "other": OTHER,
            "settled": settled,
            "known": self._known,
        }
        recent: Counter[tuple[str, str]] = Counter()
        for role, kind, is_settled, number in conn.execute(_COUNT, asked):
            of = self._counted if is_settled else recent
            of[role if role in _NAMED else OTHER, kind] += number
        self._known = settled
        return self._counted + recent
