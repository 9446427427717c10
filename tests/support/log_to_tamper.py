"""A small log for those who tamper with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg

from replayhouse.infra.audit import verify as verifying
from replayhouse.infra.audit.verify import Broken, Verified
from replayhouse.infra.event_store.merkle import GENESIS, chain_of, root_of
from replayhouse.infra.event_store.store import EventStore
from tests.support.recorded_events import PAID, order, registered

STORE = EventStore()


def twelve_events(conn: psycopg.Connection) -> psycopg.Connection:
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


# By PostgreSQL's own functions, one context after the other: a forger needs no program of ours.
FORGE_LEAVES = """
    UPDATE event_store.{0}_events SET leaf = sha256(
        '\\x00'::bytea
        || int4send(octet_length('{0}')) || convert_to('{0}', 'UTF8')
        || int4send(16) || uuid_send(originator_id)
        || int4send(8) || int8send(originator_version)
        || int4send(octet_length(topic)) || convert_to(topic, 'UTF8')
        || int4send(octet_length(state)) || state
        || CASE WHEN batch_id IS NULL THEN int4send(-1) ELSE int4send(16) || uuid_send(batch_id) END
        || CASE WHEN source IS NULL THEN int4send(-1)
                ELSE int4send(octet_length(source)) || convert_to(source, 'UTF8') END
    )
"""
COMMITS = "SELECT first_position, last_position, recorded_at FROM event_store.commit ORDER BY last_position"
LEAVES = "SELECT leaf FROM event_store.log WHERE notification_id BETWEEN %s AND %s ORDER BY notification_id"


def forge(log: psycopg.Connection) -> None:
    """Makes leaves, roots, the chain and the head those of what the tables hold now."""
    for context in ("sales", "customer"):
        log.execute(FORGE_LEAVES.format(context).encode())
    chain, last = GENESIS, 0
    for first, last, recorded_at in log.execute(COMMITS).fetchall():
        root = root_of([leaf for (leaf,) in log.execute(LEAVES, [first, last])])
        chain = chain_of(chain, first, last, recorded_at, root)
        log.execute("UPDATE event_store.commit SET root = %s, chain = %s WHERE last_position = %s", [root, chain, last])
    newest = "SELECT coalesce(max(recorded_at), 'epoch') FROM event_store.commit"
    log.execute(
        f"UPDATE event_store.head SET position = %s, chain = %s, recorded_at = ({newest})".encode(), [last, chain]
    )
