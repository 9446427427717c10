"""Has anyone tampered with the log? Recomputes every leaf, every root and the chain, and compares them with the head.

One pass in the order of positions, in bounded memory: the server sends each event in the binary COPY format, in which
all but the first bytes and the last 68 are exactly what its leaf was made of (see merkle).
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import psycopg

from infra.postgres.connection import translated
from infra.postgres.merkle import GENESIS, chain_of, leaf_of, root_of
from infra.postgres.store import Head, read_head

Progress = Callable[[int, int], None]
"""Is told now and then how many positions are verified, and how many there are."""

_COMMITS_AT_ONCE = 1_000
_POSITIONS_BETWEEN_PROGRESS = 20_000

_BEGIN = """
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
    -- The events lie in the order of their positions, more or less: reading them by index needs no sort on disk.
    SET LOCAL enable_sort = off;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_bitmapscan = off;
    SET LOCAL max_parallel_workers_per_gather = 0;
"""
_COMMITS = """
    SELECT first_position, last_position, batch_id, recorded_at, root, chain
    FROM event_store.commit WHERE last_position > %s ORDER BY last_position LIMIT %s
"""
_EVENTS = """
    COPY (
        SELECT context, originator_id, originator_version, topic, state, batch_id, source,
            coalesce(batch_id, '00000000-0000-0000-0000-000000000000'), notification_id, leaf
        FROM event_store.log WHERE notification_id BETWEEN %s AND %s ORDER BY notification_id
    ) TO STDOUT (FORMAT binary)
"""
_OUTSIDE = """
    SELECT least(
        (SELECT min(notification_id) FROM event_store.log WHERE notification_id < 1),
        (SELECT min(notification_id) FROM event_store.log WHERE notification_id > %s)
    )
"""

_CHAIN_AT = "SELECT chain FROM event_store.commit WHERE last_position = %s"

_TWICE = "two events have this position"
_REWRITTEN = "the log was rewritten, here or before: its chain up to here is not the one that the checkpoint signed"

_HEADER_BYTES = 19  # signature, flags and length of an extension; in the same message as the first row
_TRAILER = b"\xff\xff"
# A row of _EVENTS: the number of fields, then each with its length before it; the last three are of fixed length.
_HASHED, _BATCH, _POSITION, _LEAF = slice(2, -68), slice(-64, -48), slice(-44, -36), slice(-32, None)


@dataclass(frozen=True, slots=True)
class Verified:
    """Every event up to `position` is as it was recorded, in the recorded order, and the chain leads to `chain`."""

    position: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The first position that does not hold, and in what way."""

    position: int
    why: str


class Anchor(NamedTuple):
    """What a checkpoint knows: the chain (32 bytes) up to a position."""

    position: int
    chain: bytes


class _Commit(NamedTuple):
    first: int
    last: int
    batch_id: UUID | None
    recorded_at: datetime
    root: bytes
    chain: bytes


class _BreakFound(Exception):  # noqa: N818 - not an error of this program: it carries the answer out of the loops
    def __init__(self, position: int, why: str) -> None:
        self.broken = Broken(position, why)


def verify(
    conn: psycopg.Connection,
    progress: Progress | None = None,
    anchor: Anchor | None = None,
    *,
    is_only_after: bool = False,
) -> Verified | Broken:
    """Recomputes the hashes of the whole log as it is now; 1.5 million events take about 7 s.

    `conn` is in no transaction. A log cut off at its end together with its head, or rewritten as a whole, is whole in
    itself: only an anchor kept elsewhere shows that. With `is_only_after` the chain is taken to be that of the anchor,
    and what came after it is recomputed.
    """
    try:
        with translated(), conn.transaction():
            conn.execute(_BEGIN)
            return _Verification(conn, read_head(conn), progress, anchor).run(is_only_after=is_only_after)
    except _BreakFound as found:
        return found.broken


class _Verification:
    """How far a verification has come: every position up to `verified` holds, and leads to `chain`."""

    def __init__(self, conn: psycopg.Connection, head: Head, progress: Progress | None, anchor: Anchor | None) -> None:
        self._conn = conn
        self._head = head
        self._progress = progress
        self._anchor = anchor
        self._told = 0
        self.verified = 0
        self.chain = GENESIS

    def run(self, *, is_only_after: bool) -> Verified:
        recorded_at = self._head.recorded_at
        if is_only_after and self._anchor is not None:
            self._start_at(self._anchor)
        while rows := self._conn.execute(_COMMITS, [self.verified, _COMMITS_AT_ONCE]).fetchall():
            commits = [_Commit(*row) for row in rows]
            with closing(_rows(self._conn, self.verified + 1, commits[-1].last)) as events:
                for commit in commits:
                    self._verify(commit, events)
                for row in events:
                    raise _BreakFound(int.from_bytes(row[_POSITION], "big"), _TWICE)
            recorded_at = commits[-1].recorded_at
        self._verify_end(recorded_at)
        return Verified(self.verified, self.chain)

    def _start_at(self, anchor: Anchor) -> None:
        """Takes all up to the anchor for verified; the commit there must at least have its chain."""
        if anchor.position:
            found = self._conn.execute(_CHAIN_AT, [anchor.position]).fetchone()
            if (found is not None and found[0] != anchor.chain) or (
                found is None and anchor.position <= self._head.position
            ):
                raise _BreakFound(anchor.position, _REWRITTEN)
            if found is None:
                self._refuse_cut_off(anchor, self._head.position)
        self.verified, self.chain = anchor.position, anchor.chain

    def _verify(self, commit: _Commit, rows: Iterator[bytes]) -> None:
        first, last = commit.first, commit.last
        if first != self.verified + 1:
            raise _BreakFound(min(first, self.verified + 1), f"the next commit begins at position {first}")
        own, batches = _own_leaves(rows, first, last)
        if root_of(own) != commit.root:
            raise _BreakFound(first, f"the events from here to {last} are not those of their commit")
        if commit.batch_id != _common_batch(batches):
            raise _BreakFound(first, "the commit that begins here names another batch than its events do")
        self.chain = chain_of(self.chain, first, last, commit.recorded_at, commit.root)
        if self.chain != commit.chain:
            raise _BreakFound(first, "the commit that begins here does not follow from the one before")
        self.verified = last
        anchor = self._anchor
        if anchor is not None and first <= anchor.position <= last and (last, self.chain) != anchor:
            raise _BreakFound(anchor.position, _REWRITTEN)
        if self._progress is not None and last - self._told >= _POSITIONS_BETWEEN_PROGRESS:
            self._told = last
            self._progress(last, self._head.position)

    def _verify_end(self, recorded_at: datetime) -> None:
        head, verified = self._head, self.verified
        if self._anchor is not None and self._anchor.position > verified:
            self._refuse_cut_off(self._anchor, verified)
        if head.position > verified:
            raise _BreakFound(verified + 1, f"the log was cut off here; its head says it ends at {head.position}")
        outside = self._conn.execute(_OUTSIDE, [verified]).fetchone()
        if outside is not None and outside[0] is not None:
            raise _BreakFound(int(outside[0]), "the event belongs to no commit")
        if head.position < verified:
            raise _BreakFound(head.position + 1, f"the head was set back to {head.position}")
        if (head.recorded_at, head.chain) != (recorded_at, self.chain):
            raise _BreakFound(verified, "the head is not what the newest commit made it")

    def _refuse_cut_off(self, anchor: Anchor, end: int) -> None:
        raise _BreakFound(end + 1, f"the log was cut off here; the checkpoint knows it up to {anchor.position}")


def _rows(conn: psycopg.Connection, first: int, last: int) -> Generator[bytes, None, None]:
    """The events by position, each as a row of the binary COPY format."""
    with conn.cursor().copy(_EVENTS, [first, last]) as copy:
        messages = (bytes(data) for data in copy)
        yield from (row[_HEADER_BYTES:] for row in islice(messages, 1) if len(row) > _HEADER_BYTES + len(_TRAILER))
        yield from (row for row in messages if row != _TRAILER)


def _own_leaves(rows: Iterator[bytes], first: int, last: int) -> tuple[list[bytes], set[bytes]]:
    """The leaves of the events from a position to another, recomputed and found to be as stored; and their batches.

    This is the hot loop: 3 microseconds an event.
    """
    leaves, batches = [], set()
    for position in range(first, last + 1):
        row = next(rows, None)
        found = last + 1 if row is None else int.from_bytes(row[_POSITION], "big")
        if row is None or found > position:
            raise _BreakFound(position, "the event was removed")
        if found < position:
            raise _BreakFound(found, _TWICE)
        leaf = leaf_of(row[_HASHED])
        if leaf != row[_LEAF]:
            raise _BreakFound(position, "the event was changed: its leaf is another one")
        leaves.append(leaf)
        batches.add(row[_BATCH])
    return leaves, batches


def _common_batch(batches: set[bytes]) -> UUID | None:
    """The batch of all events of a commit; None where they have none, or several."""
    [batch, *others] = batches
    return None if others or not any(batch) else UUID(bytes=batch)
