"""Which records each complete source had: what later loads of it look up, and what is said of those that it lacks."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import duckdb
import psycopg

from replayhouse.infra.loads.load_log import OWNED, OpenLoad
from replayhouse.infra.loads.opened import Complete
from replayhouse.infra.privacy.mentions import erased_people
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.staging.missing import MissingRecords, write_changes
from replayhouse.infra.staging.staging import Staged

COPY_BYTES = 1 << 20

KEPT_AS = "missing_records"
"""What it is called in the outcome of a load; a load without it is of a source that may leave records out."""

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

EXPORT_LOADS = """
    COPY (
        SELECT batch_seq
        FROM event_store.batch
        WHERE kind = 'load' AND status = 'completed' AND source ->> 'name' = current_setting('replayhouse.source')
            AND outcome ? 'missing_records' AND batch_seq < current_setting('replayhouse.batch_seq')::int
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


class LoadNamed(NamedTuple):
    """A load by its id and its name."""

    batch: UUID
    name: str

    def document(self) -> dict[str, str]:
        """As JSON shows it, and the table of loads keeps it."""
        return {"batch": str(self.batch), "name": self.name}


class Since(NamedTuple):
    """So many of the records that are missing stood last in a load; `is_new`: no load before this one missed them."""

    records: int
    last_in: LoadNamed
    is_new: bool

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {**self._asdict(), "last_in": self.last_in.document()}


class Place(NamedTuple):
    """Where a record stood: a line of a real file, in the load that had it there; None where no line was kept."""

    file: str
    line: int | None
    load: LoadNamed

    @property
    def of_file(self) -> str:
        """For people: file and line."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {**self._asdict(), "load": self.load.document()}


class MissingKind(NamedTuple):
    """Of one kind of record what earlier loads of the source brought, and the extract lacks.

    `unreadable` records of the extract have a key that cannot be read, so that they may be some of them.
    """

    file: str
    known: int
    missing: int
    unreadable: int
    since: tuple[Since, ...]
    first: tuple[Place, ...]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            **self._asdict(),
            "since": [since.document() for since in self.since],
            "first": [place.document() for place in self.first],
        }


class _Load(NamedTuple):
    named: LoadNamed
    files: Mapping[str, Any]

    def place(self, kind: str, line: int | None) -> Place:
        return Place(self.files[kind]["name"], line, self.named)


def told_of_missing(
    connection: psycopg.Connection, complete: Complete | None, found: Sequence[MissingRecords]
) -> tuple[MissingKind, ...] | None:
    """What is said of the records that a load misses: of each kind that lacks some.

    None of a source that does not say that its extracts hold everything.
    """
    if complete is None:
        return None
    lacking = [some for some in found if some.counts.lacking]
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


def kept_of_missing(missing: Sequence[MissingKind] | None) -> dict[str, object]:
    """What the table of loads keeps of it, in the outcome of a load."""
    return {} if missing is None else {KEPT_AS: [kind.document() for kind in missing]}


def missing_kept(outcome: Mapping[str, Any]) -> tuple[MissingKind, ...] | None:
    """The same, of the outcome that a load has."""
    kept = outcome.get(KEPT_AS)
    return None if kept is None else tuple(map(_missing_kind, kept))


def _missing_kind(document: Mapping[str, Any]) -> MissingKind:
    since = (Since(one["records"], _load_named(one["last_in"]), one["is_new"]) for one in document["since"])
    first = (Place(one["file"], one["line"], _load_named(one["load"])) for one in document["first"])
    return MissingKind(**{**document, "since": tuple(since), "first": tuple(first)})


def _load_named(document: Mapping[str, str]) -> LoadNamed:
    return LoadNamed(UUID(document["batch"]), document["name"])
