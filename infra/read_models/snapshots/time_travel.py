"""The warehouse as it was: all of it, or some contexts, made with limits in schemas beside the live ones.

Nothing of the live read models is touched, nor is how far they are. The limits apply in this order: the position, what
was rewound up to there, the source, business time. By position alone only those streams are folded to which something
happened between it and what the live tables show; the rows of the others are copied from there (`standing`).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models import imported_events, prefixes, sights
from replayhouse.infra.read_models.calendar import bound_of_log, bound_of_models, make_calendar
from replayhouse.infra.read_models.marts import create_marts, create_schema, one_snapshot
from replayhouse.infra.read_models.rebuild import revisions
from replayhouse.infra.read_models.rebuild.rebuild import LOCK
from replayhouse.infra.read_models.rebuild.swap import wait_for_old_snapshots
from replayhouse.infra.read_models.rebuild.taken_over import Standing
from replayhouse.infra.read_models.rebuild.workers import Parts, Rebuilt, load_all, sealed_log, untold
from replayhouse.infra.read_models.snapshots.limits import Limits, position_of
from replayhouse.infra.read_models.snapshots.standing import standing
from replayhouse.infra.read_models.stream_source import LOG, Source, log_of
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.projections.warehouse import PROJECTIONS

if TYPE_CHECKING:
    from replayhouse.infra.sealed_log.own_segments import OwnSegments
    from replayhouse.infra.sealed_log.reader import SealedLog


@span(Work.REBUILD)
def rebuild_into(
    database: Database,
    prefix: str,
    contexts: Iterable[str] = tuple(PROJECTIONS),
    limits: Limits | None = None,
    workers: int | None = None,
    wait: float | None = None,
    tell: Parts = untold,
    segments: "OwnSegments | None" = None,
) -> dict[str, Rebuilt]:
    """Folds the contexts' streams, as far as the limits go, into the schemas of a prefix; by context, what came of it.

    What stood under the prefix before is replaced, all at once. Raises UsageError for an unusable prefix or a position
    beyond the head; Conflicting if a rebuild is at work, or somebody holds on to what is replaced; Unfoldable.
    """
    wanted = tuple(contexts)
    with database.connect("replayhouse rebuild", autocommit=True) as conn, translated():
        prefixes.refuse_unusable(conn, prefix)
        limited = limits or Limits()
        beside = made(
            database,
            conn,
            wanted,
            limited,
            workers,
            afresh=not limited,
            with_digests=True,
            tell=tell,
            segments=segments,
        )
        with alone(conn, wait), beside as done:
            return put_in_place(conn, done, prefix)


@contextmanager
def alone(conn: psycopg.Connection, wait: float | None = None) -> Iterator[None]:
    """No rebuild of any kind is at work while the block runs, and what killed ones have left is removed."""
    with exclusive(conn, LOCK, wait):
        revisions.remove_unfinished(conn)
        prefixes.remove_unfinished(conn)
        imported_events.remove(conn)
        yield


class Beside(NamedTuple):
    """Read models that were made beside the live ones, under a name of their own, and what came of each context."""

    unfinished: prefixes.Unfinished
    rebuilt: dict[str, Rebuilt]


@contextmanager
def made(
    database: Database,
    conn: psycopg.Connection,
    contexts: Iterable[str],
    limits: Limits,
    workers: int | None,
    *,
    afresh: bool = False,
    with_digests: bool = False,
    tell: Parts = untold,
    segments: "OwnSegments | None" = None,
) -> Iterator[Beside]:
    """Read models made for the time of the block: removed after it, unless they were put in place. See `alone`.

    Live rows are taken over where nothing happened to their streams, unless all is to be folded `afresh`: for who asks
    what the log makes, whatever stands. Without `with_digests` what came of a context may tell rows without digests.
    """
    position = position_of(conn, limits)
    positions = dict.fromkeys(contexts, position)
    if limits.source is not None:
        part = log_of(conn, limits.source, position)
        with folded(database, conn, positions, limits, workers, part, tell=tell) as beside:
            yield beside
        return
    if afresh or limits.occurred_before is not None:
        with (
            sealed_log(database, segments) as sealed,
            folded(database, conn, positions, limits, workers, tell=tell, sealed=sealed) as beside,
        ):
            yield beside
        return
    with _begun(conn, positions, limits, None) as beside:
        with standing(database, positions) as live:
            _load(database, conn, beside, workers, taken_over=live, with_digests=with_digests, tell=tell)
        yield beside


@contextmanager
def folded(
    database: Database,
    conn: psycopg.Connection,
    positions: Mapping[str, int],
    limits: Limits,
    workers: int | None,
    source: Source = LOG,
    store: str | None = None,
    tell: Parts = untold,
    sealed: "SealedLog | None" = None,
) -> Iterator[Beside]:
    """The same, of each context the events of a source up to the position told; the limit of position is that.

    `store` tells of which log the source is, where it is not that of this database.
    """
    with _begun(conn, positions, limits, store) as beside:
        _load(database, conn, beside, workers, limits.occurred_before, source, tell=tell, sealed=sealed)
        yield beside


@contextmanager
def _begun(
    conn: psycopg.Connection, positions: Mapping[str, int], limits: Limits, store: str | None
) -> Iterator[Beside]:
    """Read models without rows yet but for the unknown members, for the time of the block."""
    position = max(positions.values(), default=0)
    begun = prefixes.begin(conn, positions, position, limits.as_of, limits.occurred_before, store, limits.source)
    try:
        yield Beside(begun, {context: Rebuilt(None, up_to) for context, up_to in positions.items()})
    finally:
        if not conn.closed:
            prefixes.abandon(conn, begun.prefix, positions)


def _load(
    database: Database,
    conn: psycopg.Connection,
    beside: Beside,
    workers: int | None,
    occurred_before: datetime | None = None,
    source: Source = LOG,
    *,
    taken_over: Mapping[str, Standing] | None = None,
    with_digests: bool = True,
    tell: Parts = untold,
    sealed: "SealedLog | None" = None,
) -> None:
    models, processes = list(beside.unfinished.models.values()), workers or os.cpu_count() or 1
    load_all(
        database,
        conn,
        models,
        beside.rebuilt,
        processes,
        occurred_before,
        source,
        tell,
        taken_over,
        with_digests,
        sealed,
    )


def put_in_place(conn: psycopg.Connection, beside: Beside, prefix: str) -> dict[str, Rebuilt]:
    """Gives what was made the prefix, in the place of what had it before; by context, what came of it.

    Raises Conflicting if somebody holds on to what is replaced.
    """
    former = [p for p in prefixes.prefixes(conn) if p.prefix == prefix]
    if former:
        prefixes.refuse_views_of_others(conn, prefix, former[0].contexts)
        wait_for_old_snapshots(conn)
    with one_snapshot(conn):
        complete(conn, beside.unfinished)
        _show(conn, beside.unfinished)
    tables = {context: rebuilt.tables for context, rebuilt in beside.rebuilt.items()}
    prefixes.put_in_place(conn, beside.unfinished, prefix, tables)
    happened(Happening.MOMENT_MADE, position=beside.unfinished.position)
    return {context: replace(rebuilt, tables=tables[context]) for context, rebuilt in beside.rebuilt.items()}


def complete(conn: psycopg.Connection, begun: prefixes.Unfinished) -> None:
    """Makes what follows from the facts: their calendar, and the marts, if all contexts that they need are there."""
    is_own = begun.store is None
    bound = bound_of_log(conn, begun.position, source=begun.source) if is_own else bound_of_models(conn, begun.models)
    make_calendar(conn, prefixes.schema_in(begun.prefix, "shared"), begun.models, bound)
    schemas = {name: prefixes.schema_in(begun.prefix, name) for name in (*PROJECTIONS, "shared")}
    schema = prefixes.schema_in(begun.prefix, "mart")
    if begun.models.keys() == PROJECTIONS.keys():
        create_marts(conn, schema, schemas)
    else:
        create_schema(conn, schema)


def _show(conn: psycopg.Connection, begun: prefixes.Unfinished) -> None:
    """Makes the views through which roles see what stands there."""
    places = (*begun.models, *prefixes.BESIDE_CONTEXTS)
    sights.show_under(conn, {place: prefixes.schema_in(begun.prefix, place) for place in places}, begun.prefix)
