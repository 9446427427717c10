"""Writers at the same time: every event has one position, and a follower that trusts the head misses none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from random import Random
from threading import Event
from time import sleep
from uuid import uuid4

import psycopg
import pytest

from replayhouse.infra.audit.verify import Verified, verify
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import Conflict
from tests.support.recorded_events import order, registered

STORE = EventStore()
APPENDS = 25


def write(database: Database, seed: int) -> int:
    """Appends in chunks of 1 to 60 events, in transactions that overlap with those of others; returns how many."""
    random = Random(seed)
    written = 0
    with database.connect(f"writer {seed}", autocommit=True) as conn:
        for _ in range(APPENDS):
            events = [order(uuid4(), 1) for _ in range(random.randint(1, 60))] + [registered(uuid4())]
            # The transaction is open, with rows of its own, before the head is taken: others begin and end meanwhile.
            pause = random.choice((0.0, 0.002, 0.01))
            STORE.append(conn, events, None, before=lambda conn, pause=pause: sleep(pause))  # type: ignore[misc]  # a lambda with a default is a callable all the same
            written += len(events)
    return written


def follow(database: Database, done: Event) -> list[int]:
    """What a poll of `position <= head` sees, in the order it sees it."""
    seen: list[int] = []
    last = 0
    with database.connect("follower", autocommit=True) as conn:
        while True:
            was_done = done.is_set()
            head = STORE.head(conn).position
            query = "SELECT notification_id FROM event_store.log WHERE notification_id > %s AND notification_id <= %s"
            seen += [position for (position,) in conn.execute(f"{query} ORDER BY 1".encode(), [last, head])]
            last = head
            if was_done:
                return seen


def test_a_follower_sees_every_event_once_and_in_order(database: Database, conn: psycopg.Connection) -> None:
    """Four threads and two processes write; a transaction that stays open all the while hides nothing."""
    done = Event()
    with database.connect() as idle, ThreadPoolExecutor(8) as threads:
        idle.execute("SELECT pg_current_xact_id()")
        following = [threads.submit(follow, database, done) for _ in range(2)]
        with get_context("spawn").Pool(2) as processes:
            elsewhere = processes.starmap_async(write, [(database, 5), (database, 6)])
            here = [threads.submit(write, database, seed) for seed in range(1, 5)]
            written = sum(writer.result() for writer in here) + sum(elsewhere.get(timeout=240))
        done.set()
        for follower in following:
            assert follower.result() == list(range(1, written + 1))
    assert STORE.head(conn).position == written
    assert isinstance(verify(conn), Verified)


def test_of_two_writers_of_the_same_version_one_wins(database: Database, conn: psycopg.Connection) -> None:
    stream = uuid4()

    def attempt(number: int) -> bool:
        with database.connect(autocommit=True) as own:
            try:
                STORE.append(own, [order(uuid4(), 1), order(stream, 1)], None)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(attempt, range(4))) == [False, False, False, True]
    assert STORE.head(conn).position == 2


def test_writers_that_make_the_same_keys_at_once_agree_on_them(database: Database, conn: psycopg.Connection) -> None:
    persons = [uuid4() for _ in range(50)]
    versions = iter(range(1, 9))

    def attempt(shuffled: Callable[[list[object]], None]) -> None:
        version = next(versions)
        own_order = list(persons)
        shuffled(own_order)  # type: ignore[arg-type]  # Random.shuffle takes any list
        events = [registered(person)._replace(originator_version=version) for person in own_order]
        with database.connect(autocommit=True) as own:
            STORE.append(own, events, None)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(attempt, [Random(seed).shuffle for seed in range(8)]))
    streams = STORE.streams(conn, "customer", persons)
    assert all(len(streams[person].events) == 8 for person in persons)  # readable, all eight, with one key each


def test_a_writer_killed_under_the_lock_leaves_nothing_and_holds_nobody_up(
    database: Database, conn: psycopg.Connection
) -> None:
    STORE.append(conn, [order(uuid4(), 1)], None)
    with database.connect() as victim:
        victim.execute("SELECT 1")
        STORE.append(victim, [order(uuid4(), 1)], None)  # within a transaction that stays open: the head is locked
        conn.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            victim.execute("SELECT 1")
    assert STORE.append(conn, [order(uuid4(), 1)], None).position == 2
    assert isinstance(verify(conn), Verified)
