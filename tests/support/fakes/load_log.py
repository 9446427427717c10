"""The log in memory: what PostgreSQL does, for tests of the use case. It keeps the same promises (tests/contracts)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from replayhouse.domain.customer.events import ReviewSubmitted
from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.runtime.errors import Conflict
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import numbered
from replayhouse.ingest.ports import Chunk, Due, Progress, Unit
from replayhouse.ingest.work import Family, PersonWork

if TYPE_CHECKING:
    from tests.support.fakes.work import MemoryWork


@dataclass(frozen=True)
class MemoryStream:
    """A stream as the log has it."""

    events: Sequence[DomainEvent]

    @property
    def last_version(self) -> int:
        """The version of its newest event."""
        return len(self.events)

    @property
    def effective_events(self) -> Sequence[DomainEvent]:
        """The events that count, in order."""
        return effective(self.events)


class MemoryDue(NamedTuple):
    """From when on a person is lapsed, and the number of the load that found it out."""

    at: date | None
    load: int


@dataclass
class MemoryLog:
    """All that loads have appended: events in order, and what later loads look up.

    `loads` maps the loads so far to the dates as of which they evaluate segments, `taken_back` are those that count no
    longer. `batches` has the load or retraction of each recorded event. `seen` holds the newest row of each record by
    file and key, `sellers` those of an order's lines, `due` the newest date of each person.
    """

    loads: dict[UUID, date | None] = field(default_factory=dict)
    taken_back: set[UUID] = field(default_factory=set)
    recorded: list[Recorded] = field(default_factory=list)
    batches: list[UUID | None] = field(default_factory=list)
    streams: dict[tuple[str, UUID], list[DomainEvent]] = field(default_factory=lambda: defaultdict(list))
    progress: dict[tuple[UUID, Unit], Progress] = field(default_factory=dict)
    seen: dict[tuple[str, object], object] = field(default_factory=dict)
    aliases: dict[UUID, UUID] = field(default_factory=dict)
    persons: dict[UUID, UUID] = field(default_factory=dict)
    sellers: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    seller_zips: dict[UUID, str] = field(default_factory=dict)
    reviews: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    due: dict[UUID, MemoryDue] = field(default_factory=dict)
    rewound_to: dict[UUID, tuple[int, UUID]] = field(default_factory=dict)
    _before: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def open_load(self, batch_id: UUID, as_of: date | None, work: "MemoryWork | None" = None) -> "MemoryLoadLog":
        """A load begins, or goes on; the loads before it are done."""
        if batch_id not in self.loads:
            self.loads[batch_id] = as_of
            self._before[batch_id] = {name: deepcopy(getattr(self, name)) for name in LOOKUPS}
        return MemoryLoadLog(self, batch_id, work)

    def forget(self, load_id: UUID) -> None:
        """What later loads look up is as it was before the load, the newest of all, which counts no longer."""
        self.taken_back.add(load_id)
        for name, lookup in self._before[load_id].items():
            setattr(self, name, lookup)

    def events(self, context: str, stream_id: UUID) -> list[DomainEvent]:
        """The events of one stream, in order; none of a stream that is not there."""
        return self.streams.get((context, stream_id), [])

    def append(self, recorded: Sequence[Recorded], batch_id: UUID | None = None) -> None:
        """Appends all or nothing. Raises Conflict where a version is not the next one of its stream."""
        ends: dict[tuple[str, UUID], int] = {}
        for context, stream_id, version, _, _ in recorded:
            stream = (context, stream_id)
            last = ends.get(stream, len(self.events(*stream)))
            if version != last + 1:
                raise Conflict(f"{context} {stream_id} is at version {last}, and {version} does not follow it")
            ends[stream] = version
        for event in recorded:
            self.streams[event.context, event.stream_id].append(event.event)
        self.recorded += recorded
        self.batches += [batch_id] * len(recorded)


LOOKUPS = ("seen", "aliases", "persons", "sellers", "seller_zips", "reviews", "due")
"""What later loads look up of earlier ones."""


class MemoryLoadLog:
    """The log as one load sees it (ports LoadLog and QualityLog). Without `work`, later loads find only events."""

    def __init__(self, log: MemoryLog, batch_id: UUID, work: "MemoryWork | None" = None) -> None:
        self._log = log
        self._batch_id = batch_id
        self._number = list(log.loads).index(batch_id)
        self._work = work

    def progress(self, unit: Unit) -> Progress:
        """How far a unit is, should an earlier process have begun it."""
        return self._log.progress.get((self._batch_id, unit), Progress(0, unit.start, is_done=False))

    def known(self, families: Sequence[Family]) -> tuple[Known, Mapping[UUID, list[UUID]]]:
        """All streams of the log, and the review streams of the families' orders."""
        order_ids = [order.order_id for family in families if isinstance(family, PersonWork) for order in family.orders]
        reviews = {order_id: self._log.reviews[order_id] for order_id in order_ids if order_id in self._log.reviews}
        return self._known(), reviews

    def known_customers(self, customer_ids: Collection[UUID]) -> Known:
        """The streams that the log has of some persons."""
        return self._known(set(customer_ids))

    def known_rows(self, stream_ids: Sequence[UUID]) -> Known:
        """The streams that the log has of a batch or of quarantined rows."""
        return self._known(set(stream_ids))

    def append(self, chunk: Chunk, known: Known) -> int:
        """Appends a chunk with what later loads look up and its progress; returns the events."""
        self._append(chunk.decisions, known)
        if self._work is not None:
            self._work.remember(self._log, chunk.after, chunk.up_to)
        for event in (decision.event for decision in chunk.decisions):
            if isinstance(event, ReviewSubmitted):
                self._log.reviews[event.order_id].append(review_stream_id(event.review_id, event.order_id))
        self._remember_due(chunk.due)
        is_done = chunk.up_to == chunk.unit.end
        self._log.progress[self._batch_id, chunk.unit] = Progress(chunk.part + 1, chunk.up_to, is_done)
        return len(chunk.decisions)

    def append_lapsed(self, decisions: Sequence[Decision], due: Sequence[Due], known: Known) -> int:
        """Appends the evaluation of persons whom the extract does not show; returns the events."""
        self._append(decisions, known)
        self._remember_due(due)
        return len(decisions)

    def append_quality(self, decisions: Sequence[Decision], known: Known) -> int:
        """Appends events of the quality context; returns how many."""
        self._append(decisions, known)
        return len(decisions)

    def due_customers(self, as_of: date, limit: int) -> list[UUID]:
        """Persons whose evaluation is due as of a date; `limit` at most.

        As of an earlier date than that of the load before, all persons without a date are due too, once.
        """
        due = {customer_id for customer_id, (at, _) in self._log.due.items() if at is not None and at <= as_of}
        loads = list(self._log.loads.items())[: self._number]
        before = [day for load_id, day in loads if day is not None and load_id not in self._log.taken_back]
        if before and as_of < before[-1]:
            undated = MemoryDue(None, -1)
            newest = {person: self._log.due.get(person, undated) for person in self._log.persons.values()}
            due |= {person for person, (at, load) in newest.items() if at is None and load < self._number}
        return sorted(due)[:limit]

    def _remember_due(self, due: Iterable[Due]) -> None:
        self._log.due.update({customer_id: MemoryDue(at, self._number) for customer_id, at in due})

    def _append(self, decisions: Sequence[Decision], known: Known) -> None:
        self._log.append(
            [
                Recorded(context, stream_id, version, event, source)
                for (context, stream_id, event, source), version in numbered(decisions, known)
            ],
            self._batch_id,
        )

    def _known(self, only: set[UUID] | None = None) -> Known:
        """Streams as they are now: what is appended afterwards is not known."""
        streams: dict[str, dict[UUID, MemoryStream]] = defaultdict(dict)
        for (context, stream_id), events in self._log.streams.items():
            if only is None or stream_id in only:
                streams[context][stream_id] = MemoryStream(tuple(events))
        return Known(streams)
