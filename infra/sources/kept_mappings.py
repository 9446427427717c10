"""Mappings as loads keep them: the text of their files, by the hash that stands with each load."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from replayhouse.infra.runtime.errors import Conflicting, Unknown

_KEEP = "INSERT INTO event_store.source_mapping (sha256, files) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_OF_LOAD = """
    SELECT b.source ->> 'name', b.source ->> 'mapping', m.files
    FROM event_store.batch AS b
    LEFT JOIN event_store.source_mapping AS m ON m.sha256 = b.source ->> 'mapping'
    WHERE b.batch_id = %s
"""
_NEWEST = """
    SELECT b.batch_id FROM event_store.batch AS b
    WHERE b.kind = 'load' AND b.status NOT IN ('rejected', 'retracting', 'retracted') AND b.source ->> 'name' = %s
    ORDER BY b.batch_seq DESC LIMIT 1
"""


class KeptMapping(NamedTuple):
    """The mapping that made the records of a load: its source, its SHA-256, and the text of each file by its name.

    `is_intact`: the files still have that hash, to which the log binds the load.
    """

    batch_id: UUID
    source: str
    sha256: str
    files: Mapping[str, str]
    is_intact: bool

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "batch": str(self.batch_id),
            "source": self.source,
            "sha256": self.sha256,
            "intact": self.is_intact,
            "files": dict(self.files),
        }


def hash_of_texts(texts: Mapping[str, str]) -> str:
    """The SHA-256, in lower-case hexadecimal, of files by name; they are in UTF-8."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        data = text.encode()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def keep_mapping(connection: psycopg.Connection, texts: Mapping[str, str]) -> None:
    """Keeps the files of a mapping, unless they are kept already."""
    connection.execute(_KEEP, (hash_of_texts(texts), Jsonb(dict(texts))))


def mapping_of(connection: psycopg.Connection, batch_id: UUID) -> KeptMapping:
    """The mapping that made the records of a load. Raises Unknown where none did, or it was not kept."""
    found = connection.execute(_OF_LOAD, (batch_id,)).fetchone()
    if found is None:
        raise Unknown(f"There is no load {batch_id}: replayhouse batches lists them all.")
    source, sha256, files = found
    if source is None:
        raise Unknown(f"The load {batch_id} is of the nine files: no mapping made its records.")
    if files is None:
        raise Unknown(
            f"The mapping of the load {batch_id} was not kept, for an earlier version of the program loaded it. It is "
            f"the one of the source {source} whose SHA-256 is {sha256}."
        )
    return KeptMapping(batch_id, source, sha256, files, hash_of_texts(files) == sha256)


def newest_mapping_of(connection: psycopg.Connection, source: str) -> KeptMapping | None:
    """The mapping of the newest load of a source that was not rejected or taken back; None where there is no such load.

    Raises Unknown where it was not kept, Conflicting where it was changed since.
    """
    found = connection.execute(_NEWEST, [source]).fetchone()
    if found is None:
        return None
    kept = mapping_of(connection, found[0])
    if not kept.is_intact:
        raise Conflicting(
            f"The mapping that the load {kept.batch_id} of {source} has kept has another hash: it was changed since. "
            "Name the folder of the mapping."
        )
    return kept
