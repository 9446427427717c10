"""A small log for those who tamper with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from replayhouse.infra.audit import verify as verifying
from replayhouse.infra.audit.verify import Broken, Verified
from replayhouse.infra.event_store.store import EventStore
from tests.integration.test_event_store import PAID, order, registered

STORE = EventStore()


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    """Twelve events in commits of 1 to 3, 4 to 5, 6 to 6 and 7 to 12; the triggers are off until it is verified."""
    batch = uuid4()
    STORE.append(conn, [order(uuid4(), 1), registered(uuid4()), order(uuid4(), 1, source="orders:2")], batch)
    STORE.append(conn, [order(uuid4(), 1), order(uuid4(), 1)], None)
    STORE.append(conn, [registered(uuid4())], None)
    STORE.append(conn, [order(uuid4(), 1, PAID) for _ in range(6)], batch)
    switch_triggers(conn, "DISABLE")
    return conn


def switch_triggers(conn: psycopg.Connection, how: str) -> None:
    for table in ("sales_events", "customer_events", "commit"):
        conn.execute(f"ALTER TABLE event_store.{table} {how} TRIGGER append_only".encode())


@contextmanager
def covered_up(log: psycopg.Connection) -> Iterator[None]:
    """In the block the triggers are on, as whoever tampers with a log would leave them."""
    switch_triggers(log, "ENABLE ALWAYS")
    try:
        yield
    finally:
        switch_triggers(log, "DISABLE")


def verify(log: psycopg.Connection, *arguments: Any, **options: Any) -> Verified | Broken:
    """What the verification says of the log."""
    with covered_up(log):
        return verifying.verify(log, *arguments, **options)
