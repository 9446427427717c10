"""Has anyone tampered with the log? Recomputes every leaf, every root and the chain, and compares them with the head.

The events are looked at in runs of commits (verified_runs), perhaps by several processes; the chain, which leads from
one commit to the next, is followed here. Before that the tables must be tables (log_tables): what is read is what the
folds read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from replayhouse.infra.audit.strays import after_the_last, before_the_first
from replayhouse.infra.audit.verified_runs import EVENTS_WORTH_A_PROCESS, PLANS, Crew, Run, crew
from replayhouse.infra.event_store.breaks import (
    NOT_FOLLOWING,
    REWRITTEN,
    Anchor,
    BreakFound,
    Broken,
    begins_at,
    cut_off,
)
from replayhouse.infra.event_store.commits import RECORDED_AT, Commit, commits_after
from replayhouse.infra.event_store.head import Head
from replayhouse.infra.event_store.log_tables import differences
from replayhouse.infra.event_store.merkle import GENESIS, chain_of
from replayhouse.infra.postgres.connection import Database, translated

__all__ = ["Anchor", "Broken", "Progress", "Verified", "verify"]

Progress = Callable[[int, int], None]
"""Is told now and then how many positions are verified, and how many there are."""

_COMMITS_AT_ONCE = 1_000
_POSITIONS_A_RUN = 40_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The recorded time of an empty log."""

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_HEADS = f"SELECT coalesce(position, 0), {RECORDED_AT}, chain FROM event_store.head"
_COMMIT_AT = f"SELECT chain, {RECORDED_AT} FROM event_store.commit WHERE last_position = %s"


@dataclass(frozen=True, slots=True)
class Verified:
    """Every event up to `position` is as it was recorded, in the recorded order, and the chain leads to `chain`."""

    position: int
    chain: bytes


def verify(
    conn: psycopg.Connection,
    progress: Progress | None = None,
    anchor: Anchor | None = None,
    *,
    is_only_after: bool = False,
    ignores_guards: bool = False,
    database: Database | None = None,
    workers: int = 1,
) -> Verified | Broken:
    """Recomputes the hashes of the whole log as it is now; 1.5 million events take about 7 s in one process.

    `conn` is in no transaction; `workers` processes share a large log of a `database`. A log cut off at its end
    together with its head, or rewritten as a whole, is whole in itself: only an anchor kept elsewhere shows that. With
    `is_only_after` the chain is taken to be that of the anchor, and what came after it is recomputed. Tables that are
    not as the migrations made them break the log from its first position on; with `ignores_guards`, only where that
    decides what is read from them, and not where only a trigger, a constraint or an index differs.
    """
    try:
        with translated(), conn.transaction():
            conn.execute(_SNAPSHOT)
            others = differences(conn)
            if others and others[0].spoils_reading:
                raise BreakFound(1, others[0].why)
            conn.execute(PLANS)
            heads = [Head(*row) for row in conn.execute(_HEADS.encode())]
            known = anchor if is_only_after else None
            events = _end(heads) - (known.position if known is not None else 0)
            with crew(conn, database, min(workers, 1 + events // EVENTS_WORTH_A_PROCESS)) as at_work:
                verified = _Verification(conn, heads, progress, anchor).run(at_work, known)
            if others and not ignores_guards:
                raise BreakFound(1, others[0].why)
            return verified
    except BreakFound as found:
        return found.broken


def _end(heads: Sequence[Head]) -> int:
    """Where the log ends, if that is known."""
    return max((head.position for head in heads), default=0)


class _Verification:
    """How far a verification has come: every position up to `verified` holds, and leads to `chain`."""

    def __init__(
        self, conn: psycopg.Connection, heads: Sequence[Head], progress: Progress | None, anchor: Anchor | None
    ) -> None:
        self._conn = conn
        self._heads = heads
        self._progress = progress
        self._anchor = anchor
        self.verified = 0
        self.chain = GENESIS
        self._recorded_at = _EPOCH
        self._flaw: str | None = None

    def run(self, at_work: Crew, known: Anchor | None) -> Verified:
        """Follows the log to its end, from the beginning or from a known position."""
        _refuse(before_the_first(self._conn))
        if known is not None:
            self._start_at(known)
        after = self.verified
        gap = at_work.gaps(after)
        for run, broken in at_work.look_at(self._runs(after)):
            for commit in run:
                self._follow(commit, broken)
            if self._progress is not None:
                self._progress(self.verified, max(self.verified, _end(self._heads)))
        if self._flaw is not None:
            raise BreakFound(self.verified + 1, self._flaw)
        self._verify_end()
        _refuse(gap())
        return Verified(self.verified, self.chain)

    def _runs(self, after: int) -> Iterator[Run]:
        """The commits after a position up to the first with a flaw, cut into runs of about as many events."""
        while commits := commits_after(self._conn, after, at_most=_COMMITS_AT_ONCE):
            run: list[Commit] = []
            for commit in commits:
                if commit.flaw is not None:
                    self._flaw = commit.flaw
                    break
                run.append(commit)
                if commit.last - run[0].first >= _POSITIONS_A_RUN:
                    yield run
                    run = []
            if run:
                yield run
            if self._flaw is not None:
                return
            after = commits[-1].last

    def _start_at(self, anchor: Anchor) -> None:
        """Takes all up to the anchor for verified; the commit there must at least have its chain."""
        if anchor.position:
            found = self._conn.execute(_COMMIT_AT.encode(), [anchor.position]).fetchone()
            if found is None and anchor.position > _end(self._heads):
                self._refuse_cut_off(anchor, _end(self._heads))
            if found is None or found[0] != anchor.chain:
                raise BreakFound(anchor.position, REWRITTEN)
            self._recorded_at = found[1]
        self.verified, self.chain = anchor.position, anchor.chain

    def _follow(self, commit: Commit, broken: Broken | None) -> None:
        """One commit more, whose events hold unless `broken` is among them."""
        first, last = commit.first, commit.last
        if first != self.verified + 1:
            raise BreakFound(min(first, self.verified + 1), begins_at(first))
        if broken is not None and broken.position <= last:
            raise BreakFound(broken.position, broken.why)
        self.chain = chain_of(self.chain, first, last, commit.recorded_at, commit.root)
        if self.chain != commit.chain:
            raise BreakFound(first, NOT_FOLLOWING)
        self.verified, self._recorded_at = last, commit.recorded_at
        anchor = self._anchor
        if anchor is not None and first <= anchor.position <= last and (last, self.chain) != anchor:
            raise BreakFound(anchor.position, REWRITTEN)

    def _verify_end(self) -> None:
        heads, verified = self._heads, self.verified
        if self._anchor is not None and self._anchor.position > verified:
            self._refuse_cut_off(self._anchor, verified)
        if _end(heads) > verified:
            raise BreakFound(verified + 1, f"the log was cut off here; its head says it ends at {_end(heads)}")
        _refuse(after_the_last(self._conn, verified))
        if len(heads) != 1:
            raise BreakFound(verified, f"the log has {len(heads) or 'no'} heads, and there is one")
        [head] = heads
        if head.position < verified:
            raise BreakFound(max(head.position, 0) + 1, f"the head was set back to {head.position}")
        if (head.recorded_at, head.chain) != (self._recorded_at, self.chain):
            raise BreakFound(verified, "the head is not what the newest commit made it")

    def _refuse_cut_off(self, anchor: Anchor, end: int) -> None:
        raise BreakFound(end + 1, cut_off(anchor.position))


def _refuse(broken: Broken | None) -> None:
    if broken is not None:
        raise BreakFound(broken.position, broken.why)
