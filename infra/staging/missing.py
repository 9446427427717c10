"""What a staged extract lacks of what earlier loads of its source brought (sql/missing.sql)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from replayhouse.ingest.assess import Missing

FIRST = 3
"""So many of each kind are named."""

COUNTS = "SELECT file, known, missing, unreadable FROM missing_count ORDER BY file"
FIRST_MISSING = """
    SELECT brought_in, line FROM missing_record WHERE file = $file ORDER BY brought_in, line, key LIMIT $first"""
SINCE = """
    SELECT missing_in, count(*) FROM missing_record WHERE file = $file GROUP BY missing_in
    ORDER BY missing_in DESC NULLS FIRST"""
CHANGES = """
    COPY (SELECT {batch_seq} AS batch_seq, file, key, line, order_id FROM source_change) TO '{path}' (HEADER false)"""


class MissingRecords(NamedTuple):
    """Of one kind of record, what is missing: how many, by which load missed first, and the first ones by their place.

    Loads are told by their numbers. `since` counts by the load that missed them first, None being this one; `first`
    are a load that brought a record, and the line on which it stood there.
    """

    counts: Missing
    since: tuple[tuple[int | None, int], ...]
    first: tuple[tuple[int, int], ...]


def read_missing(connection: duckdb.DuckDBPyConnection) -> Iterator[MissingRecords]:
    """What is missing of each kind of record that the extract is about; nothing where its source is not complete."""
    for row in connection.execute(COUNTS).fetchall():
        counts, since, first = Missing(*row), [], []
        if counts.missing:
            since = connection.execute(SINCE, {"file": counts.file}).fetchall()
            first = connection.execute(FIRST_MISSING, {"file": counts.file, "first": FIRST}).fetchall()
        yield MissingRecords(counts, tuple(since), tuple(first))


def write_changes(connection: duckdb.DuckDBPyConnection, batch_seq: int, path: Path) -> None:
    """Writes which records are there first or again, and which are missing, as CSV for `event_store.source_record`."""
    connection.execute(CHANGES.format(batch_seq=batch_seq, path=str(path).replace("'", "''")))
