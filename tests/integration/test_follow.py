"""Following the log: at once, across rebuilds and reverts, whatever becomes of a session or a stream."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live import watcher
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.live.watcher import Watch
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.read_models.status import parked_streams, status
from replayhouse.infra.read_models.versions import OtherVersion
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.projections import replay
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.homes import wait_until
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

ALL = tuple(PROJECTIONS)
PLACED = observe(NEW_ORDER, None, a_header("approved"), [a_line()], [a_payment()])
DELIVERED = observe(order_of(PLACED), None, a_header("delivered"))
OWNERS = """
    SELECT array_agg(a.pid ORDER BY a.pid) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND a.application_name = 'replayhouse project --follow' AND l.granted
        AND a.datname = current_database()
"""


class Followed:
    """What a follower in a thread has said, and came to."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.told: list[str] = []
        self.events: dict[str, int] = {}
        self.stopped: dict[str, NewerVersion | OtherVersion] = {}
        self.error: Exception | None = None

    def run(self, database: Database, contexts: Sequence[str], **options: Any) -> None:
        try:
            watch = Watch(database, contexts, self.stop, self.told.append)
            watch.run(**options)
            self.events, self.stopped = watch.events, watch.stopped
        except Exception as error:
            self.error = error

    def says(self, words: str) -> bool:
        return any(words in sentence for sentence in self.told)


@contextmanager
def followed(database: Database, contexts: Sequence[str] = ALL, **options: Any) -> Iterator[Followed]:
    """A follower in a thread, at work."""
    one = Followed()
    thread = threading.Thread(target=one.run, args=(database, contexts), kwargs=options)
    thread.start()
    try:
        wait_until(lambda: one.says("following") or one.error is not None)
        yield one
    finally:
        one.stop.set()
        thread.join()


def orders(conn: psycopg.Connection) -> int:
    row = conn.execute("SELECT count(*) FROM sales.fact_order").fetchone()
    assert row is not None
    return int(row[0])


def is_at_head(database: Database) -> bool:
    return all(found.lag == 0 for found in status(database).values())


def owners(conn: psycopg.Connection) -> list[int]:
    row = conn.execute(OWNERS).fetchone()
    assert row is not None
    return row[0] or []


def test_a_database_that_goes_away_while_it_still_catches_up_is_waited_for(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [Unreachable("The database has ended the connection.")]

    def catches_up(*arguments: Any, **given: Any) -> dict[str, int]:
        if refusals:
            raise refusals.pop()
        return catch_up(*arguments, **given)

    monkeypatch.setattr(watcher, "catch_up", catches_up)
    Log(conn).append("sales", an_id(1), PLACED)
    with followed(database, ("sales",)) as follower:
        wait_until(lambda: is_at_head(database))
    assert follower.error is None
    assert follower.says("has ended the connection. Waiting for it.")
    assert orders(conn) == 1


def test_a_notification_is_enough(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "POLL_SECONDS", 20.0)
    with followed(database) as one:
        Log(conn).append("sales", an_id(1), PLACED)
        wait_until(lambda: orders(conn) == 1)
        one.stop.set()
        Log(conn).append("sales", an_id(2), PLACED)  # wakes it, so that it ends
    assert one.events["sales"] >= len(PLACED)


def test_a_lost_notification_is_made_up_for(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "_LISTEN", sql.SQL("LISTEN something_else"))
    with followed(database):
        Log(conn).append("sales", an_id(1), PLACED)
        wait_until(lambda: orders(conn) == 1)


def test_what_it_shows_is_what_a_rebuild_shows_also_across_the_swap(
    database: Database, conn: psycopg.Connection
) -> None:
    log = Log(conn)
    with followed(database):
        for number in range(40):
            log.append("sales", an_id((number + 1) << 110), PLACED)
            if number % 15 == 10:
                rebuild(database, ["sales", "marketplace"], workers=1)
            if number == 30:
                revert(database, "sales")
            if number >= 5:
                log.append("sales", an_id((number - 4) << 110), DELIVERED)
        wait_until(lambda: is_at_head(database))
        live = digests(database)
    assert live["sales"].revision == 2
    assert live["sales"].tables["fact_order"].rows == 40
    assert {c: f.tables for c, f in rebuild(database, workers=1).items()} == {c: f.tables for c, f in live.items()}


def test_a_session_that_is_ended_is_replaced(database: Database, conn: psycopg.Connection) -> None:
    log = Log(conn)
    with followed(database) as one:
        log.append("sales", an_id(1), PLACED)
        conn.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [owners(conn)])
        wait_until(lambda: one.says("Waiting for it"))
        log.append("sales", an_id(2), PLACED)
        wait_until(lambda: orders(conn) == 2)
    assert one.error is None


def test_parked_streams_stop_nobody_and_are_tried_again_when_asked_to(
    database: Database, conn: psycopg.Connection
) -> None:
    log, refold = Log(conn), replay.refold

    def failing(projection: Any, before: Any, after: Any) -> Any:
        if after.stream_id == an_id(1):
            raise KeyError("a defect")
        return refold(projection, before, after)

    with pytest.MonkeyPatch.context() as patch, followed(database):
        patch.setattr("replayhouse.infra.read_models.windows.refold", failing)
        log.append_all("sales", {an_id(1): PLACED, an_id(2): PLACED})
        wait_until(lambda: orders(conn) == 1)
    assert [stream.error for stream in parked_streams(conn)] == ["KeyError: 'a defect'"]
    with followed(database, retry_parked=True):
        wait_until(lambda: orders(conn) == 2)
    assert parked_streams(conn) == []


def test_a_context_with_an_event_of_a_newer_program_is_left_to_one(
    database: Database, conn: psycopg.Connection
) -> None:
    log = Log(conn)
    catch_up(database)
    log.append("sales", an_id(1), PLACED)
    conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
    conn.execute("UPDATE event_store.sales_events SET topic = 'sales.OrderPlaced.v3' WHERE originator_version = 1")
    with followed(database, ["sales", "quality"]) as one:
        wait_until(lambda: one.says("sales.OrderPlaced.v3"))
        wait_until(lambda: len(owners(conn)) == 1)
        wait_until(lambda: status(database)["quality"].projected == len(PLACED))
    assert one.error is None
    with followed(database, ["sales"]) as alone:
        wait_until(lambda: alone.says("sales.OrderPlaced.v3"))
    assert list(alone.stopped) == ["sales"]
