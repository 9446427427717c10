"""`project --follow`: the log is followed as it grows, by one process for each context, whatever dies."""

import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from replayhouse.projections.questions import questions
from tests.support.cli import CONTEXTS
from tests.support.crashes import SEED, a_seed
from tests.support.extracts import write
from tests.support.homes import AS_INSTALLED, FORKED, Command, Home
from tests.support.in_process import Warehouse
from tests.support.messy_extracts import messy_extract
from tests.support.prepared import furnish
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
SHOWN = "SELECT min(position) FROM read_model.projection"
OWNERS = """
    SELECT count(DISTINCT l.pid)
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'replayhouse project --follow'
      AND a.datname = current_database()
"""
LONGEST_S = 120.0


class Followers:
    """Processes that follow the log of one database."""

    def __init__(self, database: Database, home: Path) -> None:
        self._home = Home(home, FORKED)
        self._database = database
        self.running: list[Command] = []

    def start(self, *arguments: str) -> Command:
        """One more."""
        settings = {"REPLAYHOUSE_DATABASE_URL": self._database.url}
        command = self._home.start("project", "--follow", *arguments, **settings)
        self.running.append(command)
        return command

    def end(self) -> None:
        """Ends what still runs."""
        for command in self.running:
            command.kill()
            command.result()


@pytest.fixture
def followers(database: Database, tmp_path: Path) -> Iterator[Followers]:
    followers = Followers(database, tmp_path / "home")
    yield followers
    followers.end()


def place(log: Log, first: int, count: int = 1) -> int:
    """Places that many orders; the position of the last event."""
    return log.append_all("sales", {an_id((first + n) << 100): PLACED for n in range(count)})


def until(conn: psycopg.Connection, query: str, is_so: Callable[[int], bool]) -> None:
    """Waits until the one number of a query is so."""
    deadline = time.monotonic() + LONGEST_S
    while True:
        row = conn.execute(query.encode()).fetchone()
        number = int(row[0] or 0) if row else 0
        if is_so(number):
            return
        assert time.monotonic() < deadline, f"{number} still after {LONGEST_S:.0f} s: {query}"
        time.sleep(0.02)


def visible(conn: psycopg.Connection, position: int) -> None:
    """Waits until all read models show the log up to a position."""
    until(conn, SHOWN, lambda shown: shown >= position)


def test_what_is_appended_is_shown_until_the_command_is_ended(followers: Followers, conn: psycopg.Connection) -> None:
    log = Log(conn)
    place(log, 1)
    follower = followers.start("--json")
    for number in range(2, 6):
        visible(conn, place(log, number))
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (5,)
    follower.kill(signal.SIGTERM)
    done = follower.result()
    assert done.code == 0, done
    assert json.loads(done.out)["contexts"]["sales"]["events"] == 5 * len(PLACED)


def test_one_process_owns_a_context_and_another_takes_over(followers: Followers, conn: psycopg.Connection) -> None:
    log = Log(conn)
    first = followers.start("sales")
    visible_to(conn, "sales", place(log, 1))
    followers.start("sales")
    until(
        conn,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'replayhouse project --follow'"
        " AND datname = current_database()",
        lambda number: number == 2,
    )
    until(conn, OWNERS, lambda owners: owners == 1)
    first.kill()
    first.result()
    visible_to(conn, "sales", place(log, 2))
    until(conn, OWNERS, lambda owners: owners == 1)


def visible_to(conn: psycopg.Connection, context: str, position: int) -> None:
    """Waits until one read model shows the log up to a position."""
    until(
        conn,
        f"SELECT position FROM read_model.projection WHERE context = '{context}'",
        lambda shown: shown >= position,
    )


def test_answers_are_made_beside_and_by_another_once_that_one_is_killed(
    followers: Followers, conn: psycopg.Connection, database: Database, tmp_path: Path
) -> None:
    warehouse = Warehouse(database, tmp_path / "loading")
    first, _ = followers.start(), followers.start()
    for number in (1, 2):
        position = warehouse.ingest(write(tmp_path / str(number), messy_extract(number, 40, 6)))["position"]
        query = f"SELECT count(DISTINCT question) FROM read_model.answer WHERE position = {position}"
        until(conn, query, lambda answered: answered == len(questions()))
        first.kill()
        first.result()


def test_told_to_end_it_ends_between_two_answers(
    followers: Followers, conn: psycopg.Connection, database: Database, tmp_path: Path
) -> None:
    Warehouse(database, tmp_path / "loading").ingest(write(tmp_path / "1", messy_extract(1, 40, 6)))
    follower = followers.start()
    until(conn, "SELECT count(*) FROM read_model.answer", lambda answered: answered > 0)
    follower.kill(signal.SIGTERM)
    assert follower.result().code == 0
    until(conn, "SELECT count(*) FROM read_model.answer", lambda answered: 0 < answered <= len(questions()))


def test_killed_again_and_again_every_event_counts_once(
    followers: Followers, conn: psycopg.Connection, database: Database, tmp_path: Path
) -> None:
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance, log = random.Random(seed), Log(conn)
    followers.start()
    number, last = 1, 0
    for _ in range(4):
        followers.start()
        until_killed = time.monotonic() + chance.uniform(0.3, 1.5)
        while time.monotonic() < until_killed:
            last = place(log, number, 5)
            number += 5
            time.sleep(0.02)
        followers.running.pop(0).kill()
    visible(conn, last)
    warehouse = Warehouse(database, tmp_path / "home")
    live = warehouse.digests(CONTEXTS)
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (number - 1,)
    assert warehouse.rebuilt_digests() == live
    visible(conn, place(log, number))  # on goes the follower, in the new revision
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (number,)


def test_a_database_that_goes_away_is_waited_for(tmp_path: Path, prepared: Path) -> None:
    home = Home(tmp_path / "home", AS_INSTALLED)
    furnish(home.path, prepared)
    try:
        home.server.start()
        follower = home.start("project", "--follow", "sales")
        with home.connected() as conn:
            visible_to(conn, "sales", place(Log(conn), 1))
        home.server.stop()
        time.sleep(0.5)
        assert follower.is_running(), follower.result()
        assert home.postmaster() is None, "it does not start what somebody has stopped"
        home.server.start()
        with home.connected() as conn:
            visible_to(conn, "sales", place(Log(conn), 2))
        follower.kill(signal.SIGINT)
        done = follower.result()
        assert done.code == 0, done
        assert "Waiting for it" in done.err
        assert "Traceback" not in done.err
    finally:
        home.halt()
