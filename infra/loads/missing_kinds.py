"""What is said of records that an extract lacks, though earlier loads of its source brought them; as the table of loads
keeps it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.sources.lineage import may_read_of_loads

KEPT_AS = "missing_records"
"""What it is called in the outcome of a load; a load without it is of a source that may leave records out."""

OF_LOAD = "SELECT outcome FROM event_store.batch WHERE batch_id = %s"


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


def documents_of_missing(missing: Sequence[MissingKind] | None) -> dict[str, object]:
    """As JSON shows it, and the outcome of a load keeps it."""
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


def missing_of(connection: psycopg.Connection, load: UUID) -> tuple[MissingKind, ...] | None:
    """What a load has kept of it; None where it kept nothing, or the session's role may not read of loads."""
    if not may_read_of_loads(connection):
        return None
    row = connection.execute(OF_LOAD, [load]).fetchone()
    return missing_kept(row[0]) if row is not None and row[0] is not None else None
