"""Lines of an extract that was loaded, read again: only from a file whose bytes are still those of the load.

A file is read once, hashed on the way; what was collected counts only if its SHA-256 is that of the load.
"""

import csv
import hashlib
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from replayhouse.infra.staging.files import SHORT_NAMES
from replayhouse.infra.staging.reader import BYTE_ORDER_MARK

LONGEST_PIECE = 1 << 20
"""Bytes read at once; no record that was ever loaded is longer."""

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


def lines_at_hand(origin: Path, file: str, sha256: str, wanted: Collection[int]) -> LinesAtHand:
    """The records of an extract's file (by its short name) that start on these physical lines, the header being 1."""
    place = str(origin)
    try:
        with _opened(origin, file) as found:
            if found is None:
                return LinesAtHand(GONE, place, {})
            place, stream = found
            texts, digest = _read(stream, {1, *wanted})
    # zipfile's NotImplementedError: an unknown method of packing; RuntimeError: a password is asked for.
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        return LinesAtHand(UNREADABLE, place, {}, why=str(getattr(error, "strerror", None) or error))
    if digest != sha256:
        return LinesAtHand(CHANGED, place, {})
    header = next(csv.reader([texts.get(1, "")]), [])
    return LinesAtHand(FOUND, place, {line: texts[line] for line in wanted if line in texts}, tuple(header))


@contextmanager
def _opened(origin: Path, file: str) -> Iterator[tuple[str, IO[bytes]] | None]:
    """The file's bytes, in a folder or unpacked from a zip, and where they are; None where there is no such file."""
    if origin.is_dir():
        for path in sorted(origin.iterdir()):
            if SHORT_NAMES.get(path.name.lower()) == file and path.is_file():
                with path.open("rb") as stream:
                    yield str(path), stream
                return
        yield None
    elif not origin.exists():
        yield None
    else:
        with zipfile.ZipFile(origin) as archive:
            for entry in archive.infolist():
                if SHORT_NAMES.get(PurePosixPath(entry.filename.replace("\\", "/")).name.lower()) == file:
                    with archive.open(entry) as stream:
                        yield f"{origin}, {entry.filename}", stream
                    return
            yield None


def _read(stream: IO[bytes], wanted: Collection[int]) -> tuple[dict[int, str], str]:
    """The records that start on the wanted lines, without the line ends that close them, and the SHA-256 of all.

    A record goes on while a quote is open. Pieces are bounded, whatever the file has become meanwhile.
    """
    digest, texts = hashlib.sha256(), {}
    number, is_at_start, record, starts_at = 1, True, bytearray(), 0
    while piece := stream.readline(LONGEST_PIECE):
        digest.update(piece)
        if is_at_start and not starts_at and number in wanted:
            starts_at = number
        if starts_at:
            record += piece
        is_at_start = piece.endswith(b"\n")
        number += is_at_start
        if starts_at and ((is_at_start and record.count(b'"') % 2 == 0) or len(record) > LONGEST_PIECE):
            texts[starts_at] = _closed(record)
            record, starts_at = bytearray(), 0
    if starts_at:
        texts[starts_at] = _closed(record)
    return texts, digest.hexdigest()


def _closed(record: bytearray) -> str:
    closed = record.removesuffix(b"\n").removesuffix(b"\r") if record.endswith(b"\n") else record
    return closed.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace")
