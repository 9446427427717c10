"""All commands in any order, and killed at random, for a while: `python -m tests.soak_chaos [--rounds N] [--seed S]`.

Ends with exit code 1 at the first round in which a disturbed warehouse comes to another end than an undisturbed one,
and tells the seed.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.soak import say
from tests.support.chaos import chaos
from tests.support.crashes import a_seed
from tests.support.prepared import make_prepared

ORDERS = 700
STEPS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak_chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how many seeds to try, one after the other")
    parser.add_argument("--seed", type=int, default=None, help="the first seed; a new one by default")
    parser.add_argument("--steps", type=int, default=STEPS, help="commands of a round")
    parser.add_argument("--orders", type=int, default=ORDERS, help="size of the extracts")
    given = parser.parse_args(arguments)
    first = a_seed() if given.seed is None else given.seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers of the round end with it
    with tempfile.TemporaryDirectory(prefix="replayhouse-soak-") as folder:
        prepared = Path(folder, "prepared")
        make_prepared(prepared)
        return _soak(prepared, range(first, first + given.rounds), given.steps, given.orders)


def _soak(prepared: Path, seeds: Sequence[int], steps: int, orders: int) -> int:
    for seed in seeds:
        began = time.monotonic()
        with chaos(prepared, orders, seed, say) as played:
            try:
                played.play(steps)
            except AssertionError as error:
                say(f"This came to another end; to repeat, --rounds 1 --seed {seed} --steps {steps}:\n{error}")
                return 1
            say(f"seed {seed}: {played.kills} kills in {time.monotonic() - began:.0f} s, and all is the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
