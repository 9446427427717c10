"""The program in the smallest steps, on columns, killed at one of them: `python -m tests.support.killed_at ingest ...`.

A step is a word with the database, before it is said and after it was answered, or a file that is opened, moved or
removed, in whichever of its processes. All of them stand in the file STEPS=<path>, a letter for each. At the step
KILLED_AT=<n> the one that VICTIM names is killed, once:

    itself    whichever process takes the step
    worker    the same, of the processes that share the work: only theirs are steps
    parent    the main process, while others share its work: theirs are the steps
    backend   the server's process for the connection that was spoken to: only words with the database are steps
"""

import multiprocessing
import os
import signal
import sys
from typing import Any

import psycopg

from tests.support import small_steps

KINDS = {("main", True): b"M", ("main", False): b"m", ("worker", True): b"W", ("worker", False): b"w"}
"""Letters of steps: where they are taken, and whether they are words with the database."""

OF = {"itself": (b"M", b"m", b"W", b"w"), "worker": (b"W", b"w"), "parent": (b"W", b"w"), "backend": (b"M", b"W")}
VICTIMS = tuple(OF)
STEPS, KILLED_AT, VICTIM = "STEPS", "KILLED_AT", "VICTIM"
FORKED_AND_KILLED = "tests.support.killed_at"
"""This program, for `tests.support.cli.Program`."""

_OF_FILES = ("open", "os.rename", "os.remove", "os.mkdir", "shutil.rmtree")
EVENTS_A_CHUNK, EVENTS_A_RANGE, EVENTS_A_PROCESS = 100, 300, 200
FEW = 2


def main() -> None:
    """Runs the program, and kills."""
    _take_the_smallest_steps()
    steps = _Steps()
    say = psycopg.Connection.wait

    def said(connection: psycopg.Connection, *arguments: Any, **named: Any) -> Any:
        steps.taken(connection)
        try:
            return say(connection, *arguments, **named)
        finally:
            steps.taken(connection)

    psycopg.Connection.wait = said  # type: ignore[method-assign,assignment]  # also of its forks
    sys.addaudithook(lambda event, _: steps.taken(None) if event in _OF_FILES else None)
    small_steps.main()


def _take_the_smallest_steps() -> None:
    import replayhouse.ingest.load
    from replayhouse.infra.columns import runs

    small_steps.EVENTS_A_CHUNK = EVENTS_A_CHUNK
    replayhouse.ingest.load.EVENTS_A_CHUNK = EVENTS_A_CHUNK
    replayhouse.ingest.load.units_of.__defaults__ = (EVENTS_A_CHUNK,)
    runs.LEAST_STREAMS = FEW
    others = small_steps._take_small_steps_of_the_rest

    def of_the_rest() -> None:
        from replayhouse.infra.loads import workers as loading
        from replayhouse.infra.read_models.rebuild import workers

        others()
        loading.RUNS_A_PROCESS = 1
        workers._EVENTS_A_RANGE, workers._EVENTS_WORTH_A_PROCESS = EVENTS_A_RANGE, EVENTS_A_PROCESS

    small_steps._take_small_steps_of_the_rest = of_the_rest


class _Steps:
    def __init__(self) -> None:
        self._victim, self._at = os.environ.get(VICTIM, ""), int(os.environ.get(KILLED_AT, "0"))
        self._path = os.environ[STEPS]
        self._is_taking = False

    def taken(self, connection: psycopg.Connection | None) -> None:
        """One more; what is done for it opens a file, which is none."""
        if self._is_taking:
            return
        self._is_taking = True
        try:
            at = "main" if multiprocessing.parent_process() is None else "worker"
            kind = KINDS[at, connection is not None]
            taken = steps_for(self._victim, self._noted(kind))
            if kind in OF[self._victim] and 0 < self._at <= taken and self._is_first():
                os.kill(self._pid(connection), signal.SIGKILL)
        finally:
            self._is_taking = False

    def _noted(self, kind: bytes) -> bytes:
        """All steps with this one. The file is opened anew, for a fork closes what it has not opened itself."""
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, kind)
            return os.pread(file, os.fstat(file).st_size, 0)
        finally:
            os.close(file)

    def _is_first(self) -> bool:
        try:
            os.close(os.open(f"{self._path}.killed", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def _pid(self, connection: psycopg.Connection | None) -> int:
        if self._victim == "backend":
            assert connection is not None
            return connection.pgconn.backend_pid
        return os.getppid() if self._victim == "parent" else os.getpid()


def steps_for(victim: str, steps: bytes) -> int:
    """How many of these steps count where that one is to be killed."""
    return sum(map(steps.count, OF[victim]))
