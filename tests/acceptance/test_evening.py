"""One evening: a bad load, the alert that it brings in a real Prometheus, what the page says to do, and quiet again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.ingest.synthetic import generate
from tests.support.folders import quick_folder
from tests.support.homes import FORKED, Home, wait_until
from tests.support.pages import commands_of
from tests.support.prepared import furnish
from tests.support.prometheus import Prometheus, watching
from tests.support.served import served
from tests.support.shell import Shell
from tests.support.spoiled import spoil

RUNBOOKS = Path(__file__).parents[2] / "docs/runbooks"
ALERT, PAGE = "QualityBelowGoal", "quality-below-goal.md"


@pytest.fixture
def home(prepared: Path) -> Iterator[Home]:
    """A home with a good load, in a folder with a shell's name for it."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        generate(folder / "good", 60, 5, None, 1)
        home.warehouse().json("ingest", folder / "good")
        yield home
        home.halt()


@pytest.fixture
def prometheus(home: Home, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that watches that home's server, which asks for a token."""
    told = home.succeed("token", "create", "analyst", "--name", "prometheus", "--json").result()
    with (
        served(home, "--auth", "token") as (_, address),
        watching(tmp_path, {"replayhouse": address}, token=told.document["secret"]) as prometheus,
    ):
        yield prometheus


def test_a_bad_load_is_told_taken_back_by_the_page_and_then_it_is_quiet(home: Home, prometheus: Prometheus) -> None:
    score = "replayhouse_load_quality_score_ratio"
    wait_until(lambda: bool(prometheus.query(score)))
    assert ALERT not in prometheus.firing()
    before = home.warehouse().digests()

    extract = home.path.parent / "bad"
    generate(extract, 60, 7, None, 1)
    spoil(extract)
    bad = home.succeed("ingest", extract, "--json").result().document
    assert bad["status"] == "completed", "nothing keeps it out"
    wait_until(lambda: ALERT in prometheus.firing())

    commands = commands_of((RUNBOOKS / PAGE).read_text(encoding="utf-8"))
    script = "\n".join(["set -eo pipefail", *(command.text for command in commands)])
    code, told = Shell(home.path.parent).run(script)

    assert code == 0, "\n".join(told)
    assert any(re.search(rf"{bad['batch']}.* is taken back", line) for line in told), "\n".join(told)
    wait_until(lambda: any(value > 0.95 for _, value in prometheus.query(score)))
    wait_until(lambda: ALERT not in prometheus.firing())
    assert home.warehouse().digests() == before
