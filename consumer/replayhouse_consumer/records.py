"""Records as kafka-python reads them, within bounds: whatever somebody has written to a topic, what follows is read.

kafka-python unpacks a batch as a whole, however large it becomes, and gives up at a header whose name is not UTF-8, so
that no consumer comes past it. Here such a name is escaped, and a batch that cannot be read, or would become too large,
is one record without key and value in the place of its last one, whose header UNREADABLE says why.

The program and its kit for consumers, which have nothing in common, have a copy of this module each.
"""

import zlib
from collections.abc import Callable
from typing import Any

from kafka import codec
from kafka.errors import CorruptRecordError
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

UNREADABLE = "replayhouse_unreadable"
"""The header that says why there is nothing else of a batch."""

SMALL_BYTES = 2 * 2**20
LARGEST_RATIO = 64
"""A batch may become so many times larger by unpacking, and in any case SMALL_BYTES: twice the largest message."""

_GZIP = 31  # of zlib: with the header of gzip


class _TooLarge(Exception):  # noqa: N818 - the name says what is the matter
    """A batch that would become too large."""


class _Tolerant(bytearray):
    """Bytes whose parts are decoded whatever they hold."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Tolerant(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


class BoundedBatch(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python has no types
    """A batch that is read to its end within bounds, or else told as one record."""

    _decompressed: bool
    _buffer: Any
    _pos: int
    _unreadable = ""
    _is_told = False

    def _maybe_uncompress(self) -> None:
        if self._decompressed or self.compression_type == self.CODEC_NONE:
            self._decompressed = True
            return
        packed = bytes(self._buffer[self._pos :])
        try:
            self._buffer = bytearray(_unpacked(self.compression_type, packed))
            self._pos = 0
        except _TooLarge as error:
            self._unreadable = f"its batch of {len(packed):,} bytes becomes larger than {error} when it is unpacked"
        except Exception as error:  # whatever the libraries for these formats raise
            self._unreadable = f"its batch cannot be unpacked: {type(error).__name__}"
        self._decompressed = True

    def __next__(self) -> Any:
        if self._unreadable:
            return self._last()
        try:
            return super().__next__()
        except CorruptRecordError:
            return self._tolerated()

    def _tolerated(self) -> Any:
        """The same record once more, its headers' names read as they are."""
        self._buffer = _Tolerant(self._buffer)
        try:
            return super().__next__()
        except CorruptRecordError:
            self._unreadable = "its batch holds what is no record"
            return self._last()

    def _last(self) -> Any:
        if self._is_told:
            raise StopIteration
        self._is_told = True
        told = [(UNREADABLE, self._unreadable.encode())]
        return DefaultRecord(0, self.last_offset, self.max_timestamp, self.timestamp_type, None, None, told)


def read_within_bounds() -> None:
    """From now on, in this process, kafka-python reads batches so."""
    memory_records.DefaultRecordBatch = BoundedBatch


def _unpacked(how: int, packed: bytes) -> bytes:
    """Raises _TooLarge, and whatever tells that it is not packed in that way. Snappy and Zstandard are not bounded."""
    limit = max(SMALL_BYTES, LARGEST_RATIO * len(packed))
    if how == BoundedBatch.CODEC_GZIP:
        return _stepwise(lambda: zlib.decompressobj(_GZIP), packed, limit)
    if how == BoundedBatch.CODEC_LZ4 and hasattr(codec.lz4, "LZ4FrameDecompressor"):
        return _stepwise(codec.lz4.LZ4FrameDecompressor, packed, limit)
    by = {
        BoundedBatch.CODEC_LZ4: codec.lz4_decode,
        BoundedBatch.CODEC_SNAPPY: codec.snappy_decode,
        BoundedBatch.CODEC_ZSTD: codec.zstd_decode,
    }
    whole: bytes = by[how](packed)
    if len(whole) > limit:
        raise _TooLarge(f"{limit:,}")
    return whole


def _stepwise(unpacker: Callable[[], Any], packed: bytes, limit: int) -> bytes:
    """All of one or more members, one after the other, and no more than the limit."""
    whole = bytearray()
    while packed:
        one = unpacker()
        whole += one.decompress(packed, limit + 1 - len(whole))
        if len(whole) > limit:
            raise _TooLarge(f"{limit:,}")
        if not one.eof:
            raise EOFError
        packed = one.unused_data or b""
    return bytes(whole)
