"""What an export is: the manifest that stands in its folder, names every file, and is what readers begin with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from replayhouse.infra.runtime import manifests
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.files import reading
from replayhouse.infra.runtime.manifests import MANIFEST

KIND = manifests.Kind(
    of="an export", format="replayhouse export 1", newer="a newer program wrote it", remedy="Export again."
)
_LARGEST = 16 * 2**20


@dataclass(frozen=True)
class File:
    """A file of an export, by its path below the folder; its size in bytes, its SHA-256."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableFile(File):
    """The Parquet file of a table. Of folded tables it tells the digest, of what stands in the file."""

    rows: int
    digest: str | None = None


@dataclass(frozen=True)
class Exported:
    """A context, `shared` or `mart` of an export.

    Of a context it tells the revision (None where it was folded for the occasion) and up to which position it shows
    events. `made_of` is what its rows follow from: where that is the same, so are they.
    """

    tables: Mapping[str, TableFile]
    revision: int | None = None
    position: int | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folded(self) -> dict[str, TableFile]:
        """The tables that have a digest."""
        return {name: table for name, table in self.tables.items() if table.digest is not None}


@dataclass(frozen=True)
class Manifest:
    """An export: of which store, up to which position (the lowest of its contexts), of which moment, and its files.

    `chain` is that up to the position, None where it lies within a commit. `withheld` names, by table, the columns
    whose values were left out; it is empty of an export in clear. `views` are those of the DuckDB file; `materialised`
    the views of the warehouse that are tables there, and `left_out` those that are not, with why. Of a moment that
    looks back in business time, only what had happened before `occurred_before` is shown.
    """

    format: str
    program: str
    store: str
    moment: str
    position: int
    chain: str | None
    made_at: datetime
    is_in_clear: bool
    withheld: Mapping[str, Sequence[str]]
    contexts: Mapping[str, Exported]
    shared: Exported
    mart: Exported
    warehouse: File
    views: Sequence[str] = ()
    materialised: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    occurred_before: datetime | None = None

    @property
    def places(self) -> dict[str, Exported]:
        """All that has tables, by the name of its schema."""
        return {**self.contexts, "shared": self.shared, "mart": self.mart}

    def files(self) -> Iterator[File]:
        """Every file but the manifest."""
        yield self.warehouse
        for place in self.places.values():
            yield from place.tables.values()


def format_of(folder: Path) -> str | None:
    """What the manifest of a folder says it is; None where there is none, or none that says so."""
    try:
        return manifests.format_of(_bytes(folder))
    except InputError:
        return None


def read(folder: Path) -> Manifest:
    """The manifest of an export. Raises InputError where it cannot be read, or names a file outside of the folder."""
    manifest = manifests.decoded(_bytes(folder), folder / MANIFEST, KIND, Manifest)
    for one in manifest.files():
        path = PurePosixPath(one.file)
        if path.is_absolute() or ".." in path.parts or not path.name or "\0" in one.file:
            raise InputError(f"{folder / MANIFEST} names a file outside of its folder: {one.file!r}. Export again.")
    return manifest


def _bytes(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        with reading(path) as file:
            found = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise UsageError(f"There is no {MANIFEST} in {folder}: name the folder of an export or a replay.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if len(found) > _LARGEST:
        raise InputError(f"{path} is larger than any manifest of an export. Export again.")
    return found
