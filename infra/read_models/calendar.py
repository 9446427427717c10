"""Keeps shared.dim_date as long as the fact tables need it (R15)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table

from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.postgres.roles import grant
from replayhouse.infra.read_models.schema import Model, copy_rows, create_schema, create_table, qualified
from replayhouse.projections.dates import date_rows, last_day, latest_day
from replayhouse.projections.projection import Rows
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import BUSINESS_TIMES, PROJECTIONS

COMMENT = "The calendar"

# All facts are looked at, which a window of events has told the planner not to do.
_ONE_AT_A_TIME = """
    SET LOCAL enable_seqscan = on;
    LOCK TABLE shared.dim_date IN SHARE ROW EXCLUSIVE MODE
"""
_END = "SELECT max(date) FROM shared.dim_date"
_LATEST = sql.SQL("SELECT max(latest) FROM ({}) AS of_tables")
_LATEST_OF = sql.SQL("SELECT greatest({}) AS latest FROM {}")
_MAX = sql.SQL("max({column}) FILTER (WHERE {column} < {bound})")
_DAYS_AT_ONCE = 10_000
_FROM = "DELETE FROM shared.dim_date WHERE date > %s"

# The day on which the newest load that counts was opened, as the log told up to a position: the table of loads only
# says where to look.
_NEWEST_OPENED = """
    SELECT (convert_from(opened.state, 'UTF8')::jsonb ->> 'opened_at')::timestamp::date
    FROM event_store.batch
    JOIN event_store.quality_events AS opened ON opened.originator_id = batch.batch_id AND opened.originator_version = 1
    WHERE batch.kind = 'load'
        AND opened.topic LIKE 'quality.BatchOpened.%%'
        AND opened.notification_id <= coalesce(%(up_to)s, opened.notification_id)
        AND batch.batch_id <> ALL(%(without)s)
        AND (%(source)s::text IS NULL OR coalesce(batch.source ->> 'name', %(built_in)s) = %(source)s)
        AND NOT EXISTS (
            SELECT FROM event_store.quality_events AS ended
            WHERE ended.originator_id = batch.batch_id
                AND ended.notification_id <= coalesce(%(up_to)s, ended.notification_id)
                AND (ended.topic LIKE 'quality.BatchRejected.%%' OR ended.topic LIKE 'quality.BatchRetracted.%%')
        )
    ORDER BY batch.batch_seq DESC
    LIMIT 1
"""
_NEWEST_SHOWN = sql.SQL("""
    SELECT (opened_at AT TIME ZONE 'UTC')::date FROM {}
    WHERE status NOT IN ('rejected', 'retracted')
    ORDER BY position DESC
    LIMIT 1
""")
_UNBOUNDED = datetime.max

_PLACES: dict[str, dict[str, tuple[int, ...]]] = {
    context: {
        table.name: tuple(
            place
            for place, column in enumerate(table.columns)
            if column.name in BUSINESS_TIMES.get(context, {}).get(table.name, ())
        )
        for table in projection.tables
    }
    for context, projection in PROJECTIONS.items()
}
"""Where in the rows of each table the times stand by which the calendar's end is found."""


def bound_of_log(
    conn: psycopg.Connection, up_to: int | None = None, without: Collection[UUID] = (), source: str | None = None
) -> datetime:
    """From when on times do not count, by the newest load that the log tells of up to a position, or that of a source.

    Without those that are told, and those that were rejected or taken back; where there is none, all times count.
    """
    wanted = {"up_to": up_to, "without": list(without), "source": source, "built_in": BUILT_IN}
    return _bound(conn.execute(_NEWEST_OPENED, wanted).fetchone())


def bound_of_models(conn: psycopg.Connection, models: Mapping[str, Model]) -> datetime:
    """The same, by the loads that read models show: for those that were not folded from this log."""
    if "quality" not in models:
        return _UNBOUNDED
    return _bound(conn.execute(_NEWEST_SHOWN.format(qualified(models["quality"].tables["batch"]))).fetchone())


def _bound(opened_on: tuple[date] | None) -> datetime:
    """The moment at which the first day begins that does not count any more."""
    if opened_on is None:
        return _UNBOUNDED
    return datetime.combine(latest_day(opened_on[0]), time.min) + timedelta(days=1)


def keep_calendar(conn: psycopg.Connection) -> None:
    """Adds the days that the fact tables need, removes those that they need no longer; within a transaction.

    Looks at all facts: about 50 ms for 100,000 orders.
    """
    conn.execute(_ONE_AT_A_TIME)
    latest = _latest(conn, {context: context for context in BUSINESS_TIMES}, bound_of_log(conn))
    end, known = last_day(latest), _single(conn, _END)
    if known is None or end > known:
        _add_days(conn, DIM_DATE, latest, known)
    elif end < known:
        conn.execute(_FROM, [end])


def create_calendar(conn: psycopg.Connection) -> None:
    """Makes the live calendar, without a day."""
    create_schema(conn, "shared", COMMENT)
    create_table(conn, DIM_DATE)
    grant(conn, "shared")


def make_calendar(conn: psycopg.Connection, schema: str, models: Mapping[str, Model], bound: datetime) -> None:
    """Makes a calendar beside the live one, as long as the facts of these contexts need it; within a transaction.

    Times from the bound on do not count.
    """
    table = DIM_DATE.to_metadata(MetaData(schema=schema), schema=schema)
    create_schema(conn, schema, COMMENT)
    create_table(conn, table)
    _add_days(conn, table, _latest(conn, {context: model.schema for context, model in models.items()}, bound), None)
    grant(conn, schema)


def _latest(conn: psycopg.Connection, schemas: Mapping[str, str], bound: datetime) -> date | None:
    """The latest business time before the bound in the tables of these contexts, in the schemas where they stand."""
    of_tables = [
        _LATEST_OF.format(sql.SQL(", ").join(_max_below(bound, name) for name in names), sql.Identifier(schema, table))
        for context, schema in schemas.items()
        for table, names in BUSINESS_TIMES.get(context, {}).items()
    ]
    return _single(conn, _LATEST.format(sql.SQL(" UNION ALL ").join(of_tables))) if of_tables else None


def _max_below(bound: datetime, column: str) -> sql.Composed:
    return _MAX.format(column=sql.Identifier(column), bound=sql.Literal(bound))


def _add_days(conn: psycopg.Connection, table: Table, latest: date | None, known: date | None) -> None:
    missing = (row for row in date_rows(latest) if known is None or row.date > known)
    while some := list(islice(missing, _DAYS_AT_ONCE)):
        copy_rows(conn, table, some)


def may_move_the_end(conn: psycopg.Connection, context: str, before: Iterable[Rows], after: Iterable[Rows]) -> bool:
    """Whether rows that changed may make the calendar longer or shorter: a new latest time, or the loss of the old.

    Not where the rows as they are reach into the calendar's last year themselves, as those of today's orders do. A load
    that begins or is taken back may do it too, for by that times count.
    """
    return may_move(conn, calendar_end(conn), context, before, after)


def may_move(
    conn: psycopg.Connection, end: date | None, context: str, before: Iterable[Rows], after: Iterable[Rows]
) -> bool:
    """The same of a calendar with that end, wherever it stands."""
    if context == "quality":
        return any(rows.get("batch") for some in (before, after) for rows in some)
    if context not in BUSINESS_TIMES:
        return False
    if end is None:
        return True
    bound = bound_of_log(conn)
    newest, former = latest_time(context, after, bound), latest_time(context, before, bound)
    if newest is not None and last_day(newest) >= end:
        return last_day(newest) > end
    return former is not None and last_day(former) >= end


def calendar_end(conn: psycopg.Connection) -> date | None:
    """The last day of the calendar as it stands; None while it is empty."""
    return _single(conn, _END)


def latest_time(context: str, streams: Iterable[Rows], bound: datetime) -> datetime | None:
    """The latest business time before a moment in rows of a context; None where there is none."""
    return max((found for rows in streams for found in _times(context, rows) if found < bound), default=None)


def _times(context: str, rows: Rows) -> Iterator[datetime]:
    for table, places in _PLACES[context].items():
        for row in rows.get(table, ()):
            for place in places:
                if row[place] is not None:
                    yield row[place]


def _single(conn: psycopg.Connection, query: str | sql.Composed, parameters: Any = None) -> date | None:
    row = conn.execute(query.encode() if isinstance(query, str) else query, parameters).fetchone()
    assert row is not None  # aggregates always give a row
    found: date | None = row[0]
    return found
