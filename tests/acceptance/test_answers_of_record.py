"""Answers of record: one that is kept equals one computed anew, whatever has happened to the read models meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import replayhouse
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.projections.questions import questions
from tests.support.asking import answers, documents, failing, forget_all, python
from tests.support.databases import copied
from tests.support.extracts import write
from tests.support.in_process import Warehouse
from tests.support.messy_extracts import messy_extract

ALL = len(questions())
FIGURES = 'SELECT question, "position" FROM read_model.answer'


@pytest.fixture(scope="module")
def loaded(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, dict[int, Any]]]:
    """A database with one load, and its answers, none of which is kept."""
    folder = tmp_path_factory.mktemp("loaded")
    with copied(server) as database:
        Warehouse(database, folder / "home").ingest(write(folder / "first", messy_extract(1, 400, 20)))
        with python(database, folder / "home") as warehouse:
            told = documents(answers(warehouse))
        forget_all(database)
        yield database, told


@pytest.fixture
def database(server: EmbeddedServer, loaded: tuple[Database, dict[int, Any]]) -> Iterator[Database]:
    """A copy of it."""
    with copied(server, loaded[0]) as database:
        yield database


@pytest.fixture
def told(loaded: tuple[Database, dict[int, Any]]) -> dict[int, Any]:
    """Its answers."""
    return loaded[1]


@pytest.fixture
def commands(database: Database, tmp_path: Path) -> Warehouse:
    """The command line."""
    return Warehouse(database, tmp_path / "home")


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Iterator[replayhouse.Warehouse]:
    """The same from Python."""
    with python(database, tmp_path / "home") as opened:
        yield opened


def test_a_kept_answer_equals_one_computed_anew(
    database: Database, warehouse: replayhouse.Warehouse, told: dict[int, Any]
) -> None:
    for is_kept in (False, True):
        found = answers(warehouse)
        assert [one.is_kept for one in found] == [is_kept] * ALL
        assert documents(found) == told
        types = [[type(cell) for cell in row] for one in found for row in one.rows]
        assert types == [[type(cell) for cell in row] for one in answers(warehouse) for row in one.rows]
    forget_all(database)
    assert documents(answers(warehouse)) == told


def test_answers_stay_through_a_rebuild_and_a_revert_and_are_those_computed_after_it(
    database: Database, commands: Warehouse, warehouse: replayhouse.Warehouse, told: dict[int, Any]
) -> None:
    assert documents(answers(warehouse)) == told
    for done in (["rebuild"], ["revert", "sales"]):
        commands.json(*done)
        found = answers(warehouse)
        assert all(one.is_kept for one in found)
        forget_all(database)
        assert documents(answers(warehouse)) == documents(found) == told


def test_after_backup_and_restore_they_are_the_same(
    server: EmbeddedServer, commands: Warehouse, told: dict[int, Any], tmp_path: Path
) -> None:
    """A backup holds the log; answers follow from it."""
    commands.json("ask", "all")
    commands.json("db", "backup", tmp_path / "backup")
    with copied(server) as other:
        restored = Warehouse(other, tmp_path / "restored")
        restored.json("db", "restore", tmp_path / "backup")
        with python(other, tmp_path / "restored") as warehouse:
            found = answers(warehouse)
    assert not any(one.is_kept for one in found)
    assert documents(found) == told


def test_a_load_makes_them_where_that_is_asked_for(
    commands: Warehouse, warehouse: replayhouse.Warehouse, tmp_path: Path
) -> None:
    further = write(tmp_path / "further", messy_extract(2, 60, 8))
    report = commands.json("ingest", further, "--answers")
    assert report["answers"] == {"made": ALL, "kept": 0, "failed": 0}
    assert {position for _, position in commands.rows(FIGURES)} == {report["position"]}
    assert all(one.is_kept for one in answers(warehouse))

    again = warehouse.ingest(further, answers=True)
    assert again.status == "unchanged"
    assert again.answers == (0, ALL, 0)
    assert "answers" not in commands.json("ingest", further)
    assert f"Answers of record: 0 made now, {ALL} kept from before." in commands.run("ingest", further, "--answers").out


@pytest.mark.parametrize("option", ["--dry-run", "--no-project"])
def test_answers_of_what_is_not_shown_are_refused(commands: Warehouse, tmp_path: Path, option: str) -> None:
    done = commands.run("ingest", tmp_path, "--answers", option)
    assert (done.code, "go with no --dry-run or --no-project" in done.err) == (2, True)


def test_a_question_that_fails_is_told_and_the_load_stands(commands: Warehouse, tmp_path: Path) -> None:
    further = write(tmp_path / "further", messy_extract(2, 60, 8))
    with failing(questions()[3]) as where:
        done = commands.run("ingest", further, "--answers", "--json")
        asked = commands.run("ask", "all", "--json")
    assert (done.code, done.document["status"]) == (0, "completed")
    assert done.document["answers"] == {"made": ALL - 1, "kept": 0, "failed": 1}
    assert asked.code == 2
    assert where in done.err
    assert where in asked.err
    assert [one["question"] for one in asked.document] == [one.number for one in questions() if one.number != 4]


def test_the_history_tells_a_figure_load_by_load(
    commands: Warehouse, warehouse: replayhouse.Warehouse, tmp_path: Path
) -> None:
    for number in (2, 3):
        commands.json("ingest", write(tmp_path / f"load {number}", messy_extract(number, 60 * number, 8)), "--answers")
    found = warehouse.answer_history(1)
    assert [str(found.ends[one.position]) for one in found.answers] == ["load 2", "load 3"]
    assert [end.load for end in found.lacking] == ["first"]
    first = warehouse.ask(1, at=found.lacking[0].position)
    found = warehouse.answer_history(1)
    assert (len(found.answers), found.lacking) == (3, [])
    assert found.answers[0].rows == first.rows
    key, column = [str(first.rows[0][0])], first.columns[1]
    figures = [figure for *_, figure in found.figures(key, column)]
    place = first.columns.index(column)
    assert figures == [
        next((row[place] for row in warehouse.ask(1, at=one.position).rows if str(row[0]) == key[0]), None)
        for one in found.answers
    ]
    assert len(set(figures)) > 1
    shown = commands.run("ask", "1", "--history", "--rows", key[0], column).out
    assert all(name in shown for name in ("first", "load 2", "load 3"))


def test_as_of_the_end_of_an_earlier_load_they_are_what_was_kept_then(
    database: Database, commands: Warehouse, warehouse: replayhouse.Warehouse, told: dict[int, Any], tmp_path: Path
) -> None:
    """Also where a load was taken back in between, and whether they were kept or not."""
    first = commands.json("status")["position"]
    then = answers(warehouse)
    commands.json("ingest", write(tmp_path / "second", messy_extract(2, 60, 8)))
    second = commands.json("status")["position"]
    later = documents(answers(warehouse))
    commands.json("retract", "second", "--reason", "wrong")
    commands.json("ingest", write(tmp_path / "third", messy_extract(3, 70, 9)))

    found = answers(warehouse, first)
    assert [one.made_at for one in found] == [one.made_at for one in answers(warehouse, first)]
    assert all(one.is_kept for one in found)
    forget_all(database)
    for position, wanted in ((first, documents(then)), (second, later)):
        computed = answers(warehouse, position)
        assert not any(one.is_kept for one in computed)
        assert documents(computed) == wanted
    assert documents(then) == told
