"""Files that prove something: JSON documents in the very bytes that this program writes, and no others.

So a file in which one byte was changed never passes, wherever that byte is. Such a file is told from one that is
something else altogether: the answer to the first is no (DoesNotHold), the second is wrong input (InputError).
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from replayhouse.infra.runtime.errors import InputError, Rejected
from replayhouse.infra.runtime.files import reading

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""32 bytes in lower-case hexadecimal."""

Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Moment = Annotated[datetime, Meta(tz=True)]
"""A time in UTC, as `2026-03-01T12:00:00.123456Z`; no fraction where there are no microseconds."""

Document = TypeVar("Document", bound=msgspec.Struct)

LARGEST_BYTES = 1 << 30
"""So much is read of a file that is to prove something; 4 million commits take less."""


class DoesNotHold(Rejected):
    """A checkpoint or a proof does not hold: it was changed, or what it is about was."""


class Kind(NamedTuple):
    """A kind of file, as it is called, and names that stand in each: two thirds of them, and it is meant to be one."""

    name: str
    marks: tuple[str, ...]


def rendered(document: msgspec.Struct) -> bytes:
    """The bytes of a document: JSON in UTF-8, indented by two blanks, fields in their order, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def read_document(path: Path, kind: Kind, document_type: type[Document]) -> Document:
    """The document in a file. Raises InputError where it is none of its kind, DoesNotHold where it was changed."""
    data = _bytes_of(path, kind)
    if not _is_meant_to_be(data, kind):
        raise InputError(f"{path} is not a {kind.name}.")
    try:
        document = msgspec.json.decode(data, type=document_type)
        as_written = rendered(document)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DoesNotHold(f"The {kind.name} {path} was changed: it cannot be read any more ({error}).") from error
    if as_written != data:
        at = next((at for at, (a, b) in enumerate(zip(as_written, data, strict=False)) if a != b), len(as_written))
        line = as_written.count(b"\n", 0, at) + 1
        raise DoesNotHold(f"The {kind.name} {path} was changed: from line {line} on it is not as it was written.")
    return document


def _bytes_of(path: Path, kind: Kind) -> bytes:
    try:
        with reading(path) as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"The {kind.name} {path} cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path} is too large to be a {kind.name}.")
    return data


def _is_meant_to_be(data: bytes, kind: Kind) -> bool:
    return sum(f'"{mark}"'.encode() in data for mark in kind.marks) * 3 >= len(kind.marks) * 2
