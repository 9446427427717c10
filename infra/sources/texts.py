"""The bytes of a file as text in UTF-8: unpacked and decoded, piece by piece. Lines stay what they were."""

import codecs
import gzip
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from replayhouse.infra.sources.raw_extract import LIMITS
from replayhouse.infra.staging.extract import UNSUSPICIOUS_BYTES
from replayhouse.infra.staging.reader import RefusedError

PIECE = 1 << 20
MARKS = {"utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)}
"""How a file in an encoding must begin: without such a mark, nearly anything could be read in UTF-16."""


def unpacked(path: Path, to: Path) -> Path:
    """Unpacks a .gz. Raises RefusedError where it is broken, or would become too large."""
    most = min(LIMITS.max_bytes, max(UNSUSPICIOUS_BYTES, int(path.stat().st_size * LIMITS.max_ratio)))
    size = 0
    try:
        with gzip.open(path) as packed, to.open("wb") as stream:
            while data := packed.read(PIECE):
                size += stream.write(data)
                if size > most:
                    raise RefusedError("files_complete", f"it unpacks to more than {most:,} bytes")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RefusedError("files_complete", f"it cannot be unpacked ({error})") from error
    return to


def in_utf8(path: Path, encodings: Sequence[str], to: Path) -> Path:
    """The same text in UTF-8, in the first of these encodings in which all of it can be read; perhaps the file itself.

    Raises RefusedError with the first line that cannot be read, if there is no such encoding.
    """
    if tuple(encodings) == ("utf-8",):
        return path  # what reads it finds the faults
    refusals = []
    for encoding in encodings:
        try:
            return _decoded(path, encoding, to)
        except RefusedError as refused:
            refusals.append(refused)
    raise refusals[0]


def _decoded(path: Path, encoding: str, to: Path) -> Path:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    is_as_wanted = encoding == "utf-8"
    with path.open("rb") as stream, open(os.devnull if is_as_wanted else to, "wb") as text:
        if encoding in MARKS and not stream.read(2).startswith(MARKS[encoding]):
            raise RefusedError("files_in_utf8", f"it has no byte order mark, as a file in {encoding} must")
        stream.seek(0)
        data = b" "
        while data:
            data = stream.read(PIECE)
            try:
                decoded = decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                raise _undecodable(error, encoding, line) from error
            text.write(decoded)
            line += decoded.count(b"\n")
    return path if is_as_wanted else to


def _undecodable(error: UnicodeError, encoding: str, line: int) -> RefusedError:
    if not isinstance(error, UnicodeDecodeError):
        return RefusedError("files_in_utf8", f"line {line} is no text in {encoding}", line)
    line += error.object[: error.start].decode(encoding, "replace").count("\n")
    reason = f"line {line} has the byte 0x{error.object[error.start]:02x}, which is not {encoding}"
    return RefusedError("files_in_utf8", reason, line)
