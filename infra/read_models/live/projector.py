"""Following the log: the streams that new events touched are folded again, and the rows that differ are written.

A window of events is one transaction with one compare-and-set of the tracked position: an event counts exactly once,
whatever dies and starts again.
"""

import time
from collections.abc import Callable, Iterable

import psycopg

from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.read_models import checkpoints, versions
from replayhouse.infra.read_models.calendar import keep_calendar, may_move_the_end
from replayhouse.infra.read_models.folding import Unfoldable
from replayhouse.infra.read_models.live.refilling import refill
from replayhouse.infra.read_models.marts import Unmakeable
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.rebuild.rebuild import fill, fill_anew
from replayhouse.infra.read_models.rebuild.renewal import keep_marts
from replayhouse.infra.read_models.rebuild.revisions import KEPT
from replayhouse.infra.read_models.rebuild.swap import renew_calendar
from replayhouse.infra.read_models.rebuild.workers import Parts, untold
from replayhouse.infra.read_models.schema import Model
from replayhouse.infra.read_models.versions import OtherVersion
from replayhouse.infra.read_models.windows import Follower, events_of, head_of
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.telling import Warn, unheard
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.projections.warehouse import PROJECTIONS

FILL_FROM_EVENTS = 50_000
"""An empty read model is filled at once rather than window by window if so many events wait for it."""


@span(Work.CATCH_UP)
def catch_up(
    database: Database,
    contexts: Iterable[str] = tuple(PROJECTIONS),
    *,
    retry_parked: bool = False,
    workers: int | None = None,
    keep: int = KEPT,
    tell: Parts = untold,
    warn: Warn = unheard,
) -> dict[str, int]:
    """Brings the live read models up to the head of the log; how many events of each context that took.

    Others may do the same at the same time: each window is taken by one of them. Streams that cannot be folded are
    parked, with the error; with `retry_parked`, those parked before are tried again. Empty read models that have much
    to show are filled by `workers` processes, and so are all whose tables an earlier program has made: a rebuild, after
    which `keep` earlier revisions stay. Raises what `translated` says; NewerVersion where a context met an event of a
    newer program, and OtherVersion where such a one has made its tables: it stays as it is, and the other contexts have
    gone on.
    """
    events = dict.fromkeys(contexts, 0)
    with database.connect("replayhouse project", autocommit=True) as conn, translated():
        prepare(conn)
        versions.recognise(conn)
        renew_calendar(conn)
        if versions.earlier(conn):
            events.update(_fill_anew(database, workers, keep, tell))
        events.update(_fill_empty_ones(database, conn, events, workers, tell))
        stopped: NewerVersion | OtherVersion | None = None
        far = _Far(conn, events, tell)
        for context in events:
            try:
                events[context] += Projector(conn, context, far.moved).catch_up(retry_parked=retry_parked)
            except (NewerVersion, OtherVersion) as error:
                stopped = stopped or error
        if isinstance(stopped, OtherVersion):
            raise stopped  # nor is it known which times those tables have, by which the calendar ends
        with conn.transaction():  # also where nothing was new: a killed command may have got no further than the events
            keep_calendar(conn)
        keep_marts(conn, warn)
    if stopped is not None:
        raise stopped
    return events


class _Far:
    """How far catching up is: positions of the log, of all contexts together."""

    def __init__(self, conn: psycopg.Connection, contexts: Iterable[str], tell: Parts) -> None:
        known = {context: checkpoints.projected(conn, context) for context in contexts}
        self._from = {context: found.position if found else 0 for context, found in known.items()}
        self._now = dict(self._from)
        self._head = head_of(conn)
        self._tell = tell

    def moved(self, context: str, position: int) -> None:
        """A context has come to a position."""
        self._now[context] = min(position, self._head)
        of = sum(self._head - position for position in self._from.values())
        if of > 0:
            self._tell(sum(now - self._from[context] for context, now in self._now.items()), of)


def _fill_anew(database: Database, workers: int | None, keep: int, tell: Parts) -> dict[str, int]:
    try:
        return {
            context: filled.events for context, filled in fill_anew(database, workers, keep=keep, tell=tell).items()
        }
    except Unfoldable:
        return refill(database, keep=keep)


def _fill_empty_ones(
    database: Database, conn: psycopg.Connection, contexts: Iterable[str], workers: int | None, tell: Parts
) -> dict[str, int]:
    live = {context: checkpoints.projected(conn, context) for context in contexts}
    empty = [context for context, known in live.items() if known is not None and known.position == 0]
    if not empty or sum(events_of(conn, context) for context in empty) < FILL_FROM_EVENTS:
        return {}
    try:
        return {context: filled.events for context, filled in fill(database, empty, workers, tell).items()}
    except (Conflicting, NewerVersion, Unfoldable, Unmakeable):
        # Somebody else fills them, a stream is to be parked, a mart is broken, or one context is to stop: it goes
        # window by window.
        return {}


class Projector:
    """Follows the log for one context, on a connection in autocommit that it has for itself."""

    def __init__(
        self, conn: psycopg.Connection, context: str, moved: Callable[[str, int], None] = lambda _context, _to: None
    ) -> None:
        self._conn = conn
        self._context = context
        self._moved = moved
        self._follower = Follower(conn, Model(PROJECTIONS[context], context))

    def catch_up(self, *, retry_parked: bool = False) -> int:
        """Projects everything up to the head of the log as it is now; the number of events."""
        head = head_of(self._conn)
        with span(
            Work.CATCH_UP_CONTEXT, ends=Happening.CONTEXT_CAUGHT_UP, context=self._context, position=head
        ) as work:
            events = self._advance_to(head, retry_parked=retry_parked)
            work.tell(events=events)
        return events

    def keep_up(self) -> int:
        """The same for who follows the log, again and again: told where there was something new."""
        head, begun = head_of(self._conn), time.monotonic()
        events = self._advance_to(head, retry_parked=False)
        if events:
            seconds = time.monotonic() - begun
            happened(Happening.CONTEXT_CAUGHT_UP, context=self._context, position=head, events=events, seconds=seconds)
        return events

    def _advance_to(self, head: int, *, retry_parked: bool) -> int:
        events = 0
        if retry_parked:
            with self._conn.transaction():
                known = checkpoints.lock(self._conn, self._context)
                versions.refuse_others(self._conn, [self._context])
                self._project(known, known.position, retry_parked=True)
        while (done := self.advance(head)) is not None:
            events += done
        return events

    def advance(self, head: int) -> int | None:
        """Projects the next window of events, up to `head` at most; their number, None if there is nothing to do.

        Raises OtherVersion where another program has made the tables, perhaps a moment ago.
        """
        with self._conn.transaction():
            known = checkpoints.lock(self._conn, self._context)
            versions.refuse_others(self._conn, [self._context])
            if known.position >= head:
                return None
            events, end = self._follower.window_after(known.position, head)
            if events:
                self._project(known, end)
            checkpoints.move(self._conn, self._context, known, end)
        self._moved(self._context, end)
        return events

    def _project(self, known: checkpoints.Projected, end: int, *, retry_parked: bool = False) -> None:
        parked = checkpoints.parked(self._conn, self._context)
        window = self._follower.follow(known.position, end, parked, retry_parked=retry_parked)
        checkpoints.park(self._conn, self._context, window.parked)
        if window.parked:
            happened(Happening.STREAMS_PARKED, context=self._context, streams=len(window.parked))
        checkpoints.release(self._conn, self._context, parked.keys() & window.folded.keys())
        folded = window.folded.values()
        if may_move_the_end(self._conn, self._context, (f.before for f in folded), (f.after for f in folded)):
            keep_calendar(self._conn)
