"""The loads so far, as the write side knows them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.application.site import Site

_BATCHES = """
SELECT
    b.batch_id, b.name, b.status, b.opened_at, b.completed_at,
    coalesce((
        SELECT sum(counted.value::bigint)
        FROM event_store.batch_progress AS p, jsonb_each_text(p.events) AS counted
        WHERE p.batch_id = b.batch_id AND counted.key <> 'quality'
    ), 0)::bigint AS events,
    CASE WHEN b.status <> 'rejected' THEN (b.outcome ->> 'score')::float8 END AS score,
    b.run_by, b.run_on, b.program
FROM event_store.batch AS b
WHERE b.kind = 'load'
ORDER BY b.batch_seq
"""


class Batch(NamedTuple):
    """A load in the list of loads. `events` are those it appended so far, without the quality context's.

    `by`, `machine` and `program` tell who ran it, where, and with which version of the program; None where that was
    not noted.
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

    def document(self, *names: str) -> dict[str, object]:
        """The load as JSON shows it: these of its fields, or all."""
        fields = {"batch": self.batch_id, **self._asdict()}
        del fields["batch_id"]
        return {name: fields[name] for name in names or fields}


def batches(site: Site) -> list[Batch]:
    """The loads so far, the oldest first."""
    with site.as_reader.connect("replayhouse batches") as connection:
        return all_batches(connection)


def all_batches(connection: psycopg.Connection) -> list[Batch]:
    """The same, on a connection that is there."""
    return [Batch(*row) for row in connection.execute(_BATCHES)]
