"""The program in small steps: `python -m tests.small_steps ingest ...` is `replayhouse ingest ...`, with other numbers.

Chunks, windows and ranges hold a twentieth of what they hold otherwise, so that a small load has as many
transactions and processes, and as many moments to be killed at, as a large one.

Another command is waited for as long as a busy machine may need for it, or for WAIT=<seconds>.

With KILL_AFTER=<module>:<name>[:<n>] a process kills itself as soon as it has called that function (as the module
knows it, counted from 1) for the n-th time: for moments so short that chance seldom meets them.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import ingest.batch
import ingest.load
import ingest.retract

KILL_AFTER = "KILL_AFTER"
WAIT = "WAIT"

LONGEST_WAIT_S = 200.0

EVENTS_A_CHUNK = 700
ROWS_AT_ONCE = 40


def _take_small_steps() -> None:
    ingest.load.EVENTS_A_CHUNK = EVENTS_A_CHUNK
    ingest.load.FAMILIES_AT_ONCE = 50
    ingest.load.LAPSED_AT_ONCE = 25
    ingest.load.units_of.__defaults__ = (EVENTS_A_CHUNK,)
    ingest.batch.ROWS_AT_ONCE = ROWS_AT_ONCE
    ingest.retract.STREAMS_A_CHUNK = 100


def _take_small_steps_of_the_rest() -> None:
    from infra.loading import release
    from infra.postgres import locks
    from infra.postgres.read_models import building, following, live

    # Where the program was forked, it has imported this number before it was changed.
    release.ROWS_AT_ONCE = ROWS_AT_ONCE  # type: ignore[attr-defined] # an imported name is none of its own
    locks.LONGEST_WAIT_SECONDS = float(os.environ.get(WAIT, LONGEST_WAIT_S))
    following.EVENTS_A_WINDOW = 1_000
    live.FILL_FROM_EVENTS = 2_500
    building._EVENTS_A_RANGE = 2_000
    building._EVENTS_WORTH_A_PROCESS = 1_500


def _kill_after(point: str) -> None:
    module, name, *count = point.split(":")
    *owner, last = name.split(".")
    place: Any = import_module(module)
    for part in owner:
        place = getattr(place, part)
    setattr(place, last, _deadly(getattr(place, last), int(count[0]) if count else 1))


def _deadly(function: Callable[..., Any], at_call: int) -> Callable[..., Any]:
    calls = 0

    @wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        result = function(*arguments, **named)
        calls += 1
        if calls == at_call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return called


# The processes that share the work import this module too, under another name, and take the same steps.
_take_small_steps()
if KILL_AFTER in os.environ:
    _kill_after(os.environ[KILL_AFTER])


def main() -> None:
    """Runs the program in small steps."""
    from infra.cli.main import main as program

    _take_small_steps_of_the_rest()
    sys.argv[0] = "replayhouse"
    program()


if __name__ == "__main__":
    main()
