"""Exporting the star schema as files: Parquet a table, a DuckDB file with all of them, and a manifest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from replayhouse.infra.application import moments
from replayhouse.infra.application.access import note_access
from replayhouse.infra.application.ask import make_ready
from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.proofs import store_id
from replayhouse.infra.exporting import relations, sources
from replayhouse.infra.exporting.duckdb_file import write_warehouse
from replayhouse.infra.exporting.duckdb_paths import named
from replayhouse.infra.exporting.folder import WAREHOUSE, ExportFolder, held, keep
from replayhouse.infra.exporting.manifest import KIND, Exported, File, Manifest, TableFile
from replayhouse.infra.exporting.parquet_file import write_table
from replayhouse.infra.exporting.recomputed import room
from replayhouse.infra.exporting.relations import Relation, one_snapshot, withheld_of
from replayhouse.infra.exporting.sources import Source, standing_under
from replayhouse.infra.privacy import copies
from replayhouse.infra.privacy.copies import Copy, of_folder
from replayhouse.infra.read_models import prefixes
from replayhouse.infra.read_models.calendar import bound_of_models, make_calendar
from replayhouse.infra.read_models.marts import create_marts
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.schema import model_of
from replayhouse.infra.read_models.snapshots import time_travel
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.moments import LIVE, schemas_of
from replayhouse.infra.read_models.snapshots.time_travel import alone
from replayhouse.infra.read_models.versions import refuse_others
from replayhouse.infra.runtime.errors import Forbidden, ReplayhouseError, UsageError
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.projections.warehouse import PERSONAL_CONTEXTS, PROJECTIONS

_NAME = "replayhouse export"
_MAY_BE_PERSONAL = "what somebody else has made may show personal fields"


@dataclass(frozen=True)
class ExportReport:
    """What `export` answers: what stands in the folder now, and whether anything had to be written."""

    folder: Path
    manifest: Manifest
    is_unchanged: bool

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        told = self.manifest
        return {
            "contexts": {
                context: {
                    "revision": shown.revision,
                    "position": shown.position,
                    "tables": {
                        name: {"rows": table.rows, "digest": table.digest} for name, table in shown.folded.items()
                    },
                }
                for context, shown in told.contexts.items()
            },
            "position": told.position,
            "chain": told.chain,
            "folder": str(self.folder),
            "status": "unchanged" if self.is_unchanged else "written",
            "moment": told.moment,
            "withheld": dict(told.withheld),
            "left_out": dict(told.left_out),
        }


def export(
    site: Site,
    path: Path,
    contexts: Iterable[str] | None,
    *,
    withhold_personal: bool,
    at: str | int | datetime | None,
    force: bool,
) -> ExportReport:
    """Writes the read models of these contexts (or all) as they stand, or as of a moment, into a folder.

    Raises UsageError where the folder holds something else, or another export and `force` is not said; Conflicting
    where another command writes it; Forbidden where whoever asks is no owner.
    """
    names = chosen(contexts)
    named(path)  # what DuckDB cannot write is refused before anything is
    is_in_clear = not withhold_personal and not set(names).isdisjoint(PERSONAL_CONTEXTS)
    if not site.is_for_owner:
        raise Forbidden("An export takes the read models as a whole out of the database: only owners make one.")
    with (
        site.prepare_workers() if at is not None and at != LIVE else nullcontext(),
        site.database.connect(_NAME, autocommit=True) as conn,
    ):
        prepare(conn)
        refuse_others(conn)
        if names == tuple(PROJECTIONS) and (at is None or at == LIVE):
            make_ready(site, conn)
        wanted = moments.read_moment(conn, at, None)
        source = _source(conn, wanted, LIVE if at is None else str(at), names)
        told = span(Work.EXPORT, ends=Happening.EXPORT_MADE, position=source.position)
        with held(path) as folder, room(path), told:
            return _Export(site, conn, folder, source, wanted, is_in_clear=is_in_clear).run(force=force)


def _source(conn: psycopg.Connection, wanted: moments.Standing | Limits, at: str, names: Sequence[str]) -> Source:
    """What a moment is, before any of it is made."""
    if wanted is None:
        return sources.live(conn, names)._replace(moment=at)
    if isinstance(wanted, Limits):
        assert wanted.position is not None  # `read_moment` has found it
        return sources.as_of(conn, at, wanted.position, names)
    if (known := next((one for one in prefixes.prefixes(conn) if one.prefix == wanted), None)) is not None:
        return sources.under(conn, known, names)
    return sources.of_revision(conn, wanted, schemas_of(conn, wanted), names)


class _Export:
    """One export: of a source, into a folder."""

    def __init__(
        self,
        site: Site,
        conn: psycopg.Connection,
        folder: ExportFolder,
        source: Source,
        wanted: moments.Standing | Limits,
        *,
        is_in_clear: bool,
    ) -> None:
        self._site, self._conn, self._folder, self._wanted = site, conn, folder, wanted
        self._is_in_clear = is_in_clear
        self._source = source
        self._store = str(store_id(conn))
        self._program = version("replayhouse")

    def run(self, *, force: bool) -> ExportReport:
        """Writes what differs from what stands there."""
        former = self._folder.former
        if former is not None and not force:
            self._refuse_to_replace(former)
        if former is not None and self._is_unchanged(former):
            copies.note(self._conn, self._copy(self._source.read_at))
            return ExportReport(self._folder.path, former, is_unchanged=True)
        self._note()
        unfinished = self._folder.begin()
        found, told = self._write_tables(unfinished)
        if former is not None and self._tells_the_same(former, told):
            self._folder.leave()
            copies.note(self._conn, self._copy(self._source.read_at))
            return ExportReport(self._folder.path, former, is_unchanged=True)
        self._site.tell(f"writing {WAREHOUSE}", 0, 0)
        told = replace(told, warehouse=write_warehouse(unfinished, found, told))
        self._folder.switch(unfinished, told)
        copies.note(self._conn, self._copy(self._source.read_at))
        return ExportReport(self._folder.path, told, is_unchanged=False)

    def _refuse_to_replace(self, former: Manifest) -> None:
        """An export is refreshed; what shows something else is replaced where that is meant only."""
        mine = (self._store, self._source.moment, set(self._source.contexts), self._is_in_clear)
        theirs = (former.store, former.moment, set(former.contexts), former.is_in_clear)
        told = (
            f"another store ({former.store})",
            f"the moment {former.moment}",
            f"the contexts {', '.join(former.contexts)}",
            "personal fields in clear" if former.is_in_clear else "no personal fields",
        )
        for this, that, what in zip(mine, theirs, told, strict=True):
            if this != that:
                raise UsageError(
                    f"{self._folder.path} holds an export of {what}: name another folder, or say --force to replace it."
                )

    def _is_unchanged(self, former: Manifest) -> bool:
        """Whether an export would write what stands there: of others' views nobody knows without reading them."""
        source = self._source
        return (
            (former.program, former.store, former.moment, former.position, former.chain, former.is_in_clear)
            == (self._program, self._store, source.moment, source.position, source.chain, self._is_in_clear)
            and former.contexts.keys() == source.contexts.keys()
            and all(_is_same(former.contexts[context], shown) for context, shown in source.contexts.items())
            and former.mart.made_of == source.marts_made_of
            and not (former.materialised or former.left_out or self._has_others())
            and self._folder.is_whole()
        )

    def _tells_the_same(self, former: Manifest, told: Manifest) -> bool:
        """Whether what was written now is what stands there; the DuckDB file follows from the rest."""
        as_before = replace(told, made_at=former.made_at, warehouse=former.warehouse)
        return as_before == former and self._folder.is_whole()

    def _has_others(self) -> bool:
        """Whether there are views of others, which may show something else each time."""
        if self._source.mart != "mart":
            return False
        return any(one.is_of_others for one in relations.relations(self._conn, self._source))

    def _note(self) -> None:
        """What is to be shown in clear is noted before anything is read."""
        if self._is_in_clear:
            told = f"{', '.join(self._source.contexts)} of {self._source.moment}, into {self._folder.path}"
            note_access(self._site, "export", told, ())
            copies.note_coming(self._conn, self._copy(self._source.read_at))

    def _copy(self, read_at: int) -> Copy:
        return of_folder("export", self._folder.path, list(self._source.contexts), self._is_in_clear, read_at)

    def _write_tables(self, unfinished: Path) -> tuple[list[Relation], Manifest]:
        with self._standing() as source, one_snapshot(self._conn, source) as found:
            if self._wanted is None:
                source = sources.live(self._conn, list(source.contexts))._replace(moment=source.moment)
            self._source = source._replace(read_at=min(source.read_at, self._source.read_at))
            written: dict[str, dict[str, TableFile]] = {place: {} for place in (*source.contexts, "shared", "mart")}
            left_out: dict[str, str] = {}
            if not self._is_in_clear:
                left_out = {one.address: _MAY_BE_PERSONAL for one in found if one.is_of_others}
                found = [one for one in found if not one.is_of_others]
            for number, one in enumerate(found):
                self._site.tell("writing tables", number, len(found))
                try:
                    written[one.place][one.name] = self._written(one, unfinished)
                except (psycopg.Error, ReplayhouseError) as error:
                    if not one.is_of_others or self._conn.closed:
                        raise
                    left_out[one.address] = str(error).splitlines()[0]
            found = [one for one in found if one.address not in left_out]
            return found, self._manifest(source, found, written, left_out)

    def _written(self, one: Relation, unfinished: Path) -> TableFile:
        """The file of a table: the former one where its rows, or at least the bytes, are the same."""
        former = self._former(one)
        if former is not None and self._has_same_rows(one):
            keep(self._former_file(former), unfinished / former.file)
            return former
        with self._conn.transaction():  # a savepoint: of others' views any may fail
            made = write_table(self._conn, one, unfinished, withholds=not self._is_in_clear)
        if made == former:
            (unfinished / made.file).unlink()
            keep(self._former_file(former), unfinished / made.file)
        return made

    def _former(self, one: Relation) -> TableFile | None:
        """What is noted of its file, where that is there, and by this program."""
        known = self._folder.former
        if known is None or (known.program, known.is_in_clear) != (self._program, self._is_in_clear):
            return None
        found = known.places[one.place].tables.get(one.name) if one.place in known.places else None
        file = None if found is None else self._folder.former_file(found.file)
        return found if found is not None and file is not None and file.stat().st_size == found.bytes else None

    def _former_file(self, known: TableFile) -> Path:
        file = self._folder.former_file(known.file)
        assert file is not None  # `_former` has looked
        return file

    def _has_same_rows(self, one: Relation) -> bool:
        former = self._folder.former
        if former is None or former.store != self._store or one.is_of_others:
            return False
        if one.place in self._source.contexts:
            return one.place in former.contexts and _is_same(
                former.contexts[one.place], self._source.contexts[one.place]
            )
        return one.place == "mart" and former.mart.made_of == self._source.marts_made_of

    def _manifest(
        self,
        source: Source,
        found: Sequence[Relation],
        written: Mapping[str, Mapping[str, TableFile]],
        left_out: Mapping[str, str],
    ) -> Manifest:
        contexts = {
            context: Exported(written[context], shown.revision, shown.position, shown.made_of)
            for context, shown in source.contexts.items()
        }
        return Manifest(
            format=KIND.format,
            program=self._program,
            store=self._store,
            moment=source.moment,
            position=source.position,
            chain=source.chain,
            made_at=datetime.now(UTC),
            is_in_clear=self._is_in_clear,
            withheld={} if self._is_in_clear else withheld_of(found),
            contexts=contexts,
            shared=Exported(written["shared"]),
            mart=Exported(written["mart"], made_of=source.marts_made_of),
            warehouse=File(WAREHOUSE, 0, ""),
            views=[one.address for one in found if one.is_view],
            materialised=sorted(one.address for one in found if one.is_of_others),
            left_out=left_out,
            occurred_before=source.occurred_before,
        )

    @contextmanager
    def _standing(self) -> Iterator[Source]:
        """What is exported, in schemas, while the block runs: what stands nowhere is made, and removed afterwards."""
        source, conn = self._source, self._conn
        if isinstance(self._wanted, Limits):
            self._site.tell(f"folding the log up to position {source.position:,}", 0, 0)
            workers = self._site.settings.workers
            beside = time_travel.made(self._site.database, conn, source.contexts, self._wanted, workers)
            with alone(conn), beside as made:
                with conn.transaction():
                    time_travel.complete(conn, made.unfinished)
                yield standing_under(source, made.unfinished.prefix, is_folded=True)
        elif source.shared:
            yield source
        else:
            with alone(conn), ExitStack() as stack:
                begun = prefixes.begin(conn, (), source.position, None, None)
                stack.callback(self._abandon, begun.prefix)
                standing = standing_under(source, begun.prefix, is_folded=False)
                self._follow(standing)
                yield standing

    def _follow(self, standing: Source) -> None:
        """Makes what follows from the tables of a revision: their calendar, and the marts where all contexts are."""
        models = {context: model_of(context, shown.schema) for context, shown in standing.contexts.items()}
        with self._conn.transaction():
            make_calendar(self._conn, standing.shared, models, bound_of_models(self._conn, models))
            if standing.mart is not None:
                create_marts(
                    self._conn, standing.mart, {name: s for name, s in standing.schemas.items() if name != "mart"}
                )

    def _abandon(self, unfinished: str) -> None:
        if not self._conn.closed:
            prefixes.abandon(self._conn, unfinished, ())


def _is_same(former: Exported, shown: Any) -> bool:
    """Whether a context has the rows that it had."""
    return (former.revision, dict(former.made_of)) == (shown.revision, dict(shown.made_of))
