"""What every inbox of the kit for consumers keeps (port Inbox): in a file, in memory, in PostgreSQL alike."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from replayhouse.infra.postgres import session
from replayhouse.infra.postgres.connection import Database
from replayhouse_consumer import postgres_session
from replayhouse_consumer.errors import Misuse, Refused
from replayhouse_consumer.inbox import Inbox, Move, Overtaken, Parked, Partition, Work
from replayhouse_consumer.opening import open_inbox
from replayhouse_consumer.received import Received
from tests.support import hostile_settings as hostile
from tests.support.poolers import pooled

FIRST, SECOND = Partition("replayhouse.sales.events.v1", 0), Partition("replayhouse.sales.events.v1", 1)
ORDER, OTHER = ("sales", UUID(int=1).bytes), ("sales", UUID(int=2).bytes)
EFFECTS = "SELECT text FROM effect ORDER BY text"

Open = Callable[[str, str], Inbox]
"""Opens the inbox of a group, on topics of a prefix."""


class _Broken(Exception):  # noqa: N818 - what a handler raises in these tests
    """A handler that fails."""


@pytest.fixture(params=["file", "memory", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """PostgreSQL's server is started only where it is used."""
    where = {"file": str(tmp_path / "inbox.db"), "memory": ":memory:"}.get(request.param)
    if where is None:
        database: Database = request.getfixturevalue("database")
        where = database.url
    inboxes: list[Inbox] = []

    def open_one(group: str = "g", prefix: str = "replayhouse") -> Inbox:
        inbox = open_inbox(where, group, prefix)
        inboxes.append(inbox)
        return inbox

    yield open_one
    for inbox in inboxes:
        inbox.close()


@pytest.fixture
def inbox(opened: Open) -> Inbox:
    one = opened("g", "replayhouse")
    one.make_tables("CREATE TABLE IF NOT EXISTS effect (text TEXT); CREATE TABLE IF NOT EXISTS other (n INT);")
    return one


def effect(work: Work, text: str) -> None:
    """What a handler does with the connection that it is given."""
    quoted = text.replace("'", "''")
    work.db.execute(f"INSERT INTO effect VALUES ('{quoted}')")


def effects(inbox: Inbox) -> list[str]:
    with inbox.transaction() as work:
        return [text for (text,) in work.db.execute(EFFECTS).fetchall()]


def event(version: int, stream: bytes = ORDER[1], value: bytes = b"{}") -> Received:
    return Received("sales", stream, version, "sales.OrderPlaced.v1", version * 10, "2026-01-01T12:00:00Z", value)


def test_the_offset_moves_with_the_effects(inbox: Inbox) -> None:
    assert inbox.begin({FIRST: 0, SECOND: 0}) == {FIRST: 0, SECOND: 0}
    with inbox.transaction() as work:
        work.advance([Move(FIRST, 0, 7)])
        effect(work, "handled")
    assert inbox.offsets() == {FIRST: 7, SECOND: 0}
    assert effects(inbox) == ["handled"]


def test_neither_is_there_where_a_handler_fails(inbox: Inbox) -> None:
    inbox.begin({FIRST: 0})

    def fail() -> None:
        with inbox.transaction() as work:
            work.advance([Move(FIRST, 0, 7)])
            work.keep([[event(1)]])
            effect(work, "half done")
            raise _Broken

    with pytest.raises(_Broken):
        fail()
    assert inbox.offsets() == {FIRST: 0}
    assert effects(inbox) == []
    with inbox.transaction() as work:
        assert work.versions([ORDER]) == {}


def test_of_two_who_believe_a_partition_to_be_theirs_one_has_no_effect(inbox: Inbox) -> None:
    inbox.begin({FIRST: 0, SECOND: 5})

    def handle(text: str) -> None:
        with inbox.transaction() as work:
            work.advance([Move(SECOND, 5, 6), Move(FIRST, 0, 7)])
            effect(work, text)

    handle("the first")
    with pytest.raises(Overtaken):
        handle("the second")
    assert effects(inbox) == ["the first"]
    assert inbox.offsets() == {FIRST: 7, SECOND: 6}


def test_one_partition_that_somebody_else_has_moved_is_enough(inbox: Inbox) -> None:
    inbox.begin({FIRST: 0, SECOND: 5})

    def handle() -> None:
        with inbox.transaction() as work:
            work.advance([Move(FIRST, 0, 7), Move(SECOND, 4, 6)])

    with pytest.raises(Overtaken):
        handle()
    assert inbox.offsets() == {FIRST: 0, SECOND: 5}


def test_a_partition_begins_where_it_was_left(inbox: Inbox) -> None:
    inbox.begin({FIRST: 0})
    with inbox.transaction() as work:
        work.advance([Move(FIRST, 0, 7)])
    assert inbox.begin({FIRST: 0, SECOND: 0}) == {FIRST: 7, SECOND: 0}


def test_events_are_kept_byte_for_byte_and_in_order(inbox: Inbox) -> None:
    value = '{"text": "são paulo\\u0000"}'.encode() + b"\x00\xff"
    kept = [event(1, value=value), event(2)._replace(handed=True), event(3)]
    with inbox.transaction() as work:
        work.keep([kept[:2]])
        work.keep([[kept[2]], [event(1, OTHER[1])]])
    with inbox.transaction() as work:
        assert work.histories([ORDER, ("customer", ORDER[1])]) == {ORDER: kept, ("customer", ORDER[1]): []}
        assert work.versions([OTHER, ORDER, ("customer", ORDER[1])]) == {ORDER: 3, OTHER: 1}


def test_an_event_is_kept_once(inbox: Inbox) -> None:
    def keep() -> None:
        with inbox.transaction() as work:
            work.keep([[event(1)]])

    keep()
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        keep()


def test_a_stream_is_parked_until_it_goes_on(inbox: Inbox) -> None:
    inbox.begin({FIRST: 0})
    parked = Parked("sales", UUID(int=1), 2, FIRST, "it said 'no'")
    with inbox.transaction() as work:
        work.keep([[event(1), event(2)], [event(1, OTHER[1])]])
        work.park(parked)
        work.park(parked._replace(version=3))
    assert inbox.all_parked() == [parked]
    with inbox.transaction() as work:
        work.hold(FIRST)
        assert work.parked([ORDER, OTHER]) == {ORDER}
        work.unpark(ORDER, [2])
        assert work.parked([ORDER, OTHER]) == set()
        assert [kept.handed for kept in work.histories([ORDER])[ORDER]] == [False, True]
    assert inbox.all_parked() == []


def test_the_first_id_of_a_topic_is_remembered(inbox: Inbox) -> None:
    inbox.remember_topics({"one": "a", "two": "b"})
    inbox.remember_topics({"one": "c"})
    assert inbox.topic_ids() == {"one": "a", "two": "b"}


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"])
def test_a_handler_that_ends_the_transaction_is_told(inbox: Inbox, statement: str) -> None:
    def handle() -> None:
        with inbox.transaction() as work:
            for each in statement.split(";"):
                work.db.execute(each)

    with pytest.raises(Misuse, match="must not commit"):
        handle()
    assert effects(inbox) == []  # and it goes on


def test_a_handler_may_change_what_the_connection_makes_of_rows(inbox: Inbox) -> None:
    inbox.begin({FIRST: 0})
    with inbox.transaction() as work:
        work.keep([[event(1)]])
        work.db.row_factory = sqlite3.Row if isinstance(work.db, sqlite3.Connection) else psycopg.rows.dict_row
    with inbox.transaction() as work:
        assert work.histories([ORDER]) == {ORDER: [event(1)]}
        assert work.versions([ORDER]) == {ORDER: 1}
    assert inbox.offsets() == {FIRST: 0}
    assert inbox.all_parked() == []


def test_an_inbox_does_not_read_the_topics_of_another_warehouse(opened: Open, request: pytest.FixtureRequest) -> None:
    opened("g", "replayhouse")
    if "memory" in request.node.callspec.id:
        opened("g", "other")  # each is one of its own
    else:
        with pytest.raises(Misuse, match=r"belongs to the group g on topics replayhouse\.\*"):
            opened("g", "other")


EARLIER = """
CREATE TABLE inbox_event (
    context TEXT NOT NULL, stream BLOB NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
    position INTEGER NOT NULL, recorded_at TEXT NOT NULL, value BLOB NOT NULL, handed INTEGER NOT NULL,
    PRIMARY KEY (context, stream, version)
);
"""


def test_a_file_of_an_earlier_version_is_taken_over_whole(tmp_path: Path) -> None:
    long, short = [event(version) for version in range(1, 1203)], [event(1, OTHER[1])._replace(handed=True)]
    with closing(sqlite3.connect(tmp_path / "inbox.db")) as db, db:
        db.executescript(EARLIER)
        db.executemany("INSERT INTO inbox_event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*long, *short])
    for _ in range(2):  # the second time nothing is left to do
        with closing(open_inbox(tmp_path / "inbox.db", "g", "replayhouse")) as inbox, inbox.transaction() as work:
            assert work.histories([ORDER, OTHER]) == {ORDER: long, OTHER: short}
            assert work.versions([ORDER, OTHER]) == {ORDER: 1202, OTHER: 1}
            assert work.db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'inbox_event'").fetchone() == (0,)


def test_names_of_groups_are_plain(opened: Open) -> None:
    with pytest.raises(Misuse, match="no name of a group"):
        opened('g"; DROP', "replayhouse")


def test_who_is_waited_for_has_moved_the_offset(database: Database) -> None:
    """In PostgreSQL a second consumer waits for the first one's transaction, and then has nothing to do."""
    first, second = (open_inbox(database.url, "g", "replayhouse") for _ in range(2))
    first.begin({FIRST: 0})
    outcome: list[Any] = []

    def late() -> None:
        try:
            with second.transaction() as work:
                outcome.append("asks")
                work.advance([Move(FIRST, 0, 1)])
        except Overtaken as error:
            outcome.append(error)

    with first.transaction() as work:
        work.advance([Move(FIRST, 0, 1)])
        thread = threading.Thread(target=late)
        thread.start()
        with database.connect(autocommit=True) as looking:
            while not looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                pass
    thread.join(20)
    assert isinstance(outcome[-1], Overtaken)
    first.close()
    second.close()


def test_groups_of_one_database_have_inboxes_of_their_own(database: Database) -> None:
    one, two = (open_inbox(database.url, group, "replayhouse") for group in ("one", "two"))
    one.begin({FIRST: 3})
    assert two.offsets() == {}
    one.close()
    two.close()


def test_a_connection_that_was_lost_is_made_anew(database: Database) -> None:
    inbox = open_inbox(database.url, "g", "replayhouse")
    inbox.begin({FIRST: 0})

    def lose() -> None:
        with inbox.transaction() as work:
            work.advance([Move(FIRST, 0, 1)])
            with database.connect(autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", [work.db.info.backend_pid])

    with pytest.raises(psycopg.OperationalError) as raised:
        lose()
    assert inbox.is_passing(raised.value)
    assert inbox.offsets() == {FIRST: 0}
    inbox.close()


def test_members_that_start_at_once_make_their_tables_once(database: Database) -> None:
    inboxes = [open_inbox(database.url, "g", "replayhouse") for _ in range(6)]
    tables = "CREATE TABLE IF NOT EXISTS effect (text TEXT PRIMARY KEY); CREATE TABLE IF NOT EXISTS other (n INT)"
    with ThreadPoolExecutor(len(inboxes)) as members:
        list(members.map(lambda inbox: inbox.make_tables(tables), inboxes))
    with pytest.raises(psycopg.errors.SyntaxError):
        inboxes[0].make_tables("CREATE nonsense")
    inboxes[1].make_tables(tables)  # nobody holds anything
    for inbox in inboxes:
        inbox.close()


def test_a_locked_file_is_waited_for_and_a_missing_table_is_not(tmp_path: Path) -> None:
    inbox = open_inbox(tmp_path / "inbox.db", "g", "replayhouse")
    with pytest.raises(sqlite3.OperationalError) as missing, inbox.transaction() as work:
        work.db.execute("SELECT * FROM nothing")
    assert not inbox.is_passing(missing.value)
    with sqlite3.connect(tmp_path / "inbox.db", isolation_level=None) as other, inbox.transaction():
        other.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError) as locked:
            other.execute("BEGIN IMMEDIATE")
    assert inbox.is_passing(locked.value)
    inbox.close()


def test_an_inbox_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        open_inbox(tmp_path / "no folder" / "inbox.db", "g", "replayhouse")
    with pytest.raises(Refused, match="does not let us in"):
        open_inbox(f"postgresql:///nothing?host={tmp_path}", "g", "replayhouse")


# --- what is set of a session in PostgreSQL -----------------------------------------------------------------------


def test_what_the_inbox_says_of_its_session_is_what_the_program_says() -> None:
    ours = dict(session.SETTINGS)
    left_to_the_handlers = {"search_path", "row_security", "default_table_access_method", "quote_all_identifiers"}
    assert {
        **{name: value for name, value in ours.items() if name not in left_to_the_handlers},
        "idle_in_transaction_session_timeout": "5min",
    } == postgres_session.SETTINGS


@pytest.mark.parametrize("alter", [hostile.ALTER_DATABASE, hostile.ALTER_ROLE, None], ids=["database", "role", "shell"])
def test_an_inbox_keeps_the_same_whatever_is_set(
    alter: str | None, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {name: value for name, value in hostile.SETTINGS.items() if name != "default_table_access_method"}
    if alter is not None:
        hostile.set_by(database, alter, {**known, "search_path": "public"})
    else:
        for name, value in hostile.ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
    inbox = open_inbox(database.url, "g", "replayhouse")
    inbox.make_tables("CREATE TABLE IF NOT EXISTS effect (text TEXT, at timestamptz)")
    inbox.begin({FIRST: 0})
    kept = event(1, value="são 中文 🙂 \\x41 'NULL'".encode())
    with inbox.transaction() as work:
        work.advance([Move(FIRST, 0, 7)])
        work.keep([[kept]])
        work.park(Parked("sales", UUID(int=1), 1, FIRST, "ção 🙂 NULL"))
        effect(work, "são 🙂 \\x41")
        work.db.execute("UPDATE effect SET at = %s", [datetime(2018, 2, 1, 23, 30, tzinfo=UTC)])
    with inbox.transaction() as work:
        assert work.histories([ORDER]) == {ORDER: [kept]}
        told = work.db.execute("SELECT text, at::text, current_setting('transaction_timeout') FROM effect").fetchall()
    assert told == [("são 🙂 \\x41", "2018-02-01 23:30:00+00", "0")]
    assert [parked.reason for parked in inbox.all_parked()] == ["ção 🙂 NULL"]
    assert inbox.offsets() == {FIRST: 7}
    inbox.close()


@pytest.mark.parametrize("is_refusing", [True, False])
def test_an_inbox_behind_a_pooler_is_refused(is_refusing: bool, database: Database) -> None:
    with pooled(database, is_refusing=is_refusing) as behind, pytest.raises(Refused, match="a pooler"):
        open_inbox(behind.url, "g", "replayhouse")


def test_an_inbox_where_nothing_can_be_written_is_refused_and_later_waited_for(database: Database) -> None:
    inbox = open_inbox(database.url, "g", "replayhouse")
    inbox.begin({FIRST: 0})
    hostile.set_by(database, hostile.ALTER_DATABASE, {"default_transaction_read_only": "on"})
    with pytest.raises(Refused, match="takes no writes"):
        open_inbox(database.url, "g", "replayhouse")
    inbox.close()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as raised, inbox.transaction() as work:
        work.advance([Move(FIRST, 0, 7)])
    assert inbox.is_passing(raised.value)
    hostile.set_by(database, hostile.ALTER_DATABASE, {"default_transaction_read_only": "off"})
    with inbox.transaction() as work:
        work.advance([Move(FIRST, 0, 7)])
    inbox.close()
