"""Rebuilding read models: everything is folded again, beside the live tables, by several processes, and swapped in.

It appends nothing, publishes nothing, and gives the same rows with any number of processes. Killed at any moment, it
leaves the live tables as they were, and what it had made is removed by the next rebuild.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from replayhouse.infra.postgres import lanes
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.lanes import Step
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models import checkpoints, forgetting, imported_events, prefixes, refolding, versions
from replayhouse.infra.read_models.calendar import keep_calendar
from replayhouse.infra.read_models.digests import sum_of, table_digests
from replayhouse.infra.read_models.folding import unfoldable
from replayhouse.infra.read_models.marts_shown import MartsShown
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.rebuild import revisions, self_check, swap
from replayhouse.infra.read_models.rebuild.drift import differing_tables
from replayhouse.infra.read_models.rebuild.given_rows import GivenRows, load_given
from replayhouse.infra.read_models.rebuild.renewal import keep_marts
from replayhouse.infra.read_models.rebuild.revisions import KEPT, NextRevision
from replayhouse.infra.read_models.rebuild.swap import Shown
from replayhouse.infra.read_models.rebuild.workers import (
    Parts,
    Rebuilt,
    digests_of,
    load_all,
    processes_for,
    sealed_log,
    untold,
)
from replayhouse.infra.read_models.windows import Follower, Window, head_of
from replayhouse.infra.runtime.telling import Warn, unheard
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.projections.warehouse import PROJECTIONS

if TYPE_CHECKING:
    from replayhouse.infra.sealed_log.own_segments import OwnSegments

LOCK = "rebuild"

Chosen = Mapping[str, Callable[[psycopg.Connection, str], NextRevision]]
"""The contexts to fold again, each with what begins its new revision."""

Fill = Callable[[psycopg.Connection, Sequence[NextRevision], int], dict[str, Rebuilt]]
"""Fills the tables of new revisions, by so many processes; what came of each context."""

Streams = Mapping[str, Collection[UUID]]
"""By context."""

_MOST_LANES = 4
"""Marts are made in so many at most: what builds on what leaves no more to do at once."""
_ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_LAST_OF_A_KILLED_SECONDS = 2.0  # the server looks each second whether its clients live


def rebuild(
    database: Database,
    contexts: Iterable[str] = tuple(PROJECTIONS),
    workers: int | None = None,
    wait: float | None = None,
    reason: str | None = None,
    keep: int = KEPT,
    tell: Parts = untold,
    warn: Warn = unheard,
    segments: "OwnSegments | None" = None,
) -> dict[str, Rebuilt]:
    """Folds the contexts' streams into next revisions and swaps them in, all at once.

    `workers` processes share the work, by default as many as there are processors. `reason` is noted; of each context
    `keep` earlier revisions stay. Contexts whose tables an earlier program has made are rebuilt with them: what stands
    on several contexts would not fit to theirs. Raises Conflicting if another rebuild is still at work after `wait`
    seconds (as `exclusive` has it), Unfoldable where a stream cannot be folded, and what `translated` says; the live
    read models are then as they were. `warn` is told where marts could not be brought up to what was folded last.
    Events come from `segments` where they may be read, and from the log otherwise.
    """

    def choose(conn: psycopg.Connection) -> Chosen:
        others = [context for context in versions.earlier(conn) if context not in wanted]
        return dict.fromkeys((*wanted, *others), revisions.begin)

    wanted = tuple(contexts)
    rebuilt = _rebuild(database, choose, workers, wait, reason, keep, tell, _from_the_log(database, tell, segments))
    with database.connect("replayhouse rebuild", autocommit=True) as conn:
        keep_marts(conn, warn)  # those that were swapped in do not show what was folded last
    return rebuilt


def fill_anew(
    database: Database, workers: int | None = None, wait: float | None = None, keep: int = KEPT, tell: Parts = untold
) -> dict[str, Rebuilt]:
    """Does the same for all contexts whose tables an earlier program has made; what came of each of them.

    Looks which ones these are when it has the lock: another command may have done it meanwhile.
    """

    def choose(conn: psycopg.Connection) -> Chosen:
        return dict.fromkeys(versions.earlier(conn), revisions.begin)

    return _rebuild(database, choose, workers, wait, versions.REASON, keep, tell)


def fill(
    database: Database, contexts: Iterable[str], workers: int | None = None, tell: Parts = untold
) -> dict[str, Rebuilt]:
    """Does the same for read models that are empty yet: they are filled, and keep their revision.

    Waits no longer than the lock of a killed command may live on.
    """
    begun = dict.fromkeys(contexts, revisions.begin_filling)
    return _rebuild(database, lambda _: begun, workers, _LAST_OF_A_KILLED_SECONDS, None, KEPT, tell)


def rebuild_from_rows(
    database: Database,
    given: Mapping[str, GivenRows],
    mentions: Callable[[psycopg.Connection], Streams],
    workers: int | None = None,
    reason: str | None = None,
    keep: int = KEPT,
    tell: Parts = untold,
    warn: Warn = unheard,
) -> dict[str, Rebuilt]:
    """The same of rows that were folded elsewhere from this log, instead of its events; then they are brought up to it.

    `mentions` says which streams tell of people who were erased, by context: the rows may be older than an erasure, so
    these are folded again. Raises as `rebuild`, and InputError and ReplayhouseError where the rows are not as told.
    """

    def fill(conn: psycopg.Connection, begun: Sequence[NextRevision], processes: int) -> dict[str, Rebuilt]:
        built = {one.context: Rebuilt(one.revision, given[one.context].position) for one in begun}
        load_given(database, conn, [one.model for one in begun], built, given, processes, tell)
        return built

    rebuilt = _rebuild(
        database, lambda _: dict.fromkeys(given, revisions.begin), workers, None, reason, keep, tell, fill, mentions
    )
    with database.connect("replayhouse rebuild", autocommit=True) as conn:
        keep_marts(conn, warn)
    return rebuilt


@span(Work.REBUILD)
def _rebuild(
    database: Database,
    choose: Callable[[psycopg.Connection], Chosen],
    workers: int | None,
    wait: float | None,
    reason: str | None,
    keep: int,
    tell: Parts,
    fill: Fill | None = None,
    mentions: Callable[[psycopg.Connection], Streams] | None = None,
) -> dict[str, Rebuilt]:
    with database.connect("replayhouse rebuild", autocommit=True) as conn, translated():
        prepare(conn)
        with exclusive(conn, LOCK, wait):
            revisions.remove_unfinished(conn)
            prefixes.remove_unfinished(conn)
            imported_events.remove(conn)
            swap.renew_calendar(conn)
            chosen = choose(conn)
            if not chosen:
                return {}
            with revisions.abandoned_on_failure(conn) as begun:
                begun.extend(begin(conn, context) for context, begin in chosen.items())
                at_work = _Rebuild(database, conn, begun, reason, fill or _from_the_log(database, tell), mentions)
                shown = at_work.run(workers or os.cpu_count() or 1)
            with conn.transaction():
                keep_calendar(conn)
            revisions.drop_retired(conn, shown, keep)
            return shown


def _from_the_log(database: Database, tell: Parts, segments: "OwnSegments | None" = None) -> Fill:
    def fill(conn: psycopg.Connection, begun: Sequence[NextRevision], processes: int) -> dict[str, Rebuilt]:
        with sealed_log(database, segments) as sealed:
            position = head_of(conn) if sealed is None else sealed.position
            built = {one.context: Rebuilt(one.revision, position) for one in begun}
            load_all(database, conn, [one.model for one in begun], built, processes, tell=tell, sealed=sealed)
        return built

    return fill


class _Rebuild:
    """One rebuild of some contexts, on a connection that holds the lock."""

    def __init__(
        self,
        database: Database,
        conn: psycopg.Connection,
        begun: Sequence[NextRevision],
        reason: str | None,
        fill: Fill,
        mentions: Callable[[psycopg.Connection], Streams] | None,
    ) -> None:
        self._database = database
        self._conn = conn
        self._fill = fill
        self._mentions = mentions
        self._begun = begun
        self._reason = reason
        self._started = time.monotonic()
        self._built: dict[str, Rebuilt] = {}
        self._asked = 0
        self._heeded = 0

    def run(self, workers: int) -> dict[str, Rebuilt]:
        self._asked = refolding.newest(self._conn)  # before the first key is read
        with span(Work.REBUILD_FILLING):
            self._built = self._fill(self._conn, self._begun, workers)
        erased = self._streams_of_erased()
        self._heeded = refolding.newest(self._conn)
        for revision in self._begun:
            self._follow(revision, self._built[revision.context])
            self._refold(revision, self._built[revision.context], erased.get(revision.context, ()))
            self._check(revision, self._built[revision.context])
        made = self._make_marts(workers)
        swap.wait_for_old_snapshots(self._conn)
        shown: dict[str, Rebuilt] = {}

        def last_steps(known: dict[str, checkpoints.Projected]) -> dict[str, Shown]:
            shown.update(self._last_steps(known))
            return {
                context: Shown(rebuilt.position, rebuilt.events, sum_of(rebuilt.tables).hex, self._reason)
                for context, rebuilt in shown.items()
            }

        with span(Work.REBUILD_SWAP):
            swap.swap(self._conn, self._begun, made, last_steps)
        for context, rebuilt in shown.items():
            happened(
                Happening.REVISION_SWAPPED,
                context=context,
                revision=rebuilt.revision or 0,
                position=rebuilt.position,
                events=rebuilt.events,
                seconds=rebuilt.seconds,
            )
        return shown

    def _follow(self, revision: NextRevision, rebuilt: Rebuilt) -> None:
        """Brings a loaded revision up to the head of the log, window by window."""
        follower = Follower(self._conn, revision.model)
        head = head_of(self._conn)
        while rebuilt.position < head:
            with self._conn.transaction():
                events, end = follower.window_after(rebuilt.position, head)
                if events:
                    window = _all_folded(follower.follow(rebuilt.position, end, {}), revision.context)
                    _tell_apart(revision, window, rebuilt)
            rebuilt.events += events
            rebuilt.position = end

    def _check(self, revision: NextRevision, rebuilt: Rebuilt) -> None:
        """Holds a sample against the log: no key is destroyed within one snapshot."""
        with self._conn.transaction():
            self._conn.execute(_ONE_SNAPSHOT)
            self._forget(revision, rebuilt)
            self_check.check(self._conn, revision.model, rebuilt.position)

    def _make_marts(self, workers: int) -> MartsShown | None:
        """Makes the marts that come with the revisions, and compares the live rows with the new ones meanwhile."""
        positions = {context: rebuilt.position for context, rebuilt in self._built.items()}
        comparing = [Step(f"comparing {one.context}", partial(self._compare, one)) for one in self._begun]
        count = min(processes_for(workers, max(positions.values())), _MOST_LANES)
        with lanes.opened(self._database, "replayhouse rebuild", count) as at_work:
            made = swap.make_marts(self._conn, self._begun, positions, at_work, comparing)
        # Of who was erased since, rows are in them that are taken out of the tables: they are made anew after the swap.
        return None if made is None else made._replace(erasures=min(made.erasures, self._heeded))

    def _compare(self, revision: NextRevision, conn: psycopg.Connection) -> None:
        """Finds the live tables with other rows; nobody can tell where somebody was erased since the new ones were
        checked, for those still have their rows.
        """
        rebuilt = self._built[revision.context]
        if not refolding.asked_since(conn, revision.context, self._heeded):
            rebuilt.differed = differing_tables(conn, revision, rebuilt)

    def _last_steps(self, known: dict[str, checkpoints.Projected]) -> dict[str, Rebuilt]:
        """The revisions at the head, which all are when the swap commits, within its transaction."""
        shown = {}
        for revision in self._begun:
            rebuilt = self._built[revision.context]
            copy = replace(rebuilt, tables=dict(rebuilt.tables))
            self._follow(revision, copy)
            assert copy.position >= known[revision.context].position
            self._forget(revision, copy)
            copy.seconds = time.monotonic() - self._started
            shown[revision.context] = copy
        return shown

    def _streams_of_erased(self) -> Streams:
        """What is to be folded again: rows that were folded elsewhere may be older than an erasure."""
        if self._mentions is None:
            return {}
        with self._conn.transaction():
            return self._mentions(self._conn)

    def _forget(self, revision: NextRevision, rebuilt: Rebuilt) -> None:
        """Takes out what was read with keys that were destroyed meanwhile."""
        self._refold(revision, rebuilt, refolding.asked_since(self._conn, revision.context, self._asked))

    def _refold(self, revision: NextRevision, rebuilt: Rebuilt, streams: Collection[UUID]) -> None:
        if streams:
            with self._conn.transaction():
                for failed in refolding.refold(self._conn, revision.model, streams, rebuilt.position):
                    raise unfoldable(revision.context, failed.stream_id, failed.error)
                rebuilt.tables = table_digests(self._conn, revision.model)
                forgetting.refresh(self._conn, [revision.model])


def _all_folded(window: Window, context: str) -> Window:
    for stream in window.parked:
        raise unfoldable(context, stream.stream_id, stream.error)
    return window


def _tell_apart(revision: NextRevision, window: Window, rebuilt: Rebuilt) -> None:
    """Corrects the digests by the rows that a window has replaced: they are sums, so the old ones are taken off."""
    folded = window.folded.values()
    for name, digest in digests_of(revision.model, (stream.after for stream in folded)).items():
        rebuilt.tables[name] += digest
    for name, digest in digests_of(revision.model, (stream.before for stream in folded)).items():
        rebuilt.tables[name] -= digest
