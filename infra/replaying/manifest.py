"""What a replay wrote: the file that says it, without which its folder holds nothing."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.replaying.folding import FoldedTable
from replayhouse.infra.replaying.row_files import RowsFile
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.files import reading
from replayhouse.infra.runtime.manifests import MANIFEST, Kind, decoded
from replayhouse.projections.digest import Digest

KIND = Kind(of="a replay", format="replayhouse rows 1", newer="a newer program wrote it", remedy="Replay again.")

_FILE = re.compile(r"([a-z_]+)/([a-z_]+)/part-[0-9a-f]{8}-\d{5,}-\d+\.parquet")

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]
LocalTime = Annotated[datetime, Meta(tz=False)]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a table: its name below the folder, its rows, its bytes, and their SHA-256 in hexadecimal."""

    file: str
    rows: Count
    bytes: Count
    sha256: Hash


class TableRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of a table: how many, their digest, and the files that hold them."""

    rows: Count
    digest: Hash
    files: tuple[File, ...]

    @property
    def as_digest(self) -> Digest:
        """Both as one."""
        return Digest(self.rows, int(self.digest, 16))


class ContextRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of a context, made of so many events by a fold of this version for tables of this fingerprint."""

    events: Count
    fold_version: int
    fingerprint: str
    tables: Mapping[str, TableRows]


class LimitsMet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked for beside the end of the log: None where nothing was.

    `as_of` is recorded time, in UTC; `occurred_before` business time, local to Brazil. The position that follows from
    the first two is that of the manifest.
    """

    to_position: Count | None = None
    as_of: Moment | None = None
    occurred_before: LocalTime | None = None


class RowsManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of some contexts as of a position of the log of a store.

    `chain` is that up to the position, None where it lies within a commit. `withheld` names the tables in which
    something stands for personal fields; where `personal` says that they are in clear, there is none.
    """

    format: str
    program: str
    store: UUID
    position: Count
    chain: Hash | None
    limits: LimitsMet
    personal: Literal["withheld", "in clear"]
    withheld: tuple[str, ...]
    contexts: Mapping[str, ContextRows]

    @property
    def files(self) -> list[File]:
        """All files that it names."""
        return [file for context in self.contexts.values() for table in context.tables.values() for file in table.files]


def table_rows(table: FoldedTable) -> TableRows:
    """What a manifest says of a table."""
    files = tuple(_file(file) for file in sorted(table.files))
    return TableRows(table.digest.rows, table.digest.hex, files)


def _file(file: RowsFile) -> File:
    return File(file.name, file.rows, file.bytes, file.sha256)


def read_manifest(folder: Path) -> RowsManifest:
    """What stands in a folder. Raises InputError where no replay has written it, or a newer program."""
    path = folder / MANIFEST
    try:
        with reading(path) as file:
            data = file.read()
    except FileNotFoundError as error:
        raise InputError(
            f"There are no rows in {folder}: it has no {MANIFEST}. replayhouse replay makes them; one that was "
            "interrupted is to be run again."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parsed(data, path)


def parsed(data: bytes, path: Path) -> RowsManifest:
    """The manifest in the bytes of a file. Raises InputError where it is none, of a newer format, or not whole."""
    manifest = decoded(data, path, KIND, RowsManifest)
    _refuse_contradictions(manifest, path)
    return manifest


def _refuse_contradictions(manifest: RowsManifest, path: Path) -> None:
    for context, of_context in manifest.contexts.items():
        if context not in CONTEXTS:
            raise InputError(f"{path} names a context {context[:60]!r}, which there is not: it was changed.")
        for table, rows in of_context.tables.items():
            for file in rows.files:
                named = _FILE.fullmatch(file.file)
                if named is None or named.groups() != (context, table):
                    raise InputError(f"{path} names a file {file.file[:100]!r} for {context}.{table}: it was changed.")
            if len({file.file for file in rows.files}) < len(rows.files):
                raise InputError(f"{path} names a file of {context}.{table} twice: it was changed.")
            if sum(file.rows for file in rows.files) != rows.rows:
                raise InputError(f"{path} contradicts itself: the files of {context}.{table} have other rows than it.")
