"""A sealed log, read: its events by stream, up to a position, without a database and without psycopg.

    log = open_sealed_log("sealed")
    for low, high in log.ranges("sales", 40_000):
        for batch in log.rows("sales", low, high):
            ...

Whoever reads needs the manifest, the footers of the files, and the row groups of the streams in question.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.merkle import GENESIS
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.manifests import MANIFEST
from replayhouse.infra.sealed_log.layout import EVENTS
from replayhouse.infra.sealed_log.manifest import Manifest, Segment, parsed
from replayhouse.infra.sealed_log.merging import SortedFile, merged, sorted_file
from replayhouse.infra.sealed_log.places import Place, opened, place_of, unreadable

LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)
"""Every stream lies between them."""


class SealedLog:
    """A sealed log up to a position. Can be sent to other processes and machines, who read it at the same place.

    `store` says of which store it is; `chain` (32 bytes) is that of its last commit, None where the position lies
    within one; `segments` are those that hold something up to the position.
    """

    def __init__(self, place: Place, manifest: Manifest, position: int | None = None) -> None:
        self._place = place
        self._manifest = manifest
        self._footers: dict[str, SortedFile] = {}
        self.store = manifest.store
        self.position = manifest.position if position is None else position
        self.segments: Sequence[Segment] = tuple(
            segment for segment in manifest.segments if segment.first <= self.position
        )

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_footers": {}}

    def __repr__(self) -> str:
        return f"SealedLog({self._place.name!r}, position={self.position})"

    @property
    def place(self) -> str:
        """Where it stands, as it was named."""
        return self._place.name

    @property
    def chain(self) -> bytes | None:
        """The chain (32 bytes) up to the position; None where the position is not the end of a commit."""
        if not self.segments:
            return GENESIS
        segment = self.segments[-1]
        if segment.last == self.position:
            return bytes.fromhex(segment.chain)
        commits = self._commits(segment, ["last_position", "chain"])
        found: list[bytes] = commits.filter(pc.equal(commits["last_position"], self.position))["chain"].to_pylist()
        return found[0] if found else None

    def up_to(self, position: int) -> "SealedLog":
        """The same log as it was at a position, also one within a commit. Raises InputError beyond its end."""
        return SealedLog(self._place, self._manifest, self._end(position))

    def position_at(self, recorded: datetime) -> int:
        """The end of the last commit that was recorded at that time (aware) or before; 0 where none was."""
        position = 0
        for segment in self.segments:
            begun, ended = segment.recorded
            if begun > recorded:
                break
            position = segment.last
            if ended > recorded:
                commits = self._commits(segment, ["last_position", "recorded_at"])
                at = pa.scalar(recorded, pa.timestamp("us", tz="UTC"))
                position = pc.max(commits.filter(pc.less_equal(commits["recorded_at"], at))["last_position"]).as_py()
                break
        return min(position, self.position)

    def events_in(self, context: str, position: int | None = None) -> int:
        """How many events a context has up to a position; up to that of the log where none is named."""
        end = self._end(position)
        events = 0
        for segment in self._holding(context, end):
            if segment.last <= end:
                events += segment.rows_of(context)
                continue
            with opened(self._place, segment.path_of(context)) as file:
                positions = file.read(columns=["notification_id"])["notification_id"]
            events += pc.sum(pc.less_equal(positions, end)).as_py() or 0
        return events

    def rows(
        self,
        context: str,
        low: UUID = LOWEST,
        high: UUID = HIGHEST,
        position: int | None = None,
        columns: Iterable[str] = EVENTS.names,
    ) -> Iterator[pa.RecordBatch]:
        """The events of the streams from `low` to `high`, both included, by stream and version, of all segments.

        Columns are those of `layout.EVENTS`, or stream, version, position and those that are named. A stream stands
        whole in one batch. Memory: some 32 MB, and for each segment a row group at most. Raises InputError where a file
        is missing, was changed, or is damaged.
        """
        end = self._end(position)
        files = [
            (self._file(segment, context), None if segment.last <= end else end)
            for segment in self._holding(context, end)
        ]
        return merged(files, low, high, columns)

    def ranges(self, context: str, events_a_range: int) -> list[tuple[UUID, UUID]]:
        """Ranges of streams, for `rows`, that follow on each other and hold about so many events each.

        They are cut between row groups, so none holds much less than a row group of each segment. None without events.
        """
        groups = sorted(
            (group.lowest, group.rows)
            for segment in self._holding(context, self.position)
            for group in self._file(segment, context).groups
        )
        if not groups:
            return []
        cuts, held = [0], 0
        for lowest, rows in groups:
            if held >= events_a_range and (cut := int.from_bytes(lowest, "big")) > cuts[-1]:
                cuts.append(cut)
                held = 0
            held += rows
        ends = [*(cut - 1 for cut in cuts[1:]), HIGHEST.int]
        return [(UUID(int=low), UUID(int=high)) for low, high in zip(cuts, ends, strict=True)]

    def _end(self, position: int | None) -> int:
        if position is None:
            return self.position
        if not 0 <= position <= self.position:
            raise InputError(
                f"{self.place} is known up to position {self.position:,}, and {position:,} is asked for: seal what "
                "came since (replayhouse log seal)."
            )
        return position

    def _holding(self, context: str, end: int) -> list[Segment]:
        if context not in CONTEXTS:
            raise ValueError(f"{context} is no context")
        return [segment for segment in self.segments if segment.first <= end and segment.rows_of(context)]

    def _file(self, segment: Segment, context: str) -> SortedFile:
        name = segment.path_of(context)
        if name not in self._footers:
            self._footers[name] = sorted_file(self._place, name)
        return self._footers[name]

    def _commits(self, segment: Segment, columns: list[str]) -> pa.Table:
        with opened(self._place, segment.path_of_commits) as file:
            return file.read(columns=columns)


def read_manifest(place: Place) -> Manifest:
    """What a sealed log consists of. Raises InputError where there is none at the place, or of a newer format."""
    try:
        data = place.read(MANIFEST)
    except FileNotFoundError as error:
        raise InputError(
            f"There is no sealed log in {place.name}: it has no {MANIFEST}. replayhouse log seal makes one."
        ) from error
    except OSError as error:
        raise InputError(f"{place.name}/{MANIFEST} cannot be read: {error.strerror or error}.") from error
    return parsed(data, place.name)


def open_sealed_log(given: str | os.PathLike[str]) -> SealedLog:
    """The sealed log in a folder, or at a URL that fsspec knows. It is as it was sealed at this moment.

    Raises InputError where there is none, it is of a newer format, a file is missing or has another size, or segments
    do not follow on each other; UsageError where fsspec is needed and missing, Unreachable where storage fails. What
    the files hold is checked when it is read, page by page; against the hash chain by `verify_sealed_log`.
    """
    place = place_of(given)
    manifest = read_manifest(place)
    for segment in manifest.segments:
        for name, told in segment.files.items():
            refuse_other_size(place, f"{segment.folder}/{name}", told.bytes)
    return SealedLog(place, manifest)


def refuse_other_size(place: Place, name: str, size: int) -> None:
    """Raises InputError where a file is missing, or has another size than the manifest says."""
    try:
        found = place.size(name)
    except OSError as error:
        raise unreadable(place, name, error) from error
    if found != size:
        raise unreadable(place, name, OSError(f"it has {found:,} bytes, and the manifest says {size:,}"))
