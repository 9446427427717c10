"""Digests of what was written elsewhere: recomputed there, and held against what is noted of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.places import CLICKHOUSE
from replayhouse.infra.application.site import Site
from replayhouse.infra.exporting import manifest, recomputed
from replayhouse.infra.read_models.digests import tables_as_json
from replayhouse.infra.runtime.errors import InputError, UsageError
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

    `position` is up to where the log is shown, `chain` that of the last whole commit up to there.
    """

    contexts: Mapping[str, ContextThere]
    position: int
    chain: str
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


def digest_in(site: Site, place: str, contexts: Iterable[str] | None) -> DigestInReport:
    """The digests of a folder that `export` wrote, recomputed from its files: no database is needed.

    Or, where the place is the word `clickhouse`, of the read models there, recomputed by ClickHouse. Raises UsageError
    for what is no such folder, or not shown there, InputError where a file cannot be read.
    """
    wanted = chosen(contexts)
    if place == CLICKHOUSE:
        return _in_clickhouse(wanted, named=contexts is not None)
    return _in_export(site, Path(place), wanted, named=contexts is not None)


def _in_clickhouse(wanted: Sequence[str], *, named: bool) -> DigestInReport:
    """What the views show. Nothing is noted to hold it against but the live digests, which `digest` prints."""
    from replayhouse.infra.clickhouse.digests import digests
    from replayhouse.infra.clickhouse.server import connected
    from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings

    with connected(load_clickhouse_settings()) as server:
        found = digests(server, wanted, named=named)
    told = {c: ContextThere(of.revision, of.position, of.tables) for c, (of, _) in found.items()}
    position, chain = min((of.position, chain) for of, chain in found.values())
    return DigestInReport(told, position, chain, ())


def _in_export(site: Site, folder: Path, wanted: Sequence[str], *, named: bool) -> DigestInReport:
    """The Parquet files, and the tables of the DuckDB file beside them."""
    found = manifest.read(folder)
    if missing := [context for context in wanted if context not in found.contexts]:
        if named:
            raise UsageError(f"The export in {folder} has no context {missing[0]}: it has {', '.join(found.contexts)}.")
        wanted = [context for context in wanted if context in found.contexts]
    told: dict[str, ContextThere] = {}
    differing: list[str] = []
    warehouse = folder / found.warehouse.file
    if not warehouse.is_file():
        raise InputError(f"{warehouse} is missing, which the manifest names: export again.")
    with recomputed.connected() as files, recomputed.connected(warehouse) as tables:
        number, of = 0, sum(len(found.contexts[context].folded) for context in wanted)
        for context in wanted:
            of_context = found.contexts[context]
            digests: dict[str, Digest] = {}
            for name, table in of_context.folded.items():
                site.tell("recomputing digests", number, of)
                number += 1
                digests[name] = recomputed.digest_of_files(files, [folder / table.file])
                noted = (table.rows, table.digest)
                if _as_noted(digests[name]) != noted:
                    differing.append(f"{context}.{name}")
                in_duckdb = recomputed.digest_of_rows(tables, recomputed.identifier(context, name))
                if _as_noted(in_duckdb) != noted:
                    differing.append(f"{context}.{name} in {found.warehouse.file}")
            told[context] = ContextThere(of_context.revision, of_context.position or 0, digests)
    return DigestInReport(told, found.position, found.chain, differing)


def _as_noted(found: Digest) -> tuple[int, str]:
    return found.rows, found.hex
