"""How the rules fared over the loads: each with its score, its rules, and what it kept apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from replayhouse.domain.quality.batch import batch_of
from replayhouse.infra.application.quality_report import QualityReport
from replayhouse.infra.application.seen import seen_at
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.load_ids import load_ids, number_of_loads
from replayhouse.infra.loads.names import names_of
from replayhouse.infra.runtime.errors import UsageError


@dataclass(frozen=True)
class QualityOfLoads:
    """Some of the loads that a moment shows, the newest first, with their `sources`; `number` is how many there are."""

    loads: Sequence[QualityReport]
    number: int
    sources: Mapping[UUID, str | None]

    def document(self) -> dict[str, Any]:
        """As JSON shows it: of each load how many rules records broke, and how many targets it missed."""
        return {
            "number": self.number,
            "loads": [
                {
                    "batch": load.batch_id,
                    "name": load.batch.name,
                    "source": self.sources.get(load.batch_id),
                    "status": load.batch.status,
                    "opened_at": load.batch.opened_at,
                    "score": load.score,
                    "rows": load.batch.rows,
                    "quarantined": load.batch.quarantined,
                    "broken": load.broken,
                    "missed": load.missed,
                }
                for load in self.loads
            ],
        }


def quality_of_loads(site: Site, at: str | None, limit: int, offset: int) -> QualityOfLoads:
    """The reports of `limit` loads at most, after the newest `offset` ones; none says which rules quarantined what.

    Raises UsageError for what is no moment, and numbers that are none.
    """
    if limit < 1 or offset < 0:
        raise UsageError("A limit is 1 or more, and an offset 0 or more.")
    with site.as_reader.connect("replayhouse quality") as connection:
        up_to = seen_at(connection, at, None).position
        ids = load_ids(connection, up_to, limit, offset)
        streams = EventStore().streams(connection, "quality", ids, up_to)
        told = [QualityReport(load, batch_of(streams[load].effective_events), {}) for load in ids if load in streams]
        sources = {load: found.source for load, found in names_of(connection, ids).items()}
        return QualityOfLoads(told, number_of_loads(connection, up_to), sources)
