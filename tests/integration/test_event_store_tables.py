"""A superuser changes what the tables of the log are, or takes their constraints off and writes what these keep out.

Each is named, with the first position that does not hold. What hashes show stands in test_event_store_verify, and what
they show to those who forge them in test_event_store_tampering.
"""

import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from replayhouse import infra
from replayhouse.infra.audit import verify as verifying
from replayhouse.infra.audit.documents import DoesNotHold
from replayhouse.infra.audit.proofs import head_to_sign, inclusion_proof
from replayhouse.infra.audit.verify import Broken, Verified
from replayhouse.infra.event_store.log_tables import FACTS, OWN_NAMES, facts_of
from replayhouse.infra.runtime.errors import ReplayhouseError
from tests.support.log_to_tamper import STORE, covered_up, forge, switch_triggers, twelve_events, verify
from tests.support.recorded_events import order

HIDE_5 = """
    CREATE OR REPLACE VIEW event_store.log AS
    SELECT text 'sales' AS context, originator_id, originator_version, topic, state, notification_id, batch_id, source,
        leaf
    FROM event_store.kept
"""


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    return twelve_events(conn)


def test_the_tables_are_what_the_migrations_make_them(conn: psycopg.Connection) -> None:
    with conn.transaction():
        conn.execute(OWN_NAMES)
        assert sorted(facts_of(conn)) == sorted(FACTS)


def test_nothing_of_ours_reads_the_view() -> None:
    reading = re.compile(r"\b(FROM|JOIN)\s+event_store\.log\b")
    modules = Path(infra.__file__).parent.rglob("*.py")
    assert [module.name for module in modules if reading.search(module.read_text("utf-8"))] == []


def test_an_event_that_is_hidden_behind_another_view_is_named(log: psycopg.Connection) -> None:
    """The folds read the tables, and so does the verification: what the view says is for people."""
    log.execute("CREATE TABLE event_store.kept AS SELECT * FROM event_store.sales_events")
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5")
    log.execute(HIDE_5)
    assert verify(log) == Broken(5, "the event was changed: its leaf is another one")


TABLES = {
    "another view": (HIDE_5.replace("kept", "sales_events"), "the query of event_store.log is not as it was made"),
    "no view": ("DROP VIEW event_store.log", "event_store.log is missing"),
    "a view": (
        "ALTER TABLE event_store.sales_events RENAME TO kept;"
        "CREATE VIEW event_store.sales_events AS SELECT * FROM event_store.kept",
        "event_store.sales_events is a view, and not a table",
    ),
    "a materialised view": (
        "ALTER TABLE event_store.commit RENAME TO kept;"
        "CREATE MATERIALIZED VIEW event_store.commit AS SELECT * FROM event_store.kept",
        "event_store.commit is a materialised view, and not a table",
    ),
    "a partitioned table": (
        "ALTER TABLE event_store.quality_events RENAME TO kept;"
        "CREATE TABLE event_store.quality_events (LIKE event_store.kept) PARTITION BY HASH (originator_id)",
        "event_store.quality_events is a partitioned table, and not a table",
    ),
    "no table": ("DROP TABLE event_store.head", "event_store.head is missing"),
    "no schema": ("ALTER SCHEMA event_store RENAME TO gone", "event_store.sales_events is missing"),
    "a child": (
        "CREATE TABLE event_store.more () INHERITS (event_store.sales_events)",
        "event_store.sales_events has a child event_store.more that no migration made",
    ),
    "row level security": (
        "ALTER TABLE event_store.sales_events ENABLE ROW LEVEL SECURITY",
        "event_store.sales_events is a table with row level security, and not a table",
    ),
    "a policy": (
        "CREATE POLICY few ON event_store.commit USING (false)",
        "event_store.commit has a policy few that no migration made",
    ),
    "a rule": (
        "CREATE RULE quiet AS ON INSERT TO event_store.sales_events DO INSTEAD NOTHING",
        "event_store.sales_events has a rule quiet that no migration made",
    ),
    "an unlogged table": (
        "ALTER TABLE event_store.quality_events SET UNLOGGED",
        "event_store.quality_events is a table with nothing that survives a crash, and not a table",
    ),
    "a column more": (
        "ALTER TABLE event_store.sales_events ADD COLUMN note text",
        "event_store.sales_events has a column note that no migration made",
    ),
    "another type": (
        "ALTER TABLE event_store.head ALTER COLUMN position TYPE numeric",
        "the column position of event_store.head is not as it was made: number 1, numeric",
    ),
    "a generated column": (
        "ALTER TABLE event_store.commit DROP COLUMN batch_id CASCADE;"
        "ALTER TABLE event_store.commit ADD COLUMN batch_id uuid GENERATED ALWAYS AS (NULL::uuid) STORED",
        "the column batch_id of event_store.commit is not as it was made: number 6, uuid, generated",
    ),
    "columns in another order": (
        "ALTER TABLE event_store.head DROP COLUMN position; ALTER TABLE event_store.head ADD COLUMN position bigint",
        "the column position of event_store.head is not as it was made: number 4, bigint",
    ),
    "a column without its constraint": (
        "ALTER TABLE event_store.sales_events ALTER COLUMN topic DROP NOT NULL",
        "event_store.sales_events lacks its NOT NULL of topic",
    ),
    "a trigger that is off": (
        "ALTER TABLE event_store.quality_events DISABLE TRIGGER append_only",
        "the state of the trigger append_only of event_store.quality_events is not as it was made: disabled",
    ),
    "a trigger that a replica leaves out": (
        "ALTER TABLE event_store.commit ENABLE TRIGGER append_only",
        "the state of the trigger append_only of event_store.commit is not as it was made: not always enabled",
    ),
    "no trigger": (
        "DROP TRIGGER only_destroyed ON event_store.subject_key",
        "event_store.subject_key lacks its trigger only_destroyed",
    ),
    "another trigger": (
        "CREATE FUNCTION event_store.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER other BEFORE INSERT ON event_store.sales_events"
        " FOR EACH ROW EXECUTE FUNCTION event_store.other()",
        "event_store.sales_events has a trigger other that no migration made",
    ),
    "a function that refuses nothing": (
        "CREATE OR REPLACE FUNCTION event_store.refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "event_store.refuse_change is a function in plpgsql that takes () and gives trigger, source ",
    ),
    "no key": (
        "ALTER TABLE event_store.sales_events DROP CONSTRAINT sales_events_pkey",
        "event_store.sales_events lacks its constraint sales_events_pkey",
    ),
    "no order of positions": (
        "ALTER TABLE event_store.sales_events DROP CONSTRAINT sales_events_notification_id_key",
        "event_store.sales_events lacks its constraint sales_events_notification_id_key",
    ),
    "no check": (
        "ALTER TABLE event_store.commit DROP CONSTRAINT commit_check",
        "event_store.commit lacks its constraint commit_check",
    ),
    "a check that does not hold for what is there": (
        "ALTER TABLE event_store.commit DROP CONSTRAINT commit_check,"
        " ADD CONSTRAINT commit_check CHECK (first_position <= last_position) NOT VALID",
        "the constraint commit_check of event_store.commit is not as it was made",
    ),
    "an index more that runs something": (
        "CREATE INDEX own ON event_store.sales_events (length(state))",
        "event_store.sales_events has an index own that no migration made",
    ),
    "an index more in another order": (
        "CREATE INDEX own ON event_store.sales_events (topic text_pattern_ops)",
        "event_store.sales_events has an index own that no migration made",
    ),
    "an index that holds nothing": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'event_store.sales_events_pkey'::regclass",
        "the index sales_events_pkey of event_store.sales_events is not as it was made",
    ),
    "an index more that keeps rows out": (
        "CREATE UNIQUE INDEX own ON event_store.sales_events (leaf)",
        "event_store.sales_events has an index own that no migration made",
    ),
}


@pytest.mark.parametrize(("change", "why"), TABLES.values(), ids=TABLES)
def test_a_table_that_is_another_one_is_named(log: psycopg.Connection, change: str, why: str) -> None:
    switch_triggers(log, "ENABLE ALWAYS")
    assert isinstance(verifying.verify(log), Verified)
    log.execute(change.encode())
    broken = verifying.verify(log)
    assert isinstance(broken, Broken)
    assert (broken.position, broken.why[: len(why)]) == (1, why)


def test_what_others_make_beside_the_tables_is_left_alone(log: psycopg.Connection) -> None:
    switch_triggers(log, "ENABLE ALWAYS")
    log.execute("""
        CREATE TABLE public.note (position bigint REFERENCES event_store.sales_events (notification_id), note text);
        CREATE VIEW public.orders AS SELECT * FROM event_store.sales_events;
        CREATE INDEX own ON event_store.sales_events (topic, batch_id);
        CREATE PUBLICATION everything FOR ALL TABLES;
        GRANT SELECT ON event_store.sales_events TO public;
        ALTER TABLE event_store.sales_events ALTER topic SET STATISTICS 500, SET (autovacuum_enabled = off);
        COMMENT ON TABLE event_store.sales_events IS 'ours';
        CREATE STATISTICS event_store.both ON topic, batch_id FROM event_store.sales_events;
    """)
    assert isinstance(verifying.verify(log), Verified)


@pytest.mark.parametrize(
    "change",
    [
        TABLES["a view"][0],
        TABLES["row level security"][0],
        TABLES["a child"][0],
        "UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5;" + HIDE_5,
        "UPDATE event_store.sales_events SET leaf = sha256('') WHERE notification_id = 4",
        "UPDATE event_store.commit SET recorded_at = 'infinity' WHERE last_position = 12",
        "DELETE FROM event_store.commit WHERE last_position = 6",
    ],
)
def test_only_what_the_folds_read_is_proved(log: psycopg.Connection, change: str) -> None:
    log.execute("CREATE TABLE event_store.kept AS SELECT * FROM event_store.sales_events")
    inclusion_proof(log, 5)
    log.execute(change.replace("RENAME TO kept", "RENAME TO other").encode())
    with pytest.raises(DoesNotHold):
        inclusion_proof(log, 5)


@pytest.mark.parametrize("change", ["DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "DROP TABLE {}"])
def test_a_store_that_is_none_or_two_is_told_plainly(log: psycopg.Connection, change: str) -> None:
    log.execute("DROP INDEX event_store.store_is_one_row")
    log.execute(change.format("event_store.store").encode())
    with pytest.raises(DoesNotHold, match=r"event_store\.store is no table of one row any more"):
        head_to_sign(log)


def test_what_was_changed_is_named_before_what_should_have_kept_it_so(log: psycopg.Connection) -> None:
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5")
    assert verifying.verify(log) == Broken(5, "the event was changed: its leaf is another one"), "triggers are off"


FREE = """
    ALTER TABLE event_store.commit DROP CONSTRAINT commit_check, DROP CONSTRAINT commit_pkey,
        ALTER last_position DROP NOT NULL, ALTER first_position DROP NOT NULL, ALTER recorded_at DROP NOT NULL,
        ALTER root DROP NOT NULL, ALTER chain DROP NOT NULL;
    ALTER TABLE event_store.sales_events DROP CONSTRAINT sales_events_pkey,
        DROP CONSTRAINT sales_events_notification_id_key,
        ALTER originator_id DROP NOT NULL, ALTER originator_version DROP NOT NULL, ALTER topic DROP NOT NULL,
        ALTER state DROP NOT NULL, ALTER notification_id DROP NOT NULL, ALTER leaf DROP NOT NULL;
    ALTER TABLE event_store.head ALTER position DROP NOT NULL, ALTER recorded_at DROP NOT NULL,
        ALTER chain DROP NOT NULL;
    ALTER TABLE event_store.head DROP CONSTRAINT head_pkey;
"""
EVENT = "UPDATE event_store.sales_events SET {} WHERE notification_id = 5"
COMMIT = "UPDATE event_store.commit SET {} WHERE last_position = 5"
COMMIT_MORE = """
    INSERT INTO event_store.commit SELECT {}, {}, batch_id, recorded_at, root, chain FROM event_store.commit LIMIT 1
"""
COPY_OF_5 = """
    INSERT INTO event_store.{} SELECT originator_id, {}, topic, state, {}, batch_id, source, leaf
    FROM event_store.sales_events WHERE notification_id = 5
"""
NO_LEAF = "the event has no leaf: none of 32 bytes"
CHANGED = "the event was changed: its leaf is another one"
ROWS = {
    "no leaf": (EVENT.format("leaf = NULL"), 5, NO_LEAF),
    "a short leaf": (EVENT.format("leaf = substr(leaf, 1, 31)"), 5, NO_LEAF),
    "a long leaf": (EVENT.format("leaf = leaf || leaf"), 5, NO_LEAF),
    "no state": (EVENT.format("state = NULL"), 5, CHANGED),
    "no stream": (EVENT.format("originator_id = NULL"), 5, CHANGED),
    "no version": (EVENT.format("originator_version = NULL"), 5, CHANGED),
    "no topic": (EVENT.format("topic = NULL"), 5, CHANGED),
    "a topic of another context": (
        EVENT.format("topic = 'customer.CustomerRegistered.v1'"), 5, "the event has a topic of another context"
    ),
    "no position": (EVENT.format("notification_id = NULL"), 5, "the event was removed"),
    "an event more without a position": (
        COPY_OF_5.format("sales_events", 2, "NULL"), 13, "an event of event_store.sales_events has no position"
    ),
    "a position before the first": (COPY_OF_5.format("quality_events", 2, 0), 0, "the event belongs to no commit"),
    "the lowest position": (
        COPY_OF_5.format("quality_events", 2, -(2**63)), -(2**63), "the event belongs to no commit"
    ),
    "the highest position": (
        COPY_OF_5.format("quality_events", 2, 2**63 - 1), 2**63 - 1, "the event belongs to no commit"
    ),
    "a position twice": (COPY_OF_5.format("sales_events", 2, 5), 5, ""),  # whichever comes first
    "a position in two tables": (  # which of the two comes first is the server's choice
        COPY_OF_5.format("quality_events", 2, 5), 5, ("two events have this position", "the event has a topic of anot")
    ),
    "the last position twice": (COPY_OF_5.format("quality_events", 2, 12), 12, "two events have this position"),
    "a commit without a time": (COMMIT.format("recorded_at = NULL"), 4, "the commit that ends at 5 has no recor"),
    "a commit at no time": (
        COMMIT.format("recorded_at = 'infinity'"), 4, "the commit that ends at 5 has a time that no clock shows: inf"
    ),
    "a commit before all time": (
        COMMIT.format("recorded_at = '-infinity'"), 4, "the commit that ends at 5 has a time that no clock shows: -inf"
    ),
    "a commit before Christ": (
        COMMIT.format("recorded_at = '0044-03-15 BC'"), 4, "the commit that ends at 5 has a time that no clock shows: 0"
    ),
    "a commit after the year 9999": (
        COMMIT.format("recorded_at = '12345-01-01'"), 4, "the commit that ends at 5 has a time that no clock shows: 123"
    ),
    "a commit without a beginning": (COMMIT.format("first_position = NULL"), 4, "the commit that ends at 5 begins now"),
    "a commit without an end": (COMMIT.format("last_position = NULL"), 4, "the next commit begins at position 6"),
    "a commit backwards": (COMMIT.format("first_position = 6"), 4, "a commit begins at 6 and ends before that, at 5"),
    "a commit twice": (
        "INSERT INTO event_store.commit SELECT * FROM event_store.commit WHERE last_position = 5", 4, "the next commit"
    ),
    "a commit that overlaps": (COMMIT.format("first_position = 3"), 3, "the next commit begins at position 3"),
    "a commit before the first position": (
        COMMIT_MORE.format(-3, -7),
        -3,
        "a commit ends here, and positions begin at 1",
    ),
    "a commit from below": (
        "UPDATE event_store.commit SET first_position = -(2::numeric^63) WHERE last_position = 3",
        -(2**63),
        "the next commit begins at position -9223372036854775808",
    ),
    "a commit to the end of numbers": (
        "UPDATE event_store.commit SET last_position = 9223372036854775807 WHERE last_position = 12",
        13,
        "the event was removed",
    ),
    "a commit after the last event": (
        COMMIT_MORE.format(14, 13),
        13,
        "the event was removed",
    ),
    "a commit that is missing": ("DELETE FROM event_store.commit WHERE last_position = 5", 4, "the next commit begins"),
    "no root": (COMMIT.format("root = NULL"), 4, "the commit that ends at 5 lacks a hash: one of 32 bytes"),
    "a short chain": (COMMIT.format("chain = '\\x00'"), 4, "the commit that ends at 5 lacks a hash: one of 32 bytes"),
    "another batch": (COMMIT.format("batch_id = gen_random_uuid()"), 4, "the commit that begins here names"),
    "no head": ("DELETE FROM event_store.head", 12, "the log has no heads, and there is one"),
    "two heads": (
        "INSERT INTO event_store.head SELECT * FROM event_store.head", 12, "the log has 2 heads, and there is one"
    ),
    "a head at no time": (
        "UPDATE event_store.head SET recorded_at = 'infinity'", 12, "the head is not what the newest commit made it"
    ),
    "a head without a time": (
        "UPDATE event_store.head SET recorded_at = NULL", 12, "the head is not what the newest commit made it"
    ),
    "a head without a chain": (
        "UPDATE event_store.head SET chain = NULL", 12, "the head is not what the newest commit made it"
    ),
    "a head with a chain that is none": (
        "UPDATE event_store.head SET chain = ''", 12, "the head is not what the newest commit made it"
    ),
    "a head without a position": ("UPDATE event_store.head SET position = NULL", 1, "the head was set back to 0"),
    "a head below": ("UPDATE event_store.head SET position = -9", 1, "the head was set back to -9"),
    "a head at the end of numbers": (
        "UPDATE event_store.head SET position = 9223372036854775807", 13, "the log was cut off here"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "position", "why"), ROWS.values(), ids=ROWS)
def test_a_row_that_constraints_keep_out_is_named(
    log: psycopg.Connection, change: str, position: int, why: str | tuple[str, ...]
) -> None:
    log.execute(FREE)
    log.execute(change.encode())
    broken = verify(log)
    assert isinstance(broken, Broken)
    assert broken.position == position
    assert broken.why.startswith(why), broken.why
    for others in (partial(inclusion_proof, log, 5), partial(head_to_sign, log), partial(STORE.append, log, ONE, None)):
        with suppress(ReplayhouseError):  # what does not look there goes on, what does says so: nothing else is raised
            others()


ONE = [order(uuid4(), 1)]


@pytest.mark.parametrize("version", [0, 3])
def test_a_stream_with_a_gap_is_named_though_all_hashes_fit(log: psycopg.Connection, version: int) -> None:
    log.execute("UPDATE event_store.sales_events SET originator_version = %s WHERE notification_id = 9", [version])
    forge(log)
    found = Broken(9, "versions of its stream are missing before that of the event")
    assert verify(log) == found
    before, after = (verifying.Anchor(*row) for row in log.execute(CHAINS).fetchall())
    assert verify(log, anchor=before, is_only_after=True) == found
    assert verify(log, anchor=after, is_only_after=True) == Verified(12, STORE.head(log).chain)


CHAINS = "SELECT last_position, chain FROM event_store.commit WHERE last_position >= 6 ORDER BY 1"


def test_an_empty_log_has_a_time_too(conn: psycopg.Connection) -> None:
    conn.execute("UPDATE event_store.head SET recorded_at = 'infinity'")
    assert verifying.verify(conn) == Broken(0, "the head is not what the newest commit made it")


def test_operators_and_functions_of_others_are_not_asked(log: psycopg.Connection) -> None:
    log.execute(COPY_OF_5.format("quality_events", 2, -5))
    log.execute("CREATE SCHEMA other")
    never = "CREATE FUNCTION other.never(bigint, integer) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false'"
    log.execute(never.encode())
    log.execute("CREATE OPERATOR other.< (FUNCTION = other.never, LEFTARG = bigint, RIGHTARG = integer)")
    log.execute("SET search_path = other, pg_catalog")
    with covered_up(log):
        assert verifying.verify(log) == Broken(-5, "the event belongs to no commit")
