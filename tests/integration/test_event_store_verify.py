"""Verification names the first position that does not hold. Tampering is done by a superuser, triggers off."""

from uuid import uuid4

import psycopg
import pytest

from replayhouse.infra.audit import verify as verifying
from replayhouse.infra.audit.verify import Broken, Verified
from replayhouse.infra.event_store.merkle import root_of
from replayhouse.infra.postgres.connection import Database
from tests.support.log_to_tamper import STORE, twelve_events, verify
from tests.support.recorded_events import PAID, order


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    return twelve_events(conn)


def test_a_log_that_nobody_touched_holds(log: psycopg.Connection) -> None:
    assert verify(log) == Verified(12, STORE.head(log).chain)


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5", 5),
        ("UPDATE event_store.sales_events SET topic = 'sales.OrderPaid.v2' WHERE notification_id = 8", 8),
        ("UPDATE event_store.sales_events SET source = 'orders:3' WHERE notification_id = 3", 3),
        ("UPDATE event_store.sales_events SET source = NULL WHERE notification_id = 3", 3),
        ("UPDATE event_store.sales_events SET batch_id = gen_random_uuid() WHERE notification_id = 4", 4),
        ("UPDATE event_store.sales_events SET batch_id = NULL WHERE notification_id = 12", 12),
        ("UPDATE event_store.sales_events SET originator_version = 2 WHERE notification_id = 9", 9),
        ("UPDATE event_store.sales_events SET originator_id = gen_random_uuid() WHERE notification_id = 9", 9),
        ("UPDATE event_store.sales_events SET leaf = sha256('') WHERE notification_id = 9", 9),
    ],
)
def test_a_changed_event_is_named(log: psycopg.Connection, change: str, position: int) -> None:
    log.execute(change.encode())
    broken = verify(log)
    assert broken == Broken(position, "the event was changed: its leaf is another one")


@pytest.mark.parametrize("position", [1, 4, 6, 12])
def test_a_removed_event_is_named(log: psycopg.Connection, position: int) -> None:
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id = %s", [position])
    log.execute("DELETE FROM event_store.customer_events WHERE notification_id = %s", [position])
    assert verify(log) == Broken(position, "the event was removed")


def test_an_event_moved_to_another_context_is_named(log: psycopg.Connection) -> None:
    log.execute(
        "WITH moved AS (DELETE FROM event_store.sales_events WHERE notification_id = 5 RETURNING *)"
        " INSERT INTO event_store.customer_events SELECT * FROM moved"
    )
    assert verify(log) == Broken(5, "the event has a topic of another context than that of its table")


@pytest.mark.parametrize("position", [2, 5, 12])
def test_a_position_that_two_events_have_is_named(log: psycopg.Connection, position: int) -> None:
    log.execute(
        "INSERT INTO event_store.quality_events SELECT originator_id, 77, topic, state, %s, batch_id, source, leaf"
        " FROM event_store.log LIMIT 1",
        [position],
    )
    broken = verify(log)
    assert isinstance(broken, Broken)
    assert broken.position == position


def test_two_events_that_changed_places_break_the_root_of_their_commit(log: psycopg.Connection) -> None:
    log.execute("UPDATE event_store.sales_events SET notification_id = 100 WHERE notification_id = 8")
    log.execute("UPDATE event_store.sales_events SET notification_id = 8 WHERE notification_id = 9")
    log.execute("UPDATE event_store.sales_events SET notification_id = 9 WHERE notification_id = 100")
    assert verify(log) == Broken(7, "the events from here to 12 are not those of their commit")


def test_a_forged_event_with_a_leaf_and_a_root_that_fit_breaks_the_chain(log: psycopg.Connection) -> None:
    """Whoever forges an event must forge every commit after it, up to the head, and each checkpoint kept elsewhere."""
    forger = uuid4()
    STORE.append(log, [order(forger, 1, PAID)], None)
    leaf = log.execute("SELECT leaf FROM event_store.sales_events WHERE originator_id = %s", [forger]).fetchone()
    assert leaf is not None
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id = 4")
    log.execute("UPDATE event_store.sales_events SET notification_id = 4 WHERE originator_id = %s", [forger])
    rest = log.execute("SELECT leaf FROM event_store.sales_events WHERE notification_id = 5").fetchone()
    assert rest is not None
    log.execute("UPDATE event_store.commit SET root = %s WHERE last_position = 5", [root_of([leaf[0], rest[0]])])
    assert verify(log) == Broken(4, "the commit that begins here does not follow from the one before")


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ("UPDATE event_store.commit SET recorded_at = recorded_at - interval '1 day' WHERE last_position = 5", 4),
        ("UPDATE event_store.commit SET chain = sha256('') WHERE last_position = 6", 6),
        ("UPDATE event_store.commit SET root = sha256('') WHERE last_position = 12", 7),
        ("UPDATE event_store.commit SET first_position = 2 WHERE last_position = 3", 1),
        ("UPDATE event_store.commit SET last_position = 7 WHERE last_position = 6", 6),
        ("DELETE FROM event_store.commit WHERE last_position = 5", 4),
        ("DELETE FROM event_store.commit WHERE last_position = 12", 7),
        ("DELETE FROM event_store.commit", 1),
        ("UPDATE event_store.head SET chain = sha256('')", 12),
        ("UPDATE event_store.head SET recorded_at = now() + interval '1 day'", 12),
        ("UPDATE event_store.head SET position = 11", 12),
        ("UPDATE event_store.head SET position = 13", 13),
    ],
)
def test_a_changed_commit_or_head_is_named(log: psycopg.Connection, change: str, position: int) -> None:
    log.execute(change.encode())
    broken = verify(log)
    assert isinstance(broken, Broken)
    assert broken.position == position


def test_a_log_that_was_cut_off_at_its_end_is_named(log: psycopg.Connection) -> None:
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id >= 7")
    log.execute("DELETE FROM event_store.commit WHERE last_position = 12")
    assert verify(log) == Broken(7, "the log was cut off here; its head says it ends at 12")


@pytest.mark.parametrize("position", [13, 0, -5])
def test_an_event_that_no_commit_has_is_named(log: psycopg.Connection, position: int) -> None:
    log.execute(
        "INSERT INTO event_store.quality_events SELECT originator_id, 77, topic, state, %s, batch_id, source, leaf"
        " FROM event_store.log LIMIT 1",
        [position],
    )
    assert verify(log) == Broken(position, "the event belongs to no commit")


def test_the_first_of_several_breaks_is_named(log: psycopg.Connection) -> None:
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 11")
    log.execute("DELETE FROM event_store.customer_events WHERE notification_id = 6")
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 8")
    assert verify(log) == Broken(6, "the event was removed")
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5")
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id = 4")
    assert verify(log) == Broken(4, "the event was removed"), "of one commit too"


def test_the_connection_is_good_for_more_after_a_break(log: psycopg.Connection) -> None:
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5")
    verify(log)
    assert STORE.append(log, [order(uuid4(), 1)], None).position == 13


def test_the_chain_goes_on_over_more_commits_than_are_read_at_once(
    log: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_COMMITS_AT_ONCE", 1)
    monkeypatch.setattr(verifying, "_POSITIONS_A_RUN", 3)
    told: list[tuple[int, int]] = []
    assert verify(log, lambda done, of: told.append((done, of))) == Verified(12, STORE.head(log).chain)
    assert told == [(3, 12), (5, 12), (6, 12), (12, 12)]


def test_several_processes_find_what_one_does(
    log: psycopg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "EVENTS_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(verifying, "_POSITIONS_A_RUN", 1)
    assert verify(log, database=database, workers=2) == Verified(12, STORE.head(log).chain)
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 11")
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id = 5")
    log.execute("UPDATE event_store.commit SET chain = sha256('') WHERE last_position = 6")
    assert verify(log, database=database, workers=2) == Broken(5, "the event was removed")
    assert verify(log, database=database, workers=2) == verify(log)
