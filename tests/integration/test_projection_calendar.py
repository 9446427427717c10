"""shared.dim_date is as long as the facts need it, and no longer (R15)."""

from datetime import date, datetime
from uuid import UUID

import psycopg

from replayhouse.domain.kernel.events import DomainEvent, Rewound
from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import Projector, catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from tests.support.read_side import MONDAY, Log, a_header, a_line, an_id


def span(conn: psycopg.Connection) -> tuple[date, date, int]:
    row = conn.execute("SELECT min(date), max(date), count(*) FROM shared.dim_date").fetchone()
    assert row is not None
    return row


def days(first: date, last: date) -> tuple[date, date, int]:
    return first, last, (last - first).days + 1


START = date(2016, 1, 1)


def placed_in(year: int) -> list[DomainEvent]:
    return list(observe(NEW_ORDER, None, a_header("created", placed_at=datetime(year, 3, 1)), [a_line()]))


def test_an_empty_warehouse_has_two_years(database: Database, conn: psycopg.Connection) -> None:
    catch_up(database)
    assert span(conn) == days(START, date(2017, 12, 31))


def test_it_ends_with_the_year_after_the_latest_time(database: Database, conn: psycopg.Connection) -> None:
    log = Log(conn)
    log.append("sales", an_id(1), placed_in(2017))
    catch_up(database)
    assert span(conn) == days(START, date(2019, 12, 31)), "the order is promised for 2018"
    log.append("sales", an_id(2), placed_in(2020))
    catch_up(database)
    assert span(conn) == days(START, date(2021, 12, 31))


def test_it_grows_and_shrinks_with_each_window_of_events(database: Database, conn: psycopg.Connection) -> None:
    catch_up(database)
    log, projector = Log(conn), Projector(conn, "sales")
    projector.advance(log.append("sales", an_id(2), placed_in(2020)))
    assert span(conn)[1] == date(2021, 12, 31)
    projector.advance(log.append("sales", an_id(2), [Rewound(MONDAY, UUID(int=7), to_version=0)]))
    assert span(conn) == days(START, date(2017, 12, 31))


def test_a_rebuild_leaves_it_as_long_as_the_facts_need(database: Database, conn: psycopg.Connection) -> None:
    Log(conn).append("sales", an_id(1), placed_in(2020))
    rebuild(database)
    assert span(conn) == days(START, date(2021, 12, 31))
    assert conn.execute("SELECT day_name FROM shared.dim_date WHERE date_key = 20180108").fetchall() == [("Monday",)]
