"""The program in small steps: `python -m tests.support.small_steps ingest ...` is `replayhouse ingest ...`.

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
from contextlib import nullcontext
from functools import wraps
from importlib import import_module
from typing import Any

import replayhouse.ingest.batch
import replayhouse.ingest.load
import replayhouse.ingest.retract

KILL_AFTER = "KILL_AFTER"
WAIT = "WAIT"

LONGEST_WAIT_S = 200.0

EVENTS_A_CHUNK = 700
ROWS_AT_ONCE = 40


def _take_small_steps() -> None:
    replayhouse.ingest.load.EVENTS_A_CHUNK = EVENTS_A_CHUNK
    replayhouse.ingest.load.FAMILIES_AT_ONCE = 50
    replayhouse.ingest.load.LAPSED_AT_ONCE = 25
    replayhouse.ingest.load.units_of.__defaults__ = (EVENTS_A_CHUNK,)
    replayhouse.ingest.batch.ROWS_AT_ONCE = ROWS_AT_ONCE
    replayhouse.ingest.retract.STREAMS_A_CHUNK = 100


def _take_small_steps_of_the_rest() -> None:
    from replayhouse.infra.application import large_loads
    from replayhouse.infra.loads import on_columns, passing
    from replayhouse.infra.postgres import locks
    from replayhouse.infra.read_models import windows
    from replayhouse.infra.read_models.live import projector
    from replayhouse.infra.read_models.rebuild import workers
    from replayhouse.infra.runtime import subprocesses

    subprocesses.without_main = nullcontext  # type: ignore[assignment] # this module is for them too, see below
    # Where the program was forked, it has imported this number before it was changed.
    large_loads.LARGE_FROM_BYTES, on_columns.FEW = 0, 2
    passing.ROWS_AT_ONCE = ROWS_AT_ONCE  # type: ignore[attr-defined] # an imported name is none of its own
    locks.LONGEST_WAIT_SECONDS = float(os.environ.get(WAIT, LONGEST_WAIT_S))
    windows.EVENTS_A_WINDOW = 1_000
    projector.FILL_FROM_EVENTS = 2_500
    workers._EVENTS_A_RANGE = 2_000
    workers._EVENTS_WORTH_A_PROCESS = 1_500
    if sys.argv[1:2] == ["log"] or "REPLAYHOUSE_SEGMENTS" in os.environ:  # no other command needs what this imports
        from replayhouse.infra.sealed_log import own_segments, sealing

        sealing.EVENTS_A_SEGMENT, own_segments.EVENTS_WORTH_SEALING, own_segments._SMALL = 1_000, 1, 500


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


def _begin() -> None:
    _take_small_steps()
    if KILL_AFTER in os.environ:
        _kill_after(os.environ[KILL_AFTER])


def main() -> None:
    """Runs the program in small steps."""
    _begin()
    from replayhouse.infra.cli.main import main as program

    _take_small_steps_of_the_rest()
    sys.argv[0] = "replayhouse"
    program()


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":  # the processes that share the work import this module too, and take the same steps
    _begin()
