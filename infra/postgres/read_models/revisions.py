"""Revisions of a read model: a new one beside the live one, the swap, and the removal of what is no longer needed.

The live revision stands in the schema of its context, any other in `<context>_r<revision>`. Readers see the old tables
or the new ones, never a mixture and never nothing.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from infra.errors import Conflicting
from infra.postgres.read_models import tracking
from infra.postgres.read_models.loading import model_of
from infra.postgres.read_models.schema import Model, drop_key, grant, qualified

_OLD_SNAPSHOTS_SECONDS = 30.0
_SWAP_SECONDS = 30.0
_DROP_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_QUICK_LOCK = "SET LOCAL lock_timeout = '50ms'"

_NEXT = """
    INSERT INTO read_model.revision (context, revision)
    SELECT %s::text, max(revision) + 1 FROM read_model.revision WHERE context = %s
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
_RETIRED = """
    SELECT r.context, r.revision
    FROM read_model.revision AS r JOIN read_model.projection AS p USING (context)
    WHERE r.dropped_at IS NULL AND r.live_at IS NOT NULL AND r.revision <> p.revision
"""
_KEPT = """
    SELECT r.revision
    FROM read_model.revision AS r JOIN read_model.projection AS p USING (context)
    WHERE r.context = %s AND r.dropped_at IS NULL AND r.live_at IS NOT NULL AND r.revision <> p.revision
"""
_DROPPED = "UPDATE read_model.revision SET dropped_at = clock_timestamp() WHERE context = %s AND revision = %s"
_LIVE = """
    UPDATE read_model.revision SET live_at = clock_timestamp(), position = %s, events = %s
    WHERE context = %s AND revision = %s
"""
_TRACK = "UPDATE read_model.projection SET revision = %s, position = %s WHERE context = %s"
_UNPARK = "DELETE FROM read_model.parked WHERE context = %s"
_LOCK_TABLES = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_RENAME = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
_DROP_UNUSED = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
_DROP_VIEW = sql.SQL("DROP VIEW IF EXISTS {}")
_DROP_TABLES = sql.SQL("DROP TABLE {}")
_DROP_SCHEMA = sql.SQL("DROP SCHEMA {}")
_THIS_TRANSACTION = "SELECT pg_current_xact_id()::text"
_OLDER_SNAPSHOTS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND age(backend_xmin) > age(%s::xid)
"""


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
    """Makes the tables of the next revision, with their unknown members, without primary keys; in one transaction."""
    with conn.transaction():
        row = conn.execute(_NEXT, [context, context]).fetchone()
        assert row is not None  # every context has a first revision
        return _made(conn, NextRevision(context, row[0]))


def begin_filling(conn: psycopg.Connection, context: str) -> NextRevision:
    """The same, to take the place of the live revision, which is empty, under its number."""
    with conn.transaction():
        live = tracking.projected(conn, context)
        assert live is not None  # the read models are prepared
        return _made(conn, NextRevision(context, live.revision, fills=True))


def _made(conn: psycopg.Connection, revision: NextRevision) -> NextRevision:
    conn.execute(_DROP_UNUSED.format(sql.Identifier(revision.schema)))
    revision.model.create(conn)
    for table in revision.model.tables.values():
        drop_key(conn, table)
    return revision


def remove_unfinished(conn: psycopg.Connection) -> None:
    """Removes what killed rebuilds have left; the caller knows that none is running."""
    for context, revision, fills in conn.execute(_UNFINISHED).fetchall():
        abandon(conn, NextRevision(context, revision, fills))


def kept(conn: psycopg.Connection, context: str) -> list[Model]:
    """Revisions of a context that were live once, and whose tables stand."""
    projection = model_of(context, context).projection
    found = conn.execute(_KEPT, [context]).fetchall()
    return [Model(projection, schema_of(context, revision)) for (revision,) in found]


def abandon(conn: psycopg.Connection, revision: NextRevision) -> None:
    """Removes a revision that was never live."""
    with conn.transaction():
        conn.execute(_DROP_UNUSED.format(sql.Identifier(revision.schema)))
        if not revision.fills:
            conn.execute(_FORGET, [revision.context, revision.revision])


def wait_for_old_snapshots(conn: psycopg.Connection) -> None:
    """Waits, up to 30 s, until no reader looks at the database as it was before the new tables were filled.

    To such a reader (a long REPEATABLE READ transaction) they would seem empty.
    """
    row = conn.execute(_THIS_TRANSACTION).fetchone()
    deadline = time.monotonic() + _OLD_SNAPSHOTS_SECONDS
    while conn.execute(_OLDER_SNAPSHOTS, row).fetchone() != (0,) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)


def swap(
    conn: psycopg.Connection,
    revisions: Sequence[NextRevision],
    last_steps: Callable[[dict[str, tracking.Projected]], dict[str, tuple[int, int]]],
) -> None:
    """Makes the next revisions the live ones, all in one transaction, which holds the projectors back.

    `last_steps` brings them up to the head within it, given what the live ones show, and returns for each context its
    position and number of events. Waits for readers of the old tables only 50 ms at a time, so that those who
    come later never wait longer. Raises Conflicting if they do not let go for 30 s.
    """
    deadline = time.monotonic() + _SWAP_SECONDS
    while True:
        try:
            with conn.transaction():
                known = {revision.context: tracking.lock(conn, revision.context) for revision in revisions}
                shown = last_steps(known)
                conn.execute(_QUICK_LOCK)
                for revision in revisions:
                    _exchange(conn, revision, known[revision.context], *shown[revision.context])
                return
        except errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise Conflicting(
                    "Readers of the live tables have not let go of them for 30 s, so the new ones cannot take their "
                    "place. Try again when long queries have ended."
                ) from error
            time.sleep(_PAUSE_SECONDS)


def _exchange(
    conn: psycopg.Connection, revision: NextRevision, known: tracking.Projected, position: int, events: int
) -> None:
    context, live = revision.context, model_of(revision.context, revision.context)
    conn.execute(_LOCK_TABLES.format(sql.SQL(", ").join(map(qualified, live.tables.values()))))
    if revision.fills:
        if known.position > 0:
            raise Conflicting(f"Another command has begun to fill the read model of {context} meanwhile.")
        _drop_empty(conn, live)
    else:
        retired = sql.Identifier(schema_of(context, known.revision))
        conn.execute(_RENAME.format(sql.Identifier(context), retired))
    conn.execute(_RENAME.format(sql.Identifier(revision.schema), sql.Identifier(context)))
    grant(conn, context)
    conn.execute(_UNPARK, [context])
    conn.execute(_TRACK, [revision.revision, position, context])
    conn.execute(_LIVE, [position, events, context, revision.revision])


def _drop_empty(conn: psycopg.Connection, live: Model) -> None:
    try:
        _drop(conn, live)
    except errors.DependentObjectsStillExist as error:
        raise Conflicting(f"Views of others stand on the empty tables of {live.schema}, which stay.") from error


def drop_retired(conn: psycopg.Connection) -> None:
    """Removes revisions that are live no longer.

    One that somebody still reads, or on which a view outside of it stands, stays until the next time.
    """
    for context, revision in conn.execute(_RETIRED).fetchall():
        _drop_patiently(conn, Model(model_of(context, context).projection, schema_of(context, revision)), revision)


def _drop_patiently(conn: psycopg.Connection, model: Model, revision: int) -> None:
    deadline = time.monotonic() + _DROP_SECONDS
    while True:
        try:
            with conn.transaction():
                conn.execute(_QUICK_LOCK)
                _drop(conn, model)
                conn.execute(_DROPPED, [model.projection.context, revision])
                return
        except errors.DependentObjectsStillExist:
            return
        except errors.LockNotAvailable:
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_SECONDS)


def _drop(conn: psycopg.Connection, model: Model) -> None:
    for view in model.projection.views:
        conn.execute(_DROP_VIEW.format(sql.Identifier(model.schema, view.name)))
    names: Iterable[sql.Identifier] = (qualified(table) for table in model.tables.values())
    conn.execute(_DROP_TABLES.format(sql.SQL(", ").join(names)))
    conn.execute(_DROP_SCHEMA.format(sql.Identifier(model.schema)))
