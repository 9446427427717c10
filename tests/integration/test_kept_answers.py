"""What is kept of answers, and what an erasure takes along: whoever comes first, none is left that names the person."""

import threading
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.privacy import erasure
from replayhouse.infra.read_models import kept_answers, refolding
from replayhouse.infra.read_models.kept_answers import Origin
from tests.oracle.lines import an_id
from tests.support.extracts import a_good_extract, write
from tests.support.homes import wait_until
from tests.support.in_process import Warehouse

PERSON, ANOTHER = UUID(an_id(901)), UUID(an_id(902))
NAMED = "SELECT question FROM read_model.answer WHERE named && %s ORDER BY question"


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.begin(write(tmp_path / "first", a_good_extract()))
    return warehouse


def origin(conn: psycopg.Connection, position: int = 1) -> Origin:
    return Origin("d" * 64, {"limit": 5}, position, None, refolding.erasures(conn))


def keep(conn: psycopg.Connection, question: int, of: Origin, *named: UUID) -> bool:
    return kept_answers.keep(conn, question, of, [[str(person) for person in named]], "It is so.", named)


def erase(warehouse: Warehouse, person: UUID = PERSON) -> None:
    warehouse.json("customer", "erase", str(person), "--reason", "asked", "--yes")


def test_what_is_kept_is_found_by_all_that_it_follows_from(warehouse: Warehouse) -> None:
    with warehouse.database.connect(autocommit=True) as conn:
        of = origin(conn)
        assert (keep(conn, 1, of), keep(conn, 1, of)) == (True, False)
        assert kept_answers.find(conn, 1, of) is not None
        others = (
            of._replace(definition="e" * 64),
            of._replace(parameters={"limit": 6}),
            of._replace(position=2),
            of._replace(erasures=of.erasures + 1),
        )
        assert [kept_answers.find(conn, 1, other) for other in others] == [None] * 4
        assert kept_answers.find(conn, 2, of) is None


def test_an_erasure_takes_along_all_that_was_answered_before_it(warehouse: Warehouse) -> None:
    with warehouse.database.connect(autocommit=True) as conn:
        of = origin(conn)
        kept = [keep(conn, 1, of, PERSON, ANOTHER), keep(conn, 2, of, ANOTHER), keep(conn, 3, of)]
        assert kept == [True] * 3
        erase(warehouse)
        assert conn.execute("SELECT question FROM read_model.answer").fetchall() == []
        kept = [keep(conn, 1, origin(conn), PERSON, ANOTHER), keep(conn, 2, origin(conn), ANOTHER)]
        assert kept == [True] * 2
        erase(warehouse)
        assert conn.execute("SELECT question FROM read_model.answer").fetchall() == [(2,)]


def test_an_answer_that_an_erasure_has_overtaken_is_not_kept(warehouse: Warehouse) -> None:
    with warehouse.database.connect(autocommit=True) as conn:
        before = origin(conn)
        erase(warehouse)
        assert not keep(conn, 1, before, PERSON)
        assert not keep(conn, 1, before)
        assert keep(conn, 1, origin(conn))


def test_whoever_keeps_while_somebody_is_erased_waits_and_keeps_nothing(warehouse: Warehouse) -> None:
    kept: list[bool] = []
    with (
        warehouse.database.connect(autocommit=True) as conn,
        warehouse.database.connect(autocommit=True) as keeping,
        warehouse.database.connect(autocommit=True) as erasing,
    ):
        before = origin(conn)
        thread = threading.Thread(target=lambda: kept.append(keep(keeping, 1, before, PERSON)))

        def about_to_commit(*_: object) -> None:
            thread.start()
            wait_until_waiting(conn, keeping, "relation")

        assert erasure.erase(erasing, PERSON, "asked", "somebody", about_to_commit) is not None
        thread.join()
        assert kept == [False]
        assert conn.execute(NAMED, [[PERSON]]).fetchall() == []


def test_whoever_erases_while_an_answer_is_being_kept_waits_and_takes_it_along(warehouse: Warehouse) -> None:
    with (
        warehouse.database.connect(autocommit=True) as conn,
        warehouse.database.connect(autocommit=True) as keeping,
        warehouse.database.connect(autocommit=True) as erasing,
    ):
        thread = threading.Thread(target=erasure.erase, args=(erasing, PERSON, "asked", "somebody", lambda *_: None))
        with keeping.transaction():
            assert keep(keeping, 1, origin(keeping), PERSON)
            thread.start()
            wait_until_waiting(conn, erasing, "relation")
        thread.join()
        assert conn.execute(NAMED, [[PERSON]]).fetchall() == []


def wait_until_waiting(conn: psycopg.Connection, other: psycopg.Connection, kind: str) -> None:
    """Until the other connection waits for a lock of this kind."""
    query = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    wait_until(lambda: conn.execute(query, [other.info.backend_pid]).fetchone() == (kind,))
