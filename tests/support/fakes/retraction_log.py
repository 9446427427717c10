"""The log in memory as one retraction sees it, for tests of the use case: it keeps the promises of tests/contracts."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import numbered
from replayhouse.ingest.retract import Touched, retraction_id_of
from tests.support.fakes.load_log import MemoryLog, MemoryStream


class MemoryRetractionLog:
    """The log as one retraction sees it (port RetractionLog)."""

    def __init__(self, log: MemoryLog, load_id: UUID) -> None:
        self._log = log
        self._load_id = load_id
        self._batch_id = retraction_id_of(load_id)

    def next_touched(self, limit: int) -> Sequence[Touched]:
        """The next streams of the load, by context and id."""
        after = self._log.rewound_to.get(self._load_id)
        left = sorted(place for place in self._firsts() if after is None or place > after)[:limit]
        return [self._touched(place) for place in left]

    def append_rewinds(self, streams: Sequence[Touched], decisions: Sequence[Decision]) -> None:
        """Appends one event for each of the streams."""
        places = zip(streams, decisions, strict=True)
        self._log.append(
            [Recorded(s.context, s.stream_id, s.last_version + 1, d.event, d.source) for s, d in places],
            self._batch_id,
        )
        self._log.rewound_to[self._load_id] = CONTEXTS.index(streams[-1].context), streams[-1].stream_id

    def events_of_load(self) -> dict[str, int]:
        """How many events the load has in each context, those of its own stream left out."""
        events = dict.fromkeys(CONTEXTS, 0)
        for recorded in self._of_load():
            events[recorded.context] += 1
        return events

    def known_load(self) -> Known:
        """The load's own stream."""
        told = self._log.events("quality", self._load_id)
        return Known({"quality": {self._load_id: MemoryStream(tuple(told))}} if told else {})

    def finish(self, decisions: Sequence[Decision], known: Known) -> None:
        """Appends what the load says of itself; it counts no longer."""
        recorded = [
            Recorded(context, stream_id, version, event, source)
            for (context, stream_id, event, source), version in numbered(decisions, known)
        ]
        self._log.append(recorded, self._batch_id)
        self._log.forget(self._load_id)

    def _of_load(self) -> Iterator[Recorded]:
        for recorded, batch_id in zip(self._log.recorded, self._log.batches, strict=True):
            if batch_id == self._load_id and recorded.stream_id != self._load_id:
                yield recorded

    def _firsts(self) -> dict[tuple[int, UUID], int]:
        """The streams of the load, each with the version of the load's first event there."""
        firsts: dict[tuple[int, UUID], int] = {}
        for context, stream_id, version, _, _ in self._of_load():
            firsts.setdefault((CONTEXTS.index(context), stream_id), version)
        return firsts

    def _touched(self, place: tuple[int, UUID]) -> Touched:
        context, stream_id = CONTEXTS[place[0]], place[1]
        return Touched(context, stream_id, self._firsts()[place], len(self._log.events(context, stream_id)))
