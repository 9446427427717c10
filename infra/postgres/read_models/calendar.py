"""Keeps shared.dim_date as long as the fact tables need it (R15)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import islice

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table

from infra.postgres.read_models.schema import Model, copy_rows, create_schema, create_table, grant, qualified
from projections.dates import date_rows, last_day
from projections.projection import Rows
from projections.shared import BUSINESS_TIMES, DIM_DATE
from projections.warehouse import PROJECTIONS

# All facts are looked at, which a window of events has told the planner not to do.
_ONE_AT_A_TIME = """
    SET LOCAL enable_seqscan = on;
    LOCK TABLE shared.dim_date IN SHARE ROW EXCLUSIVE MODE
"""
_END = "SELECT max(date) FROM shared.dim_date"
_LATEST = """
    SELECT greatest(max(placed_at), max(approved_at), max(shipped_at), max(completed_at), max(promised_by),
        (SELECT max(ship_by) FROM sales.fact_order_item),
        (SELECT greatest(max(created_at), max(answered_at)) FROM customer.fact_review))
    FROM sales.fact_order
"""
_LATEST_OF = sql.SQL("SELECT greatest({}) FROM {}")
_MAX = sql.SQL("max({})")
_DAYS_AT_ONCE = 10_000  # an extract may show the year 9999
_FROM = "DELETE FROM shared.dim_date WHERE date > %s"

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


def keep_calendar(conn: psycopg.Connection) -> None:
    """Adds the days that the fact tables need, removes those that they need no longer; within a transaction.

    Looks at all facts: about 50 ms for 100,000 orders.
    """
    conn.execute(_ONE_AT_A_TIME)
    latest = _single(conn, _LATEST)
    end, known = last_day(latest), _single(conn, _END)
    if known is None or end > known:
        _add_days(conn, DIM_DATE, latest, known)
    elif end < known:
        conn.execute(_FROM, [end])


def make_calendar(conn: psycopg.Connection, schema: str, models: Mapping[str, Model]) -> None:
    """Makes a calendar beside the live one, as long as the facts of these contexts need it; within a transaction."""
    table = DIM_DATE.to_metadata(MetaData(schema=schema), schema=schema)
    create_schema(conn, schema, "The calendar")
    create_table(conn, table)
    times = [
        _single(conn, _LATEST_OF.format(sql.SQL(", ").join(_MAX.format(sql.Identifier(c)) for c in names), facts))
        for context, model in models.items()
        for name, names in BUSINESS_TIMES.get(context, {}).items()
        for facts in [qualified(model.tables[name])]
    ]
    _add_days(conn, table, max((time for time in times if time is not None), default=None), None)
    grant(conn, schema)


def _add_days(conn: psycopg.Connection, table: Table, latest: date | None, known: date | None) -> None:
    missing = (row for row in date_rows(latest) if known is None or row.date > known)
    while some := list(islice(missing, _DAYS_AT_ONCE)):
        copy_rows(conn, table, some)


def may_move_the_end(conn: psycopg.Connection, context: str, before: Iterable[Rows], after: Iterable[Rows]) -> bool:
    """Whether rows that changed may make the calendar longer or shorter: a new latest time, or the loss of the old.

    Not where the rows as they are reach into the calendar's last year themselves, as those of today's orders do.
    """
    if context not in BUSINESS_TIMES:
        return False
    end = calendar_end(conn)
    if end is None:
        return True
    newest, former = latest_time(context, after), latest_time(context, before)
    if newest is not None and last_day(newest) >= end:
        return last_day(newest) > end
    return former is not None and last_day(former) >= end


def calendar_end(conn: psycopg.Connection) -> date | None:
    """The last day of the calendar as it stands; None while it is empty."""
    return _single(conn, _END)


def latest_time(context: str, streams: Iterable[Rows]) -> datetime | None:
    """The latest business time in rows of a context; None where there is none."""
    return max((time for rows in streams for time in _times(context, rows)), default=None)


def _times(context: str, rows: Rows) -> Iterator[datetime]:
    for table, places in _PLACES[context].items():
        for row in rows.get(table, ()):
            for place in places:
                if row[place] is not None:
                    yield row[place]


def _single(conn: psycopg.Connection, query: str | sql.Composed) -> date | None:
    row = conn.execute(query.encode() if isinstance(query, str) else query).fetchone()
    assert row is not None  # aggregates always give a row
    found: date | None = row[0]
    return found
