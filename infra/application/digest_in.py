"""Digests of what was written elsewhere: recomputed there, and held against what is noted of it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.places import CLICKHOUSE
from replayhouse.infra.application.site import Site
from replayhouse.infra.exporting import manifest, recomputed
from replayhouse.infra.exporting.folder import WAREHOUSE
from replayhouse.infra.read_models.digests import tables_as_json
from replayhouse.infra.replaying.manifest import KIND as ROWS
from replayhouse.infra.replaying.manifest import read_manifest
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.manifests import MANIFEST
from replayhouse.projections.digest import Digest


@dataclass(frozen=True)
class ContextThere:
    """Revision and position of a context as they are noted there, and the digest of each folded table as it was found.

    No revision: it was folded for the occasion.
    """

    revision: int | None
    position: int
    tables: Mapping[str, Digest]

    def as_json(self) -> dict[str, Any]:
        """As `digest --in DIR --json` prints it."""
        return {"revision": self.revision, "position": self.position, "tables": tables_as_json(self.tables)}


@dataclass(frozen=True)
class DigestInReport:
    """What `digest --in` answers: what was found there, by context, and which tables are not what they were.

    `position` is up to where the log is shown, `chain` that up to there, None within a commit.
    """

    contexts: Mapping[str, ContextThere]
    position: int
    chain: str | None
    differing: Sequence[str]

    @property
    def is_equal(self) -> bool:
        """Whether each table has the digest that is noted of it."""
        return not self.differing

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        contexts = {context: found.as_json() for context, found in self.contexts.items()}
        told: dict[str, object] = {"contexts": contexts, "position": self.position, "chain": self.chain}
        return told if self.is_equal else {**told, "differing": list(self.differing)}


class _Noted(NamedTuple):
    """What a manifest says of a table: its rows, its digest, and the files that hold it."""

    rows: int
    digest: str
    files: Sequence[Path]


class _Context(NamedTuple):
    """What it says of a context."""

    revision: int | None
    position: int
    tables: Mapping[str, _Noted]


class _Place(NamedTuple):
    """A folder by its manifest; `warehouse` is a DuckDB file that has the same tables, too."""

    contexts: Mapping[str, _Context]
    position: int
    chain: str | None
    warehouse: Path | None


def digest_in(site: Site, place: str, contexts: Iterable[str] | None) -> DigestInReport:
    """The digests of a folder that `export` or `replay` wrote, recomputed from its files: no database is needed.

    Or, where the place is the word `clickhouse`, of the read models there, recomputed by ClickHouse. Raises UsageError
    for what is no such folder, or not shown there, InputError where a file cannot be read.
    """
    if place == CLICKHOUSE:
        return _in_clickhouse(site, chosen(contexts), named=contexts is not None)
    return _in_folder(site, Path(place), contexts)


def _in_clickhouse(site: Site, wanted: Sequence[str], *, named: bool) -> DigestInReport:
    """What the views show. Nothing is noted to hold it against but the live digests, which `digest` prints."""
    from replayhouse.infra.clickhouse.digests import digests
    from replayhouse.infra.clickhouse.server import connected

    with connected(site.clickhouse) as server:
        found = digests(server, wanted, named=named)
    told = {c: ContextThere(of.revision, of.position, of.tables) for c, (of, _) in found.items()}
    position, chain = min((of.position, chain) for of, chain in found.values())
    return DigestInReport(told, position, chain, ())


def _in_folder(site: Site, folder: Path, contexts: Iterable[str] | None) -> DigestInReport:
    """Of files that all stand there at once: where others take their place meanwhile, it begins anew."""
    while True:
        manifest_then = _identity(folder)
        try:
            report = _as_it_stands(site, folder, contexts)
        except (InputError, UsageError):
            if _identity(folder) == manifest_then:
                raise
        else:
            if report.is_equal or _identity(folder) == manifest_then:
                return report


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """Which manifest stands in a folder: what replaces an export, or rows, is another file."""
    try:
        found = (folder / MANIFEST).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _as_it_stands(site: Site, folder: Path, contexts: Iterable[str] | None) -> DigestInReport:
    """What the files hold, and the tables of a DuckDB file beside them."""
    found = _rows(folder) if manifest.format_of(folder) == ROWS.format else _export(folder)
    wanted = [context for context in chosen(contexts) if context in found.contexts]
    if contexts is not None and (missing := [one for one in chosen(contexts) if one not in wanted]):
        raise UsageError(f"There is no context {missing[0]} in {folder}: there are {', '.join(found.contexts)}.")
    with recomputed.connected() as files, ExitStack() as stack:
        tables = None if found.warehouse is None else stack.enter_context(recomputed.connected(found.warehouse))
        number, of = 0, sum(len(found.contexts[context].tables) for context in wanted)
        if not of:
            raise InputError(f"{folder / MANIFEST} names no table whose digest could be recomputed: it was changed.")
        told: dict[str, ContextThere] = {}
        differing: list[str] = []
        for context in wanted:
            noted = found.contexts[context]
            digests: dict[str, Digest] = {}
            for name, table in noted.tables.items():
                site.tell("recomputing digests", number, of)
                number += 1
                digests[name] = recomputed.digest_of_files(files, table.files)
                if _differs(digests[name], table):
                    differing.append(f"{context}.{name}")
                if tables is not None and _differs(recomputed.digest_of_table(tables, context, name), table):
                    differing.append(f"{context}.{name} in {WAREHOUSE}")
            told[context] = ContextThere(noted.revision, noted.position, digests)
    return DigestInReport(told, found.position, found.chain, differing)


def _export(folder: Path) -> _Place:
    found = manifest.read(folder)
    contexts = {}
    for context, shown in found.contexts.items():
        tables = {
            name: _Noted(table.rows, table.digest or "", [folder / table.file]) for name, table in shown.folded.items()
        }
        contexts[context] = _Context(shown.revision, shown.position or 0, tables)
    return _Place(contexts, found.position, found.chain, folder / found.warehouse.file)


def _rows(folder: Path) -> _Place:
    found = read_manifest(folder)
    contexts = {}
    for context, rows in found.contexts.items():
        tables = {
            name: _Noted(table.rows, table.digest, [folder / file.file for file in table.files])
            for name, table in rows.tables.items()
        }
        contexts[context] = _Context(None, found.position, tables)
    return _Place(contexts, found.position, found.chain, None)


def _differs(found: Digest, noted: _Noted) -> bool:
    return (found.rows, found.hex) != (noted.rows, noted.digest)
