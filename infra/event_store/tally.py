"""How many events of a context there are up to a position, without counting them all each time that somebody asks.

What stands in the log stays there, so a count is good for ever: only what lies between the nearest position that was
counted before and the one that is asked for is counted. That costs as much as came since; the first time, one pass over
an index (17 ms for 270,000 events).
"""

from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.head import find_store

_BETWEEN = sql.SQL(
    "SELECT count(*) FROM event_store.{events} WHERE notification_id > {after} AND notification_id <= {to}"
)

_KEPT = 16
"""So many counts of a context are remembered: of its head, of its read models, of its relays."""


class Tally:
    """Counts of one log. Not to be shared among threads."""

    def __init__(self) -> None:
        self._store: UUID | None = None
        self._newest = 0
        self._counted: dict[str, dict[int, int]] = {}

    def begin(self, conn: psycopg.Connection, head: int) -> bool:
        """Says how far the log goes now; whether it is the one that was counted, or none was.

        What was counted of another log, or of more than there is, is forgotten.
        """
        store = find_store(conn)
        is_same = self._store in (None, store) and head >= self._newest
        if not is_same:
            self._counted.clear()
        self._store, self._newest = store, head
        return is_same

    def up_to(self, conn: psycopg.Connection, context: str, position: int) -> int:
        """How many events of the context stand up to a position, which is one of the log."""
        counted = self._counted.setdefault(context, {})
        nearest = min((0, *counted), key=lambda known: abs(known - position))
        low, high = sorted((nearest, position))
        between = _between(conn, context, low, high) if high > low else 0
        found = counted.get(nearest, 0) + (between if position == high else -between)
        counted.pop(position, None)
        counted[position] = found
        while len(counted) > _KEPT:
            del counted[next(iter(counted))]
        return found


def _between(conn: psycopg.Connection, context: str, after: int, to: int) -> int:
    bounds = {"after": sql.Literal(after), "to": sql.Literal(to)}
    row = conn.execute(_BETWEEN.format(events=sql.Identifier(f"{context}_events"), **bounds)).fetchone()
    assert row is not None  # counts always give a row
    return int(row[0])
