"""Live marts show what the tables show: dated, made anew where that differs, and exchanged as one or not at all."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import IsolationLevel

from replayhouse.domain.marketplace.events import ProductListed
from replayhouse.domain.quality.events import BatchOpened
from replayhouse.infra.event_store.keys import destroy_keys
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import marts as marts_of
from replayhouse.infra.read_models import marts_shown, refolding
from replayhouse.infra.read_models.live import freshness
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.live.watcher import Watch
from replayhouse.infra.read_models.marts import Unmakeable
from replayhouse.infra.read_models.marts_shown import MartsShown
from replayhouse.infra.read_models.rebuild import renewal, swap
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.read_models.windows import head_of
from replayhouse.infra.runtime.errors import Conflicting, Unreachable
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.homes import wait_until
from tests.support.read_side import MONDAY, Log, an_id, place, ten_orders_shown

LISTED = ProductListed("perfumaria", 40, 287, 1, 225, 16, 10, 14)
SEEN = """
    SELECT (SELECT count(*) FROM mart.orders), (SELECT count(*) FROM mart.lines), (SELECT sum(orders) FROM mart.months),
        (SELECT position FROM read_model.mart)
"""
FILES = """
    SELECT array_agg(relfilenode ORDER BY relname) FROM pg_class
    WHERE relnamespace = 'mart'::regnamespace AND relkind = 'm'
"""
REVISIONS = "SELECT revision FROM read_model.projection ORDER BY context"
LEFT = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^mart_|_gone$'"
BROKEN = Mart("broken", "No number", {"n": "a number"}, "SELECT 1 / (min(position) * 0) AS n FROM fact_order", ("n",))


@pytest.fixture
def log(conn: psycopg.Connection, database: Database) -> Log:
    return ten_orders_shown(conn, database)


def shown(conn: psycopg.Connection) -> MartsShown:
    found = marts_shown.noted(conn)
    assert found is not None
    return found


def seen(conn: psycopg.Connection) -> tuple[int, int, int]:
    """Orders, as the marts show them by what they are and by months, and the position that they are said to show."""
    orders, lines, of_months, position = conn.execute(SEEN).fetchone() or (0, 0, 0, 0)
    assert lines == orders
    return orders, int(of_months), position


# --- fresh ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "road",
    [
        catch_up,
        rebuild,
        lambda database: rebuild(database, ["sales", "customer"]),
        lambda database: (rebuild(database, ["sales"]), revert(database, "sales")),
    ],
    ids=["project", "rebuild", "rebuild of some", "revert"],
)
def test_whatever_brings_the_tables_up_to_the_head_brings_the_marts_there(
    database: Database, conn: psycopg.Connection, log: Log, road: Callable[[Database], object]
) -> None:
    place(log, 20, 5)
    catch_up(database, [context for context in PROJECTIONS if context != "sales"])
    road(database)
    assert seen(conn) == (15, 15, head_of(conn))
    assert shown(conn).is_of_one_position
    assert conn.execute(LEFT).fetchone() == (0,)


def test_where_nothing_is_new_nothing_is_made(database: Database, conn: psycopg.Connection, log: Log) -> None:
    before = shown(conn)
    catch_up(database)
    catch_up(database, retry_parked=True)
    assert shown(conn) == before


def test_where_no_mart_reads_what_is_new_only_the_position_moves(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    before = shown(conn)
    log.append("quality", an_id(77), [BatchOpened(MONDAY, datetime(2026, 1, 1, tzinfo=UTC), "a load", ())])
    catch_up(database)
    assert shown(conn) == before._replace(position=head_of(conn), newest=head_of(conn))


def test_marts_of_another_definition_are_made_anew(
    database: Database, conn: psycopg.Connection, log: Log, other_definition: Callable[[], None]
) -> None:
    other_definition()
    catch_up(database)
    assert conn.execute("SELECT n FROM mart.counted").fetchone() == (10,)


def test_a_mart_that_somebody_has_dropped_is_made_anew(database: Database, conn: psycopg.Connection, log: Log) -> None:
    conn.execute("DROP MATERIALIZED VIEW mart.product_performance CASCADE")
    assert marts_shown.noted(conn) is None
    catch_up(database)
    assert conn.execute("SELECT count(*) FROM mart.product_performance").fetchone() == (1,)


def test_marts_of_contexts_that_stand_apart_say_so(database: Database, conn: psycopg.Connection, log: Log) -> None:
    """Up to the event before the first that a context does not show, all contexts are as they were."""
    whole = head_of(conn)
    log.append("marketplace", an_id(70), [LISTED])
    place(log, 20, 1)
    catch_up(database, ["sales"])
    found = shown(conn)
    assert (found.position, found.newest, found.is_of_one_position) == (whole, head_of(conn), False)
    assert seen(conn)[0] == 11
    catch_up(database)
    assert (shown(conn).position, shown(conn).is_of_one_position) == (head_of(conn), True)


def test_what_is_swapped_in_with_less_than_the_head_is_made_anew_after_it(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def placed_meanwhile(*_: object) -> None:
        place(log, 20, 5)

    monkeypatch.setattr(swap, "wait_for_old_snapshots", placed_meanwhile)
    rebuild(database)
    assert seen(conn) == (15, 15, head_of(conn))


def test_an_erasure_has_them_made_anew_at_the_same_position(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    before = shown(conn)
    with conn.transaction():
        destroy_keys(conn, [an_id(901)])
        refolding.ask(conn, "customer", [an_id(901)])
    catch_up(database)
    after = shown(conn)
    assert (after.position, after.erasures > before.erasures) == (before.position, True)


def test_under_a_prefix_they_show_its_position(database: Database, conn: psycopg.Connection, log: Log) -> None:
    place(log, 20, 5)
    then = head_of(conn)
    rebuild_into(database, "then")
    place(log, 40, 5)
    catch_up(database)
    assert conn.execute("SELECT count(*), max(position) FROM then_mart.orders").fetchone() == (15, then)


# --- readers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def other_definition(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, the marts that stand are those of another program: they are made aside and exchanged."""
    count = Mart("counted", "How many", {"n": "orders"}, "SELECT count(*) AS n FROM orders", ("n",))
    return lambda: monkeypatch.setattr(marts, "MARTS", (*marts.MARTS, count))


def test_a_reader_who_holds_a_mart_is_in_nobodys_way(database: Database, conn: psycopg.Connection, log: Log) -> None:
    told: list[str] = []
    with database.connect("an analyst", autocommit=True) as reader:
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        with reader.transaction():
            before = seen(reader)
            place(log, 20, 2)
            catch_up(database, warn=told.append)
            assert seen(conn) == (12, 12, head_of(conn))
            assert seen(reader) == before
            found = marts_shown.shown(reader)
            assert found is not None
            assert found.position == before[2]
    assert told == []


def test_a_reader_who_holds_a_mart_keeps_others_from_its_place_and_fails_no_load(
    database: Database,
    conn: psycopg.Connection,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    other_definition: Callable[[], None],
) -> None:
    monkeypatch.setattr(renewal, "_EXCHANGE_SECONDS", 0.3)
    told: list[str] = []
    before = shown(conn).position
    with database.connect("an analyst") as reader:
        reader.execute("SELECT count(*) FROM mart.orders")
        place(log, 20, 5)
        marts_shown.spoil(conn)
        catch_up(database, warn=told.append)
        assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (15,)
        assert reader.execute("SELECT count(*) FROM mart.lines").fetchone() == (10,)
        reader.rollback()
    assert len(told) == 1
    assert "Readers of the live tables have not let go" in told[0]
    assert seen(conn) == (10, 10, before)
    assert conn.execute(LEFT).fetchone() == (0,)
    other_definition()
    catch_up(database, warn=told.append)
    assert (len(told), seen(conn)) == (1, (15, 15, head_of(conn)))


def test_to_a_snapshot_from_before_an_exchange_marts_are_never_empty_nor_misdated(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    with database.connect("an analyst", autocommit=True) as reader:
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        with reader.transaction():
            reader.execute("SELECT 1")
            place(log, 20, 5)
            marts_shown.spoil(conn)
            catch_up(database)
            with pytest.raises(Conflicting, match="replaced a moment ago"), reader.transaction():
                marts_shown.shown(reader)
            assert reader.execute("SELECT count(*) FROM mart.orders").fetchone() == (15,)
        with reader.transaction():
            found = marts_shown.shown(reader)
            assert found is not None
            assert seen(reader) == (15, 15, found.position)


def test_readers_see_the_old_ones_or_the_new_ones(database: Database, conn: psycopg.Connection, log: Log) -> None:
    complaints: list[str] = []
    at_positions: set[int] = set()

    def read(stop: threading.Event) -> None:
        try:
            with database.connect("an analyst", autocommit=True) as reader:
                reader.isolation_level = IsolationLevel.REPEATABLE_READ
                while not stop.is_set():
                    try:
                        with reader.transaction():
                            found = marts_shown.shown(reader)
                            orders, of_months, position = seen(reader)
                    except Conflicting:
                        continue
                    at_positions.add(position)
                    if found is None or orders != of_months or position != found.position or orders < 10:
                        complaints.append(f"{orders} orders, {of_months} of months, at {position}: {found}")
        except psycopg.Error as error:
            complaints.append(f"{type(error).__name__}: {error}")

    with at_work(read):
        for first in range(20, 24):
            place(log, first, 1)
            if first % 2:
                marts_shown.spoil(conn)
            catch_up(database)
        wait_until(lambda: head_of(conn) in at_positions)
    assert complaints == []


@contextmanager
def at_work(work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_views_of_others_on_marts_stand_on_those_that_came(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    conn.execute("""
        CREATE VIEW mart.late AS SELECT order_id FROM mart.orders;
        CREATE MATERIALIZED VIEW mart.by_day AS SELECT placed_on, count(*) FROM mart.orders GROUP BY 1;
        CREATE MATERIALIZED VIEW mart.mine AS SELECT count(*) AS n FROM sales.fact_order
    """)
    may = "SELECT has_table_privilege('replayhouse_reader', 'mart.orders', 'SELECT')"
    place(log, 20, 2)
    catch_up(database)
    assert conn.execute("SELECT (SELECT count(*) FROM mart.late), count FROM mart.by_day").fetchone() == (12, 10)
    marts_shown.spoil(conn)
    catch_up(database)
    assert conn.execute("SELECT (SELECT count(*) FROM mart.late), count FROM mart.by_day").fetchone() == (12, 12)
    assert conn.execute("SELECT n FROM mart.mine").fetchone() == (10,)
    assert conn.execute(may).fetchone() == (True,)


def test_a_view_outside_that_stands_on_a_mart_keeps_it_from_being_exchanged_and_is_named(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    told: list[str] = []
    conn.execute("CREATE SCHEMA bi; CREATE VIEW bi.late AS SELECT order_id FROM mart.orders")
    place(log, 20, 2)
    catch_up(database, warn=told.append)
    assert (told, conn.execute("SELECT count(*) FROM bi.late").fetchone()) == ([], (12,))
    marts_shown.spoil(conn)
    catch_up(database, warn=told.append)
    assert "mart.orders" in told[0]
    assert conn.execute("SELECT count(*) FROM bi.late").fetchone() == (12,)


def test_where_others_cannot_take_their_place_they_are_refreshed(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a log of any size they are made aside, but for that."""
    monkeypatch.setattr(renewal, "_SMALL", 0)
    monkeypatch.setattr(renewal, "_EXCHANGE_SECONDS", 0.3)
    told: list[str] = []
    files = conn.execute(FILES).fetchone()
    with database.connect("an analyst") as reader:
        reader.execute("SELECT count(*) FROM mart.orders")
        place(log, 20, 2)
        catch_up(database, warn=told.append)
        assert (told, seen(conn)) == ([], (12, 12, head_of(conn)))
        assert conn.execute(FILES).fetchone() == files
    place(log, 30, 2)
    catch_up(database)
    assert seen(conn) == (14, 14, head_of(conn))
    assert conn.execute(FILES).fetchone() != files


def test_what_somebody_has_made_under_the_name_of_a_mart_is_left_and_named(
    database: Database, conn: psycopg.Connection
) -> None:
    told: list[str] = []
    log = Log(conn)
    place(log, 1, 1)
    conn.execute("DROP MATERIALIZED VIEW IF EXISTS mart.orders CASCADE; CREATE SCHEMA IF NOT EXISTS mart")
    conn.execute("CREATE VIEW mart.orders AS SELECT 1 AS mine")
    catch_up(database, warn=told.append)
    assert "mart.orders is the name of a mart" in told[0]
    assert conn.execute("SELECT mine FROM mart.orders").fetchone() == (1,)
    conn.execute("ALTER VIEW mart.orders RENAME TO my_orders")
    catch_up(database)
    assert seen(conn) == (1, 1, head_of(conn))


# --- what goes wrong --------------------------------------------------------------------------------------------


def test_a_mart_that_cannot_be_made_ends_no_load_and_is_named(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    before = seen(conn)
    place(log, 20, 5)
    with monkeypatch.context() as patched:
        patched.setattr(marts, "MARTS", (*marts.MARTS, BROKEN))
        catch_up(database, warn=told.append)
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (15,)
    assert "mart.broken cannot be made: division by zero" in told[0].replace("mart_fresh", "mart")
    assert seen(conn) == before
    assert conn.execute(LEFT).fetchone() == (0,)


@pytest.mark.parametrize("road", [rebuild, lambda database: revert(database, "sales")], ids=["rebuild", "revert"])
def test_a_mart_that_cannot_be_made_ends_a_swap_and_is_named(
    database: Database,
    conn: psycopg.Connection,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    road: Callable[[Database], object],
) -> None:
    rebuild(database, ["sales"])
    before = seen(conn), conn.execute(REVISIONS).fetchall()
    monkeypatch.setattr(marts, "MARTS", (*marts.MARTS, BROKEN))
    with pytest.raises(Unmakeable, match=r"broken cannot be made: division by zero"):
        road(database)
    assert (
        seen(conn),
        conn.execute(REVISIONS).fetchall(),
    ) == before
    assert conn.execute(LEFT).fetchone() == (0,)


@pytest.mark.parametrize("step", ["fill", "move_in", "refresh"])
def test_killed_while_they_are_made_they_are_made_by_whoever_catches_up_next(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The server ends the session in the middle, as it does when a client is gone."""
    before = seen(conn)
    place(log, 20, 2)
    if step != "refresh":
        marts_shown.spoil(conn)
    done = getattr(marts_of, step)

    def killed(own: psycopg.Connection, *given: object) -> None:
        done(own, *given)
        conn.execute("SELECT pg_terminate_backend(%s)", [own.info.backend_pid])

    with monkeypatch.context() as patched:
        patched.setattr(marts_of, step, killed)
        with pytest.raises((Unreachable, psycopg.Error)):
            catch_up(database)
    assert seen(conn) == before
    catch_up(database)
    assert seen(conn) == (12, 12, head_of(conn))
    assert conn.execute(LEFT).fetchone() == (0,)


# --- followed ---------------------------------------------------------------------------------------------------


def test_who_follows_the_log_makes_them_anew_some_time_after_the_last(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "MARTS_SECONDS", 0.0)
    monkeypatch.setattr(freshness, "_LOOK_SECONDS", 0.05)
    stop = threading.Event()
    threads = [threading.Thread(target=Watch(database, PROJECTIONS, stop, lambda _: None).run) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for first in (20, 40):
            place(log, first, 5)
            wait_until(lambda: shown(conn).position == head_of(conn))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert seen(conn) == (20, 20, head_of(conn))


def test_who_follows_the_log_makes_none_so_soon_after_the_last(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "MARTS_SECONDS", 36_000.0)
    monkeypatch.setattr(freshness, "_LOOK_SECONDS", 0.01)
    before = shown(conn)
    stop, told = threading.Event(), list[str]()
    thread = threading.Thread(target=Watch(database, PROJECTIONS, stop, told.append).run)
    thread.start()
    try:
        wait_until(lambda: len(told) == len(PROJECTIONS))
        place(log, 20, 5)
        wait_until(lambda: conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (15,))
    finally:
        stop.set()
        thread.join()
    assert shown(conn) == before
