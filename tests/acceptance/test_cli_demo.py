"""`demo`, as a user calls it."""

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.infra.application.demo import MARK
from tests.support.cli import CONTEXTS, FILES, Program
from tests.support.forked import AS_INSTALLED

ANSWERS = {
    "revenue_by_month": {"month", "revenue", "orders"},
    "on_time_by_region": {"region", "on_time", "deliveries"},
    "top_categories": {"category", "sales", "items"},
}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program in a new home, whose demo is stopped at the end."""
    made = Program(tmp_path / "home")
    yield made
    Program(tmp_path / "home" / "demo").run("db", "stop")


def test_the_demo_goes_all_the_way_and_says_how_to_go_on(program: Program) -> None:
    done = Program(program.home, AS_INSTALLED).succeed("demo", "--orders", "150", "--seed", "3")
    demo = program.home / "demo"
    [line] = [line for line in done.out.splitlines() if line.endswith(" status")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
    pasted = subprocess.run(line, shell=True, env=environment, capture_output=True, text=True, check=True)
    assert f"folder {demo}, PostgreSQL" in pasted.stdout, "what it prints runs as it stands"
    assert "\x1b" not in done.out
    for file in FILES:
        assert f"\n{file} " in done.out
    status = Program(demo).json("status")
    assert f"position {status['position']:,}, {status['chain']}" in done.out
    assert [batch["name"] for batch in status["batches"]] == ["demo"]
    assert all(context["lag"] == 0 for context in status["contexts"].values())
    assert not (program.home / "postgres").exists(), "the user's own warehouse is not touched"
    suggested = re.search(r"replayhouse (audit history order [0-9a-f-]{36})", done.out)
    assert suggested is not None
    assert Program(demo).json(*suggested[1].split())[0]["event"] == "OrderPlaced"


def test_the_demo_as_a_document_holds_figures_and_answers(program: Program) -> None:
    first = program.json("demo", "--orders", "150", "--seed", "3")
    assert set(first) == {"home", "ingest", "findings", "tables", "answers", "seconds"}
    assert first["home"] == str(program.home / "demo")
    assert tuple(first["ingest"]["events"]) == CONTEXTS
    assert list(first["ingest"])[-1] == "seconds", "it is the document of ingest"
    assert first["tables"]["sales.fact_order"] == 150
    assert {name: set(rows[0]) for name, rows in first["answers"].items()} == ANSWERS
    placed = sum(row["orders"] for row in first["answers"]["revenue_by_month"])
    assert 0 < placed <= 150
    assert all(0 <= row["on_time"] <= 100 for row in first["answers"]["on_time_by_region"])
    again = program.json("demo", "--orders", "150", "--seed", "3")
    assert again["ingest"]["status"] == "completed"
    assert (again["tables"], again["answers"]) == (first["tables"], first["answers"])


def test_of_two_demos_at_once_the_second_says_that_there_is_one(program: Program) -> None:
    program.home.mkdir()
    with (program.home / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = program.run("demo", "--orders", "10", "--json")
    assert done.code == 4
    assert f"at work in {program.home / 'demo'}" in done.document["error"]
    assert not (program.home / "demo").exists()


def test_a_demo_in_the_home_of_a_demo_is_made_there_and_in_no_folder_below(program: Program, tmp_path: Path) -> None:
    home = tmp_path / "home" / "demo"
    home.mkdir(parents=True)
    (home / MARK).touch()
    assert Program(home).json("demo", "--orders", "10")["home"] == str(home)
    assert not (home / "demo").exists()


def test_the_demo_takes_no_folder_that_it_has_not_made(program: Program) -> None:
    (program.home / "demo").mkdir(parents=True)
    precious = program.home / "demo" / "thesis.txt"
    precious.write_text("ten years of work")
    done = program.run("demo", "--orders", "10", "--json")
    assert done.code == 2
    assert str(precious.parent) in done.document["error"]
    assert precious.read_text() == "ten years of work"
