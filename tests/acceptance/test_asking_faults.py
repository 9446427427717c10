"""Answers where something is in the way: others who ask too, a kill, a prefix that goes, readers who may not write."""

import json
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import replayhouse
from replayhouse.infra.answers import asking
from replayhouse.infra.postgres import locks
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.migrate import make_roles
from replayhouse.infra.read_models.rebuild.rebuild import LOCK as REBUILD
from replayhouse.projections.questions import questions
from tests.support.asking import answers, documents, forget_all, python
from tests.support.crashes import SEED, a_seed
from tests.support.databases import copied
from tests.support.extracts import write
from tests.support.homes import FORKED, Command, Home, wait_until
from tests.support.in_process import Warehouse, refused
from tests.support.messy_extracts import messy_extract

ALL = len(questions())
NAMING = 96
"""The question whose answer names people."""

KEPT = "SELECT count(*) FROM read_model.answer"
MANY = "SELECT count(*) FROM (SELECT FROM read_model.answer GROUP BY question HAVING count(*) > 1) AS twice"

Begun = tuple[Database, dict[int, Any]]


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """A database with one load, and its answers, none of which is kept."""
    folder = tmp_path_factory.mktemp("loaded")
    with copied(server) as database:
        Warehouse(database, folder / "home").ingest(write(folder / "first", messy_extract(1, 120, 14)))
        with python(database, folder / "home") as warehouse:
            told = documents(answers(warehouse))
        forget_all(database)
        yield database, told


@pytest.fixture
def database(server: EmbeddedServer, loaded: Begun) -> Iterator[Database]:
    """A copy of it."""
    with copied(server, loaded[0]) as database:
        yield database


@pytest.fixture
def told(loaded: Begun) -> dict[int, Any]:
    """Its answers."""
    return loaded[1]


@pytest.fixture
def conn(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect("replayhouse test", autocommit=True) as connection:
        yield connection


@pytest.fixture
def commands(database: Database, tmp_path: Path) -> Warehouse:
    """The command line."""
    return Warehouse(database, tmp_path / "home")


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Iterator[replayhouse.Warehouse]:
    """The same from Python."""
    with python(database, tmp_path / "home") as opened:
        yield opened


def one(conn: psycopg.Connection, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def started(database: Database, home: Path, *arguments: str) -> Command:
    """A process of the program at work on the database."""
    return Home(home, FORKED).start(*arguments, REPLAYHOUSE_DATABASE_URL=database.url)


def wait_until_kept(conn: psycopg.Connection, enough: int) -> None:
    wait_until(lambda: one(conn, KEPT) >= enough)


def printed(out: str) -> dict[int, Any]:
    """What `ask all --json` has printed, by number, without seconds."""
    return {
        one["question"]: {name: value for name, value in one.items() if name != "seconds"} for one in json.loads(out)
    }


def test_processes_that_ask_at_once_answer_the_same_and_keep_it_once(
    database: Database, conn: psycopg.Connection, told: dict[int, Any], tmp_path: Path
) -> None:
    both = [started(database, tmp_path / str(number), "ask", "all", "--json") for number in range(2)]
    for done in [command.result() for command in both]:
        assert done.code == 0, done
        assert printed(done.out) == told
    assert (one(conn, KEPT), one(conn, MANY)) == (ALL, 0)


@pytest.mark.parametrize("command", ["ask", "ingest"])
def test_killed_among_the_answers_and_started_again_they_are_the_same(
    command: str, database: Database, conn: psycopg.Connection, warehouse: replayhouse.Warehouse, tmp_path: Path
) -> None:
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    extract = write(tmp_path / "second", messy_extract(2, 40, 4))
    arguments = ("ask", "all", "--json") if command == "ask" else ("ingest", str(extract), "--answers", "--json")
    enough = 0
    for _ in range(2):
        enough += chance.randint(1, ALL // 3)
        process = started(database, tmp_path / "killed", *arguments)
        wait_until_kept(conn, enough)
        assert process.kill()
        assert process.result().code == -signal.SIGKILL
    done = started(database, tmp_path / "killed", *arguments).result()
    assert done.code == 0, done
    if command == "ingest":
        made, kept, failed = json.loads(done.out)["answers"].values()
        assert (made + kept, failed, kept >= enough) == (ALL, 0, True)
    assert (one(conn, KEPT), one(conn, MANY)) == (ALL, 0)
    found = answers(warehouse)
    assert all(answer.is_kept for answer in found)
    forget_all(database)
    assert documents(answers(warehouse)) == documents(found)


def test_where_an_answer_is_kept_a_moment_needs_no_rebuild(
    conn: psycopg.Connection,
    commands: Warehouse,
    warehouse: replayhouse.Warehouse,
    told: dict[int, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    position = commands.json("status")["position"]
    answers(warehouse)
    commands.ingest(write(tmp_path / "second", messy_extract(2, 20, 3)))
    monkeypatch.setattr(locks, "LONGEST_WAIT_SECONDS", 0.1)
    with locks.exclusive(conn, REBUILD):
        assert documents(answers(warehouse, position)) == told
        with pytest.raises(replayhouse.Conflicting):
            warehouse.ask(35, {"min_reviews": 11}, at=position)


def test_a_prefix_that_is_dropped_before_it_is_read_is_told(
    commands: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.json("rebuild", "--into", "then")
    reading = asking.in_one_moment

    def dropped_before(*arguments: Any) -> Any:
        commands.json("revisions", "drop", "then")
        return reading(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(asking, "in_one_moment", dropped_before)
        refused(commands.run("ask", "1", "--at", "then", "--json"), 4, "replaced or removed a moment ago")


def test_a_prefix_that_is_to_be_dropped_while_it_is_read_is_read_to_the_end(
    database: Database, commands: Warehouse, told: dict[int, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.json("rebuild", "--into", "then")
    computing = asking.compute
    dropping: list[Command] = []

    def dropped_meanwhile(conn: psycopg.Connection, *arguments: Any) -> Any:
        computed = computing(conn, *arguments)
        dropping.append(started(database, tmp_path / "dropping", "revisions", "drop", "then"))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
        with database.connect("replayhouse test", autocommit=True) as looking:
            pid = conn.info.backend_pid
            wait_until(lambda: looking.execute(waiting, [pid]).fetchone() != (0,) or not dropping[0].is_running())
        return computed

    with monkeypatch.context() as patched:
        patched.setattr(asking, "compute", dropped_meanwhile)
        found = commands.json("ask", "1", "--at", "then")
    found.pop("seconds")
    assert found == told[1]
    assert dropping[0].result().code in (0, 4)


def test_another_program_finds_no_answer_to_its_question(
    warehouse: replayhouse.Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(warehouse)
    asked = questions()[0]
    with monkeypatch.context() as patch:
        patch.setitem(vars(asked), "sha256", "f" * 64)
        found = answers(warehouse)
    assert [answer.question.number for answer in found if not answer.is_kept] == [asked.number]
    assert warehouse.ask(asked.number).is_kept


def test_marts_that_show_something_else_than_the_log_give_answers_that_are_not_kept(
    conn: psycopg.Connection, commands: Warehouse, warehouse: replayhouse.Warehouse, told: dict[int, Any]
) -> None:
    """As where a stream is parked, contexts stand apart, or an erasure has overtaken them."""
    for change in ("made_of = jsonb_set(made_of, '{parked}', '1')", "newest = position + 1", "erasures = erasures - 1"):
        conn.execute(f"UPDATE read_model.mart SET {change}".encode())
        assert documents(answers(warehouse)) == told
        assert one(conn, KEPT) == 0
        commands.json("rebuild", "sales")
    assert documents(answers(warehouse)) == told
    assert one(conn, KEPT) == ALL


def test_of_before_an_erasure_no_answer_is_left_and_what_was_asked_then_is_computed_anew(
    conn: psycopg.Connection, commands: Warehouse, warehouse: replayhouse.Warehouse, told: dict[int, Any]
) -> None:
    position = commands.json("status")["position"]
    answers(warehouse)
    person = warehouse.ask(NAMING).rows[0][0]
    naming = f"SELECT count(*) FROM read_model.answer WHERE rows::text LIKE '%{person}%' OR named && '{{{person}}}'"
    assert one(conn, naming) > 0
    commands.json("customer", "erase", str(person), "--reason", "asked", "--yes")
    assert one(conn, KEPT) == 0
    then = warehouse.ask(1, at=position)
    assert not then.is_kept
    assert documents([then]) == {1: told[1]}
    assert warehouse.ask(1, at=position).is_kept


def test_who_may_only_read_is_answered_and_nothing_is_kept(
    server: EmbeddedServer, database: Database, conn: psycopg.Connection, told: dict[int, Any], tmp_path: Path
) -> None:
    make_roles(conn)  # rights on a database are not copied with it
    name = database.url.partition("?")[0].rpartition("/")[2]
    reading = Database(server.url("reader").replace("/replayhouse?", f"/{name}?"))
    with python(reading, tmp_path / "reading") as warehouse:
        assert documents(answers(warehouse)) == told
    assert one(conn, KEPT) == 0
    with python(database, tmp_path / "writing") as warehouse:
        answers(warehouse)
    with python(reading, tmp_path / "reading") as warehouse:
        assert all(answer.is_kept for answer in answers(warehouse))


def test_whoever_asks_while_marts_are_exchanged_sees_one_moment_or_the_other(
    database: Database, commands: Warehouse, tmp_path: Path
) -> None:
    found: list[dict[int, Any]] = []
    stop = threading.Event()

    def ask() -> None:
        with python(database, tmp_path / "asking") as warehouse:
            while not stop.is_set():
                found.append(documents([warehouse.ask(1), warehouse.ask(22)]))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for number in (2, 3):
            commands.ingest(write(tmp_path / str(number), messy_extract(number, 30, 3)))
            commands.json("rebuild", "sales")
    finally:
        stop.set()
        thread.join()
    forget_all(database)
    seen = {document["position"]: answered for answered in found for document in answered.values()}
    assert len(seen) > 1
    with python(database, tmp_path / "asking") as warehouse:
        for answered in found:
            for number, document in answered.items():
                assert documents([warehouse.ask(number, at=document["position"])]) == {number: document}
