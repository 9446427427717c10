"""What a load keeps of the mapping that its records were made by: which real file each kind of record came from.

The hash of each kind of record, by which a load is known, binds the mapping and all of the real files.
"""

import hashlib
import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.staging.files import PERSONAL_FILES
from replayhouse.infra.staging.real_files import RealFile

if TYPE_CHECKING:  # histories ask for names alone
    from replayhouse.infra.sources.mapping import Mapping as SourceMapping
    from replayhouse.infra.sources.raw_files import RawTable
    from replayhouse.infra.sources.running import Made

_MAY_READ = """
    SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'event_store' AND c.relname = 'batch'
"""
_OF_LOADS = "SELECT batch_id, source FROM event_store.batch WHERE batch_id = ANY(%s) AND source IS NOT NULL"

TEXT_BY_LINES = frozenset({"utf-8", "latin-1", "cp1252"})
"""Encodings in which a line ends in the byte of a line feed, and nowhere else."""


class LoadSource(NamedTuple):
    """The source of a load: its name, the SHA-256 of the mapping, the real files by kind of record, and the currency of
    its amounts.
    """

    name: str
    mapping: str
    files: dict[str, RealFile]
    currency: str

    def document(self) -> dict[str, Any]:
        """As the table of loads keeps it."""
        return {**self._asdict(), "files": {record: file._asdict() for record, file in self.files.items()}}


def load_source(document: Mapping[str, Any] | None) -> LoadSource | None:
    """What the table of loads keeps of one; None of a load of the nine files themselves."""
    if document is None:
        return None
    files = {
        record: RealFile(**{**told, "encodings": tuple(told["encodings"])})
        for record, told in document["files"].items()
    }
    return LoadSource(document["name"], document["mapping"], files, document.get("currency", BRL))


def may_read_of_loads(connection: psycopg.Connection) -> bool:
    """Whether the session's role may read of loads; that of a steward may not."""
    return connection.execute(_MAY_READ).fetchone() == (True,)


def real_names(connection: psycopg.Connection, loads: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    """The names of the real files by kind of record, of those loads whose records a mapping made.

    None where the session's role may not read of loads, such as that of a steward.
    """
    if not loads or not may_read_of_loads(connection):
        return {}
    found = connection.execute(_OF_LOADS, [list(loads)]).fetchall()
    return {load: {record: file["name"] for record, file in source["files"].items()} for load, source in found}


def hash_of(mapping: "SourceMapping", tables: "Mapping[str, RawTable]", record: str) -> str:
    """The SHA-256, in lower-case hexadecimal, that stands for records of a kind: of the mapping and all real files."""
    told = [f"{name}={table.sha256}" for name, table in sorted(tables.items()) if table.is_there]
    return hashlib.sha256("\n".join([f"{mapping.source.name}/{record}", mapping.sha256, *told]).encode()).hexdigest()


def source_of(mapping: "SourceMapping", made: "Mapping[str, Made]") -> LoadSource:
    """What is kept of a load of these records."""
    personal = {found.raw.name for record, found in made.items() if record in PERSONAL_FILES}
    personal |= {name for name, file in mapping.files.items() if file.personal}
    files = {record: _real_file(mapping, found.raw, personal) for record, found in made.items()}
    return LoadSource(mapping.source.name, mapping.sha256, files, mapping.source.currency)


def _real_file(mapping: "SourceMapping", raw: "RawTable", personal: set[str]) -> RealFile:
    file = mapping.files[raw.name]
    has_lines = file.kind in ("csv", "jsonl") and not raw.file.lower().endswith(".gz")
    encodings = file.encoding if has_lines and TEXT_BY_LINES.issuperset(file.encoding) else ()
    name = os.fsencode(raw.file).decode("utf-8", "backslashreplace")
    return RealFile(name, raw.sha256, tuple(encodings), file.quote, raw.name in personal)
