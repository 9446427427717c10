"""The loads so far, as the write side knows them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.loads.source_names import known_source

_BATCHES = """
SELECT
    b.batch_id, b.name, b.status, b.opened_at, b.completed_at,
    coalesce((
        SELECT sum(counted.value::bigint)
        FROM event_store.batch_progress AS p, jsonb_each_text(p.events) AS counted
        WHERE p.batch_id = b.batch_id AND counted.key <> 'quality'
    ), 0)::bigint AS events,
    CASE WHEN b.status <> 'rejected' THEN (b.outcome ->> 'score')::float8 END AS score,
    b.run_by, b.run_on, b.program, coalesce(b.source ->> 'name', %(built_in)s)
FROM event_store.batch AS b
WHERE b.kind = 'load' AND (%(source)s::text IS NULL OR coalesce(b.source ->> 'name', %(built_in)s) = %(source)s)
ORDER BY b.batch_seq
"""


class Batch(NamedTuple):
    """A load in the list of loads. `events` are those it appended so far, without the quality context's.

    `by`, `machine` and `program` tell who ran it, where, and with which version of the program; None where that was
    not noted. `source` is that of the mapping, or olist, which the nine files are of.
    """

    batch_id: UUID
    name: str
    status: str
    opened_at: datetime
    completed_at: datetime | None
    events: int
    score: float | None
    by: str | None
    machine: str | None
    program: str | None
    source: str

    def document(self, *names: str) -> dict[str, object]:
        """The load as JSON shows it: these of its fields, or all."""
        fields = {"batch": self.batch_id, **self._asdict()}
        del fields["batch_id"]
        return {name: fields[name] for name in names or fields}


def batches(site: Site, source: str | None = None) -> list[Batch]:
    """The loads so far, or those of a source, the oldest first. Raises Unknown where there is none of that source."""
    with site.as_reader.connect("replayhouse batches") as connection:
        if source is not None:
            known_source(connection, source)
        return all_batches(connection, source)


def all_batches(connection: psycopg.Connection, source: str | None = None) -> list[Batch]:
    """The same, on a connection that is there."""
    return [Batch(*row) for row in connection.execute(_BATCHES, {"built_in": BUILT_IN, "source": source})]
