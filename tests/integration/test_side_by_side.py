"""Tables compared by two connections: both see one moment, and neither waits for whoever waits for the other."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Table

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.snapshots import side_by_side
from replayhouse.infra.read_models.snapshots.diff import Side, one_moment
from replayhouse.infra.read_models.snapshots.side_by_side import each_of
from replayhouse.projections.warehouse import PROJECTIONS

TABLES = [(context, table) for context, projection in PROJECTIONS.items() for table in projection.tables]
LIVE = Side("live", {context: context for context in PROJECTIONS})
SOMEBODY_SLEEPS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')"
SOMEBODY_WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'sales.fact_order'::regclass)"


@pytest.fixture(autouse=True)
def made(database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read models without rows, all of which are worth another connection."""
    monkeypatch.setattr(side_by_side, "WORTH_A_CONNECTION", 0)
    catch_up(database)
    prepare(conn)


@pytest.fixture
def moment(conn: psycopg.Connection) -> Iterator[psycopg.Connection]:
    with one_moment(conn, (LIVE, LIVE), TABLES):
        yield conn


class Meeting:
    """Work that two connections must do at the same time: each waits in its first table for the other one."""

    def __init__(self, parties: int) -> None:
        self.pids: list[int] = []
        self._barrier = threading.Barrier(parties)
        self._met = threading.local()

    def work(self, one: psycopg.Connection, context: str, table: Table) -> str:
        if not getattr(self._met, "before", False):
            self._met.before = True
            self._barrier.wait(60)
        self.pids.append(one.info.backend_pid)
        return f"{context}.{table.name}"


def names_of(database: Database, conn: psycopg.Connection, meeting: Meeting, processes: int = 2) -> list[str]:
    return each_of(database, conn, (LIVE, LIVE), TABLES, processes, meeting.work, lambda done: None)


NAMES = [f"{context}.{table.name}" for context, table in TABLES]


def test_two_connections_take_part_and_the_order_is_that_of_the_tables(
    database: Database, moment: psycopg.Connection
) -> None:
    meeting = Meeting(2)
    assert names_of(database, moment, meeting) == NAMES
    assert len(set(meeting.pids)) == 2


def test_one_process_has_one_connection(database: Database, moment: psycopg.Connection) -> None:
    meeting = Meeting(1)
    assert names_of(database, moment, meeting, processes=1) == NAMES
    assert set(meeting.pids) == {moment.info.backend_pid}


def test_both_see_the_moment_at_which_the_first_one_began(database: Database, moment: psycopg.Connection) -> None:
    days = "SELECT count(*) FROM quality.fact_check"
    before = moment.execute(days).fetchone()
    with database.connect(autocommit=True) as other:
        other.execute("DELETE FROM quality.fact_check")
        other.execute("INSERT INTO quality.batch_file SELECT * FROM quality.batch_file WHERE false")
    barrier = threading.Barrier(2)

    def count(one: psycopg.Connection, context: str, table: Table) -> object:
        barrier.wait(60)
        return one.execute(days).fetchone()

    found = each_of(database, moment, (LIVE, LIVE), TABLES[:2], 2, count, lambda done: None)
    assert found == [before, before]


def test_it_is_done_alone_where_somebody_waits_to_swap_a_table(database: Database, moment: psycopg.Connection) -> None:
    with database.connect() as swapping, database.connect(autocommit=True) as looking:
        waiting = threading.Thread(target=_lock, args=[swapping])
        waiting.start()
        try:
            while looking.execute(SOMEBODY_WAITS).fetchone() != (True,):
                assert waiting.is_alive()
            meeting = Meeting(1)
            assert names_of(database, moment, meeting) == NAMES
            assert set(meeting.pids) == {moment.info.backend_pid}
        finally:
            swapping.cancel_safe()
            waiting.join()


def _lock(conn: psycopg.Connection) -> None:
    try:
        conn.execute("LOCK TABLE sales.fact_order IN ACCESS EXCLUSIVE MODE")
    except psycopg.errors.QueryCanceled:
        conn.rollback()


@pytest.mark.parametrize("who", ["the first", "the other"])
def test_what_fails_on_one_of_them_is_raised_and_ends_both(
    database: Database, moment: psycopg.Connection, who: str
) -> None:
    barrier = threading.Barrier(2)
    looking = database.connect(autocommit=True)

    def fail(one: psycopg.Connection, context: str, table: Table) -> None:
        barrier.wait(60)
        if (one is moment) == (who == "the first"):
            while who == "the first" and looking.execute(SOMEBODY_SLEEPS).fetchone() != (True,):
                pass
            raise ValueError("this one not")
        if one is not moment:
            one.execute("SELECT pg_sleep(600)")  # until it is cancelled

    with pytest.raises(ValueError, match="this one not"):
        each_of(database, moment, (LIVE, LIVE), TABLES[:2], 2, fail, lambda done: None)
    looking.close()
