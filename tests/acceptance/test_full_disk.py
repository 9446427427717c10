"""A disk without room: the command says so in plain words, and once there is room it goes on as if nothing had been.

A small file system is mounted where that is allowed. Elsewhere no file may grow beyond a size, which processes inherit.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from replayhouse.projections.questions import questions
from tests.support.cli import Done
from tests.support.crashes import is_plain
from tests.support.homes import IN_SMALL_STEPS, SHARED_WORK, Home, a_copy
from tests.support.scenes import Scenes, complaints
from tests.support.small_files import with_small_files

MB = 10**6
SIZE_OF_THE_DISK = 400 * MB
SMALLER_THAN_STAGED = MB // 2
A_PAGE = 8192

UNREACHABLE, WRONG_USAGE = 3, 2

MakeRoom = Callable[[], None]


@pytest.mark.parametrize("left", [0, 3 * MB // 2, 3 * MB], ids=["at once", "in the load", "in the read models"])
def test_a_load_survives_that_the_database_has_no_room(left: int, scenes: Scenes) -> None:
    scene = scenes["first load"]
    with a_copy(scene.home) as home, no_room_for_the_database(home, left) as make_room:
        assert_told(home.run(*scene.arguments, **SHARED_WORK), UNREACHABLE)
        make_room()
        home.succeed(*scene.arguments)
        assert complaints(home, scene.expected) == []


def test_a_rebuild_without_room_leaves_the_live_tables_as_they_were(scenes: Scenes) -> None:
    scene = scenes["rebuild"]
    with a_copy(scene.home) as home, no_room_for_the_database(home, MB) as make_room:
        assert_told(home.run(*scene.arguments, **SHARED_WORK), UNREACHABLE)
        make_room()
        assert complaints(home, scene.expected) == []
        home.succeed(*scene.arguments)
        assert complaints(home, scene.expected) == []


def test_a_load_survives_that_no_file_of_the_database_may_grow(scenes: Scenes) -> None:
    """PostgreSQL refuses to go on or, where its own log is the file, gives up and cannot recover either."""
    scene = scenes["first load"]
    with a_copy(scene.home) as home, small_files_for_the_database(home) as make_room:
        assert_told(home.run(*scene.arguments, **SHARED_WORK), UNREACHABLE)
        make_room()
        home.succeed(*scene.arguments)
        assert complaints(home, scene.expected) == []


@pytest.mark.parametrize("left", [0, MB // 2, 3 * MB // 2], ids=["for the files", "for the comparison", "for the plan"])
def test_a_load_survives_that_there_is_no_room_to_stage_it(left: int, scenes: Scenes) -> None:
    scene = scenes["second load"]
    with a_copy(scene.home) as home, no_room_to_stage(home, left) as (cramped, make_room):
        position = home.warehouse().json("status")["position"]
        assert_told(cramped.run(*scene.arguments), WRONG_USAGE)
        assert home.warehouse().json("status")["position"] == position
        make_room()
        home.succeed(*scene.arguments)
        assert complaints(home, scene.expected) == []


def test_answers_for_which_there_is_no_room_are_made_once_there_is(scenes: Scenes) -> None:
    with a_copy(scenes["second load"].home) as home:
        wanted = home.run("ask", "all")
        assert wanted.code == 0, wanted.err
        home.warehouse().rows("DELETE FROM read_model.answer RETURNING question")
        with no_room_for_the_database(home, 0) as make_room:
            assert_told(home.run("ask", "all"), UNREACHABLE)
            make_room()
            assert home.run("ask", "all").out == wanted.out
            assert home.warehouse().rows("SELECT count(*) FROM read_model.answer") == [(len(questions()),)]


def assert_told(done: Done, code: int) -> None:
    """The command has ended with this exit code and plain words."""
    assert done.code == code, f"exit code {done.code}\n{done.err}"
    assert is_plain(done), done.err


@contextmanager
def no_room_for_the_database(home: Home, left: int) -> Iterator[MakeRoom]:
    """The data folder stands on a disk with so many bytes left, or less."""
    with mounted(home.path / "postgres") as disk:
        if disk is None:
            with small_files_for_the_database(home) as make_room:
                yield make_room
            return
        home.succeed("status")
        ballast = fill(disk, left)
        try:
            yield ballast.unlink
        finally:
            home.halt()


@contextmanager
def small_files_for_the_database(home: Home) -> Iterator[MakeRoom]:
    """The running server may write to the beginnings of files only, until it is started again."""
    home.succeed("status")
    data = (home.path / "postgres").stat()
    is_ours = data.st_uid == os.geteuid()
    user, group = (None, None) if is_ours else (data.st_uid, data.st_gid)  # even root may need to be the same user
    # The processes of connections to come inherit it; those that write in the background go on.
    limit = ["prlimit", f"--pid={home.postmaster()}", f"--fsize={A_PAGE}:"]
    subprocess.run(limit, user=user, group=group, check=True)
    yield home.halt


@contextmanager
def no_room_to_stage(home: Home, left: int) -> Iterator[tuple[Home, MakeRoom]]:
    """The program with so many bytes left, or less, for what it stages."""
    home.succeed("status")  # the server has room
    (home.path / "staging").mkdir(exist_ok=True)
    with mounted(home.path / "staging") as disk:
        if disk is None:
            small_steps = (sys.executable, "-m", IN_SMALL_STEPS)
            yield Home(home.path, with_small_files(SMALLER_THAN_STAGED, small_steps)), lambda: None
        else:
            yield home, fill(disk, left).unlink


@contextmanager
def mounted(folder: Path) -> Iterator[Path | None]:
    """The folder and all in it on a small file system of its own; None where nothing may be mounted."""
    before = folder.rename(folder.with_name(f"{folder.name}.before"))
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_OF_THE_DISK}", "none", str(folder)]
    try:
        is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    subprocess.run(["cp", "-a", f"{before}/.", str(folder)], check=True)
    try:
        yield folder if is_mounted else None
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """A file that takes all but so many bytes of a disk."""
    ballast = disk / "ballast"
    found = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize - left)
    return ballast
