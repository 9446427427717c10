"""What a sealed log consists of: its segments, which follow on each other, each with its files.

The manifest stands last: what it does not name is no part of the log.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NoReturn
from uuid import UUID

import msgspec
from msgspec import Meta

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.merkle import GENESIS
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.manifests import MANIFEST, Kind, decoded

KIND = Kind(
    of="a sealed log",
    format="replayhouse sealed log 1",
    newer="it was sealed by a newer program",
    remedy="Take it from where it was sealed, or seal again into another folder.",
)
COMMITS = "commits.parquet"

_FOLDER = re.compile(r"(\d{12,19})-(\d{12,19})(-[0-9a-f]{12})?")
_EVENT_FILES = {f"{context}.parquet": context for context in CONTEXTS}

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]


class SealedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a segment: its rows, its bytes, and their SHA-256 in hexadecimal."""

    rows: Count
    bytes: Count
    sha256: Hash


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The events from position `first` to `last`, whole commits, in a folder of their own.

    `recorded` are the recorded times of its first and last commit (UTC), the chains those before its first commit and
    up to its last.
    """

    folder: str
    first: Count
    last: Count
    recorded: tuple[Moment, Moment]
    chain_before: Hash
    chain: Hash
    files: Mapping[str, SealedFile]

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.last - self.first + 1

    @property
    def commits(self) -> int:
        """How many commits it holds."""
        return self.files[COMMITS].rows

    def rows_of(self, context: str) -> int:
        """How many events of a context it holds."""
        file = self.files.get(f"{context}.parquet")
        return 0 if file is None else file.rows

    def path_of(self, context: str) -> str:
        """Where the events of a context stand, below the folder of the log."""
        return f"{self.folder}/{context}.parquet"

    @property
    def path_of_commits(self) -> str:
        """Where its commits stand, below the folder of the log."""
        return f"{self.folder}/{COMMITS}"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of a sealed log: of which store, up to which position and chain, and its segments in their order."""

    format: str
    store: UUID
    position: Count
    chain: Hash
    segments: tuple[Segment, ...]

    def followed_by(self, segment: Segment) -> "Manifest":
        """The same log with one segment more."""
        return Manifest(self.format, self.store, segment.last, segment.chain, (*self.segments, segment))


def empty_manifest(store: UUID) -> Manifest:
    """That of a log of which nothing is sealed yet."""
    return Manifest(KIND.format, store, 0, GENESIS.hex(), ())


def folder_name(first: int, last: int, mark: str = "") -> str:
    """The folder of a segment; `mark` (12 hexadecimal digits) keeps it apart from others of these positions."""
    return f"{first:012d}-{last:012d}" + (f"-{mark}" if mark else "")


def new_mark() -> str:
    """What no other folder has."""
    return secrets.token_hex(6)


def is_folder_name(name: str) -> bool:
    """Whether a folder is named as those of segments are."""
    return _FOLDER.fullmatch(name) is not None


def parsed(data: bytes, place: str) -> Manifest:
    """The manifest in the bytes of a file at a place, whose segments follow on each other.

    Raises InputError where it is none, of a newer format, or contradicts itself.
    """
    where = f"{place}/{MANIFEST}"
    manifest = decoded(data, where, KIND, Manifest)
    _refuse_contradictions(manifest, where)
    return manifest


def _refuse_contradictions(manifest: Manifest, where: str) -> None:
    position, chain, before = 0, GENESIS.hex(), None
    for segment in manifest.segments:
        named = _FOLDER.fullmatch(segment.folder)
        if named is None or (int(named[1]), int(named[2])) != (segment.first, segment.last):
            _refuse(
                where, f"the folder {segment.folder[:60]!r} is none of the positions {segment.first} to {segment.last}"
            )
        if segment.first != position + 1:
            what = "is doubled" if segment.first <= position else "is missing"
            _refuse(where, f"a segment {what}: after position {position} comes {segment.folder}")
        if segment.chain_before != chain:
            _refuse(where, f"the segment {segment.folder} does not follow from the one before")
        begun, ended = segment.recorded
        if begun > ended or (before is not None and begun < before):
            _refuse(where, f"the recorded times of {segment.folder} go backwards")
        _refuse_other_files(segment, where)
        position, chain, before = segment.last, segment.chain, ended
    if (manifest.position, manifest.chain) != (position, chain):
        _refuse(where, f"it says that the log ends at {manifest.position}, and its segments end at {position}")


def _refuse_other_files(segment: Segment, where: str) -> None:
    if COMMITS not in segment.files or not segment.files.keys() - {COMMITS} <= _EVENT_FILES.keys():
        _refuse(where, f"the files of {segment.folder} are not those of a segment")
    held = sum(segment.rows_of(context) for context in CONTEXTS)
    if segment.last < segment.first or held != segment.events or not 1 <= segment.commits <= segment.events:
        _refuse(where, f"the files of {segment.folder} do not add up to its {segment.events} events")


def _refuse(where: str, why: str) -> NoReturn:
    raise InputError(
        f"{where} was changed: {why}. Take it from where it was sealed, or seal again into another folder."
    )
