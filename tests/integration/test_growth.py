"""What is counted of the log once and kept: it equals what is counted anew, also after more loads and retractions."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import combinations
from pathlib import Path

import psycopg
import pytest

from replayhouse.infra.audit import between, growth
from replayhouse.infra.audit.growth import CORRECTING, growth_between, orders_by_month
from replayhouse.infra.loads.load_ends import load_ends
from replayhouse.infra.postgres.connection import Database
from replayhouse.ingest.synthetic import generate
from tests.support.in_process import Warehouse

ORDERS, SEED = 120, 5
KEPT = "SELECT after_position, position FROM read_model.growth ORDER BY 1, 2"
TOPICS = "SELECT topic, notification_id FROM event_store.log WHERE notification_id > %s AND notification_id <= %s"


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(database, tmp_path / "home")
    for name, until in (("march", datetime(2018, 3, 31, 23, 59, 59)), ("whole", None)):
        generate(tmp_path / name, ORDERS, SEED, until, 1)
        warehouse.ingest(tmp_path / name)
    return warehouse


@pytest.fixture
def conn(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        yield conn


def pairs(conn: psycopg.Connection) -> list[tuple[int, int]]:
    """All that could be compared: the beginning, and the ends of loads."""
    return list(combinations([0, *(end.position for end in load_ends(conn))], 2))


def hold_against_the_log(conn: psycopg.Connection) -> None:
    """Twice: what is counted now, and what is kept."""
    correcting = {context: {f"{context}.{name}" for name in names} for context, names in CORRECTING.items()}
    for old, new in pairs(conn):
        events = conn.execute(TOPICS, [old, new]).fetchall()
        for _ in range(2):
            found = growth_between(conn, old, new)
            assert found.events == Counter(topic for topic, _ in events)
            wanted = {
                context: sorted(at for topic, at in events if topic.rpartition(".")[0] in names)
                for context, names in correcting.items()
            }
            assert found.corrected == sum(map(len, wanted.values()))
            firsts = {context: at[: growth.MOST] for context, at in wanted.items() if at}
            assert found.corrections == firsts
            assert orders_by_month(conn, old, new) == between.orders_by_month(conn, old, new)


def test_what_is_kept_is_what_the_log_has(
    warehouse: Warehouse, conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_against_the_log(conn)
    warehouse.json("retract", "whole", "--reason", "a test")
    hold_against_the_log(conn)
    warehouse.ingest(tmp_path / "whole")
    hold_against_the_log(conn)
    assert conn.execute(KEPT).fetchall() == pairs(conn)
    monkeypatch.setattr(between, "events_by_topic", None)
    hold_against_the_log(conn)


def test_answers_that_are_made_ahead_count_what_the_newest_load_brought(
    warehouse: Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    assert conn.execute(KEPT).fetchall() == []
    warehouse.json("retract", "whole", "--reason", "a test")
    warehouse.json("ingest", tmp_path / "whole", "--answers")
    last = [end.position for end in load_ends(conn)][-2:]
    assert conn.execute(KEPT).fetchall() == [tuple(last)]
    assert conn.execute(KEPT.replace("growth", "growth_of_orders")).fetchall() == [tuple(last)]


def test_who_may_not_write_counts_and_keeps_nothing(warehouse: Warehouse, conn: psycopg.Connection) -> None:
    old, new = pairs(conn)[0]
    conn.execute("SET default_transaction_read_only = on")
    assert sum(growth_between(conn, old, new).events.values()) == new - old
    assert orders_by_month(conn, old, new) == between.orders_by_month(conn, old, new)
    assert conn.execute(KEPT).fetchall() == []


def test_months_are_looked_up_anew_where_the_read_model_shows_more(conn: psycopg.Connection) -> None:
    old, new = pairs(conn)[0]
    before = orders_by_month(conn, old, new)
    conn.execute("UPDATE sales.fact_order SET placed_at = placed_at + interval '10 years'")
    assert orders_by_month(conn, old, new) == before
    conn.execute("UPDATE read_model.projection SET position = position + 1 WHERE context = 'sales'")
    assert {month[:3] for month, _ in orders_by_month(conn, old, new)} == {"202"}
