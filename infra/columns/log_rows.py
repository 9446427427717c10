"""Rows of the log from columns: the same bytes as those of `event_encoding`, of many events of one kind at a time.

The fields that a leaf covers are joined by Arrow; hashing goes row by row, for SHA-256 knows no batches. Where an event
stands in its append is given with it, so that pieces may come in any order.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.event_encoding import (
    COPY,
    EIGHT_FIELDS,
    LARGEST_EVENT_BYTES,
    EncodedEvent,
    EventTooLarge,
)
from replayhouse.infra.event_store.merkle import root_of
from replayhouse.infra.postgres.binary_copy import HEADER, INT64_LENGTH, NULL, TRAILER, UUID_LENGTH, bytes_of, field

ID_BYTES = 16
LEAF_BYTES = 32

Ids = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
"""Ids of streams: a row of 16 bytes each."""

Leaves = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
"""Leaves of events: a row of 32 bytes each."""

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


class Piece(NamedTuple):
    """Events of a context, ready for the log but for their positions: by event the id of its stream, the fields that
    its leaf covers, and the leaf.
    """

    context: str
    ids: Ids
    fields: pa.BinaryArray
    leaves: Leaves

    def sliced(self, first: int, after: int) -> "Piece":
        """The events from one number to before another."""
        some = slice(first, after)
        return Piece(self.context, self.ids[some], self.fields[some], self.leaves[some])


class Run(NamedTuple):
    """Events of one kind: their ids, what stands in all of them, their JSON, and the lines that caused them, if any."""

    ids: Ids
    version: int
    topic: str
    states: pa.BinaryArray
    sources: pa.Array | None

    @property
    def head(self) -> bytes:
        """The fields after the id, up to the state."""
        return INT64_LENGTH + self.version.to_bytes(8, "big") + field(self.topic.encode())


def piece_of(context: str, runs: Sequence[Run], batch_id: UUID | None) -> Piece:
    """The events of some runs, one after the other.

    Raises EventTooLarge, of the first one that is.
    """
    ids = np.concatenate([run.ids for run in runs])
    counts = np.array([len(run.ids) for run in runs])
    heads = pa.array([run.head for run in runs], pa.binary()).take(pa.array(np.repeat(np.arange(len(runs)), counts)))
    states = pa.concat_arrays([run.states for run in runs])
    sources = pa.concat_arrays([_sources_of(run) for run in runs])
    fields = pc.binary_join_element_wise(
        pa.scalar(UUID_LENGTH),
        _fixed(ids),
        heads,
        *_with_lengths(states),
        pa.scalar(_batch(batch_id)),
        *_with_lengths(sources),
        b"",
    )
    too_large = np.flatnonzero(pc.binary_length(fields).to_numpy() > LARGEST_EVENT_BYTES)
    if len(too_large):
        at = int(too_large[0])
        run = runs[int(np.searchsorted(np.cumsum(counts), at, side="right"))]
        stream, state, source = UUID(bytes=ids[at].tobytes()), states[at].as_py(), sources[at].as_py()
        told = None if source is None else source.decode()
        raise EventTooLarge(EncodedEvent(context, stream, run.version, run.topic, state, batch_id, told))
    return Piece(context, ids, fields, _leaves(context, fields))


def _sources_of(run: Run) -> pa.BinaryArray:
    return pa.nulls(len(run.ids), pa.binary()) if run.sources is None else run.sources.cast(pa.binary())


def piece_of_single(events: Sequence[EncodedEvent]) -> Piece:
    """Events of one context that were encoded one by one."""
    fields = pa.array([_fields_of(event) for event in events], pa.binary())
    ids = np.frombuffer(b"".join(event.stream_id.bytes for event in events), np.uint8).reshape(-1, ID_BYTES)
    return Piece(events[0].context, ids, fields, _leaves(events[0].context, fields))


class ColumnRows:
    """Pieces with the places of their events in one append, ready to be copied once the first position is known.

    Places are the numbers from 0, each of them once.
    """

    def __init__(self, pieces: Sequence[tuple[Piece, Numbers]]) -> None:
        self._by_context = {
            context: of_context
            for context in CONTEXTS
            if (of_context := [(piece, places) for piece, places in pieces if piece.context == context])
        }
        hashes = np.empty((sum(len(places) for _, places in pieces), LEAF_BYTES), np.uint8)
        for piece, places in pieces:
            hashes[places] = piece.leaves
        self._hashes = hashes
        whole = hashes.tobytes()
        self.leaves = [whole[at : at + LEAF_BYTES] for at in range(0, len(whole), LEAF_BYTES)]

    def root(self) -> bytes:
        """The Merkle tree hash of the events; there must be one at least."""
        return root_of(self.leaves)

    def copy(self, conn: psycopg.Connection, first_position: int) -> None:
        """Writes the rows of each context, in the order of their streams: they are read that way ever after."""
        with conn.cursor() as cursor:
            for context, pieces in self._by_context.items():
                with cursor.copy(COPY[context]) as copy:
                    for part in (HEADER, self._rows(pieces, first_position), TRAILER):
                        copy.write(part)

    def _rows(self, pieces: Sequence[tuple[Piece, Numbers]], first_position: int) -> memoryview:
        ids = np.concatenate([piece.ids for piece, _ in pieces])
        places = np.concatenate([places for _, places in pieces])
        fields = pa.concat_arrays([piece.fields for piece, _ in pieces])
        halves = np.ascontiguousarray(ids).view(">u8")
        order = np.lexsort((places, halves[:, 1], halves[:, 0]))
        positions = (places[order] + first_position).astype(">i8")
        rows = pc.binary_join_element_wise(
            pa.scalar(EIGHT_FIELDS),
            fields.take(pa.array(order)),
            pa.scalar(INT64_LENGTH),
            _fixed(positions.view(np.uint8).reshape(-1, positions.itemsize)),
            pa.scalar(LEAF_BYTES.to_bytes(4, "big")),
            _fixed(self._hashes[places[order]]),
            b"",
        )
        return bytes_of(rows)


def _leaves(context: str, fields: pa.BinaryArray) -> Leaves:
    """The leaf of each event."""
    started = sha256(b"\x00" + field(context.encode()))
    ends = _ends(fields)
    view, copy = bytes_of(fields), started.copy
    digests = []
    begin = 0
    for end in ends:
        hashed = copy()
        hashed.update(view[begin:end])
        digests.append(hashed.digest())
        begin = end
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, LEAF_BYTES)


def _ends(texts: pa.BinaryArray) -> list[int]:
    """Where each value ends in the bytes of all of them."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, texts.offset * 4)
    ends: list[int] = (offsets[1:] - offsets[0]).tolist()
    return ends


def _with_lengths(texts: pa.BinaryArray) -> list[pa.Array]:
    """Texts as fields: their lengths, and they themselves; the length of null is -1."""
    lengths = pc.binary_length(texts).fill_null(-1).to_numpy().astype(">i4")
    return [_fixed(lengths.view(np.uint8).reshape(-1, lengths.itemsize)), texts.fill_null(b"")]


def _fixed(rows: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> pa.BinaryArray:
    """Rows of bytes as an array of texts that are all as long."""
    count, width = rows.shape
    offsets = np.arange(0, width * (count + 1), width, dtype=np.int32)
    return pa.Array.from_buffers(
        pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(rows))]
    )


def _fields_of(event: EncodedEvent) -> bytes:
    """The fields of one event's leaf but for the context."""
    version = event.originator_version.to_bytes(8, "big")
    source = None if event.source is None else event.source.encode()
    head = UUID_LENGTH + event.stream_id.bytes + INT64_LENGTH + version + field(event.topic.encode())
    return head + field(event.state) + _batch(event.batch_id) + field(source)


def _batch(batch_id: UUID | None) -> bytes:
    return NULL if batch_id is None else UUID_LENGTH + batch_id.bytes
