"""Rows that a replay has folded, taken as the next revision of the live read models."""

from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.rebuild import RebuildReport
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.head import find_store, read_head
from replayhouse.infra.event_store.merkle import GENESIS
from replayhouse.infra.privacy.erasure import streams_naming
from replayhouse.infra.privacy.mentions import erased_people, names_of, texts_of_rows
from replayhouse.infra.read_models.rebuild.given_rows import GivenRows, GivenTable, RowFile
from replayhouse.infra.read_models.rebuild.rebuild import rebuild_from_rows
from replayhouse.infra.replaying.manifest import ContextRows, RowsManifest, read_manifest
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.given_texts import recordable
from replayhouse.infra.runtime.manifests import MANIFEST
from replayhouse.projections.warehouse import PERSONAL_CONTEXTS, PROJECTIONS

_DOING = "taking the rows in"
_CHAIN = "SELECT chain FROM event_store.commit WHERE last_position = %s"
_EVENTS = sql.SQL("SELECT count(*) FROM {} WHERE notification_id <= %s")
_DESTROYED = "SELECT subject_id FROM event_store.subject_key WHERE key IS NULL"


def rebuild_rows(
    site: Site, folder: Path, contexts: Iterable[str] | None, workers: int | None, reason: str | None
) -> RebuildReport:
    """Makes what `replay` wrote to a folder the live revisions of these contexts, or of all that it holds.

    The rows are those of this log at a position of it, in clear; they are checked, brought up to the head, and swapped
    in all at once. Raises InputError where they are not, and what `rebuild` does; nothing is swapped in then.
    """
    why = None if reason is None else recordable(reason)
    manifest = read_manifest(folder)
    wanted = chosen(manifest.contexts if contexts is None else contexts)
    _refuse_unfit(folder, manifest, wanted)
    with site.prepare_workers(workers):
        database = site.database
        site.tell(_DOING, 0, 0)
        with database.connect("replayhouse rebuild", autocommit=True) as conn:
            _refuse_another_log(conn, folder, manifest)
            _refuse_other_events(conn, folder, manifest, wanted)
        found = rebuild_from_rows(
            database,
            {context: _given(folder, manifest, manifest.contexts[context]) for context in wanted},
            _streams_of_erased,
            workers or site.settings.workers,
            reason=why,
            keep=site.settings.keep_revisions,
            tell=partial(site.tell, _DOING),
            warn=site.warn,
        )
    return RebuildReport(found)


def _refuse_unfit(folder: Path, manifest: RowsManifest, contexts: Iterable[str]) -> None:
    """Raises for rows that cannot be live ones, whatever the log: limited, withheld, or of another program."""
    if manifest.limits.occurred_before is not None:
        raise InputError(
            f"The rows in {folder} show what had happened before {manifest.limits.occurred_before}, and live tables "
            "show all: replay the log without --occurred-before."
        )
    for context in contexts:
        if context not in manifest.contexts:
            raise UsageError(f"There are no rows of {context} in {folder}: it has {', '.join(manifest.contexts)}.")
        withheld = [table for table in manifest.withheld if table.startswith(f"{context}.")]
        if withheld:
            raise InputError(
                f"Personal fields are withheld in {', '.join(withheld)} of {folder}, and live tables show them: replay "
                "the log with --keys, or name contexts without any."
            )
        projection, rows = PROJECTIONS[context], manifest.contexts[context]
        is_ours = (rows.fold_version, rows.fingerprint) == (projection.version, projection.fingerprint)
        if not is_ours or rows.tables.keys() != {table.name for table in projection.tables}:
            raise InputError(
                f"The rows of {context} in {folder} were folded by another version of the program "
                f"({manifest.program}), with other tables or another fold: replay the log with this one."
            )


def _refuse_another_log(conn: psycopg.Connection, folder: Path, manifest: RowsManifest) -> None:
    """Raises InputError where the rows are not of this log, as it was at a position of it."""
    path, store, head = folder / MANIFEST, find_store(conn), read_head(conn)
    if manifest.store != store:
        raise InputError(f"The rows in {folder} are of another store: {path} says {manifest.store}, this is {store}.")
    if manifest.position > head.position:
        raise InputError(
            f"The rows in {folder} show the log up to position {manifest.position:,}, and it ends at "
            f"{head.position:,}: this is an older copy of it."
        )
    if manifest.chain is None:
        raise InputError(
            f"The rows in {folder} show the log up to position {manifest.position:,}, in the middle of a commit, so "
            "that no chain says that they are of this one: replay it up to the end of a commit."
        )
    row = (GENESIS,) if manifest.position == 0 else conn.execute(_CHAIN, [manifest.position]).fetchone()
    if row is None or row[0].hex() != manifest.chain:
        raise InputError(
            f"The rows in {folder} are not of this log: at position {manifest.position:,} its chain is "
            f"{row[0].hex() if row else 'that of no commit'}, and {path} says {manifest.chain}."
        )


def _refuse_other_events(
    conn: psycopg.Connection, folder: Path, manifest: RowsManifest, contexts: Iterable[str]
) -> None:
    """Raises InputError where the rows are made of more events than the log has, or of fewer."""
    for context in contexts:
        events = sql.Identifier("event_store", f"{context}_events")
        [(found,)] = conn.execute(_EVENTS.format(events), [manifest.position]).fetchall()
        if found != (told := manifest.contexts[context].events):
            raise InputError(
                f"The rows of {context} in {folder} are not of this log: it has {found:,} events of {context} up to "
                f"position {manifest.position:,}, and {folder / MANIFEST} says {told:,}."
            )


def _given(folder: Path, manifest: RowsManifest, rows: ContextRows) -> GivenRows:
    tables = {
        name: GivenTable(
            table.as_digest, [RowFile(folder / file.file, file.bytes, file.sha256) for file in table.files]
        )
        for name, table in rows.tables.items()
    }
    return GivenRows(manifest.position, rows.events, tables)


def _streams_of_erased(conn: psycopg.Connection) -> dict[str, Collection[UUID]]:
    """By context, the streams in which something was sealed under keys that are destroyed; within a transaction."""
    people = erased_people(conn)
    destroyed = {subject for (subject,) in conn.execute(_DESTROYED)}
    if not people and not destroyed:
        return {}
    names = names_of(conn, people, lambda: texts_of_rows(conn))
    found = streams_naming(people, names, ())
    return {context: {*found[context], *destroyed} for context in PERSONAL_CONTEXTS}
