"""While read models are rebuilt and reverted again and again, and events go on coming, nobody who reads notices.

Each order has one line and one payment of its total, so that what a statement sees is right or it is not: a mixture of
two revisions, an empty table or a missing one would show, whatever the reader's way of reading.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import IsolationLevel

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres import pg_tools
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild import swap
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
FIRST_ORDERS = 200

SEEN = """
    SELECT count(*), count(i.order_id), count(p.order_id), count(m.order_id), count(*) FILTER (WHERE o.total <> i.total)
    FROM sales.fact_order AS o
    LEFT JOIN sales.fact_order_item AS i ON i.order_id = o.order_id
    LEFT JOIN sales.fact_payment AS p ON p.order_id = o.order_id
    LEFT JOIN mart.paid AS m ON m.order_id = o.order_id
"""

Way = Callable[[Database, threading.Event, list[str]], None]


def _complaint(seen: tuple[int, ...]) -> str | None:
    orders, items, payments, marts, differing = seen
    if orders < FIRST_ORDERS or not orders == items == payments == marts or differing:
        return f"orders {orders}, lines {items}, payments {payments}, in the mart {marts}, {differing} differ"
    return None


def plain_statements(database: Database, stop: threading.Event, complaints: list[str]) -> None:
    with database.connect("reader", autocommit=True) as reader:
        while not stop.is_set():
            _look(reader, complaints)


def prepared_statements(database: Database, stop: threading.Event, complaints: list[str]) -> None:
    with database.connect("reader", autocommit=True) as reader:
        while not stop.is_set():
            _look(reader, complaints, prepare=True)


def long_transactions(database: Database, stop: threading.Event, complaints: list[str]) -> None:
    """Several looks in one snapshot, which must all be the same."""
    with database.connect("reader", autocommit=True) as reader:
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        while not stop.is_set():
            with reader.transaction():
                looks = set()
                for _ in range(5):
                    looks.add(_look(reader, complaints))
                    time.sleep(0.05)
            if len(looks) != 1:
                complaints.append(f"one snapshot, seen in {len(looks)} ways: {looks}")


def dumps(database: Database, stop: threading.Event, complaints: list[str]) -> None:
    """pg_dump, as it is; the rows of its copies must be complete."""
    pg_dump = str(pg_tools.program("pg_dump", 18))
    options = [pg_dump, "--data-only", "--schema=sales", "--table=sales.*"]
    while not stop.is_set():
        done = subprocess.run(
            options, env=pg_tools.environment(database.url), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            complaints.append(f"pg_dump: {done.stderr}")
            return
        rows = {copy.split(" ", 1)[0]: copy.count("\n") for copy in done.stdout.split("COPY sales.")[1:]}
        if len(rows) != 3 or min(rows.values()) < FIRST_ORDERS:
            complaints.append(f"pg_dump has {rows}")


def _look(reader: psycopg.Connection, complaints: list[str], *, prepare: bool = False) -> tuple[int, ...]:
    seen: tuple[int, ...] = reader.execute(SEEN, prepare=prepare).fetchone() or ()
    if complaint := _complaint(seen):
        complaints.append(complaint)
    return seen


@contextmanager
def at_work(*works: Callable[[threading.Event], None]) -> Iterator[None]:
    """Threads that work while the block runs."""
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(stop,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    "way", [plain_statements, prepared_statements, long_transactions, dumps], ids=lambda way: way.__name__
)
def test_readers_see_no_error_no_mixture_and_never_nothing(
    database: Database, conn: psycopg.Connection, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The slower the readers, the less often they let go of the tables for those 50 ms in which somebody waits for them.
    monkeypatch.setattr(swap, "_SWAP_SECONDS", 300.0)
    log, complaints = Log(conn), list[str]()
    log.append_all("sales", {an_id((1 + n) << 100): PLACED for n in range(FIRST_ORDERS)})
    catch_up(database)
    conn.execute("CREATE VIEW mart.paid AS SELECT order_id FROM sales.fact_order WHERE is_paid")

    def read(stop: threading.Event) -> None:
        try:
            way(database, stop, complaints)
        except psycopg.Error as error:
            complaints.append(f"{type(error).__name__}: {error}")

    def append_and_follow(stop: threading.Event) -> None:
        with database.connect("writer", autocommit=True) as writer:
            number, own = FIRST_ORDERS + 1, Log(writer)
            while not stop.is_set():
                own.append_all("sales", {an_id(number << 100): PLACED})
                catch_up(database, ["sales"])
                number += 1

    with at_work(read, append_and_follow):
        for _ in range(2):
            rebuild(database, ["sales"], workers=1)
            revert(database, "sales")
    assert complaints == []
