"""Streams out of stored events, many at a time: rows become events with their personal fields in clear text.

This is the hot loop of every rebuild and every replay: 1.5 million events at full size. Where the rows come from is not
its concern (`stream_source` takes them from the database), and nothing here needs one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import msgspec

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.event_store.serialization.errors import MappingError, NewerVersion
from replayhouse.infra.event_store.serialization.mapper import Mapper, mapper_of_our_events
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.projections.projection import Stream

EVENTS_A_BATCH = 4_000
"""Events decoded at once, give or take a stream: few enough for memory, many enough to look keys up in bulk."""

StoredRow = tuple[bytes, int, str, bytes | memoryview]
"""Of an event: the 16 bytes of its stream, its position, topic, and state."""

_PERSONAL = frozenset(event_type for _, event_type in REGISTRY.topics if personal_fields(event_type))


class StoredStream(NamedTuple):
    """All that was read of a stream, rewound events too; `positions` are those of the events, ascending.

    `error` says why an event of it could not be decoded; it has no events then.
    """

    stream_id: UUID
    positions: list[int]
    events: list[DomainEvent]
    error: MappingError | None = None

    def effective(self) -> Stream:
        """The stream as a fold sees it."""
        return Stream(self.stream_id, self.positions[-1], effective(self.events))

    def effective_up_to(self, position: int) -> Stream | None:
        """The stream as a fold saw it at a position; None if it had no event yet."""
        seen = bisect_right(self.positions, position)
        if seen == 0:
            return None
        return Stream(self.stream_id, self.positions[seen - 1], effective(self.events[:seen]))


class StreamReader:
    """Makes streams of rows. `keys_of` looks up keys of personal fields; None: they are withheld."""

    def __init__(self, keys_of: KeysOf | None, mapper: Mapper | None = None) -> None:
        self.keys_of = keys_of
        self.mapper = mapper or mapper_of_our_events()

    def read(self, rows: Iterable[StoredRow]) -> Iterator[list[StoredStream]]:
        """Streams of rows that are ordered by stream and version, in batches of a few thousand events.

        Raises NewerVersion.
        """
        decode, convert = (
            self.mapper.decode,
            msgspec.convert,
        )  # which makes a UUID in a third of its constructor's time
        batch: list[StoredStream] = []
        current, held = b"", 0
        positions: list[int] = []
        events: list[DomainEvent] = []
        for stream, position, topic, state in rows:
            if stream != current:
                if held >= EVENTS_A_BATCH:
                    yield self._revealed(batch)
                    batch, held = [], 0
                current, positions, events = stream, [], []
                batch.append(StoredStream(convert(stream, UUID), positions, events))
            positions.append(position)
            held += 1
            try:
                events.append(decode(topic, state))  # type: ignore[arg-type]  # any buffer will do
            except NewerVersion:  # not the stream's fault, and parking it would hide that the program is too old
                raise
            except MappingError as error:
                if batch[-1].error is None:
                    batch[-1] = batch[-1]._replace(error=error)
        if batch:
            yield self._revealed(batch)

    def _revealed(self, batch: list[StoredStream]) -> list[StoredStream]:
        """The same streams with personal fields in clear text, or withheld; all keys are looked up at once."""
        sealed = [
            (place, event) for place, stream in enumerate(batch) for event in stream.events if type(event) in _PERSONAL
        ]
        if self.keys_of is None:
            for _, event in sealed:
                self.mapper.withhold(event)
            return batch
        subject_of = self.mapper.subject_of
        subjects = [subject_of(event, batch[place].stream_id) for place, event in sealed]
        wanted = {subject for subject in subjects if subject is not None}
        keys = self.keys_of(wanted) if wanted else {}
        reveal = self.mapper.reveal
        for (place, event), subject in zip(sealed, subjects, strict=True):
            if subject is not None:
                try:
                    reveal(event, batch[place].stream_id, keys[subject])
                except MappingError as error:
                    batch[place] = batch[place]._replace(error=error)
        return batch


def whole_streams(rows: Iterable[StoredRow], events: int) -> Iterator[list[StoredRow]]:
    """Rows that are ordered by stream, so many at once, and as many more as the last stream has."""
    rest = iter(rows)
    some = list(islice(rest, events))
    while some:
        last, following = some[-1][0], []
        for row in rest:
            if row[0] != last:
                following.append(row)
                break
            some.append(row)
        yield some
        some = [*following, *islice(rest, events - 1)] if following else []


def described(error: Exception) -> str:
    """What a person needs to know of an error that a fold or a decoder raised."""
    return f"{type(error).__name__}: {error}".rstrip(".")
