"""PostgreSQL's binary COPY format: what stands around the rows, and how the lengths of fields are written.

A row is the number of its fields (two bytes), then each field with its length (four bytes) before it; all numbers are
big-endian. Source: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from collections.abc import Iterable
from typing import Any

NULL = b"\xff\xff\xff\xff"
"""A field that is null: the length -1, and nothing after it."""

UUID_LENGTH = b"\x00\x00\x00\x10"
INT64_LENGTH = b"\x00\x00\x00\x08"

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # signature, flags, length of an extension: none of both
"""What stands before the first row."""
TRAILER = b"\xff\xff"
"""What stands after the last row."""


def field(value: bytes | None) -> bytes:
    """A field of a row: its length and its bytes."""
    return NULL if value is None else len(value).to_bytes(4, "big") + value


def framed(rows: Iterable[bytes]) -> bytes:
    """What COPY FROM STDIN takes: the rows with the header before and the trailer after them."""
    return b"".join((HEADER, *rows, TRAILER))


def bytes_of(values: Any) -> memoryview:
    """The bytes of all values of an array of Arrow (binary, without nulls), one after the other as they lie."""
    _, offsets, data = values.buffers()
    ends = memoryview(offsets).cast("i")
    return memoryview(data or b"").cast("B")[ends[values.offset] : ends[values.offset + len(values)]]
