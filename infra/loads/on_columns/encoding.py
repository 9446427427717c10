"""The events of several units as the log has them, encoded together: of persons by shape, of other families one by one.

Then any run of them, in the order of the plan, is cut out as the rows of an append.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pyarrow as pa

from replayhouse.infra.columns.log_rows import ColumnRows, Numbers, Piece, Run, piece_of, piece_of_single
from replayhouse.infra.columns.values import Array, Uuids
from replayhouse.infra.columns.writing import Writer
from replayhouse.infra.event_store.event_encoding import EncodedEvent
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.store import LARGEST_APPEND
from replayhouse.infra.loads.on_columns.deciding import Many, ShapeDecided
from replayhouse.infra.loads.on_columns.sealing import Sealer, subjects_of


class Placed(NamedTuple):
    """A shape's decisions, and for each of its persons the place of their first event among all that are encoded."""

    shape: ShapeDecided
    first_places: Numbers


class Single(NamedTuple):
    """An event of a family that was decided by itself, and its place."""

    place: int
    recorded: Recorded


def subjects_in(shapes: Iterable[Placed], singles: Iterable[Single], mapper: Mapper) -> dict[UUID, int]:
    """Whose keys the events need, each with the place of the first event that does."""
    found: dict[UUID, int] = {}
    for placed in shapes:
        of_shape: dict[bytes, int] = {}
        for number, many in enumerate(placed.shape.events):
            subjects = _subjects(many, mapper)
            if subjects is not None:
                for subject, place in zip(subjects.tolist(), (placed.first_places + number).tolist(), strict=True):
                    of_shape.setdefault(subject, place)
        for text, place in of_shape.items():
            _first(found, UUID(text.decode()), place)
    for place, recorded in singles:
        subject = mapper.subject_of(recorded.event, recorded.stream_id)
        if subject is not None:
            _first(found, subject, place)
    return found


def _first(found: dict[UUID, int], subject: UUID, place: int) -> None:
    found[subject] = min(place, found.get(subject, place))


def _subjects(many: Many, mapper: Mapper) -> Array | None:
    personal = mapper.personal_fields_of(type(many.event))
    return None if personal is None else subjects_of(personal, many.event, many.stream_id.values)


class _OfContext(NamedTuple):
    """The events of a context, by their places."""

    places: Numbers
    piece: Piece


class EncodedFamilies:
    """The events of all families, ready to be appended in any runs: places are the numbers from 0."""

    def __init__(
        self,
        shapes: Iterable[Placed],
        singles: Iterable[Single],
        mapper: Mapper,
        batch_id: UUID,
        keys: Mapping[UUID, bytes | None],
    ) -> None:
        """`keys` of all whom the events need, None where it was destroyed: such a one is in no shape."""
        sealer = Sealer({subject: key for subject, key in keys.items() if key is not None})
        runs, places = defaultdict[str, list[Run]](list), defaultdict[str, list[Numbers]](list)
        for placed in shapes:
            for number, (context, run) in enumerate(_runs(placed.shape, mapper, sealer)):
                runs[context].append(run)
                places[context].append(placed.first_places + number)
        pieces: dict[str, list[tuple[Piece, Numbers]]] = defaultdict(list)
        for context in list(runs):
            piece = piece_of(context, runs.pop(context), batch_id)
            pieces[context].append((piece, np.concatenate(places[context])))
        for context, of_context in _by_context(singles).items():
            encoded = [_encoded(single.recorded, mapper, batch_id, keys) for single in of_context]
            of_singles = np.array([single.place for single in of_context], np.int64)
            pieces[context].append((piece_of_single(encoded), of_singles))
        self._of_contexts = {context: _in_order(of_context) for context, of_context in pieces.items()}

    def counts(self, begin: int, end: int) -> Counter[str]:
        """How many events each context has from one place to before another."""
        counted: Counter[str] = Counter()
        for context, of in self._of_contexts.items():
            first, after = np.searchsorted(of.places, (begin, end)).tolist()
            if after > first:
                counted[context] = after - first
        return counted

    def rows(self, begin: int, end: int) -> Iterator[ColumnRows]:
        """The events from one place to before another, as few appends as the store takes."""
        for start in range(begin, end, LARGEST_APPEND):
            yield self._rows(start, min(start + LARGEST_APPEND, end))

    def _rows(self, begin: int, end: int) -> ColumnRows:
        pieces = []
        for of in self._of_contexts.values():
            first, after = np.searchsorted(of.places, (begin, end)).tolist()
            if after > first:
                pieces.append((of.piece.sliced(first, after), of.places[first:after] - begin))
        return ColumnRows(pieces)


def _in_order(pieces: Sequence[tuple[Piece, Numbers]]) -> _OfContext:
    places = np.concatenate([places for _, places in pieces])
    order = np.argsort(places)
    whole = Piece(
        pieces[0][0].context,
        np.concatenate([piece.ids for piece, _ in pieces])[order],
        pa.concat_arrays([piece.fields for piece, _ in pieces]).take(pa.array(order)),
        np.concatenate([piece.leaves for piece, _ in pieces])[order],
    )
    return _OfContext(places[order], whole)


def _by_context(singles: Iterable[Single]) -> dict[str, list[Single]]:
    by_context: dict[str, list[Single]] = defaultdict(list)
    for single in singles:
        by_context[single.recorded.context].append(single)
    return by_context


def _encoded(recorded: Recorded, mapper: Mapper, batch_id: UUID, keys: Mapping[UUID, bytes | None]) -> EncodedEvent:
    context, stream_id, version, event, source = recorded
    return EncodedEvent(context, stream_id, version, *mapper.encode(context, stream_id, event, keys), batch_id, source)


def _runs(shape: ShapeDecided, mapper: Mapper, sealer: Sealer) -> Iterator[tuple[str, Run]]:
    """A run for each of the shape's events, in their order, with its context."""
    writer, ids = Writer(len(shape.persons)), _Ids()
    for many in shape.events:
        event_type = type(many.event)
        stream_ids = ids.of(many.stream_id)
        personal, subjects = mapper.personal_fields_of(event_type), _subjects(many, mapper)
        instead: Mapping[str, Any] = {}
        if personal is not None and subjects is not None:
            instead = sealer.sealed(personal, many.event, subjects, stream_ids)
        states = writer.states(many.event, instead)
        sources = None if many.source is None else writer.texts(many.source)
        yield many.context, Run(stream_ids, many.version, mapper.topic_of(many.context, event_type), states, sources)


class _Ids:
    """Ids of streams as bytes, each column of them once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Uuids, Array]] = {}

    def of(self, column: Uuids) -> Array:
        """By row 16 bytes."""
        known = self._known.get(id(column))
        if known is None:
            known = self._known[id(column)] = column, _id_bytes(column.values)
        return known[1]


def _id_bytes(texts: Array) -> Array:
    """The numbers of ids that are texts of 36 characters."""
    characters = np.ascontiguousarray(texts).view(np.uint8).reshape(-1, 36)
    digits = np.delete(characters, [8, 13, 18, 23], axis=1)
    values = np.where(digits > ord("9"), digits - (ord("a") - 10), digits - ord("0")).astype(np.uint8)
    return np.ascontiguousarray(values[:, ::2] << 4 | values[:, 1::2])
