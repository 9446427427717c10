"""Filling contexts anew where a rebuild would not do: a stream that cannot be folded is parked, and the others go on.

The next revisions are followed from the first event on, window by window, as live tables are, and swapped in. That
takes longer than a rebuild; but whoever loads must get on though a stream is parked, also after an upgrade.
"""

from collections.abc import Sequence

import psycopg

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.read_models import checkpoints, refolding, versions
from replayhouse.infra.read_models.calendar import keep_calendar
from replayhouse.infra.read_models.rebuild import revisions, swap
from replayhouse.infra.read_models.rebuild.revisions import NextRevision
from replayhouse.infra.read_models.rebuild.swap import Shown
from replayhouse.infra.read_models.schema import add_keys
from replayhouse.infra.read_models.snapshots.time_travel import alone
from replayhouse.infra.read_models.windows import Follower, head_of


def refill(database: Database, wait: float | None = None, keep: int = revisions.KEPT) -> dict[str, int]:
    """Fills all contexts anew whose tables an earlier program has made; how many events that took of each.

    Raises Conflicting as `rebuild` does; the live tables are then as they were.
    """
    with database.connect("replayhouse rebuild", autocommit=True) as conn, translated(), alone(conn, wait):
        with revisions.abandoned_on_failure(conn) as begun:
            begun.extend(revisions.begin(conn, context) for context in versions.earlier(conn))
            filled = _Refilling(conn, begun).run()
        with conn.transaction():
            keep_calendar(conn)
        revisions.drop_retired(conn, filled, keep)
        return filled


class _Refilling:
    """One refilling, on a connection that holds the lock."""

    def __init__(self, conn: psycopg.Connection, begun: Sequence[NextRevision]) -> None:
        self._conn = conn
        self._begun = begun
        self._followers = {revision.context: Follower(conn, revision.model) for revision in begun}
        self._reached = dict.fromkeys(self._followers, 0)
        self._events = dict.fromkeys(self._followers, 0)

    def run(self) -> dict[str, int]:
        if not self._begun:
            return {}
        asked = refolding.newest(self._conn)  # before the first key is read
        head = head_of(self._conn)
        for revision in self._begun:
            for table in revision.model.tables.values():
                add_keys(self._conn, table)
            revision.model.link(self._conn)
            while self._reached[revision.context] < head:
                with self._conn.transaction():
                    self._advance(revision, head)
        made = swap.make_marts(self._conn, self._begun, self._reached)
        swap.wait_for_old_snapshots(self._conn)
        reached, events = dict(self._reached), dict(self._events)

        def last_steps(known: dict[str, checkpoints.Projected]) -> dict[str, Shown]:
            self._reached, self._events = dict(reached), dict(events)  # an attempt that failed has undone its own
            return {revision.context: self._last_steps(revision, asked) for revision in self._begun}

        swap.swap(self._conn, self._begun, made, last_steps)
        return self._events

    def _last_steps(self, revision: NextRevision, asked: int) -> Shown:
        context, head = revision.context, head_of(self._conn)
        while self._reached[context] < head:
            self._advance(revision, head)
        if streams := refolding.asked_since(self._conn, context, asked):
            refolding.refold_revision(self._conn, revision.model, streams, self._reached[context], revision.revision)
        return Shown(self._reached[context], self._events[context], None, versions.REASON)

    def _advance(self, revision: NextRevision, head: int) -> None:
        """One window of events, within a transaction."""
        context, number = revision.context, revision.revision
        follower, known = self._followers[context], self._reached[context]
        events, end = follower.window_after(known, head)
        if events:
            parked = checkpoints.parked(self._conn, context, number)
            window = follower.follow(known, end, parked)
            checkpoints.park(self._conn, context, window.parked, number)
            checkpoints.release(self._conn, context, parked.keys() & window.folded.keys(), number)
        self._events[context] += events
        self._reached[context] = end
