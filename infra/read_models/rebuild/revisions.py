"""Revisions of a read model: a new one beside the live one, those that are kept, and the removal of what is not needed.

The live revision stands in the schema of its context, any other in `<context>_r<revision>`. Readers see the old tables
or the new ones, never a mixture and never nothing.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.locks import GIVEN_UP, QUICK_LOCK
from replayhouse.infra.read_models import checkpoints, marts
from replayhouse.infra.read_models.schema import Model, drop_keys, model_of
from replayhouse.infra.read_models.versions import standing_shapes
from replayhouse.infra.runtime.errors import WrongServer
from replayhouse.projections.warehouse import PROJECTIONS

KEPT = 2
"""So many earlier revisions of each context stay, unless the settings say otherwise."""

_DROP_SECONDS = 5.0
_PAUSE_SECONDS = 0.05

_NEXT = """
    INSERT INTO read_model.revision (context, revision, fingerprint, fold_version)
    SELECT %s::text, max(revision) + 1, %s, %s FROM read_model.revision WHERE context = %s
    RETURNING revision
"""
# The live revision stands under the name of its context: under that of its number it was to be filled.
_UNFINISHED = """
    SELECT context, revision, false FROM read_model.revision WHERE live_at IS NULL
    UNION ALL
    SELECT context, revision, true FROM read_model.projection
    WHERE to_regnamespace(format('%s_r%s', context, revision)) IS NOT NULL
"""
_FORGET = "DELETE FROM read_model.revision WHERE context = %s AND revision = %s"
_KEPT = """
    SELECT r.revision
    FROM read_model.revision AS r JOIN read_model.projection AS p USING (context)
    WHERE r.context = %s AND r.dropped_at IS NULL AND r.live_at IS NOT NULL AND r.revision <> p.revision
    ORDER BY coalesce(r.retired_at, r.live_at) DESC, r.revision DESC
"""
_DROPPED = "UPDATE read_model.revision SET dropped_at = clock_timestamp() WHERE context = %s AND revision = %s"
_UNPARK = "DELETE FROM read_model.parked WHERE context = %s AND revision = %s"
_LIST = """
    SELECT r.context, r.revision,
        CASE WHEN r.live_at IS NULL THEN 'building' WHEN r.revision = p.revision THEN 'live'
            WHEN r.dropped_at IS NULL THEN 'kept' ELSE 'dropped' END,
        CASE WHEN r.revision = p.revision THEN p.position ELSE coalesce(r.retired_position, r.position) END,
        r.events, r.started_at, r.live_at, r.retired_at, r.reason, r.digest, r.position, r.fold_version
    FROM read_model.revision AS r JOIN read_model.projection AS p USING (context)
    WHERE r.context = ANY(%s)
    ORDER BY array_position(%s, r.context), r.revision
"""
_EXISTS = "SELECT to_regnamespace(%s) IS NOT NULL"
_DROP_UNUSED = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
# A view of ours shows the position of its rows, as their tables do.
_VIEWS = """
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'v'
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'position')
    ORDER BY c.oid DESC
"""
_DROP_VIEW = sql.SQL("DROP VIEW IF EXISTS {}")
_DROP_TABLES = sql.SQL("DROP TABLE {}")
_DROP_SCHEMA = sql.SQL("DROP SCHEMA {}")


@dataclass(frozen=True)
class NextRevision:
    """A revision that is being built beside the live one; `fills` if it has the number of the live one, still empty."""

    context: str
    revision: int
    fills: bool = False

    @property
    def schema(self) -> str:
        """Where its tables stand until they are swapped in."""
        return schema_of(self.context, self.revision)

    @property
    def model(self) -> Model:
        """Its tables there."""
        return model_of(self.context, self.schema)


def schema_of(context: str, revision: int) -> str:
    """Where a revision stands that is not live."""
    return f"{context}_r{revision}"


def begin(conn: psycopg.Connection, context: str) -> NextRevision:
    """Makes the tables of the next revision, with their unknown members, without keys; in one transaction."""
    with conn.transaction():
        made = PROJECTIONS[context]
        row = conn.execute(_NEXT, [context, made.fingerprint, made.version, context]).fetchone()
        assert row is not None  # every context has a first revision
        return _made(conn, NextRevision(context, row[0]))


def begin_filling(conn: psycopg.Connection, context: str) -> NextRevision:
    """The same, to take the place of the live revision, which is empty, under its number."""
    with conn.transaction():
        live = checkpoints.projected(conn, context)
        assert live is not None  # the read models are prepared
        return _made(conn, NextRevision(context, live.revision, fills=True))


def _made(conn: psycopg.Connection, revision: NextRevision) -> NextRevision:
    if conn.execute(_EXISTS, [revision.schema]).fetchone() == (True,):  # what we had left is removed by now
        raise WrongServer(
            f"There is a schema {revision.schema} that no rebuild has made, and its name is needed: rename it. The "
            "live read model stays as it was."
        )
    revision.model.create(conn)
    for table in revision.model.tables.values():
        drop_keys(conn, table)
    return revision


def remove_unfinished(conn: psycopg.Connection) -> None:
    """Removes what killed rebuilds have left; the caller knows that none is running."""
    marts.drop_aside(conn, marts.NEXT)
    for context, revision, fills in conn.execute(_UNFINISHED).fetchall():
        abandon(conn, NextRevision(context, revision, fills))


def kept(conn: psycopg.Connection, context: str) -> list[Model]:
    """Revisions of a context that were live once, and whose tables stand; the one that was live last first."""
    projection = model_of(context, context).projection
    found = conn.execute(_KEPT, [context]).fetchall()
    return [Model(projection, schema_of(context, revision)) for (revision,) in found]


def abandon(conn: psycopg.Connection, revision: NextRevision) -> None:
    """Removes a revision that was never live."""
    with conn.transaction():
        conn.execute(_DROP_UNUSED.format(sql.Identifier(revision.schema)))
        if not revision.fills:
            conn.execute(_UNPARK, [revision.context, revision.revision])
            conn.execute(_FORGET, [revision.context, revision.revision])


@contextmanager
def abandoned_on_failure(conn: psycopg.Connection) -> Iterator[list[NextRevision]]:
    """For the revisions that the block begins, which it adds to the list: where it fails none of them stays."""
    begun: list[NextRevision] = []
    try:
        yield begun
    except BaseException:
        if not conn.closed:
            marts.drop_aside(conn, marts.NEXT)
            for revision in begun:
                abandon(conn, revision)
        raise


class ListedRevision(NamedTuple):
    """A revision that was ever begun. `status` is building, live, kept or dropped.

    Its tables show, or showed last, events up to `position`; `digest` is the sum of their digests modulo 2^256 as of
    `digest_position`, when it was swapped in; None where nobody has taken it. `fold_version` is that of the program
    that made it. Times are UTC.
    """

    context: str
    revision: int
    status: str
    position: int | None
    events: int | None
    started_at: datetime
    live_at: datetime | None
    retired_at: datetime | None
    reason: str | None
    digest: str | None
    digest_position: int | None
    fold_version: int


def listed(conn: psycopg.Connection, contexts: Sequence[str]) -> list[ListedRevision]:
    """All revisions of these contexts, in this order, the oldest first."""
    return [ListedRevision(*row) for row in conn.execute(_LIST, [list(contexts)] * 2).fetchall()]


def drop_retired(conn: psycopg.Connection, contexts: Iterable[str], keep: int) -> None:
    """Removes revisions that are live no longer, but for those `keep` of each context that were so last.

    One that somebody still reads, or on which a view outside of it stands, stays until the next time.
    """
    for context in contexts:
        for model in kept(conn, context)[keep:]:
            _drop_patiently(conn, model, int(model.schema.rpartition("_r")[2]))


def _drop_patiently(conn: psycopg.Connection, model: Model, revision: int) -> None:
    deadline = time.monotonic() + _DROP_SECONDS
    while True:
        try:
            with conn.transaction():
                conn.execute(QUICK_LOCK)
                drop(conn, model)
                conn.execute(_UNPARK, [model.projection.context, revision])
                conn.execute(_DROPPED, [model.projection.context, revision])
                return
        except errors.DependentObjectsStillExist:
            return
        except GIVEN_UP:
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_SECONDS)


def drop(conn: psycopg.Connection, model: Model) -> None:
    """Removes the tables and views of a revision, whatever program has made them.

    Raises DependentObjectsStillExist where others stand on them, or beside them.
    """
    for (view,) in conn.execute(_VIEWS, [model.schema]).fetchall():
        conn.execute(_DROP_VIEW.format(sql.Identifier(model.schema, view)))
    names = [sql.Identifier(model.schema, table) for table in standing_shapes(conn, model.schema)]
    if names:
        conn.execute(_DROP_TABLES.format(sql.SQL(", ").join(names)))
    conn.execute(_DROP_SCHEMA.format(sql.Identifier(model.schema)))
