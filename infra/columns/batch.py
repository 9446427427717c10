"""Stored events of many streams, read, revealed, and held as columns: what a fold on columns is given."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import numpy as np
from msgspec import convert

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.columns.fields import Unheld, events_as_columns
from replayhouse.infra.columns.held import Records
from replayhouse.infra.columns.numbers import Ints
from replayhouse.infra.columns.opening import opened
from replayhouse.infra.columns.shapes import groups_of
from replayhouse.infra.columns.states import read_states
from replayhouse.infra.columns.values import Array, Uuids
from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.event_store.serialization.errors import MappingError
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.projections.projection import Stream

_PERSONAL = frozenset(event_type for _, event_type in REGISTRY.topics if personal_fields(event_type))
_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), "S2")


class StoredEvents(NamedTuple):
    """Events as they are stored: whole streams, ordered by stream and version; a sequence of each column."""

    streams: Sequence[bytes]
    positions: Sequence[int]
    topics: Sequence[str]
    states: Sequence[bytes | memoryview]


class Batch:
    """Streams, numbered in their order, whose events are columns.

    `is_held` tells of each stream whether all its events are: not those that are broken, or odd (`fields.py`). Raises
    what `keys_of` raises; None for it: personal fields are withheld.
    """

    def __init__(self, events: StoredEvents, mapper: Mapper, keys_of: KeysOf | None) -> None:
        number = len(events.streams)
        ids = np.frombuffer(b"".join(events.streams), np.uint64).reshape(number, 2)
        is_first = np.concatenate(([True], (ids[1:] != ids[:-1]).any(axis=1)))
        self.starts = np.flatnonzero(is_first)
        self.counts = np.diff(self.starts, append=number)
        self.stream_of = np.cumsum(is_first) - 1
        self.is_held = np.ones(len(self.starts), bool)
        self._ids = id_texts(ids[self.starts])
        self._positions = np.array(events.positions, np.int64)[self.starts + self.counts - 1]
        self._kinds = np.zeros(number, np.int64)
        self._columns: list[Records] = []
        self._which = np.zeros(number, np.int64)  # of the columns an event stands in
        self._row = np.zeros(number, np.int64)
        reading = _Reading(events, mapper, keys_of)
        for topic in reading.topics:  # in the order of the log, so that rows have the same one in every run
            self._hold(reading, topic)

    def groups(self) -> Iterator[Array]:
        """The streams that are held, as their numbers, by shape."""
        held = np.flatnonzero(self.is_held)
        for group in groups_of(self._kinds, self.starts[held], self.counts[held]):
            yield held[group]

    def stream(self, group: Array) -> Stream:
        """Streams of one shape, as a fold sees them. Raises Split where they were not rewound to the same version."""
        events: list[DomainEvent] = []
        for version in range(int(self.counts[group[0]])):
            places = self.starts[group] + version
            events.append(self._columns[self._which[places[0]]].at(self._row[places]))
        return Stream(Uuids(self._ids, group), Ints(self._positions, group), effective(events))  # type: ignore[arg-type]  # columns stand for values

    def _hold(self, reading: "_Reading", topic: str) -> None:
        places, columns = reading.read(topic)
        self.is_held[self.stream_of[reading.broken]] = False
        if columns is None:
            self.is_held[self.stream_of[places]] = False
            return
        if columns.odd is not None:
            self.is_held[self.stream_of[places[columns.odd]]] = False
        kinds = np.unique(columns.kinds, return_inverse=True)[1]
        self._kinds[places] = kinds + self._kinds.max() + 1
        self._row[places] = np.arange(len(places))
        self._which[places] = len(self._columns)
        self._columns.append(columns)


class _Reading:
    """Reads and reveals the events of a batch, topic by topic; `broken` are the places of those that are left.

    States are read as columns where that can be (`states.py`), and of other topics decoded as ever: of older versions,
    and of events with fields that are not read there.
    """

    def __init__(self, events: StoredEvents, mapper: Mapper, keys_of: KeysOf | None) -> None:
        self._events, self._mapper, self._keys_of = events, mapper, keys_of
        self._places: dict[str, list[int]] = {}
        for place, topic in enumerate(events.topics):
            self._places.setdefault(topic, []).append(place)
        self.topics = list(self._places)
        self.broken: list[int] = []

    def read(self, topic: str) -> tuple[Array, Records | None]:
        """The events of a topic, and their places; none where no columns are made of such events."""
        places = self._places[topic]
        try:
            event_type, upcasters = REGISTRY.event_type_of(topic), REGISTRY.upcasters_of(topic)
        except MappingError:
            return np.array(places), None
        if not upcasters:
            with suppress(Unheld):
                columns, is_good = read_states(event_type, [self._events.states[place] for place in places])
                at = np.array(places)
                self.broken += at[~is_good].tolist()
                if event_type in _PERSONAL:
                    columns = self._opened(columns, at, np.flatnonzero(is_good))
                return at, columns
        return self._decoded(topic, places)

    def _opened(self, columns: Records, places: Array, rows: Array) -> Records:
        """The same with personal fields in clear text, or withheld."""
        found = opened(columns, rows, [self._events.streams[place] for place in places[rows].tolist()], self._keys_of)
        self.broken += places[found.broken].tolist()
        return found.columns

    def _decoded(self, topic: str, places: Sequence[int]) -> tuple[Array, Records | None]:
        states, decode = self._events.states, self._mapper.decode
        kept, events = list(places), []
        try:
            events = [decode(topic, states[place]) for place in places]  # type: ignore[arg-type]  # any buffer will do
        except MappingError:
            kept, events = self._one_by_one(topic, places)
        if events and type(events[0]) in _PERSONAL:
            kept, events = self._revealed(kept, events)
        try:
            return np.array(kept, np.int64), events_as_columns(type(events[0]), events) if events else None
        except Unheld:
            return np.array(kept, np.int64), None

    def _one_by_one(self, topic: str, places: Sequence[int]) -> tuple[list[int], list[DomainEvent]]:
        """Of a topic with some that cannot be decoded, the others."""
        read: dict[int, DomainEvent] = {}
        for place in places:
            try:
                read[place] = self._mapper.decode(topic, self._events.states[place])  # type: ignore[arg-type]  # as above
            except MappingError:
                self.broken.append(place)
        return list(read), list(read.values())

    def _revealed(self, places: Sequence[int], sealed: list[DomainEvent]) -> tuple[list[int], list[DomainEvent]]:
        """The same events with personal fields in clear text, or withheld; all keys are looked up at once."""
        mapper, streams = self._mapper, self._events.streams
        if self._keys_of is None:
            return list(places), [mapper.withhold(event) for event in sealed]
        ids = [convert(streams[place], UUID) for place in places]
        subjects = list(map(mapper.subject_of, sealed, ids))
        wanted = {subject.int: subject for subject in subjects if subject is not None}  # hashing a UUID runs Python
        found = self._keys_of(wanted.values()) if wanted else {}
        keys = {subject.int: key for subject, key in found.items()}
        kept: list[int] = []
        clear: list[DomainEvent] = []
        for place, event, stream, subject in zip(places, sealed, ids, subjects, strict=True):
            try:
                clear.append(event if subject is None else mapper.reveal(event, stream, keys[subject.int]))
                kept.append(place)
            except MappingError:
                self.broken.append(place)
        return kept, clear


def id_texts(ids: Array) -> Array:
    """Ids, given as rows of 16 bytes of whatever type, as texts of 36 characters."""
    digits = _HEX[np.ascontiguousarray(ids).view(np.uint8).reshape(len(ids), 16)].view(np.uint8).reshape(len(ids), 32)
    texts = np.full((len(ids), 36), ord("-"), np.uint8)
    for first, last, at in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        texts[:, at : at + last - first] = digits[:, first:last]
    return texts.view("S36").ravel()
