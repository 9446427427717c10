"""Following the log into ClickHouse: at once, whatever goes away meanwhile; one process at a time is at work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.clickhouse import follower
from replayhouse.infra.clickhouse.follower import Follower
from replayhouse.infra.clickhouse.server import Server, connected
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.rebuild.workers import untold
from replayhouse.infra.runtime.errors import Unreachable
from tests.support.clickhouse import Kept, keeping
from tests.support.homes import wait_until
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("approved"), [a_line()], [a_payment()])
DELIVERED = observe(order_of(PLACED), None, a_header("delivered"))
STATUSES = "SELECT status FROM replayhouse.sales_fact_order ORDER BY order_id"
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'replayhouse project --follow' AND datname = current_database()
"""


@pytest.fixture
def kept(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(follower, "POLL_SECONDS", 0.05)
    with keeping(database, tmp_path) as one:
        yield one


@pytest.fixture
def log(conn: psycopg.Connection) -> Log:
    return Log(conn)


class Followed:
    """A follower in a thread: what it said, and what became of it."""

    def __init__(self, kept: Kept) -> None:
        self.stop = threading.Event()
        self.told: list[str] = []
        self.news: list[str] = []
        self.error: Exception | None = None
        self.follower = Follower(
            kept.database, kept.settings, ("sales",), self.stop, self.told.append, self.news.append,
            workers=1, parts=untold,
        )  # fmt: skip
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.follower.run()
        except Exception as error:
            self.error = error

    def is_at_work(self) -> bool:
        return self.times_at_work() > 0

    def times_at_work(self) -> int:
        """How often it has come to be at work."""
        assert self.error is None, self.error
        return sum(said.startswith("following") for said in self.news)


@contextmanager
def followed(kept: Kept) -> Iterator[Followed]:
    one = Followed(kept)
    one.thread.start()
    try:
        yield one
    finally:
        one.stop.set()
        one.thread.join()
    assert one.error is None


def shows(kept: Kept, *statuses: str) -> bool:
    return kept.rows(STATUSES) == [(status,) for status in statuses]


def test_what_is_appended_is_shown(kept: Kept, log: Log) -> None:
    log.append("sales", an_id(1), PLACED)
    with followed(kept) as one:
        wait_until(one.is_at_work)
        assert shows(kept, "approved")

        log.append("sales", an_id(1), DELIVERED)
        wait_until(lambda: shows(kept, "delivered"))
        log.append("sales", an_id(2), PLACED)
        wait_until(lambda: shows(kept, "delivered", "approved"))

    assert one.follower.events == {"sales": len([*PLACED, *DELIVERED, *PLACED])}
    assert one.told == []


def test_clickhouse_is_waited_for_told_once_and_found_again(
    kept: Kept, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = threading.Event()
    execute = Server.execute

    def out_of_reach(*arguments: Any) -> Any:
        if away.is_set():
            raise Unreachable("The ClickHouse at clickhouse://reports:8123/replayhouse cannot be reached.")
        return execute(*arguments)

    @contextmanager
    def reached(*arguments: Any) -> Iterator[Server]:
        if away.is_set():
            raise Unreachable("The ClickHouse at clickhouse://reports:8123/replayhouse cannot be reached.")
        with connected(*arguments) as server:
            yield server

    monkeypatch.setattr(Server, "execute", out_of_reach)
    monkeypatch.setattr(follower, "connected", reached)
    monkeypatch.setattr(follower, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(follower, "_LONGEST_PAUSE_SECONDS", 0.02)
    log.append("sales", an_id(1), PLACED)
    with followed(kept) as one:
        for number, (order, events) in enumerate([(1, DELIVERED), (2, PLACED)], 1):
            wait_until(lambda number=number: one.times_at_work() == number)  # type: ignore[misc]  # a default
            away.set()
            log.append("sales", an_id(order), events)
            wait_until(lambda number=number: len(one.told) == number)  # type: ignore[misc]
            one.stop.wait(0.2)  # many a try later
            assert len(one.told) == number
            away.clear()
        wait_until(lambda: shows(kept, "delivered", "approved"))
    assert all(said.endswith("cannot be reached. Waiting for it.") for said in one.told)


def test_a_session_that_is_cut_is_taken_up_again(kept: Kept, log: Log, conn: psycopg.Connection) -> None:
    log.append("sales", an_id(1), PLACED)
    with followed(kept) as one:
        wait_until(one.is_at_work)
        conn.execute(CUT)
        log.append("sales", an_id(1), DELIVERED)
        wait_until(lambda: shows(kept, "delivered"))


def test_of_several_one_is_at_work_and_another_takes_over(kept: Kept, log: Log) -> None:
    log.append("sales", an_id(1), PLACED)
    with followed(kept) as second, followed(kept) as first:
        wait_until(lambda: first.is_at_work() or second.is_at_work())
        ended, other = (first, second) if first.is_at_work() else (second, first)
        wait_until(lambda: any("another process" in said for said in other.news))
        assert not other.is_at_work()
        ended.stop.set()
        wait_until(other.is_at_work)
        log.append("sales", an_id(1), DELIVERED)
        wait_until(lambda: shows(kept, "delivered"))


def test_what_a_person_must_decide_ends_it(kept: Kept, log: Log) -> None:
    with kept.connected() as server:
        server.execute("CREATE TABLE replayhouse.theirs (a Int8) ENGINE = MergeTree ORDER BY a")
    one = Followed(kept)
    one.thread.start()
    one.thread.join()
    assert "tables of others" in str(one.error)
