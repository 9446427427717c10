"""Swapping an earlier revision in again: its tables stand, only what came after it was live must be folded."""

from typing import NamedTuple

import psycopg

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models import checkpoints, marts, prefixes, versions
from replayhouse.infra.read_models.calendar import keep_calendar
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.rebuild import revisions, swap
from replayhouse.infra.read_models.rebuild.rebuild import LOCK
from replayhouse.infra.read_models.rebuild.renewal import keep_marts
from replayhouse.infra.read_models.rebuild.revisions import KEPT, ListedRevision, NextRevision
from replayhouse.infra.read_models.rebuild.swap import Shown
from replayhouse.infra.read_models.schema import add_indexes
from replayhouse.infra.read_models.windows import Follower, head_of
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.telling import Warn, unheard
from replayhouse.infra.telemetry.happenings import Happening, happened

_MOVE = "UPDATE read_model.revision SET retired_position = %s WHERE context = %s AND revision = %s"


class Reverted(NamedTuple):
    """Which revision was live and up to where, which one is now, and where that one stood before it was caught up.

    `events` were folded for that; `parked` streams of them could not be.
    """

    context: str
    former: checkpoints.Projected
    revision: int
    stood_at: int
    position: int
    events: int
    parked: int

    def document(self) -> dict[str, object]:
        """As `revert --json` prints it."""
        return {
            "context": self.context,
            "from": {"revision": self.former.revision, "position": self.former.position},
            "to": {"revision": self.revision, "stood_at": self.stood_at, "position": self.position},
            "events": self.events,
            "parked": self.parked,
        }


def revert(
    database: Database,
    context: str,
    to: int | None = None,
    wait: float | None = None,
    keep: int = KEPT,
    warn: Warn = unheard,
) -> Reverted:
    """Makes an earlier revision of a context the live one, brought up to date; by default the one that was live last.

    The one that was live is kept. Raises UsageError where there is no such revision, Conflicting as `rebuild` does.
    """
    with database.connect("replayhouse revert", autocommit=True) as conn, translated():
        prepare(conn)
        with exclusive(conn, LOCK, wait):
            revisions.remove_unfinished(conn)
            prefixes.remove_unfinished(conn)
            swap.renew_calendar(conn)
            chosen = _chosen(conn, context, to)
            try:
                reverted = _Revert(conn, chosen).run()
            except BaseException:
                if not conn.closed:
                    marts.drop_aside(conn, marts.NEXT)
                raise
            with conn.transaction():
                keep_calendar(conn)
            revisions.drop_retired(conn, [context], keep)
        keep_marts(conn, warn)  # those that were swapped in do not show what was folded last
        return reverted


def _chosen(conn: psycopg.Connection, context: str, to: int | None) -> ListedRevision:
    known = {one.revision: one for one in revisions.listed(conn, [context])}
    standing = [int(model.schema.rpartition("_r")[2]) for model in revisions.kept(conn, context)]
    wanted = to if to is not None else next(iter(standing), None)
    if wanted is None or wanted not in standing:
        what = "no earlier revision" if wanted is None else f"no earlier revision {wanted}"
        if wanted in known:
            what = f"revision {wanted}, but it is {known[wanted].status}: it cannot be swapped in"
        there = f"Kept are {', '.join(map(str, sorted(standing)))}." if standing else "None is kept."
        raise UsageError(f"Of {context} there is {what}. {there} See replayhouse revisions {context}.")
    model = NextRevision(context, wanted).model
    if not versions.has_declared_tables(conn, model):
        raise UsageError(
            f"Revision {wanted} of {context} has other columns than this program's star schema: nothing could bring it "
            "up to date. Run replayhouse rebuild."
        )
    if known[wanted].fold_version != model.projection.version:
        raise UsageError(
            f"Revision {wanted} of {context} was folded by another version of this program, and bringing it up to date "
            f"would mix the two. Use that version, or run replayhouse rebuild {context}."
        )
    return known[wanted]


class _Revert:
    """One reverting, on a connection that holds the lock."""

    def __init__(self, conn: psycopg.Connection, chosen: ListedRevision) -> None:
        self._conn = conn
        self._revision = NextRevision(chosen.context, chosen.revision)
        self._follower = Follower(conn, self._revision.model)
        self._stood_at = self._position = chosen.position or 0
        self._events = 0

    def run(self) -> Reverted:
        context, conn = self._revision.context, self._conn
        for table in self._revision.model.tables.values():
            add_indexes(conn, table)
        head = head_of(conn)
        while self._position < head:
            with conn.transaction():
                checkpoints.lock(conn, context)  # whoever destroys a key waits for this one, or this one for them
                self._advance(head)
        made = swap.make_marts(conn, [self._revision], {context: self._position})
        swap.wait_for_old_snapshots(conn)
        reached, events = self._position, self._events
        found: list[checkpoints.Projected] = []

        def last_steps(known: dict[str, checkpoints.Projected]) -> dict[str, Shown]:
            self._position, self._events = reached, events  # an attempt that failed has undone its own
            found[:] = [known[context]]
            head = head_of(conn)
            while self._position < head:
                self._advance(head)
            return {context: Shown(self._position, None, None, None)}

        swap.swap(conn, [self._revision], made, last_steps)
        [former] = found
        parked = len(checkpoints.parked(conn, context))
        happened(
            Happening.REVISION_REVERTED,
            context=context,
            revision=self._revision.revision,
            position=self._position,
            events=self._events,
        )
        return Reverted(context, former, self._revision.revision, self._stood_at, self._position, self._events, parked)

    def _advance(self, head: int) -> None:
        """One window of events, within a transaction."""
        context, revision = self._revision.context, self._revision.revision
        events, end = self._follower.window_after(self._position, head)
        if events:
            parked = checkpoints.parked(self._conn, context, revision)
            window = self._follower.follow(self._position, end, parked)
            checkpoints.park(self._conn, context, window.parked, revision)
            checkpoints.release(self._conn, context, parked.keys() & window.folded.keys(), revision)
        self._conn.execute(_MOVE, [end, context, revision])
        self._events += events
        self._position = end
