"""A small log for those who tamper with it."""

from uuid import uuid4

import psycopg
import pytest

from infra.postgres.store import EventStore
from tests.integration.test_event_store import PAID, order, registered

STORE = EventStore()


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    """Twelve events in commits of 1 to 3, 4 to 5, 6 to 6 and 7 to 12; the triggers are off."""
    batch = uuid4()
    STORE.append(conn, [order(uuid4(), 1), registered(uuid4()), order(uuid4(), 1, source="orders:2")], batch)
    STORE.append(conn, [order(uuid4(), 1), order(uuid4(), 1)], None)
    STORE.append(conn, [registered(uuid4())], None)
    STORE.append(conn, [order(uuid4(), 1, PAID) for _ in range(6)], batch)
    for table in ("sales_events", "customer_events", "commit"):
        conn.execute(f"ALTER TABLE event_store.{table} DISABLE TRIGGER append_only".encode())
    return conn
