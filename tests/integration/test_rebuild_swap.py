"""A rebuild that dies leaves nothing behind; readers and projectors at work meanwhile see only a new revision."""

import multiprocessing
import threading
import time
from multiprocessing.synchronize import Event
from typing import Any

import psycopg
import pytest

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import QUICK_LOCK
from replayhouse.infra.read_models import marts
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.marts_shown import MartsShown
from replayhouse.infra.read_models.rebuild import revisions, swap, workers
from replayhouse.infra.read_models.rebuild.range_loader import Loader
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rights import Rights
from replayhouse.infra.runtime.errors import Conflicting
from tests.support.homes import LONGEST_WAIT_S
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
A_READER_WAITS = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = 'a reader' AND wait_event_type = 'Lock'
"""
LEFT_OVER = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '_r[0-9]+$'"


def many_orders(conn: psycopg.Connection, first: int, count: int) -> Log:
    log = Log(conn)
    log.append_all("sales", {an_id((first + n) << 110): PLACED for n in range(count)})
    return log


def _stuck_rebuild(database: Database, step: str, is_there: Event) -> None:
    """In a process of its own: begins a rebuild and never gets beyond a step of it."""

    def stuck(*_: Any, **__: Any) -> Any:
        is_there.set()
        threading.Event().wait()

    owner: Any = next((module for module in (revisions, swap) if hasattr(module, step)), Loader)
    setattr(owner, step, stuck)
    rebuild(database, workers=1)


@pytest.mark.parametrize("step", ["load", "finish", "swap", "drop_retired"])
def test_killed_at_any_step_it_can_be_done_again(database: Database, conn: psycopg.Connection, step: str) -> None:
    many_orders(conn, 1, 50)
    catch_up(database)
    before = digests(database)
    context = multiprocessing.get_context("spawn")
    is_there = context.Event()
    process = context.Process(target=_stuck_rebuild, args=(database, step, is_there))
    process.start()
    try:
        assert is_there.wait(LONGEST_WAIT_S)
        assert conn.execute(LEFT_OVER).fetchone() != (0,)
    finally:
        process.kill()
        process.join()

    live = digests(database)
    assert {context: found.tables for context, found in live.items()} == {
        c: found.tables for c, found in before.items()
    }
    rebuilt = rebuild(database, keep=0)
    assert {c: found.tables for c, found in rebuilt.items()} == {c: found.tables for c, found in before.items()}
    assert rebuilt["sales"].revision == live["sales"].revision + 1
    assert conn.execute(LEFT_OVER).fetchone() == (0,)


def test_what_is_appended_meanwhile_is_in_the_new_revision(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = many_orders(conn, 1, 20)
    catch_up(database)
    wait = swap.wait_for_old_snapshots
    positions = []

    def appending(connection: psycopg.Connection) -> None:
        wait(connection)
        positions.append(log.append_all("sales", {an_id(n): PLACED for n in range(5)}))

    monkeypatch.setattr(swap, "wait_for_old_snapshots", appending)
    rebuilt = rebuild(database, ["sales"])["sales"]

    assert rebuilt.position == positions[0]
    assert digests(database)["sales"].tables == rebuilt.tables
    assert rebuilt.tables["fact_order"].rows == 25
    assert catch_up(database)["sales"] == 0


def test_readers_see_one_revision_or_the_other(database: Database, conn: psycopg.Connection) -> None:
    many_orders(conn, 1, 30)
    catch_up(database)
    seen: set[Any] = set()
    stop = threading.Event()

    def read() -> None:
        with database.connect(autocommit=True) as reader:
            while not stop.is_set():
                seen.add(
                    reader.execute(
                        "SELECT (SELECT count(*) FROM sales.fact_order), (SELECT count(*) FROM sales.fact_payment),"
                        " (SELECT count(*) FROM marketplace.dim_product)"
                    ).fetchone()
                )

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(3):
            rebuild(database)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert seen == {(30, 30, 1)}


def test_a_view_of_somebody_else_keeps_the_revision_that_it_stands_on(
    database: Database, conn: psycopg.Connection
) -> None:
    many_orders(conn, 1, 3)
    catch_up(database)
    conn.execute("CREATE VIEW public.mine AS SELECT count(*) FROM sales.fact_order")
    rebuild(database, keep=0)
    assert conn.execute("SELECT * FROM public.mine").fetchone() == (3,)
    conn.execute("DROP VIEW public.mine")
    rebuild(database, keep=0)
    assert conn.execute(LEFT_OVER).fetchone() == (0,)


def test_any_number_of_processes_gives_the_same(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(conn, 1, 200)
    alone = rebuild(database, ["sales"], workers=1)["sales"]
    monkeypatch.setattr(workers, "_EVENTS_WORTH_A_PROCESS", 100)
    monkeypatch.setattr(workers, "_EVENTS_A_RANGE", 100)
    together = rebuild(database, ["sales"], workers=3)["sales"]
    assert together.tables == alone.tables
    assert together.events == alone.events


def test_a_large_first_load_is_filled_in_at_once_and_keeps_its_revision(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replayhouse.infra.read_models.live.projector.FILL_FROM_EVENTS", 100)
    many_orders(conn, 1, 60)
    assert catch_up(database)["sales"] == 60 * len(PLACED)
    live = digests(database)["sales"]
    assert live.revision == 1
    assert rebuild(database, ["sales"])["sales"].tables == live.tables


def test_two_that_catch_up_at_once_count_each_event_once(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replayhouse.infra.read_models.windows.EVENTS_A_WINDOW", 20)
    catch_up(database)
    many_orders(conn, 1, 60)
    counted: list[int] = []
    threads = [threading.Thread(target=lambda: counted.append(catch_up(database)["sales"])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 60 * len(PLACED)
    live = digests(database)["sales"].tables
    assert rebuild(database, ["sales"])["sales"].tables == live


def test_a_reader_with_an_old_snapshot_never_sees_empty_tables(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, is_waiting = swap.wait_for_old_snapshots, threading.Event()

    def waiting(connection: psycopg.Connection) -> None:
        is_waiting.set()
        wait(connection)

    monkeypatch.setattr(swap, "wait_for_old_snapshots", waiting)
    many_orders(conn, 1, 30)
    catch_up(database)
    with database.connect() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM event_store.sales_events")
        rebuilding_thread = threading.Thread(target=rebuild, args=(database,))
        rebuilding_thread.start()
        assert is_waiting.wait(LONGEST_WAIT_S)
        rebuilding_thread.join(0.2)  # were it not to wait, it would go on to the swap
        assert rebuilding_thread.is_alive()
        assert reader.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (30,)
        reader.rollback()
        rebuilding_thread.join()
    assert digests(database)["sales"].revision == 2


def test_a_reader_with_an_old_snapshot_that_does_not_end_ends_the_rebuild(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "_OLD_SNAPSHOTS_SECONDS", 0.3)
    many_orders(conn, 1, 3)
    catch_up(database)
    with database.connect("a long report") as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM event_store.sales_events")
        with pytest.raises(Conflicting, match="a long report"):
            rebuild(database)
        assert reader.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (3,)
        reader.rollback()
    assert conn.execute(LEFT_OVER).fetchone() == (0,)


def test_who_comes_through_a_view_while_tables_are_exchanged_sees_one_revision(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(conn, 1, 3)
    catch_up(database)
    conn.execute("DELETE FROM sales.fact_order; DELETE FROM marketplace.product")  # the old revision is told by that
    seen: list[Any] = []

    def read() -> None:
        with database.connect("a reader", autocommit=True) as reader:
            seen.append(
                reader.execute(
                    "SELECT (SELECT count(*) FROM marketplace.dim_product), (SELECT count(*) FROM sales.fact_order)"
                ).fetchone()
            )

    thread = threading.Thread(target=read)
    move_in = marts.move_in

    def while_locked(swapper: psycopg.Connection, aside: str, made: MartsShown, given: Rights) -> None:
        thread.start()
        while conn.execute(A_READER_WAITS).fetchone() == (0,):
            time.sleep(0.02)
        move_in(swapper, aside, made, given)

    monkeypatch.setattr(marts, "move_in", while_locked)
    rebuild(database, workers=1)
    thread.join()
    assert seen == [(1, 3)]


def test_readers_that_do_not_let_go_end_the_rebuild(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "_SWAP_SECONDS", 0.3)
    many_orders(conn, 1, 3)
    catch_up(database)
    before = digests(database)
    with database.connect() as reader:
        reader.execute("SELECT count(*) FROM sales.fact_order")
        with pytest.raises(Conflicting):
            rebuild(database)
        reader.rollback()
    assert digests(database) == before
    assert conn.execute(LEFT_OVER).fetchone() == (0,)


def test_an_autovacuum_gives_way_to_the_swap(conn: psycopg.Connection) -> None:
    """It does so for whoever waits longer than deadlock_timeout, which must be less than the swap waits."""
    with conn.transaction():
        conn.execute(QUICK_LOCK)
        found = conn.execute(
            "SELECT array_agg(setting::int ORDER BY name) FROM pg_settings WHERE name ~ '^(deadlock|lock)_timeout$'"
        ).fetchone()
    assert found == ([10, 50],)
    assert conn.execute("SELECT current_setting('deadlock_timeout')").fetchone() == ("1s",)
