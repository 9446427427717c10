"""The calendar in ClickHouse: as long as the facts need it that stand there (R15)."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice

import psycopg

from replayhouse.infra.clickhouse import tables
from replayhouse.infra.clickhouse.server import Server, quoted
from replayhouse.infra.clickhouse.tables import NEXT, shown_as
from replayhouse.infra.clickhouse.writing import insert
from replayhouse.infra.read_models.calendar import bound_of_log
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.projections.dates import date_rows, last_day
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import BUSINESS_TIMES, PROJECTIONS

_LATEST = "SELECT toString(maxOrNull(t)) FROM ({times}) WHERE t < toDateTime64('{bound}', 6, 'UTC')"
_TIMES = "SELECT arrayJoin([{columns}]) AS t FROM {view}"
_END = "SELECT toString(maxOrNull(`date`)) FROM {view}"
_DAYS_AT_ONCE = 10_000
_FIRST_VERSION = 1


def keep_calendar(conn: psycopg.Connection, server: Server, contexts: Iterable[str]) -> date:
    """Makes the calendar anew where the facts of these contexts need another one; its end. Looks at all of them."""
    latest = _latest(server, contexts, bound_of_log(conn))
    end = last_day(latest)
    if _end(server) != end:
        _make(server, latest)
    return end


def _latest(server: Server, contexts: Iterable[str], bound: datetime) -> date | None:
    """The latest business time before the bound; None where there is none."""
    declared = {(context, table.name): table for context in contexts for table in PROJECTIONS[context].tables}
    times = [
        _TIMES.format(columns=", ".join(map(quoted, names)), view=server.named(shown_as(declared[context, name])))
        for context, of_context in BUSINESS_TIMES.items()
        for name, names in of_context.items()
        if (context, name) in declared
    ]
    if not times:
        return None
    [(found,)] = server.rows(
        _LATEST.format(times=" UNION ALL ".join(times), bound=bound.isoformat(" ", "microseconds"))
    )
    return None if found is None else datetime.fromisoformat(found)


def _end(server: Server) -> date | None:
    """The last day of the calendar as it stands; None while there is none."""
    name = shown_as(DIM_DATE)
    if not tables.standing(server, [name]):
        return None
    [(end,)] = server.rows(_END.format(view=server.named(name)))
    return None if end is None else date.fromisoformat(end)


def _make(server: Server, latest: date | None) -> None:
    tables.drop(server, tables.rows_of(DIM_DATE) + NEXT)
    tables.create(server, DIM_DATE)
    days = iter(date_rows(latest))
    while some := list(islice(days, _DAYS_AT_ONCE)):
        lines = b"\n".join([*line_writer(DIM_DATE).lines(some), b""])
        insert(server, DIM_DATE, lines, _FIRST_VERSION, suffix=NEXT)
    tables.put_in_place(server, DIM_DATE)
    tables.show(server, "shared")
