"""A run of commits that is looked at as a whole: it holds where, one by one, each of its events does."""

from collections.abc import Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.audit import verified_runs
from replayhouse.infra.audit.broken_runs import named_break
from replayhouse.infra.audit.verified_runs import PLANS, first_break
from replayhouse.infra.event_store.commits import commits_after
from tests.support.log_to_tamper import FORGE_LEAVES, forge, twelve_events

TABLES = ("sales", "customer")
UNLIKE_ANY = bytes(32).hex()

OF_EVENTS = (
    "DELETE FROM event_store.{0}_events WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET state = '{{}}' WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET topic = 'marketplace.SellerRegistered.v1' WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET topic = 'elsewhere.Happened.v1' WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET source = 'orders:9' WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET batch_id = NULL WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET batch_id = gen_random_uuid() WHERE notification_id = {1}",
    "UPDATE event_store.{0}_events SET leaf = '\\x00' WHERE notification_id = {1}",
    f"UPDATE event_store.{{0}}_events SET leaf = '\\x{UNLIKE_ANY}' WHERE notification_id = {{1}}",
    "UPDATE event_store.{0}_events SET leaf = sha256('') WHERE notification_id = {1}",
    "INSERT INTO event_store.{0}_events SELECT gen_random_uuid(), originator_version, topic, state, notification_id,"
    " batch_id, source, leaf FROM event_store.log WHERE notification_id = {1} LIMIT 1",
)
OF_COMMITS = (
    "UPDATE event_store.commit SET root = sha256('') WHERE last_position = {1}",
    "UPDATE event_store.commit SET batch_id = NULL WHERE last_position = {1}",
    "UPDATE event_store.commit SET batch_id = gen_random_uuid() WHERE last_position = {1}",
    "UPDATE event_store.commit SET first_position = first_position - 1 WHERE last_position = {1} AND last_position > 3",
    "DELETE FROM event_store.commit WHERE last_position = {1}",
)
changes = st.builds(
    lambda statement, table, position: statement.format(table, position),
    st.sampled_from(OF_EVENTS + OF_COMMITS),
    st.sampled_from(TABLES),
    st.integers(1, 12),
)


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    """Without the constraints that would keep an intruder's rows out: two events have a position, leaves any length."""
    twelve_events(conn)
    for table in TABLES:
        named = f"event_store.{table}_events"
        dropped = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u')"
        for (name,) in conn.execute(dropped.encode(), [named]).fetchall():
            conn.execute(f'ALTER TABLE {named} DROP CONSTRAINT "{name}"'.encode())
        conn.execute(f"CREATE INDEX ON {named} (notification_id)".encode())
    return conn


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.lists(changes, max_size=3), forged=st.booleans(), last=st.integers(1, 4))
def test_what_is_found_in_a_run_is_what_is_found_one_by_one(
    log: psycopg.Connection, changed: Sequence[str], forged: bool, last: int
) -> None:
    with log.transaction(force_rollback=True):
        for statement in changed:
            log.execute(statement.encode())
        if forged:
            for table in TABLES:
                log.execute(FORGE_LEAVES.format(table).encode())
        log.execute(PLANS)
        commits = [commit for commit in commits_after(log, 0) if commit.flaw is None]
        for run in (commits[:last], commits[last:]):
            if run:
                assert first_break(log, run) == named_break(log, run)


def test_a_log_that_holds_is_not_read_one_by_one(log: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was read once more")

    forge(log)
    monkeypatch.setattr(verified_runs, "named_break", refuse)
    assert first_break(log, commits_after(log, 0)) is None
