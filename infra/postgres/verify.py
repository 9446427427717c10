"""Has anyone tampered with the log? Recomputes every leaf, every root and the chain, and compares them with the head.

The events are looked at in runs of commits (verified_runs), perhaps by several processes; the chain, which leads from
one commit to the next, is followed here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg

from infra.postgres.connection import Database, translated
from infra.postgres.merkle import GENESIS, chain_of
from infra.postgres.store import Head, read_head
from infra.postgres.verified_runs import EVENTS_WORTH_A_PROCESS, PLANS, BreakFound, Broken, Commit, Crew, Run, crew

__all__ = ["Anchor", "Broken", "Progress", "Verified", "verify"]

Progress = Callable[[int, int], None]
"""Is told now and then how many positions are verified, and how many there are."""

_COMMITS_AT_ONCE = 1_000
_POSITIONS_A_RUN = 40_000

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_COMMITS = """
    SELECT first_position, last_position, batch_id, recorded_at, root, chain
    FROM event_store.commit WHERE last_position > %s ORDER BY last_position LIMIT %s
"""
_OUTSIDE = """
    SELECT least(
        (SELECT min(notification_id) FROM event_store.log WHERE notification_id < 1),
        (SELECT min(notification_id) FROM event_store.log WHERE notification_id > %s)
    )
"""

_CHAIN_AT = "SELECT chain FROM event_store.commit WHERE last_position = %s"

_REWRITTEN = "the log was rewritten, here or before: its chain up to here is not the one that the checkpoint signed"


@dataclass(frozen=True, slots=True)
class Verified:
    """Every event up to `position` is as it was recorded, in the recorded order, and the chain leads to `chain`."""

    position: int
    chain: bytes


class Anchor(NamedTuple):
    """What a checkpoint knows: the chain (32 bytes) up to a position."""

    position: int
    chain: bytes


def verify(
    conn: psycopg.Connection,
    progress: Progress | None = None,
    anchor: Anchor | None = None,
    *,
    is_only_after: bool = False,
    database: Database | None = None,
    workers: int = 1,
) -> Verified | Broken:
    """Recomputes the hashes of the whole log as it is now; 1.5 million events take about 7 s in one process.

    `conn` is in no transaction; `workers` processes share a large log of a `database`. A log cut off at its end
    together with its head, or rewritten as a whole, is whole in itself: only an anchor kept elsewhere shows that. With
    `is_only_after` the chain is taken to be that of the anchor, and what came after it is recomputed.
    """
    try:
        with translated(), conn.transaction():
            conn.execute(_SNAPSHOT)
            conn.execute(PLANS)
            head = read_head(conn)
            known = anchor if is_only_after else None
            events = head.position - (known.position if known is not None else 0)
            with crew(conn, database, min(workers, 1 + events // EVENTS_WORTH_A_PROCESS)) as at_work:
                return _Verification(conn, head, progress, anchor).run(at_work, known)
    except BreakFound as found:
        return found.broken


class _Verification:
    """How far a verification has come: every position up to `verified` holds, and leads to `chain`."""

    def __init__(self, conn: psycopg.Connection, head: Head, progress: Progress | None, anchor: Anchor | None) -> None:
        self._conn = conn
        self._head = head
        self._progress = progress
        self._anchor = anchor
        self.verified = 0
        self.chain = GENESIS

    def run(self, at_work: Crew, known: Anchor | None) -> Verified:
        """Follows the log to its end, from the beginning or from a known position."""
        recorded_at = self._head.recorded_at
        if known is not None:
            self._start_at(known)
        for run, broken in at_work.look_at(self._runs(self.verified)):
            for commit in run:
                self._follow(commit, broken)
            recorded_at = run[-1].recorded_at
            if self._progress is not None:
                self._progress(self.verified, self._head.position)
        self._verify_end(recorded_at)
        return Verified(self.verified, self.chain)

    def _runs(self, after: int) -> Iterator[Run]:
        """The commits after a position, cut into runs of about as many events."""
        while rows := self._conn.execute(_COMMITS, [after, _COMMITS_AT_ONCE]).fetchall():
            run: list[Commit] = []
            for commit in map(Commit._make, rows):
                run.append(commit)
                if commit.last - run[0].first >= _POSITIONS_A_RUN:
                    yield run
                    run = []
            if run:
                yield run
            after = rows[-1][1]

    def _start_at(self, anchor: Anchor) -> None:
        """Takes all up to the anchor for verified; the commit there must at least have its chain."""
        if anchor.position:
            found = self._conn.execute(_CHAIN_AT, [anchor.position]).fetchone()
            if (found is not None and found[0] != anchor.chain) or (
                found is None and anchor.position <= self._head.position
            ):
                raise BreakFound(anchor.position, _REWRITTEN)
            if found is None:
                self._refuse_cut_off(anchor, self._head.position)
        self.verified, self.chain = anchor.position, anchor.chain

    def _follow(self, commit: Commit, broken: Broken | None) -> None:
        """One commit more, whose events hold unless `broken` is among them."""
        first, last = commit.first, commit.last
        if first != self.verified + 1:
            raise BreakFound(min(first, self.verified + 1), f"the next commit begins at position {first}")
        if broken is not None and broken.position <= last:
            raise BreakFound(broken.position, broken.why)
        self.chain = chain_of(self.chain, first, last, commit.recorded_at, commit.root)
        if self.chain != commit.chain:
            raise BreakFound(first, "the commit that begins here does not follow from the one before")
        self.verified = last
        anchor = self._anchor
        if anchor is not None and first <= anchor.position <= last and (last, self.chain) != anchor:
            raise BreakFound(anchor.position, _REWRITTEN)

    def _verify_end(self, recorded_at: datetime) -> None:
        head, verified = self._head, self.verified
        if self._anchor is not None and self._anchor.position > verified:
            self._refuse_cut_off(self._anchor, verified)
        if head.position > verified:
            raise BreakFound(verified + 1, f"the log was cut off here; its head says it ends at {head.position}")
        outside = self._conn.execute(_OUTSIDE, [verified]).fetchone()
        if outside is not None and outside[0] is not None:
            raise BreakFound(int(outside[0]), "the event belongs to no commit")
        if head.position < verified:
            raise BreakFound(head.position + 1, f"the head was set back to {head.position}")
        if (head.recorded_at, head.chain) != (recorded_at, self.chain):
            raise BreakFound(verified, "the head is not what the newest commit made it")

    def _refuse_cut_off(self, anchor: Anchor, end: int) -> None:
        raise BreakFound(end + 1, f"the log was cut off here; the checkpoint knows it up to {anchor.position}")
