"""One load in detail: its files and what became of their records, its events, and how it ended."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from replayhouse.domain.quality.batch import Batch as Told
from replayhouse.domain.quality.batch import batch_of
from replayhouse.domain.quality.events import ExtractFile, FileCount
from replayhouse.infra.application.batches import Batch, all_batches
from replayhouse.infra.application.seen import Seen, seen_at
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.history import HistoricEvent, history_of
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.load_events import Span, events_by_topic, span_of
from replayhouse.infra.loads.names import known_load_named

FEW = 100_000
"""So many events are counted by topic without being asked to: in a tenth of a second or so."""


class FileDetails(NamedTuple):
    """A file of a load; `counts` is None until all of it stands in the log."""

    file: ExtractFile
    counts: FileCount | None


@dataclass(frozen=True)
class LoadDetails:
    """A load as of a moment. `told` is what its own events say up to there, `batch` how it stands now.

    `span` is where in the log it is, None of one that appended nothing. `topics` counts its events by topic, None where
    there are many and nobody asked. `own` are the events of its own stream; `before` and `after` the loads beside it.
    """

    batch: Batch
    told: Told
    seen: Seen
    span: Span | None
    topics: Counter[str] | None
    own: list[HistoricEvent]
    before: Batch | None
    after: Batch | None

    @property
    def files(self) -> list[FileDetails]:
        """Its files, by name."""
        counts = {one.file: one for one in self.told.file_counts}
        return [FileDetails(file, counts.get(file.file)) for file in self.told.files]


def load_details(site: Site, load: str, at: str | int | None, *, counts: bool) -> LoadDetails:
    """The load with that id or name, or how either begins; `counts` the events by topic even of a large one.

    Raises Unknown where there is no such load, UsageError for what is no moment.
    """
    with site.as_reader.connect("replayhouse load", autocommit=True) as conn:
        seen = seen_at(conn, at, None)
        load_id = known_load_named(conn, load)
        loads = all_batches(conn)
        place = next(place for place, one in enumerate(loads) if one.batch_id == load_id)
        stream = EventStore().streams(conn, "quality", [load_id], seen.position).get(load_id)
        span = span_of(conn, load_id)
        is_counted = span is not None and (counts or span.events <= FEW)
        return LoadDetails(
            loads[place],
            batch_of([] if stream is None else stream.effective_events),
            seen,
            span,
            events_by_topic(conn, load_id, span) if span is not None and is_counted else None,
            history_of(conn, HistoryKind.BATCH, load_id),
            loads[place - 1] if place else None,
            loads[place + 1] if place + 1 < len(loads) else None,
        )
