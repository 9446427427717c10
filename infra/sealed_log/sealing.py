"""Sealing: what the log holds beyond the last segment becomes segments.

Everything is read in one snapshot, and writers are not held up. A segment is read, held against its hashes, sorted in
memory, written, named by the manifest; then comes the next. Whatever happens in between, the manifest names whole
segments only, and the next command goes on behind them.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from uuid import UUID

import psycopg
import pyarrow as pa

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.breaks import NOT_FOLLOWING, REMOVED, TWICE, begins_at, other_events
from replayhouse.infra.event_store.commits import Commit, commits_after
from replayhouse.infra.event_store.head import find_store, read_head
from replayhouse.infra.event_store.log_tables import OWN_NAMES, differences
from replayhouse.infra.event_store.merkle import GENESIS, chain_of, root_of
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.postgres.planner import IN_ORDER_HERE
from replayhouse.infra.runtime.errors import InputError, Rejected, UsageError
from replayhouse.infra.runtime.manifests import MANIFEST, rendered
from replayhouse.infra.sealed_log.columns import Bucket, buckets, portions, read_events
from replayhouse.infra.sealed_log.leaves import leaves_of
from replayhouse.infra.sealed_log.manifest import (
    COMMITS,
    Manifest,
    SealedFile,
    Segment,
    empty_manifest,
    parsed,
)
from replayhouse.infra.sealed_log.places import place_of
from replayhouse.infra.sealed_log.segment_files import write_commits, write_events
from replayhouse.infra.sealed_log.targets import Target, held

EVENTS_A_SEGMENT = 250_000
BYTES_A_SEGMENT = 256 * 2**20
"""At most, but for a commit that alone is larger: a segment is sorted in memory."""

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_CHAINS_AT = "SELECT last_position, chain FROM event_store.commit WHERE last_position = ANY(%s)"
_CUT = """
    SELECT coalesce(
        (SELECT max(last_position) FROM event_store.commit WHERE last_position BETWEEN %(first)s AND %(end)s),
        (SELECT min(last_position) FROM event_store.commit WHERE last_position >= %(first)s))
"""


class Sealed(NamedTuple):
    """Up to where a log is sealed, and how many events and segments came now."""

    manifest: Manifest
    events: int
    segments: int


def seal(
    conn: psycopg.Connection, given: str, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Sealed:
    """Seals what is not sealed yet of the log, into a folder or at a URL that fsspec knows.

    `conn` is in no transaction. Raises UsageError where the place is of another store, of another log, or none;
    InputError where its manifest cannot be read; Conflicting where another command seals there; Rejected where the log
    does not hold; and then nothing that was sealed is changed.
    """
    with held(place_of(given)) as target, of_log(conn):
        store = store_of(conn)
        manifest, written = _found(target, store)
        _refuse_another_log(conn, target.place.name, manifest)
        try:
            return seal_on(conn, target, manifest, written, progress)
        except OSError as error:
            raise UsageError(
                f"{target.place.name} cannot be written: {error.strerror or error}. What was sealed before is "
                "unchanged: make room, and run the same command again."
            ) from error


@contextmanager
def of_log(conn: psycopg.Connection) -> Iterator[None]:
    """One snapshot of the log for the time of the block. Raises Rejected where its tables are none of a log."""
    with translated(), conn.transaction():
        conn.execute(_SNAPSHOT)
        _refuse_other_tables(conn)
        conn.execute(f"{OWN_NAMES}; {IN_ORDER_HERE}".encode())
        yield


def seal_on(
    conn: psycopg.Connection,
    target: Target,
    manifest: Manifest,
    written: bytes | None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Sealed:
    """Seals the log from the end of a manifest, which is of it, to the head; within `of_log`.

    `written` is the manifest that stands there, None where there is none: it may name later segments, which the new
    ones take the place of. Raises Rejected where the log does not hold, OSError where nothing can be written.
    """
    return _Sealing(conn, target, progress, written).run(manifest)


def _refuse_other_tables(conn: psycopg.Connection) -> None:
    others = differences(conn)
    if others and others[0].spoils_reading:
        raise _does_not_hold(1, others[0].why)


class _Sealing:
    """One command's way from the end of what is sealed to the head."""

    def __init__(
        self, conn: psycopg.Connection, target: Target, progress: Callable[[int, int], None], written: bytes | None
    ) -> None:
        self._conn = conn
        self._target = target
        self._progress = progress
        self._written = written

    def run(self, manifest: Manifest) -> Sealed:
        head, before = read_head(self._conn), manifest
        self._remove_left(manifest)
        if self._written is None:
            self._put(manifest)
        try:
            while manifest.position < head.position:
                self._progress(manifest.position - before.position, head.position - before.position)
                manifest = manifest.followed_by(self._segment(manifest, head.position))
                self._put(manifest)
        except BaseException:
            with suppress(Exception):  # what is begun keeps room from others where the disk is full
                self._remove_left(manifest)
            raise
        return Sealed(manifest, manifest.position - before.position, len(manifest.segments) - len(before.segments))

    def _remove_left(self, manifest: Manifest) -> None:
        """What killed commands have left, and what this one has begun: the manifest that stands there counts."""
        named = manifest if self._written is None else parsed(self._written, self._target.place.name)
        self._target.remove_left({segment.folder for segment in named.segments}, named.position)

    def _put(self, manifest: Manifest) -> None:
        data = rendered(manifest)
        self._target.put_manifest(data, self._written)
        self._written = data

    def _segment(self, manifest: Manifest, end: int) -> Segment:
        first = manifest.position + 1
        last, spread = self._cut(first, end)
        commits = commits_after(self._conn, first - 1, last)
        _refuse_broken_chain(commits, first, bytes.fromhex(manifest.chain))
        tables = self._read(spread)
        _refuse_other_events(commits, tables)
        folder = self._target.begin(first, last)
        files = self._write(folder, commits, tables)
        self._target.finish(folder)
        recorded = (commits[0].recorded_at, commits[-1].recorded_at)
        return Segment(folder, first, last, recorded, manifest.chain, commits[-1].chain.hex(), files)

    def _cut(self, first: int, end: int) -> tuple[int, list[Bucket]]:
        """Where the segment ends that begins at a position, and how its bytes are spread."""
        spread = buckets(self._conn, first, min(end, first + EVENTS_A_SEGMENT - 1))
        size, full = 0, first - 1
        for bucket in spread:
            size += bucket.bytes
            if size > BYTES_A_SEGMENT:
                break
            full = bucket.last
        [(last,)] = self._conn.execute(_CUT, {"first": first, "end": full}).fetchall()
        if last is None or last > end:
            raise _does_not_hold(first, f"there are no commits from here to the head, at {end}")
        if not spread or last > spread[-1].last:  # a commit that alone is larger
            return last, buckets(self._conn, first, last)
        return last, [bucket._replace(last=min(bucket.last, last)) for bucket in spread if bucket.first <= last]

    def _read(self, spread: list[Bucket]) -> dict[str, list[pa.Table]]:
        tables: dict[str, list[pa.Table]] = {}
        for first, last in portions(spread):
            for context in CONTEXTS:
                read = read_events(self._conn, context, first, last)
                if read is not None:
                    tables.setdefault(context, []).append(read)
        return tables

    def _write(self, folder: str, commits: list[Commit], tables: dict[str, list[pa.Table]]) -> dict[str, SealedFile]:
        files = {}
        for context in sorted(tables):
            with self._target.file(folder, f"{context}.parquet") as file:
                files[f"{context}.parquet"] = write_events(file, tables.pop(context))
        with self._target.file(folder, COMMITS) as file:
            files[COMMITS] = write_commits(file, commits)
        return files


def store_of(conn: psycopg.Connection) -> UUID:
    """The store that a log is of. Raises Rejected where that cannot be said."""
    store = find_store(conn)
    if store is None:
        raise Rejected("Which store this is cannot be said: event_store.store is no table of one row any more.")
    return store


def _found(target: Target, store: UUID) -> tuple[Manifest, bytes | None]:
    """What is sealed already, and its bytes."""
    place = target.place
    try:
        written = place.read(MANIFEST)
    except FileNotFoundError:
        return empty_manifest(store), None
    except OSError as error:
        raise InputError(f"{place.name}/{MANIFEST} cannot be read: {error.strerror or error}.") from error
    manifest = parsed(written, place.name)
    if manifest.store != store:
        raise UsageError(
            f"{place.name} is the sealed log of another store: of {manifest.store}, and this one is {store}. "
            "Nothing was written; seal into another folder."
        )
    return manifest, written


def _refuse_another_log(conn: psycopg.Connection, name: str, manifest: Manifest) -> None:
    position, head = manifest.position, read_head(conn).position
    if position > head:
        raise UsageError(
            f"{name} is sealed up to position {position:,}, and the log ends at {head:,}: the log was "
            "cut off, or restored from an earlier backup. Nothing was written; seal into another folder."
        )
    if chains_at(conn, [position])[position] != manifest.chain:
        raise UsageError(
            f"{name} is sealed up to position {position:,} with another chain than the log has there: one of them "
            "was changed, or the log went on from an earlier backup. Nothing was written; replayhouse audit verify "
            "and replayhouse log verify say what holds."
        )


def chains_at(conn: psycopg.Connection, positions: Collection[int]) -> dict[int, str | None]:
    """The chain of the log up to each of these positions, in hexadecimal; None where no commit ends there."""
    chains: dict[int, str | None] = dict.fromkeys(positions)
    chains.update((last, bytes(chain).hex()) for last, chain in conn.execute(_CHAINS_AT, [list(positions)]).fetchall())
    if 0 in chains:
        chains[0] = GENESIS.hex()
    return chains


def _refuse_broken_chain(commits: list[Commit], first: int, chain: bytes) -> None:
    """Each commit follows from the one before, as its chain says."""
    for commit in commits:
        if commit.flaw is not None:
            raise _does_not_hold(first, commit.flaw)
        if commit.first != first:
            raise _does_not_hold(first, begins_at(commit.first))
        chain = chain_of(chain, commit.first, commit.last, commit.recorded_at, commit.root)
        if chain != commit.chain:
            raise _does_not_hold(first, NOT_FOLLOWING)
        first = commit.last + 1


def _refuse_other_events(commits: list[Commit], tables: dict[str, list[pa.Table]]) -> None:
    """Each commit is that of its events: what is sealed is what was recorded."""
    first = commits[0].first
    leaves: list[bytes | None] = [None] * (commits[-1].last - first + 1)
    for context, parts in tables.items():
        for part in parts:
            for batch in part.to_batches(max_chunksize=4_096):
                for position, leaf in zip(batch["notification_id"].to_pylist(), leaves_of(context, batch), strict=True):
                    if leaves[position - first] is not None:
                        raise _does_not_hold(position, TWICE)
                    leaves[position - first] = leaf
    for commit in commits:
        own = leaves[commit.first - first : commit.last - first + 1]
        if None in own:
            raise _does_not_hold(commit.first + own.index(None), REMOVED)
        if root_of([leaf for leaf in own if leaf is not None]) != commit.root:
            raise _does_not_hold(commit.first, other_events(commit.last))


def _does_not_hold(position: int, why: str) -> Rejected:
    return Rejected(
        f"The log does not hold from position {position:,} on: {why}. Nothing is sealed from there on; replayhouse "
        "audit verify says more."
    )
