"""Marts made in lanes are those that one connection makes: of one moment, or not at all."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel, errors

from replayhouse.infra.event_store.keys import destroy_keys
from replayhouse.infra.postgres import lanes
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.lanes import Lanes, Step
from replayhouse.infra.read_models import marts as marts_of
from replayhouse.infra.read_models import marts_aside, marts_shown, refolding
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.marts import FRESH, Unmakeable
from replayhouse.infra.read_models.marts_aside import make_aside
from replayhouse.infra.read_models.marts_shown import MartsShown
from replayhouse.infra.read_models.rebuild import rebuild as rebuilding
from replayhouse.infra.read_models.rebuild import swap
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from tests.support.read_side import Log, an_id, place, ten_orders_shown

ROWS = "SELECT array_agg(m::text ORDER BY m.ctid) FROM {}.{} AS m"
ASIDE = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('mart_fresh')"
BROKEN = Mart("broken", "No number", {"n": "a number"}, "SELECT 1 / (min(position) * 0) AS n FROM payments", ("n",))


@pytest.fixture
def log(conn: psycopg.Connection, database: Database) -> Log:
    return ten_orders_shown(conn, database)


@pytest.fixture
def three(database: Database) -> Iterator[Lanes]:
    with lanes.opened(database, "a lane", 3) as at_work:
        assert len(at_work) == 3
        yield at_work


def rows(conn: psycopg.Connection, schema: str) -> dict[str, Any]:
    """All rows of the marts there, as they lie."""
    return {mart.name: conn.execute(ROWS.format(schema, mart.name)).fetchone() for mart in marts.MARTS}


def test_they_have_the_same_rows_of_one_moment_whatever_is_shown_meanwhile(
    database: Database, conn: psycopg.Connection, log: Log, three: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, done = rows(conn, "mart"), marts_of.fill
    noticed: list[int] = []

    def go_on(lane: psycopg.Connection, schema: str, mart: Mart) -> None:
        done(lane, schema, mart)
        if mart.name == "orders":
            with database.connect(autocommit=True) as other:
                place(Log(other), 20, 5)
            catch_up(database)

    def count(lane: psycopg.Connection) -> None:
        noticed.extend(n for (n,) in lane.execute("SELECT count(*) FROM sales.fact_order"))

    monkeypatch.setattr(marts_aside, "fill", go_on)
    made = make_aside(conn, FRESH, at_work=three, beside=[Step("a count", count, frozenset({"orders"}))])
    assert rows(conn, "mart_fresh") == before
    assert noticed == [10]
    assert made.position < (marts_shown.to_show(conn)).position
    assert rows(conn, "mart") != before


def test_to_a_snapshot_from_before_they_are_never_empty(
    database: Database, conn: psycopg.Connection, log: Log, three: Lanes
) -> None:
    before = rows(conn, "mart")
    with database.connect("an analyst", autocommit=True) as reader:
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        with reader.transaction():
            reader.execute("SELECT count(*) FROM read_model.mart")
            made = make_aside(conn, FRESH, at_work=three)
            with conn.transaction():
                swap.exchange_marts(conn, made)
            assert rows(reader, "mart") == before


def test_a_mart_that_cannot_be_made_ends_all_lanes_and_is_named(
    conn: psycopg.Connection, log: Log, three: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(marts, "MARTS", (*marts.MARTS, BROKEN))
        with pytest.raises(Unmakeable, match=r"broken cannot be made: division by zero"):
            make_aside(conn, FRESH, at_work=three)
    make_aside(conn, FRESH, at_work=three)
    assert rows(conn, "mart_fresh") == rows(conn, "mart")


@pytest.mark.parametrize("ended", ["a lane", "all others"])
def test_a_session_that_ends_ends_all_and_the_next_making_removes_what_it_left(
    database: Database,
    conn: psycopg.Connection,
    log: Log,
    three: Lanes,
    monkeypatch: pytest.MonkeyPatch,
    ended: str,
) -> None:
    done = marts_of.fill

    def killed(lane: psycopg.Connection, schema: str, mart: Mart) -> None:
        done(lane, schema, mart)
        if mart.name == "lines":
            target = lane if ended == "a lane" else own
            conn.execute("SELECT pg_terminate_backend(%s, 10000)", [target.info.backend_pid])

    with database.connect(autocommit=True) as own:
        with monkeypatch.context() as patched:
            patched.setattr(marts_aside, "fill", killed)
            with pytest.raises(errors.AdminShutdown):
                make_aside(own, FRESH, at_work=three)
        assert own.closed == (ended != "a lane")
    assert conn.execute(ASIDE).fetchone() != (0,)
    make_aside(conn, FRESH)
    assert rows(conn, "mart_fresh") == rows(conn, "mart")


def test_where_the_server_gives_no_two_connections_there_are_no_lanes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, given = Database.connect, list[psycopg.Connection]()

    def reluctant(of: Database, name: str, *, autocommit: bool = False) -> psycopg.Connection:
        if given:
            raise Unreachable("Sorry, too many clients already.")
        given.append(connect(of, name, autocommit=autocommit))
        return given[0]

    monkeypatch.setattr(Database, "connect", reluctant)
    with lanes.opened(database, "a lane", 2) as at_work:
        assert at_work == []
    assert given[0].closed


def test_a_rebuild_in_lanes_shows_the_same_and_tells_of_rows_that_somebody_has_changed(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(conn, "mart")
    conn.execute("UPDATE sales.fact_payment SET amount = 1 WHERE order_id = %s", [an_id(1 << 110)])
    monkeypatch.setattr(rebuilding, "processes_for", lambda workers, _: workers)
    told = {context: rebuilt.differed for context, rebuilt in rebuild(database, workers=2).items()}
    assert told == {**{context: [] for context in told}, "sales": ["fact_payment"]}
    assert rows(conn, "mart") == before


@pytest.mark.parametrize("workers", [1, 2])
def test_who_is_erased_before_marts_are_made_is_in_none_that_stay(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """The new tables still have their rows then: they are taken out in the swap, and the marts are made once more."""
    make, made = swap.make_marts, list[MartsShown | None]()

    def erased_before(*given: Any) -> MartsShown | None:
        with conn.transaction():
            destroy_keys(conn, [an_id(901)])
            refolding.ask(conn, "customer", [an_id(901)])
        made.append(make(*given))
        return made[0]

    monkeypatch.setattr(rebuilding, "processes_for", lambda workers, _: workers)
    monkeypatch.setattr(swap, "make_marts", erased_before)
    rebuilt = rebuild(database, workers=workers)
    found = marts_shown.noted(conn)
    assert found is not None
    assert made[0] is not None
    assert found.made_at > made[0].made_at
    assert found.erasures == refolding.erasures(conn)
    assert rebuilt["customer"].differed is None
