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
    SELECT stood_in, line FROM missing_record WHERE file = $file ORDER BY stood_in, line NULLS LAST, key LIMIT $first"""
SINCE = """
    SELECT last_in, missing_in IS NULL AS is_new, count(*) FROM missing_record WHERE file = $file
    GROUP BY ALL ORDER BY is_new DESC, last_in DESC"""
CHANGES = """
    COPY (SELECT {batch_seq} AS batch_seq, file, key, line, order_id FROM source_change) TO '{path}' (HEADER false)"""


class MissingRecords(NamedTuple):
    """Of one kind of record, what is missing: how many, which load had them last, and the first ones by their place.

    Loads are told by their numbers. `since` counts by the load that had them last, and by whether no load before this
    one missed them; `first` are a load that a record stood in, and its line there, None where no load has kept it.
    """

    counts: Missing
    since: tuple[tuple[int, bool, int], ...]
    first: tuple[tuple[int, int | None], ...]


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
