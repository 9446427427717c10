"""Has anyone tampered with a sealed log? Recomputes every leaf, every root and the chain from the files alone.

A segment is looked at by itself, from the chain that it begins with to the one it ends with, perhaps by several
processes at once; that segments follow on each other is known from the manifest.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.breaks import (
    ANOTHER_BATCH,
    NOT_FOLLOWING,
    ONE_DIED,
    REMOVED,
    REWRITTEN,
    TWICE,
    VERSIONS_ARE_MISSING,
    Anchor,
    BreakFound,
    Broken,
    begins_at,
    cut_off,
    other_events,
)
from replayhouse.infra.event_store.merkle import chain_of, root_of
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.subprocesses import ending, workers_without_data
from replayhouse.infra.sealed_log.layout import COMMITS_SCHEMA, ORDER
from replayhouse.infra.sealed_log.leaves import leaves_of
from replayhouse.infra.sealed_log.manifest import Manifest, Segment
from replayhouse.infra.sealed_log.merging import Group, SortedFile, sorted_file
from replayhouse.infra.sealed_log.places import LocalFolder, Place, gist, opened
from replayhouse.infra.sealed_log.reader import SealedLog

_BYTES_AT_ONCE = 2**20
_EVENTS_WORTH_A_PROCESS = 150_000
_SEGMENTS_AHEAD = 2  # a process has the next at hand


def verify_sealed_log(
    place: Place,
    manifest: Manifest,
    known: Anchor | None = None,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Broken | None:
    """The first position of a sealed log that does not hold; None where every event is as it was recorded.

    With what is `known` the chain must lead there: a log that was rewritten as a whole, or cut off at its end, is whole
    in itself. `workers` processes share a large one.
    """
    for segment, broken in _looked_at(place, manifest, known, workers):
        if broken is not None:
            return broken
        progress(segment.last, manifest.position)
    if known is not None and known.position > manifest.position:
        return Broken(manifest.position + 1, cut_off(known.position))
    return _first_gap(SealedLog(place, manifest))


def _looked_at(
    place: Place, manifest: Manifest, known: Anchor | None, workers: int
) -> Iterator[tuple[Segment, Broken | None]]:
    """Each segment with the first break in it, in their order."""
    worth = 1 + manifest.position // _EVENTS_WORTH_A_PROCESS
    processes = min(workers, worth, len(manifest.segments)) if isinstance(place, LocalFolder) else 1
    if processes <= 1:
        for segment in manifest.segments:
            yield segment, first_break(place, segment, known)
        return
    pool = workers_without_data(processes)
    with ending(pool, ONE_DIED):
        waiting: deque[tuple[Segment, Future[Broken | None]]] = deque()
        for segment in manifest.segments:
            waiting.append((segment, pool.submit(first_break, place, segment, known)))
            if len(waiting) >= processes * _SEGMENTS_AHEAD:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()


def first_break(place: Place, segment: Segment, known: Anchor | None = None) -> Broken | None:
    """The first position of a segment that does not hold; where a file is not as it was written, its first one."""
    try:
        for name in segment.files:
            _refuse_changed_file(place, segment, name)
        held = _Held(place, segment)
        held.take()
        _refuse_other_commits(segment, _commits(place, segment), held, known)
    except BreakFound as found:
        return found.broken
    except InputError as error:
        return Broken(segment.first, str(error).rstrip("."))
    except pa.ArrowException as error:  # pages whose checksums are right, made up by hand
        return Broken(segment.first, f"the files of {segment.folder} make no sense: {gist(error)}")
    return None


def first_changed_file(place: Place, manifest: Manifest) -> str | None:
    """What is the matter with the first file that is not as it was written; None where all are. All bytes are read."""
    try:
        for segment in manifest.segments:
            for name in segment.files:
                _refuse_changed_file(place, segment, name)
    except BreakFound as found:
        return found.broken.why
    return None


def _refuse_changed_file(place: Place, segment: Segment, name: str) -> None:
    path, told = f"{segment.folder}/{name}", segment.files[name]
    hashed = sha256()
    try:
        with place.open(path) as file:
            while data := file.read(_BYTES_AT_ONCE):
                hashed.update(data)
    except FileNotFoundError:
        raise BreakFound(segment.first, f"the file {path} is missing") from None
    except OSError as error:
        raise BreakFound(segment.first, f"the file {path} cannot be read: {error.strerror or error}") from error
    if hashed.hexdigest() != told.sha256:
        raise BreakFound(segment.first, f"the file {path} was changed: its SHA-256 is not the one of the manifest")


class _Held:
    """What a segment holds at each position: the leaf of the event there, and its load."""

    def __init__(self, place: Place, segment: Segment) -> None:
        self._segment = segment
        contexts = [context for context in CONTEXTS if segment.rows_of(context)]
        self._files = {context: sorted_file(place, segment.path_of(context)) for context in contexts}
        for context, file in self._files.items():  # before room is made for as many as the manifest says
            if file.metadata.num_rows != segment.rows_of(context):
                raise BreakFound(
                    segment.first, f"{file.name} has {file.metadata.num_rows} events, and the manifest others"
                )
        self.leaves: list[bytes | None] = [None] * segment.events
        self.batches: list[bytes | None] = [None] * segment.events

    def take(self) -> None:
        """Takes all events, which must be sorted as readers rely on."""
        for context, file in self._files.items():
            self._take(context, file)

    def _take(self, context: str, file: SortedFile) -> None:
        before: pa.Table | None = None
        for group in file.groups:
            rows = file.read(group)
            self._refuse_disorder(file.name, group, rows, before)
            for batch in rows.combine_chunks().to_batches():
                self._place(context, batch)
            before = rows.slice(rows.num_rows - 1)

    def _place(self, context: str, batch: pa.RecordBatch) -> None:
        first, leaves, batches = self._segment.first, self.leaves, self.batches
        found = zip(batch["notification_id"].to_pylist(), batch["batch_id"].to_pylist(), strict=True)
        for leaf, (position, load) in zip(leaves_of(context, batch), found, strict=True):
            at = position - first
            if not 0 <= at < len(leaves):
                raise BreakFound(
                    first, f"an event of {context} has the position {position}, which is of another segment"
                )
            if leaves[at] is not None:
                raise BreakFound(position, TWICE)
            leaves[at], batches[at] = leaf, load

    def _refuse_disorder(self, name: str, group: Group, rows: pa.Table, before: pa.Table | None) -> None:
        ids = rows["originator_id"]
        said = (group.rows, group.lowest, group.highest)
        whole = rows if before is None else pa.concat_tables([before, rows])
        keys = whole.select([key for key, _ in ORDER])
        order = pc.sort_indices(keys, sort_keys=ORDER)
        is_sorted = rows.num_rows > 0 and order.equals(pa.array(range(len(order)), order.type))
        if not is_sorted or said != (rows.num_rows, ids[0].as_py(), ids[-1].as_py()):
            raise BreakFound(
                self._segment.first, f"the events of {name} are not in the order of their streams, or not as it says"
            )


class _Commit(NamedTuple):
    """A row of `commits.parquet`."""

    first: int
    last: int
    batch: bytes | None
    recorded_at: datetime
    root: bytes
    chain: bytes


def _commits(place: Place, segment: Segment) -> list[_Commit]:
    with opened(place, segment.path_of_commits) as file:
        table = file.read()
        if not table.schema.equals(COMMITS_SCHEMA):
            raise pa.ArrowInvalid("its columns are not those of a sealed log")
    return [_Commit(*row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def _refuse_other_commits(segment: Segment, commits: Sequence[_Commit], held: _Held, known: Anchor | None) -> None:
    """Every commit is that of its events, follows from the one before, and the last is where the segment ends."""
    expected, chain = segment.first, bytes.fromhex(segment.chain_before)
    for commit in commits:
        if commit.first != expected or not commit.first <= commit.last <= segment.last:
            raise BreakFound(expected, begins_at(commit.first))
        _refuse_other_events(segment, commit, held)
        chain = chain_of(chain, commit.first, commit.last, commit.recorded_at, commit.root)
        if chain != commit.chain:
            raise BreakFound(commit.first, NOT_FOLLOWING)
        if known is not None and commit.first <= known.position <= commit.last and known != (commit.last, chain):
            raise BreakFound(known.position, REWRITTEN)
        expected = commit.last + 1
    if expected != segment.last + 1:
        raise BreakFound(expected, f"the segment was cut off here; the manifest says it ends at {segment.last}")
    if chain.hex() != segment.chain:
        raise BreakFound(segment.last, "the manifest has another chain here than the commit has")
    if segment.recorded != (commits[0].recorded_at, commits[-1].recorded_at):
        raise BreakFound(segment.first, "the manifest has other recorded times than the commits from here on")


def _refuse_other_events(segment: Segment, commit: _Commit, held: _Held) -> None:
    own = slice(commit.first - segment.first, commit.last - segment.first + 1)
    leaves = [leaf for leaf in held.leaves[own] if leaf is not None]
    if len(leaves) < commit.last - commit.first + 1:
        raise BreakFound(commit.first + held.leaves[own].index(None), REMOVED)
    if root_of(leaves) != commit.root:
        raise BreakFound(commit.first, other_events(commit.last))
    batches = set(held.batches[own])
    if commit.batch != (batches.pop() if len(batches) == 1 else None):
        raise BreakFound(commit.first, ANOTHER_BATCH)


def _first_gap(log: SealedLog) -> Broken | None:
    """The first event before which versions of its stream are missing, in all segments together."""
    gaps = [gap for context in CONTEXTS for gap in _gaps(log, context)]
    return Broken(min(gaps), VERSIONS_ARE_MISSING) if gaps else None


def _gaps(log: SealedLog, context: str) -> Iterator[int]:
    for batch in log.rows(context, columns=["notification_id"]):  # a stream stands whole in one
        streams, versions = batch["originator_id"], batch["originator_version"]
        is_same = pc.equal(streams.slice(1), streams.slice(0, len(streams) - 1))
        expected = pc.if_else(is_same, pc.add(versions.slice(0, len(versions) - 1), 1), 1)
        is_gap = pc.not_equal(versions, pa.concat_arrays([pa.array([1], pa.int64()), expected]))
        yield from batch["notification_id"].filter(is_gap).to_pylist()
