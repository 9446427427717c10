"""Stored events of many streams, read, revealed, and held as columns: what a fold on columns is given."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from uuid import UUID

import numpy as np
from msgspec import convert

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.columns.fields import Unheld, events_as_columns
from replayhouse.infra.columns.held import Records
from replayhouse.infra.columns.numbers import Ints
from replayhouse.infra.columns.opening import opened
from replayhouse.infra.columns.shapes import groups_of
from replayhouse.infra.columns.states import States, read_states
from replayhouse.infra.columns.stored import StoredEvents
from replayhouse.infra.columns.values import Array, Uuids
from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.event_store.serialization.errors import MappingError
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.projections.projection import Stream

_PERSONAL = frozenset(event_type for _, event_type in REGISTRY.topics if personal_fields(event_type))
_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), "S2")


class Batch:
    """Streams, numbered in their order, whose events are columns.

    `is_held` tells of each stream whether all its events are: not those that are broken, or odd (`fields.py`). Raises
    what `keys_of` raises; None for it: personal fields are withheld.
    """

    def __init__(self, events: StoredEvents, mapper: Mapper, keys_of: KeysOf | None) -> None:
        number = len(events)
        self.starts = events.begins
        self.counts = np.diff(self.starts, append=number)
        self.stream_of = np.repeat(np.arange(len(self.starts)), self.counts)
        self.is_held = np.ones(len(self.starts), bool)
        self._ids = id_texts(events.streams[self.starts])
        self._positions = events.positions[self.starts + self.counts - 1]
        self._kinds = np.zeros(number, np.int64)
        self._columns: list[Records] = []
        self._which = np.zeros(number, np.int64)  # of the columns an event stands in
        self._row = np.zeros(number, np.int64)
        reading = _Reading(events, mapper, keys_of)
        numbers, first = np.unique(events.topic_of, return_index=True)
        for number in numbers[np.argsort(first)]:  # in the order of the log: rows have the same one in every run
            self._hold(reading, events.topics[number], np.flatnonzero(events.topic_of == number))

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

    def _hold(self, reading: "_Reading", topic: str, places: Array) -> None:
        places, columns = reading.read(topic, places)
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
        self._states = States(events.states)
        self.broken: list[int] = []

    def read(self, topic: str, places: Array) -> tuple[Array, Records | None]:
        """The events of a topic, and their places, which are given; None where no columns are made of such events."""
        try:
            event_type, upcasters = REGISTRY.event_type_of(topic), REGISTRY.upcasters_of(topic)
        except MappingError:
            return places, None
        if not upcasters:
            with suppress(Unheld):
                starts, ends = self._events.starts[places], self._events.ends[places]
                columns, is_good = read_states(event_type, self._states, starts, ends)
                self.broken += places[~is_good].tolist()
                if event_type in _PERSONAL:
                    columns = self._opened(columns, places, np.flatnonzero(is_good))
                return places, columns
        return self._decoded(topic, places.tolist())

    def _opened(self, columns: Records, places: Array, rows: Array) -> Records:
        """The same with personal fields in clear text, or withheld."""
        found = opened(columns, rows, self._events.ids(places[rows]), self._keys_of)
        self.broken += places[found.broken].tolist()
        return found.columns

    def _decoded(self, topic: str, places: Sequence[int]) -> tuple[Array, Records | None]:
        state, decode = self._events.state, self._mapper.decode
        kept, events = list(places), []
        try:
            events = [decode(topic, state(place)) for place in places]
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
                read[place] = self._mapper.decode(topic, self._events.state(place))
            except MappingError:
                self.broken.append(place)
        return list(read), list(read.values())

    def _revealed(self, places: Sequence[int], sealed: list[DomainEvent]) -> tuple[list[int], list[DomainEvent]]:
        """The same events with personal fields in clear text, or withheld; all keys are looked up at once."""
        mapper = self._mapper
        if self._keys_of is None:
            return list(places), [mapper.withhold(event) for event in sealed]
        ids = [convert(stream, UUID) for stream in self._events.ids(np.array(places, np.int64))]
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
