"""Which live tables can lend their rows to what is made as of a position, so that only what changed since is folded.

Their rows are those that the log makes, up to the position that they show, while this program's fold has made them, no
stream is parked, and no row shows in clear text what nobody has a key for. Whoever changed rows by hand is found by
chance only: a sample is held against the log. Where that does not hold, or streams with most of
the events have been touched since, everything is folded.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import IsolationLevel, sql
from sqlalchemy import Table

from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import checkpoints, versions
from replayhouse.infra.read_models.rebuild import self_check
from replayhouse.infra.read_models.rebuild.taken_over import Standing
from replayhouse.infra.read_models.schema import Model, model_of, qualified
from replayhouse.infra.read_models.stream_source import LOG
from replayhouse.infra.read_models.windows import Span, events_of, events_touched
from replayhouse.projections.projection import personal_columns

MOST_TOUCHED = 0.5
"""The share of a context's events from which on all of it is folded: see docs/decisions/0032."""

_SNAPSHOT = "SELECT pg_export_snapshot()"
_NEWER = """
    SELECT EXISTS (
        SELECT FROM read_model.revision WHERE context = %s AND revision > %s AND live_at IS NOT NULL
    )
"""
# What an event tells of a person is sealed under the person's key, or under that of its stream.
_WITHOUT_KEY = sql.SQL("""
    SELECT EXISTS (
        SELECT FROM {table} AS shown
        WHERE ({in_clear}) AND position > 0
            AND NOT EXISTS (SELECT FROM event_store.subject_key WHERE subject_id = {subject} AND key IS NOT NULL)
            AND NOT EXISTS (
                SELECT FROM {events} AS told JOIN event_store.subject_key ON subject_id = told.originator_id
                WHERE told.notification_id = shown.position AND key IS NOT NULL
            )
    )
""")
_IN_CLEAR = sql.SQL("{0} IS NOT NULL AND {0} <> {1}")


@contextmanager
def standing(database: Database, positions: Mapping[str, int]) -> Iterator[dict[str, Standing]]:
    """Of the contexts that are to be made as of a position, those with live tables to take rows from, in the block.

    All is seen with one snapshot, which workers share while the block runs. What a projector or an erasure does
    meanwhile is not in it: neither how far the live tables are, nor their rows, nor the keys. Nobody swaps tables, see
    `time_travel.alone`.
    """
    with database.connect("replayhouse rebuild", autocommit=True) as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        with conn.transaction():
            row = conn.execute(_SNAPSHOT).fetchone()
            assert row is not None  # a function gives one
            found = {context: _standing(conn, context, position, row[0]) for context, position in positions.items()}
            yield {context: known for context, known in found.items() if known is not None}


def _standing(conn: psycopg.Connection, context: str, position: int, snapshot: str) -> Standing | None:
    known, model = checkpoints.projected(conn, context), model_of(context, context)
    if known is None or not _is_trusted(conn, model, known):
        return None
    touched = Span(min(position, known.position), max(position, known.position))
    events, folded = events_of(conn, context, position), events_touched(conn, context, position, touched)
    if folded >= MOST_TOUCHED * events or _shows_what_has_no_key(conn, model):
        return None
    if not _holds_a_sample(conn, model, known.position):
        return None
    return Standing(snapshot, known.position, touched, events, folded)


def _is_trusted(conn: psycopg.Connection, model: Model, known: checkpoints.Projected) -> bool:
    """Whether the live tables are this program's, and were never out of use; no stream is parked.

    A revision that was swapped in again may lack what could not be folded while nobody looked at it.
    """
    context = model.projection.context
    return (
        versions.is_current(conn, context)
        and versions.has_declared_tables(conn, model)
        and not checkpoints.parked(conn, context)
        and conn.execute(_NEWER, [context, known.revision]).fetchone() == (False,)
    )


def _shows_what_has_no_key(conn: psycopg.Connection, model: Model) -> bool:
    events = LOG.events(model.projection.context)
    for table in model.tables.values():
        if names := personal_columns(table):
            in_clear = [_IN_CLEAR.format(sql.Identifier(name), sql.Literal(UNKNOWN)) for name in names]
            parts = {"table": qualified(table), "in_clear": sql.SQL(" OR ").join(in_clear), "events": events}
            query = _WITHOUT_KEY.format(**parts, subject=_subject_of(table))
            if conn.execute(query).fetchone() != (False,):
                return True
    return False


def _subject_of(table: Table) -> sql.Identifier:
    """The person of a row; where it has none, what its stream and its key are called by."""
    person = "customer_id" if "customer_id" in table.columns else next(iter(table.primary_key.columns)).name
    return sql.Identifier("shown", person)


def _holds_a_sample(conn: psycopg.Connection, model: Model, position: int) -> bool:
    try:
        self_check.check(conn, model, position)
    except Exception:  # whatever is the matter, folding everything tells it, or mends it
        return False
    return True
