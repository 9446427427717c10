"""Which records each complete source had: what later loads of it look up, and what is said of those that it lacks."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psycopg

from replayhouse.infra.loads.load_log import OWNED, OpenLoad
from replayhouse.infra.loads.missing_kinds import LoadNamed, MissingKind, Place, Since, documents_of_missing
from replayhouse.infra.loads.opened import Complete
from replayhouse.infra.privacy.mentions import erased_people
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.staging.missing import MissingRecords, write_changes
from replayhouse.infra.staging.staging import Staged

COPY_BYTES = 1 << 20

EXPORT_RECORDS = """
    COPY (
        WITH of_source AS (
            SELECT batch_seq, coalesce(outcome ? 'missing_records', false) AS is_complete
            FROM event_store.batch
            WHERE kind = 'load' AND status <> 'retracted' AND source ->> 'name' = current_setting('replayhouse.source')
                AND batch_seq < current_setting('replayhouse.batch_seq')::int
        )
        SELECT batch_seq, file, key, line, order_id, line IS NOT NULL AS is_there
        FROM event_store.source_record JOIN of_source USING (batch_seq)
        UNION ALL
        SELECT batch_seq, file, key, NULL, NULL, true
        FROM event_store.row_fingerprint JOIN of_source USING (batch_seq)
        WHERE NOT is_complete
            AND file IN ('categories', 'customers', 'geolocation', 'orders', 'products', 'sellers')
    ) TO STDOUT (FORMAT csv, HEADER)
"""
"""Loads that may leave records out say of what they brought that it was there. They do not of parts of orders, which
would have to name the order, so that those of people who were erased since are not missed."""

IN_PART = "in_part"
"""What the outcome of a load calls the kinds of records of which not everything was looked for."""

EXPORT_LOADS = """
    COPY (
        SELECT batch_seq, made.file
        FROM event_store.batch
        CROSS JOIN LATERAL jsonb_object_keys(source -> 'files') AS made (file)
        WHERE kind = 'load' AND status = 'completed' AND source ->> 'name' = current_setting('replayhouse.source')
            AND outcome ? 'missing_records' AND NOT coalesce(outcome -> 'in_part' ? made.file, false)
            AND batch_seq < current_setting('replayhouse.batch_seq')::int
    ) TO STDOUT (FORMAT csv, HEADER)
"""
EXPORTS = {"source_records.csv": EXPORT_RECORDS, "complete_loads.csv": EXPORT_LOADS}

FORGET = "DELETE FROM event_store.source_record WHERE batch_seq = %s"
KEEP = "COPY event_store.source_record (batch_seq, file, key, line, order_id) FROM STDIN (FORMAT csv)"
LOADS = "SELECT batch_seq, batch_id, name, source -> 'files' FROM event_store.batch WHERE batch_seq = ANY(%s)"


def export_source_records(connection: psycopg.Connection, source: str, before_batch_seq: int, directory: Path) -> None:
    """Writes what the loads of a source before a number found of its records, and who was erased since."""
    with connection.transaction():
        connection.execute("SELECT set_config('replayhouse.batch_seq', %s, true)", (str(before_batch_seq),))
        connection.execute("SELECT set_config('replayhouse.source', %s, true)", (source,))
        for name, query in EXPORTS.items():
            with (directory / name).open("wb") as file, connection.cursor().copy(query) as copy:
                for block in copy:
                    file.write(block)
    people = "".join(f"{person}\n" for person in erased_people(connection))
    (directory / "erased.csv").write_text(f"customer_id\n{people}", encoding="ascii")


def keep_source_records(connection: psycopg.Connection, load: OpenLoad, staged: Staged, scratch: Path) -> None:
    """Keeps what a load found of its source's records, in the place of what it kept before it was killed.

    Raises Conflicting if another process has taken the load over.
    """
    changes = scratch / "source_records.csv"
    with closing(interruptible(duckdb.connect(str(staged.database), read_only=True))) as work:
        write_changes(work, load.batch_seq, changes)
    with connection.transaction():
        if connection.execute(OWNED, (load.batch_id, load.owner)).fetchone() is None:
            raise Conflicting(f"another process has taken over the load {load.batch_id}: this one ends here")
        connection.execute(FORGET, (load.batch_seq,))
        with changes.open("rb") as file, connection.cursor().copy(KEEP) as copy:
            while block := file.read(COPY_BYTES):
                copy.write(block)


def outcome_of_missing(complete: Complete | None, missing: Sequence[MissingKind] | None) -> dict[str, object]:
    """What the outcome of a load keeps of what was missing; nothing of a source whose extracts may lack records."""
    in_part = {IN_PART: list(complete.in_part)} if complete is not None and complete.in_part else {}
    return {**documents_of_missing(missing), **in_part}


class _Load(NamedTuple):
    named: LoadNamed
    files: Mapping[str, Any]

    def place(self, kind: str, line: int | None) -> Place:
        return Place(self.files[kind]["name"], line, self.named)


def told_of_missing(
    connection: psycopg.Connection, complete: Complete | None, found: Sequence[MissingRecords]
) -> tuple[MissingKind, ...] | None:
    """What is said of the records that a load misses: of each kind that lacks some.

    Nothing of a source that is not held against it, None of one that does not say that its extracts hold everything.
    """
    if complete is None:
        return None
    lacking = [some for some in found if some.counts.lacking and complete.is_told]
    if not lacking:
        return ()
    told = [number for some in lacking for number, *_ in some.since]
    loads = _loads(connection, told + [number for some in lacking for number, _ in some.first])
    return tuple(
        MissingKind(
            *some.counts,
            tuple(Since(records, loads[last_in].named, is_new) for last_in, is_new, records in some.since),
            tuple(loads[stood_in].place(some.counts.file, line) for stood_in, line in some.first),
        )
        for some in lacking
    )


def _loads(connection: psycopg.Connection, numbers: Collection[int]) -> dict[int, _Load]:
    rows = connection.execute(LOADS, (list(numbers),)).fetchall()
    return {number: _Load(LoadNamed(batch, name), files) for number, batch, name, files in rows}
