"""Lines of an extract that was loaded, read again: only from a file whose bytes are still those of the load.

What was collected counts only if the file's SHA-256 is that of the load. A file is hashed once; as long as the system
says that nobody has written to it since, a later look goes straight to the lines.
"""

import csv
import hashlib
import os
import time
import zipfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import IO, NamedTuple

from replayhouse.infra.staging.files import SHORT_NAMES
from replayhouse.infra.staging.reader import BYTE_ORDER_MARK
from replayhouse.infra.staging.real_files import RealFile

LONGEST_PIECE = 1 << 20
"""Bytes read at once; no record that was ever loaded is longer."""

_BLOCK = 1 << 16
_MOST_KNOWN = 256
_SETTLED_NS = 2_000_000_000
"""A file that was written to later than so long ago may be written to again within the same tick of its clock."""

FOUND, GONE, CHANGED, UNREADABLE = "found", "gone", "changed", "unreadable"


@dataclass(frozen=True)
class LinesAtHand:
    """What became of looking for lines of a file. `records` holds their text by the line that each starts on.

    `status` is found, gone (there is no such file), changed (its bytes are others than those loaded) or unreadable;
    `place` is where it was looked for, `why` what the system said of an unreadable one.
    """

    status: str
    place: str
    records: Mapping[int, str]
    header: tuple[str, ...] = ()
    why: str = ""


def lines_at_hand(
    origin: Path, file: str, sha256: str, wanted: Collection[int], real: RealFile | None = None
) -> LinesAtHand:
    """The records of an extract's file (by its short name) that start on these physical lines, the header being 1.

    `real` is the file that they were made of, where the extract was of another shape.
    """
    place, kept = str(origin), real or RealFile(file, sha256, ("utf-8",), '"', is_withheld=False)
    if not kept.encodings:
        return LinesAtHand(UNREADABLE, place, {}, why=f"{kept.name} has no lines of text")
    try:
        with _opened(origin, _called(kept.name) if real else _short_named(file)) as found:
            if found is None:
                return LinesAtHand(GONE, place, {})
            place, stream, descriptor = found
            state = _state_of(place, descriptor)
            looked = _look_through(state, stream)
            is_it = looked.sha256 == kept.sha256
            texts = _records(stream, {1, *wanted}, looked.ends_before, kept) if is_it else {}
            is_same = is_it and _state_of(place, descriptor) == state
    # zipfile's NotImplementedError: an unknown method of packing; RuntimeError: a password is asked for.
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        return LinesAtHand(UNREADABLE, place, {}, why=str(getattr(error, "strerror", None) or error))
    if not is_same:
        return LinesAtHand(CHANGED, place, {})
    header = next(csv.reader([texts.get(1, "")]), [])
    return LinesAtHand(FOUND, place, {line: texts[line] for line in wanted if line in texts}, tuple(header))


@contextmanager
def _opened(origin: Path, is_it: Callable[[str], bool]) -> Iterator[tuple[str, IO[bytes], int] | None]:
    """Where a file is, its bytes, in a folder or unpacked from a zip, and what was opened for it; None: it is gone."""
    if origin.is_dir():
        for path in sorted(origin.iterdir()):
            if is_it(path.name) and path.is_file():
                with path.open("rb") as stream:
                    yield str(path), stream, stream.fileno()
                return
        yield None
    elif not origin.exists():
        yield None
    else:
        with origin.open("rb") as packed, zipfile.ZipFile(packed) as archive:
            for entry in archive.infolist():
                if is_it(PurePosixPath(entry.filename.replace("\\", "/")).name):
                    with archive.open(entry) as stream:
                        yield f"{origin}, {entry.filename}", stream, packed.fileno()
                    return
            yield None


def _called(name: str) -> Callable[[str], bool]:
    return lambda found: found == name


def _short_named(file: str) -> Callable[[str], bool]:
    return lambda found: SHORT_NAMES.get(found.lower()) == file


class _State(NamedTuple):
    """A file as the system tells of it: any of this is another once somebody has written to it."""

    place: str
    device: int
    inode: int
    size: int
    written_ns: int
    changed_ns: int


class _Looked(NamedTuple):
    """The SHA-256 of a file, and how many line ends stand before each block of it."""

    sha256: str
    ends_before: "array[int]"


_known: dict[_State, _Looked] = {}
_lock = Lock()


def _state_of(place: str, descriptor: int) -> _State:
    told = os.fstat(descriptor)
    return _State(place, told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)


def _look_through(state: _State, stream: IO[bytes]) -> _Looked:
    """What was found in the file when it was in this state, or else is found now."""
    with _lock:
        known = _known.get(state)
    if known is not None:
        return known
    digest, ends_before, ends = hashlib.sha256(), array("Q"), 0
    while block := stream.read(_BLOCK):
        digest.update(block)
        ends_before.append(ends)
        ends += block.count(b"\n")
    looked = _Looked(digest.hexdigest(), ends_before)
    if time.time_ns() - state.changed_ns > _SETTLED_NS:
        with _lock:
            while len(_known) >= _MOST_KNOWN:
                del _known[next(iter(_known))]
            _known[state] = looked
    return looked


def _records(stream: IO[bytes], wanted: Collection[int], ends_before: "array[int]", kept: RealFile) -> dict[int, str]:
    """The records that start on the wanted lines, without the line ends that close them.

    A line within the record of an earlier one that is wanted starts none.
    """
    texts, free = {}, 1
    for line in sorted(wanted):
        if line < free or not _go_to(stream, line, ends_before):
            continue
        record, lines = _record(stream, kept.quote.encode())
        if record:
            texts[line] = _closed(record, kept.encodings)
        free = line + lines
    return texts


def _go_to(stream: IO[bytes], line: int, ends_before: "array[int]") -> bool:
    """Whether there is such a line; the stream is at its beginning then."""
    if line < 2:
        stream.seek(0)
        return line == 1
    block = bisect_left(ends_before, line - 1) - 1
    if block < 0:
        return False
    stream.seek(block * _BLOCK)
    bytes_of_block, at = stream.read(_BLOCK), 0
    for _ in range(line - 1 - ends_before[block]):
        at = bytes_of_block.find(b"\n", at) + 1
        if not at:
            return False
    stream.seek(block * _BLOCK + at)
    return True


def _record(stream: IO[bytes], quote: bytes) -> tuple[bytearray, int]:
    """The record that begins here, which goes on while a quote is open, and over how many lines.

    Pieces are bounded, whatever the file has become meanwhile.
    """
    record, lines, is_at_start = bytearray(), 0, True
    while piece := stream.readline(LONGEST_PIECE):
        record += piece
        lines += is_at_start
        is_at_start = piece.endswith(b"\n")
        is_whole = not quote or record.count(quote) % 2 == 0
        if (is_at_start and is_whole) or len(record) > LONGEST_PIECE:
            break
    return record, lines


def _closed(record: bytearray, encodings: Sequence[str]) -> str:
    """The text of a record, in the first encoding in which it is one."""
    closed = record.removesuffix(b"\n").removesuffix(b"\r") if record.endswith(b"\n") else record
    text = closed.removeprefix(BYTE_ORDER_MARK)
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            return text.decode(encoding)
    return text.decode("utf-8", "replace")
