"""Rows that earlier loads kept apart and that pass now: their text stands in this extract, among the good rows.

An item may have come before its order, a row be one of two with the same key: in a later extract the very same text is
good. It is let in by that load, and quarantine says so.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import duckdb
import psycopg

from replayhouse.domain.quality.row import BY_LOAD, release, row_of, row_stream_id
from replayhouse.infra.loads.load_log import PostgresLoadLog
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.staging.staging import Staged
from replayhouse.ingest.batch import ROWS_AT_ONCE
from replayhouse.ingest.decision import Decision
from replayhouse.ingest.load import batched

ROWS_EVER_APART = """
SELECT DISTINCT originator_id
FROM event_store.quality_events
WHERE topic LIKE 'quality.RowQuarantined.%%'
ORDER BY originator_id
"""


def release_those_that_pass(
    connection: psycopg.Connection, log: PostgresLoadLog, staged: Staged, batch_id: UUID, at: datetime
) -> None:
    """Records the release of each row apart whose text this extract shows among its good rows.

    A file is read again only if rows of it stand apart. Done once more, by a load that goes on, it says nothing.
    """
    apart = _rows_apart(connection, log)
    if not apart:
        return
    for record in staged.quarantined():
        apart[record.file].discard(row_stream_id(record.file, record.text))
    for some in batched(_passing(staged, apart), ROWS_AT_ONCE):
        sources = dict(some)
        known = log.known_rows(list(sources))
        decisions = [
            Decision("quality", stream_id, event, source)
            for stream_id, source in sources.items()
            for event in release(
                row_of(known.events("quality", stream_id)), BY_LOAD, f"it passes in the load {batch_id}", at
            )
        ]
        log.append_quality(decisions, known)


def _rows_apart(connection: psycopg.Connection, log: PostgresLoadLog) -> dict[str, set[UUID]]:
    """The streams of the rows that stand apart, by file."""
    apart: dict[str, set[UUID]] = defaultdict(set)
    ever = [stream_id for (stream_id,) in connection.execute(ROWS_EVER_APART)]
    for stream_ids in batched(ever, ROWS_AT_ONCE):
        known = log.known_rows(stream_ids)
        for stream_id in stream_ids:
            row = row_of(known.events("quality", stream_id))
            if row.status == "quarantined":
                apart[row.file].add(stream_id)
    return apart


def _passing(staged: Staged, apart: dict[str, set[UUID]]) -> Iterator[tuple[UUID, str]]:
    """Streams of rows apart whose text stands among the good rows, with the line where it does."""
    with interruptible(duckdb.connect(str(staged.database), read_only=True)) as connection:
        for file, streams in apart.items():
            if file not in staged.extract.files or not streams:
                continue
            for line, text in staged.good_texts(connection, file):
                stream_id = row_stream_id(file, text)
                if stream_id in streams:
                    streams.discard(stream_id)
                    yield stream_id, f"{file}:{line}"
