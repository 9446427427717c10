"""Commands that meet: one goes on, the other says whom it has met, and nothing is done twice."""

import os
import signal

import pytest

from replayhouse.infra.postgres.locks import exclusive
from tests.support.cli import Done
from tests.support.crashes import is_plain
from tests.support.homes import SHARED_WORK, Command, Home, a_copy
from tests.support.scenes import Scenes, complaints
from tests.support.small_steps import KILL_AFTER, WAIT


def refused(done: Done) -> str:
    """What a command that ended with exit code 4 says, on standard error and in its one document alike."""
    assert done.code == 4, f"exit code {done.code}\n{done.err}"
    said: str = done.document["error"]
    assert done.err.splitlines()[-1] == said
    assert is_plain(done)
    return said


def test_while_a_killed_load_is_open_its_files_go_on_and_others_are_refused(scenes: Scenes) -> None:
    scene = scenes["second load"]
    with a_copy(scene.home) as home:
        home.run(*scene.arguments, **{KILL_AFTER: "replayhouse.infra.application.ingest:keep_apart"})
        open_load = home.warehouse().json("status")["batches"][-1]
        assert open_load["status"] == "open"
        position = home.warehouse().json("status")["position"]

        said = refused(home.run("ingest", scenes.first, "--json"))
        assert open_load["batch"] in said
        assert open_load["name"] in said
        assert home.warehouse().json("status")["position"] == position

        told = home.run(*scene.arguments, "--json").document
        assert (told["batch"], told["status"]) == (open_load["batch"], "completed")
        assert complaints(home, scene.expected) == []


def test_a_load_that_went_on_tells_all_its_events_and_rows(scenes: Scenes) -> None:
    """Also those that it had appended before it was killed."""
    scene = scenes["first load"]
    with a_copy(scene.home) as home:
        home.run(
            *scene.arguments, **{KILL_AFTER: "replayhouse.infra.application.ingest:evaluate_the_lapsed", **SHARED_WORK}
        )
        told = home.run(*scene.arguments, "--json").document
    with a_copy(scene.home) as home:
        undisturbed = home.run(*scene.arguments, "--json").document
    differing = {name for name, value in undisturbed.items() if told[name] != value}
    assert differing <= {"chain", "seconds"}


def test_of_two_loads_at_once_the_later_one_waits_and_finds_nothing_new(scenes: Scenes) -> None:
    scene = scenes["second load"]
    with a_copy(scene.home) as home:
        both = [home.start(*scene.arguments, "--json") for _ in range(2)]
        done = [command.result() for command in both]
        assert [one.code for one in done] == [0, 0], [one.err for one in done]
        assert sorted(one.document["status"] for one in done) == ["completed", "unchanged"]
        assert complaints(home, scene.expected) == []


def test_commands_that_wait_in_vain_say_who_is_at_work(scenes: Scenes) -> None:
    scene = scenes["second load"]
    with a_copy(scene.home) as home, home.connected() as loading, home.connected() as rebuilding:
        with exclusive(loading, "ingest"), exclusive(rebuilding, "rebuild"):
            commands = (scene.arguments, ("rebuild",))
            ingest, rebuild = (home.start(*command, "--json", **{WAIT: "0.5"}) for command in commands)
            for command, connection in ((ingest, loading), (rebuild, rebuilding)):
                said = refused(command.result())
                assert "replayhouse test" in said
                assert str(connection.info.backend_pid) in said
        home.succeed("rebuild")
        home.succeed(*scene.arguments)
        assert complaints(home, scene.expected) == []


@pytest.mark.parametrize("stage", ["reading and comparing", "appending", "its processes too"])
def test_a_load_that_was_frozen_while_another_took_over_ends_in_plain_words(stage: str, scenes: Scenes) -> None:
    scene = scenes["second load"]
    with a_copy(scene.home) as home:
        frozen = freeze(home.start(*scene.arguments, **(SHARED_WORK if stage == "its processes too" else {})), stage)
        cut_off(home, "replayhouse ingest%" if stage == "its processes too" else "replayhouse ingest")
        home.succeed(*scene.arguments)
        assert_it_ends_in_plain_words(frozen)
        assert complaints(home, scene.expected) == []


def test_a_rebuild_that_was_frozen_while_another_took_over_ends_in_plain_words(scenes: Scenes) -> None:
    scene = scenes["rebuild"]
    with a_copy(scene.home) as home:
        frozen = freeze(home.start(*scene.arguments), "its processes too")
        cut_off(home, "replayhouse rebuild%")
        home.succeed(*scene.arguments)
        assert_it_ends_in_plain_words(frozen)
        assert complaints(home, scene.expected) == []


def freeze(command: Command, stage: str) -> Command:
    """Stops a command, in a stage of its own or as soon as processes share its work: these are stopped, too."""
    if stage == "its processes too":
        assert command.has_workers()
        os.killpg(command.pid, signal.SIGSTOP)
    else:
        assert command.reaches(stage)
        os.kill(command.pid, signal.SIGSTOP)
    return command


def cut_off(home: Home, application: str) -> None:
    """Ends the connections of a name, and with them the locks that they hold."""
    with home.connected() as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name LIKE %s",
            [application],
        ).fetchall()
    assert ended
    assert all(is_ended for (is_ended,) in ended)


def assert_it_ends_in_plain_words(frozen: Command) -> None:
    os.killpg(frozen.pid, signal.SIGCONT)
    done = frozen.result()
    assert done.code in (3, 4), f"exit code {done.code}\n{done.err}"
    assert is_plain(done), done.err
    assert frozen.left_behind() == []
