"""The swap: other revisions become the live ones, with the marts on them, all in one transaction.

Readers see the old tables or the new ones, never a mixture and never nothing: whoever comes while tables and views are
locked waits for the end of the transaction, and finds what has the name then.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.lanes import Lanes, Step
from replayhouse.infra.postgres.locks import GIVEN_UP, QUICK_LOCK, exclusive
from replayhouse.infra.read_models import (
    checkpoints,
    forgetting,
    marts,
    marts_shown,
    rights,
    sights,
    user_views,
    versions,
)
from replayhouse.infra.read_models.calendar import create_calendar, keep_calendar
from replayhouse.infra.read_models.marts_aside import make_aside
from replayhouse.infra.read_models.marts_shown import Coming, MartsShown
from replayhouse.infra.read_models.rebuild.revisions import NextRevision, drop, schema_of
from replayhouse.infra.read_models.schema import Model, model_of, qualified
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

MARTS_LOCK = "marts"
"""The lock of who renews the live marts, or swaps others in. It is held as long as that takes, so it is waited for."""

_RENEWAL_SECONDS = 600.0
_OLD_SNAPSHOTS_SECONDS = 30.0
_SWAP_SECONDS = 30.0
_PAUSE_SECONDS = 0.05

# Those that stand, whatever program has made them.
_RELATIONS = """
    SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = %s ORDER BY oid
"""
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_RENAME = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
_FORMER_CALENDAR = "shared_gone"
_HAS_FORMER_CALENDAR = "SELECT to_regnamespace('shared_gone') IS NOT NULL"
_ON_FORMER_CALENDAR = """
    SELECT DISTINCT format('%%I.%%I', n.nspname, v.relname)
    FROM pg_depend AS d
    JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class AS v ON v.oid = r.ev_class
    JOIN pg_namespace AS n ON n.oid = v.relnamespace
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass('shared_gone.dim_date')
        AND v.oid <> ALL(%s::oid[])
    ORDER BY 1
"""
_DROP_CALENDAR = "DROP TABLE shared_gone.dim_date; DROP SCHEMA shared_gone"
_TRACK = """
    UPDATE read_model.projection SET revision = %s, position = %s, moved_at = clock_timestamp() WHERE context = %s
"""
_LIVE = """
    UPDATE read_model.revision
    SET live_at = clock_timestamp(), retired_at = NULL, retired_position = NULL,
        position = %s, events = coalesce(%s, events), digest = %s, reason = coalesce(%s, reason),
        fingerprint = %s, fold_version = %s
    WHERE context = %s AND revision = %s
"""
_RETIRE = """
    UPDATE read_model.revision SET retired_at = clock_timestamp(), retired_position = %s
    WHERE context = %s AND revision = %s
"""
_NOW = "SELECT pg_current_xact_id()::text, clock_timestamp()"
# A snapshot may look older than it is, for a long transaction of somebody else's holds its xmin back: so both count.
_OLDER_SNAPSHOTS = """
    SELECT pid, coalesce(nullif(application_name, ''), 'a client'), xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND age(backend_xmin) > age(%s::xid) AND xact_start < %s
    ORDER BY xact_start LIMIT 1
"""


class Shown(NamedTuple):
    """What a revision shows when it becomes the live one: up to which position, and what is noted of it.

    `events` were folded for it, None if it was built before; `digest` is the sum of those of its tables, if taken.
    """

    position: int
    events: int | None
    digest: str | None
    reason: str | None


def wait_for_old_snapshots(conn: psycopg.Connection) -> None:
    """Waits, up to 30 s, until no reader looks at the database as it was before the new tables were filled.

    To such a reader (a long REPEATABLE READ transaction) they would seem empty. Raises Conflicting, which names one
    that does not end.
    """
    now = conn.execute(_NOW).fetchone()
    deadline = time.monotonic() + _OLD_SNAPSHOTS_SECONDS
    while reader := conn.execute(_OLDER_SNAPSHOTS, now).fetchone():
        if time.monotonic() > deadline:
            pid, name, since = reader
            raise Conflicting(
                f"{name} (server process {pid}) reads in one transaction since {since:%Y-%m-%d %H:%M:%S %Z}, before "
                "the new tables were filled: to it they would seem empty. The live ones stay; try again when it has "
                "ended."
            )
        time.sleep(_PAUSE_SECONDS)


@span(Work.MARTS)
def make_marts(
    conn: psycopg.Connection,
    revisions: Sequence[NextRevision],
    positions: Mapping[str, int],
    at_work: Lanes = (),
    beside: Sequence[Step] = (),
) -> MartsShown | None:
    """Makes the marts aside that are to come with these revisions, which show these positions; what they show.

    None, and nothing is made, where another program has made the tables of the rest: those are to be filled anew first.
    What is to be done `beside` is done either way, with one snapshot. Raises Unmakeable, and Conflicting, see
    `make_aside`.
    """
    if versions.others(conn, PROJECTIONS.keys() - {one.context for one in revisions}):
        with marts.one_snapshot(conn):
            for step in beside:
                step.do(conn)
        return None
    coming = [Coming(one.context, one.schema, one.revision, positions[one.context]) for one in revisions]
    return make_aside(conn, marts.NEXT, coming, at_work, beside)


def swap(
    conn: psycopg.Connection,
    revisions: Sequence[NextRevision],
    made: MartsShown | None,
    last_steps: Callable[[dict[str, checkpoints.Projected]], dict[str, Shown]],
) -> None:
    """Makes other revisions the live ones, and the marts `made` for them, all in one transaction, which holds the
    projectors back.

    `last_steps` brings them up to the head within it, given what the live ones show, and returns for each context what
    it shows. Waits for readers of the old tables only 50 ms at a time, so that those who come later never wait longer.
    Raises Conflicting if they do not let go for 30 s, or where a view in `mart` cannot stand on the new tables.
    """

    def step() -> None:
        known = {revision.context: checkpoints.lock(conn, revision.context) for revision in revisions}
        shown = last_steps(known)
        conn.execute(QUICK_LOCK)
        _exchange_all(conn, revisions, made, known, shown)

    with exclusive(conn, MARTS_LOCK, _RENEWAL_SECONDS):
        patiently(conn, step, _SWAP_SECONDS)


def patiently(conn: psycopg.Connection, step: Callable[[], None], seconds: float) -> None:
    """Does a step in a transaction, again where readers do not let go of what it locks, up to so many seconds.

    Then raises Conflicting.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with conn.transaction():
                step()
                return
        except GIVEN_UP as error:
            if time.monotonic() > deadline:
                raise Conflicting(
                    f"Readers of the live tables have not let go of them for {seconds:.0f} s, so the new ones cannot "
                    "take their place. Try again when long queries have ended."
                ) from error
            time.sleep(_PAUSE_SECONDS)


def _exchange_all(
    conn: psycopg.Connection,
    revisions: Sequence[NextRevision],
    made: MartsShown | None,
    known: dict[str, checkpoints.Projected],
    shown: dict[str, Shown],
) -> None:
    # Before anything is locked, which is not to be for long.
    carried = [
        statement
        for revision in revisions
        for statement in rights.carried(rights.take(conn, revision.context), rights.take(conn, revision.schema))
    ]
    of_marts = rights.take(conn, marts.MART)
    # Views first, as readers take them, and all of them: who held one while the tables are exchanged would see the old
    # tables through it, and the new ones beside it.
    views = user_views.take(conn)
    exchanged = [revision.context for revision in revisions] + ([marts.MART] if made is not None else [])
    sights.hold(conn, exchanged)
    for kind in ("v", "r"):
        for revision in revisions:
            standing_there = conn.execute(_RELATIONS, [revision.context, kind]).fetchall()
            if names := [sql.Identifier(revision.context, name) for (name,) in standing_there]:
                conn.execute(_LOCK.format(sql.SQL(", ").join(names)))
    emptied: list[Model] = []
    for revision in revisions:
        context, former = revision.context, known[revision.context]
        if revision.fills and former.position > 0:
            raise Conflicting(f"Another command has begun to fill the read model of {context} meanwhile.")
        aside = f"{context}_gone" if revision.fills else schema_of(context, former.revision)
        conn.execute(_RENAME.format(sql.Identifier(context), sql.Identifier(aside)))
        conn.execute(_RENAME.format(sql.Identifier(revision.schema), sql.Identifier(context)))
        if revision.fills:
            emptied.append(model_of(context, aside))
        _note(conn, revision, former, shown[context])
    for statement in carried:
        conn.execute(statement)
    if made is None:
        marts_shown.spoil(conn)
    else:
        marts.move_in(conn, marts.NEXT, made, of_marts)
    sights.show(conn, exchanged)
    user_views.put_back(conn, views)
    marts.drop_gone(conn)
    if made is not None:
        _drop_former_calendar(conn)
    forgetting.sample_no_views(conn, [model_of(context, context) for context in PROJECTIONS])
    for model in emptied:
        _drop_empty(conn, model)


def exchange_marts(conn: psycopg.Connection, made: MartsShown) -> None:
    """Moves in what was made in `mart_fresh`, with the views of others that stand on marts, within a transaction.

    Raises Conflicting where a view of others stands in the way.
    """
    conn.execute(QUICK_LOCK)
    given = rights.take(conn, marts.MART)
    views = user_views.take(conn, on=marts.standing(conn).values())
    sights.hold(conn, [marts.MART])
    marts.move_in(conn, marts.FRESH, made, given)
    sights.show(conn, [marts.MART])
    user_views.put_back(conn, views)
    marts.drop_gone(conn)
    _drop_former_calendar(conn)


def renew_calendar(conn: psycopg.Connection) -> None:
    """Makes the calendar anew where another program has given it other columns; `conn` in autocommit.

    Readers see the old one or the new one. Marts hold on to the old one until they are made anew. Raises Conflicting as
    `swap` does, also where views outside of `mart` stand on the old one.
    """
    if not versions.has_declared_calendar(conn):
        patiently(conn, lambda: _exchange_calendar(conn), _SWAP_SECONDS)


def _exchange_calendar(conn: psycopg.Connection) -> None:
    conn.execute(QUICK_LOCK)
    views = user_views.take(conn)
    of_calendar = rights.take(conn, "shared")
    sights.hold(conn, ["shared"])
    conn.execute(_LOCK.format(qualified(DIM_DATE)))
    conn.execute(_RENAME.format(sql.Identifier("shared"), sql.Identifier(_FORMER_CALENDAR)))
    create_calendar(conn)
    rights.put_back(conn, of_calendar)
    keep_calendar(conn)
    sights.show(conn, ["shared"])
    user_views.put_back(conn, views)
    marts.drop_gone(conn)
    if standing := marts.standing(conn):
        marts_shown.spoil(conn)
        if others := conn.execute(_ON_FORMER_CALENDAR, [list(standing.values())]).fetchall():
            raise _calendar_is_held(", ".join(view for (view,) in others))
    else:
        _drop_former_calendar(conn)


def _drop_former_calendar(conn: psycopg.Connection) -> None:
    """Within the transaction after which no mart stands on it."""
    if conn.execute(_HAS_FORMER_CALENDAR).fetchone() != (True,):
        return
    try:
        conn.execute(_DROP_CALENDAR)
    except errors.DependentObjectsStillExist as error:
        raise _calendar_is_held(str(error.diag.message_detail)) from error


def _calendar_is_held(by: str) -> Conflicting:
    return Conflicting(
        f"Views of others stand on shared.dim_date, which must be made anew with other columns: drop them first. {by}."
    )


def _note(conn: psycopg.Connection, revision: NextRevision, former: checkpoints.Projected, shown: Shown) -> None:
    context = revision.context
    if not revision.fills:
        conn.execute(_RETIRE, [former.position, context, former.revision])
    conn.execute(_TRACK, [revision.revision, shown.position, context])
    told = [shown.position, shown.events, shown.digest, shown.reason]
    made = revision.model.projection
    conn.execute(_LIVE, [*told, made.fingerprint, made.version, context, revision.revision])


def _drop_empty(conn: psycopg.Connection, model: Model) -> None:
    try:
        drop(conn, model)
    except errors.DependentObjectsStillExist as error:
        context = model.projection.context
        raise Conflicting(f"Views of others stand on the empty tables of {context}, which stay.") from error
