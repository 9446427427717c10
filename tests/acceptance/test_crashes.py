"""Whatever is killed, and whenever: the same command again, and all is as if nothing had happened."""

import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.oracle.expected import FILES
from tests.support.cli import CONTEXTS
from tests.support.crashes import (
    Attack,
    Kill,
    a_backend,
    a_seed,
    a_worker,
    is_plain,
    survive,
    the_command,
    the_parent,
    the_server,
)
from tests.support.homes import Home, a_copy
from tests.support.scenes import Scenes, complaints, state_of
from tests.support.small_steps import KILL_AFTER

APPENDING, CATCHING_UP, FOLDING = "appending", "catching the read models up", "folding every stream again"
REWINDING = "rewinding"

ATTACKS = (
    Attack("beginning", (Kill(the_command),)),
    Attack("first load", (Kill(the_command), Kill(a_worker, APPENDING), Kill(the_command))),
    Attack("first load", (Kill(the_server), Kill(the_server), Kill(the_command, CATCHING_UP))),
    Attack("second load", (Kill(the_parent, APPENDING), Kill(the_command), Kill(the_command))),
    Attack("second load", (Kill(a_backend), Kill(a_worker, APPENDING), Kill(a_backend))),
    Attack("rebuild", (Kill(the_parent, FOLDING), Kill(a_worker, FOLDING), Kill(the_command))),
    Attack("rebuild", (Kill(the_server),)),
    Attack("project", (Kill(the_command), Kill(a_backend), Kill(the_command))),
    Attack("retraction", (Kill(the_command), Kill(a_backend), Kill(the_command, REWINDING))),
    Attack("retraction", (Kill(the_server, REWINDING), Kill(the_command, CATCHING_UP))),
)
"""Twenty-five kills, at moments that differ from run to run."""


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_killed_at_any_moment_and_started_again_the_result_is_the_same(attack: Attack, scenes: Scenes) -> None:
    survive(attack, scenes[attack.scene], a_seed())


def killed_after(home: Home, points: Iterable[str], *arguments: str) -> None:
    """Runs a command, without others that share its work, once a point; each time it dies right after that."""
    for point in points:
        done = home.run(*arguments, **{KILL_AFTER: point})
        assert done.code == -signal.SIGKILL or is_plain(done), f"{point}: exit code {done.code}\n{done.err}"


BEGINNING = (
    "replayhouse.infra.postgres.embedded:EmbeddedServer._initialise",
    "replayhouse.infra.postgres.embedded:EmbeddedServer._launch",
    "replayhouse.infra.postgres.embedded:EmbeddedServer._ensure_database",
    "replayhouse.infra.postgres.connection:migrate",
    "replayhouse.infra.read_models.preparing:prepare",
)

STEPS_OF_A_LOAD = (
    "replayhouse.infra.loads.batches:Loads.begin",
    "replayhouse.infra.application.ingest:tell_opening",
    "replayhouse.infra.loads.load_log:PostgresLoadLog.append_quality:3",
    "replayhouse.infra.loads.load_log:PostgresLoadLog.append_encoded:2",
    "replayhouse.infra.application.ingest:evaluate_the_lapsed",
    "replayhouse.infra.application.ingest:tell_completion",
    "replayhouse.infra.loads.batches:Loads.finish",
)

STEPS_OF_FILLING = (
    "replayhouse.infra.read_models.rebuild.revisions:begin_filling:3",
    "replayhouse.infra.read_models.rebuild.swap:swap",
)

STEPS_OF_A_LATER_LOAD = (
    "replayhouse.infra.application.ingest:export_known",
    "replayhouse.infra.loads.batches:Loads.begin",
    "replayhouse.infra.loads.batches:Loads.take_over",
    "replayhouse.infra.loads.load_log:PostgresLoadLog.append_lapsed",
    "replayhouse.infra.loads.load_log:PostgresLoadLog.append_quality:2",
    "replayhouse.infra.application.ingest:release_those_that_pass",
    "replayhouse.infra.read_models.checkpoints:move:3",
)

STEPS_OF_A_REBUILD = (
    "replayhouse.infra.read_models.rebuild.revisions:begin:2",
    "replayhouse.infra.read_models.rebuild.range_loader:Loader.finish:3",
    "replayhouse.infra.read_models.rebuild.swap:swap",
    "replayhouse.infra.read_models.rebuild.rebuild:keep_calendar",
)

STEPS_OF_A_RETRACTION = (
    "replayhouse.infra.loads.retractions:Retractions.begin",
    "replayhouse.infra.loads.retraction_log:PostgresRetractionLog.append_rewinds:2",
    "replayhouse.infra.loads.retractions:Retractions.take_over",
    "replayhouse.infra.loads.retraction_log:PostgresRetractionLog.finish",
    "replayhouse.infra.read_models.checkpoints:move:2",
)


@pytest.mark.parametrize(
    ("scene", "points"),
    [
        ("first load", STEPS_OF_A_LOAD + STEPS_OF_FILLING),
        ("second load", STEPS_OF_A_LATER_LOAD),
        ("rebuild", STEPS_OF_A_REBUILD),
        ("retraction", STEPS_OF_A_RETRACTION),
    ],
    ids=["first load", "later load", "rebuild", "retraction"],
)
def test_killed_after_every_step_of_it_in_turn_a_command_comes_to_the_same_end(
    scene: str, points: tuple[str, ...], scenes: Scenes
) -> None:
    played = scenes[scene]
    with a_copy(played.home) as home:
        killed_after(home, points, *played.arguments)
        home.succeed(*played.arguments)
        assert complaints(home, played.expected) == []


STEPS_OF_AN_ERASURE = (
    "replayhouse.infra.privacy.erasure:destroy_keys",
    "replayhouse.infra.privacy.erasure_list:ErasedSubjects.add",
    "replayhouse.infra.application.erase:erase_person",
)

A_REVIEWER = "SELECT customer_id::text FROM customer.fact_review WHERE comment IS NOT NULL ORDER BY 1 LIMIT 1"


def test_killed_after_every_step_of_an_erasure_it_is_done_in_the_end(scenes: Scenes) -> None:
    arguments: tuple[str, ...]
    with a_copy(scenes["rebuild"].home) as home:
        home.succeed("status")
        arguments = (
            "customer",
            "erase",
            "--yes",
            str(home.warehouse().rows(A_REVIEWER)[0][0]),
            "--reason",
            "asked for it",
        )
        home.succeed(*arguments)
        expected = state_of(home)
    with a_copy(scenes["rebuild"].home) as home:
        killed_after(home, STEPS_OF_AN_ERASURE, *arguments)
        home.succeed(*arguments)
        assert complaints(home, expected) == []


def test_killed_while_the_database_is_made_a_command_makes_it_the_next_time(scenes: Scenes) -> None:
    played = scenes["beginning"]
    with a_copy(played.home) as home:
        killed_after(home, BEGINNING, "status")
        home.succeed(*played.arguments)
        assert complaints(home, played.expected) == []


def test_a_rejection_that_was_killed_half_told_is_told_the_next_time(scenes: Scenes, tmp_path: Path) -> None:
    harmed = tmp_path / "harmed"
    shutil.copytree(scenes.second, harmed)
    with (harmed / FILES["orders"]).open("a") as orders:
        orders.write('"no end')
    with a_copy(scenes["second load"].home) as home:
        before = home.warehouse().json("status")
        killed_after(home, ["replayhouse.infra.application.ingest:tell_opening"], "ingest", str(harmed))

        done = home.run("ingest", harmed, "--json")

        assert (done.code, done.document["status"]) == (1, "rejected"), done.err
        batches = home.warehouse().json("batches")
        assert [batch["status"] for batch in batches] == ["completed", "rejected"]
        after = home.warehouse().json("status")["contexts"]
        assert {name: told["events"] - before["contexts"][name]["events"] for name, told in after.items()} == {
            **dict.fromkeys(CONTEXTS, 0),
            "quality": 3,
        }


def test_a_killed_server_starts_again_though_another_home_s_server_has_its_number_now(scenes: Scenes) -> None:
    with a_copy(scenes["first load"].home) as home, a_copy(scenes["first load"].home) as other:
        for started in (home, other):
            started.succeed("status")
        killed, number = home.postmaster(), other.postmaster()
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            left_behind = home.path / "postgres" / name
            left_behind.write_text(left_behind.read_text().replace(str(killed), str(number), 1))

        home.succeed("status")

        assert home.postmaster() not in (None, number)
        assert other.postmaster() == number
