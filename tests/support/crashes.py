"""Killing processes of the program, and what must hold once the same command has run again."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tests.support.cli import Done
from tests.support.homes import SHARED_WORK, Command, Home, a_copy
from tests.support.scenes import Scene, complaints

SEED = "REPLAYHOUSE_CRASH_SEED"

Victim = Callable[[Home, Command, random.Random], bool]
"""Kills a process, and says whether there was one to kill."""

Tell = Callable[[str], None]


def the_command(home: Home, command: Command, chance: random.Random) -> bool:
    """The command's main process."""
    return command.kill()


def the_parent(home: Home, command: Command, chance: random.Random) -> bool:
    """The command's main process, while others share its work."""
    return bool(command.workers()) and command.kill()


def a_worker(home: Home, command: Command, chance: random.Random) -> bool:
    """One of the processes that share the work."""
    workers = command.workers()
    return bool(workers) and _kill(chance.choice(workers))


def the_server(home: Home, command: Command, chance: random.Random) -> bool:
    """PostgreSQL's main process; its others end as soon as they notice."""
    postmaster = home.postmaster()
    return postmaster is not None and command.is_running() and _kill(postmaster)


def a_backend(home: Home, command: Command, chance: random.Random) -> bool:
    """A process that serves one of the command's connections; the server then ends all others too, and recovers."""
    backends = home.backends("replayhouse %")
    return bool(backends) and _kill(chance.choice(sorted(backends)))


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Kill(NamedTuple):
    """Whom to kill, and in which stage of the command; in any, if none is given."""

    victim: Victim
    stage: str | None = None


@dataclass(frozen=True)
class Attack:
    """Kills, one after the other, in a scene whose command is started again after each."""

    scene: str
    kills: tuple[Kill, ...]

    @property
    def settings(self) -> dict[str, str]:
        """How the command is run: processes share its work where one of them is killed, or left alone."""
        return SHARED_WORK if any(kill.victim in (a_worker, the_parent) for kill in self.kills) else {}

    def __str__(self) -> str:
        return f"{self.scene}: {', '.join(kill.victim.__name__ for kill in self.kills)}"


def a_seed() -> int:
    """The seed to repeat, from the environment, or a new one."""
    return int(os.environ.get(SEED) or random.SystemRandom().randrange(10**6))


def survive(attack: Attack, scene: Scene, seed: int, tell: Tell = print) -> None:
    """Kills, starts again, kills again; in the end all is as if nothing had happened, or AssertionError.

    A kill that comes too late, for the command is done by then, does not count and is made up for on a fresh copy, a
    little sooner each time.
    """
    tell(f"{attack}. To repeat, set {SEED}={seed}")
    chance = random.Random(f"{seed}: {attack}")
    left = list(attack.kills)
    for misses in range(8):
        with a_copy(scene.home) as home:
            while left and has_killed(left[0], scene, home, attack.settings, chance, tell, 0.5**misses):
                del left[0]
            done = home.run(*scene.arguments, **attack.settings)
            assert scene.is_done(done), f"exit code {done.code}\n{done.err}"
            must_be_empty(complaints(home, scene.expected))
        if not left:
            return
    raise AssertionError(f"{len(left)} of {len(attack.kills)} kills came too late, again and again")


def has_killed(
    kill: Kill,
    scene: Scene,
    home: Home,
    settings: dict[str, str],
    chance: random.Random,
    tell: Tell,
    haste: float,
) -> bool:
    """Runs the command and kills at some moment; false if it was done in spite of that.

    `haste` is 1, or less where only a part of the time from the stage to the moment is waited for.
    """
    if kill.stage is None:
        moment = scene.timeline.moment(chance, at_work=kill.victim is not the_command)
    else:
        moment = scene.timeline.moment_within(kill.stage, chance)
    moment = moment._replace(delay=moment.delay * haste)
    command = home.start(*scene.arguments, **settings)
    if moment.stage:
        command.reaches(moment.stage)
    if kill.victim in (a_worker, the_parent):
        command.has_workers()
    time.sleep(moment.delay)
    was_there = kill.victim(home, command, chance)
    done = command.result()
    found = "killed" if was_there else "not there"
    tell(f"  {kill.victim.__name__} {found} {moment}, exit code {done.code}")
    must_be_empty(command.left_behind())
    if scene.is_done(done):
        return False
    if kill.victim in (the_command, the_parent):
        assert done.code == -signal.SIGKILL, f"exit code {done.code}\n{done.err}"
    else:
        assert was_there, f"exit code {done.code}, and nobody was killed\n{done.err}"
        assert is_plain(done), f"exit code {done.code}\n{done.err}"
    return True


def is_plain(done: Done) -> bool:
    """Whether a command that could not go on has said so in plain words, with one of its exit codes."""
    return done.code in (1, 2, 3, 4) and "Traceback" not in done.err and "nobody expected" not in done.err


def must_be_empty(complaints: list[str]) -> None:
    """Raises AssertionError that tells all of them."""
    assert not complaints, "\n".join(complaints)
