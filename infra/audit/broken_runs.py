"""Which event of a run of commits does not hold, and in what way: its events one by one, in the order of positions.

In bounded memory: the server sends each event in the binary COPY format, in which all but the first bytes and the last
68 are exactly what its leaf was made of (see merkle). Only where something is wrong is it looked at so closely.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from uuid import UUID

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.breaks import ANOTHER_BATCH, REMOVED, TWICE, BreakFound, Broken, other_events
from replayhouse.infra.event_store.commits import Commit
from replayhouse.infra.event_store.log_tables import ALL_EVENTS
from replayhouse.infra.event_store.merkle import leaf_of, root_of
from replayhouse.infra.postgres.copy_out import copied_rows

_CONTEXTS = ", ".join(f"'{context}'" for context in CONTEXTS)
_NO_LEAF, _MISPLACED = b"\x00" * 32, b"\x01" * 32  # what stands for a leaf that is never compared: no hash is this
_EVENTS = f"""
    COPY (
        SELECT context, originator_id, originator_version, topic, state, batch_id, source,
            coalesce(batch_id, '00000000-0000-0000-0000-000000000000'), notification_id,
            CASE WHEN octet_length(leaf) IS DISTINCT FROM 32 THEN '\\x{_NO_LEAF.hex()}'
                WHEN split_part(topic, '.', 1) <> context AND split_part(topic, '.', 1) IN ({_CONTEXTS})
                    THEN '\\x{_MISPLACED.hex()}' ELSE leaf END
        FROM ({ALL_EVENTS}) AS log WHERE notification_id BETWEEN %s AND %s ORDER BY notification_id
    ) TO STDOUT (FORMAT binary)
"""
_CHANGED = {
    _NO_LEAF: "the event has no leaf: none of 32 bytes",
    _MISPLACED: "the event has a topic of another context than that of its table",
}

# A row of _EVENTS: the number of fields, then each with its length before it; the last three are of fixed length.
_HASHED, _BATCH, _POSITION, _LEAF = slice(2, -68), slice(-64, -48), slice(-44, -36), slice(-32, None)


def named_break(conn: psycopg.Connection, run: Sequence[Commit]) -> Broken | None:
    """The first event of a run that is not as it was recorded, or commit that is not of its events.

    A commit that does not begin where the one before it ends is as far as it looks: that is for the chain to tell.
    """
    expected = run[0].first
    try:
        with closing(_rows(conn, run[0].first, run[-1].last)) as rows:
            for commit in run:
                if commit.first != expected:
                    return None
                _refuse_other_events(commit, rows)
                expected = commit.last + 1
            for row in rows:
                return Broken(int.from_bytes(row[_POSITION], "big"), TWICE)
    except BreakFound as found:
        return found.broken
    return None


def _refuse_other_events(commit: Commit, rows: Iterator[bytes]) -> None:
    own, batches = _own_leaves(rows, commit.first, commit.last)
    if root_of(own) != commit.root:
        raise BreakFound(commit.first, other_events(commit.last))
    if commit.batch_id != _common_batch(batches):
        raise BreakFound(commit.first, ANOTHER_BATCH)


def _rows(conn: psycopg.Connection, first: int, last: int) -> Generator[bytes, None, None]:
    """The events by position, each as a row of the binary COPY format."""
    with closing(copied_rows(conn, _EVENTS.encode(), [first, last])) as rows:
        yield from rows


def _own_leaves(rows: Iterator[bytes], first: int, last: int) -> tuple[list[bytes], set[bytes]]:
    """The leaves of the events from a position to another, recomputed and found to be as stored; and their batches."""
    leaves, batches = [], set()
    for position in range(first, last + 1):
        row = next(rows, None)
        found = last + 1 if row is None else int.from_bytes(row[_POSITION], "big")
        if row is None or found > position:
            raise BreakFound(position, REMOVED)
        if found < position:
            raise BreakFound(found, TWICE)
        leaf = leaf_of(row[_HASHED])
        if leaf != row[_LEAF]:
            raise BreakFound(position, _CHANGED.get(row[_LEAF], "the event was changed: its leaf is another one"))
        leaves.append(leaf)
        batches.add(row[_BATCH])
    return leaves, batches


def _common_batch(batches: set[bytes]) -> UUID | None:
    """The batch of all events of a commit; None where they have none, or several."""
    [batch, *others] = batches
    return None if others or not any(batch) else UUID(bytes=batch)
