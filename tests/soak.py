"""Kills processes of the installed program for a long time: `python -m tests.soak [--kills N] [--seed S] [--orders N]`.

The scenes are those of the crash tests, with extracts large enough for several processes and their chunks in full size.
Ends with exit code 1 at the first run that does not come to the same end as an undisturbed one, and tells the seed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.crashes import (
    Attack,
    Kill,
    a_backend,
    a_seed,
    a_worker,
    survive,
    the_command,
    the_parent,
    the_server,
)
from tests.support.homes import AS_INSTALLED
from tests.support.scenes import Scenes, make_scenes, read_scenes

ORDERS = 14_000
"""Half of them are in the first load, and fewer are not worth two processes."""

MOST_KILLS_IN_A_ROW = 4

SHARED_STAGES = {
    "beginning": "appending",
    "first load": "appending",
    "second load": "appending",
    "rebuild": "folding every stream again",
}
"""The stage in which processes share the work, by scene; `project` and `retraction` have none."""

VICTIMS = (the_command, the_parent, a_worker, the_server, a_backend)
OF_SHARED_WORK = (the_parent, a_worker)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="how many processes to kill; 100 by default")
    parser.add_argument("--seed", type=int, default=None, help="repeats the whole soak; a new one by default")
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"size of the extract; {ORDERS:,} at least")
    given = parser.parse_args(arguments)
    if given.orders < ORDERS:
        parser.error(f"with fewer than {ORDERS:,} orders there are no processes that share the work, and none to kill")
    seed = a_seed() if given.seed is None else given.seed
    say(f"seed {seed}, {given.kills} kills")
    with tempfile.TemporaryDirectory(prefix="replayhouse-soak-") as folder:
        scenes = _scenes(Path(folder, "scenes"), given.orders)
        return _soak(scenes, given.kills, seed)


def _scenes(folder: Path, orders: int) -> Scenes:
    say(f"what undisturbed runs give, on extracts of {orders:,} orders ...")
    make_scenes(folder, orders, AS_INSTALLED)
    return read_scenes(folder, AS_INSTALLED)


def _soak(scenes: Scenes, kills: int, seed: int) -> int:
    chance = random.Random(seed)
    done, began = 0, time.monotonic()
    while done < kills:
        attack = _attack(scenes, chance, kills - done)
        try:
            survive(attack, scenes[attack.scene], chance.randrange(10**6), say)
        except AssertionError as error:
            say(f"After {done} kills or more, this came to another end; to repeat, --seed {seed}:\n{error}")
            return 1
        done += len(attack.kills)
        say(f"{done} of {kills} kills in {time.monotonic() - began:.0f} s")
    say("Each time the same command came to the same end.")
    return 0


def _attack(scenes: Scenes, chance: random.Random, most: int) -> Attack:
    scene = chance.choice(sorted(scenes.names))
    in_a_row = min(chance.randint(1, MOST_KILLS_IN_A_ROW), most)
    return Attack(scene, tuple(_kill(scene, chance) for _ in range(in_a_row)))


def _kill(scene: str, chance: random.Random) -> Kill:
    victim = chance.choice([victim for victim in VICTIMS if victim not in OF_SHARED_WORK or scene in SHARED_STAGES])
    return Kill(victim, SHARED_STAGES[scene] if victim in OF_SHARED_WORK else None)


def say(text: str) -> None:
    """A line at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
