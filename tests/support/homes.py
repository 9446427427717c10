"""Homes of their own for tests, and commands that run there while a test looks on: their stages and processes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.postmaster import serves
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.forks import WORKER
from tests.support import forked
from tests.support.cli import Done
from tests.support.folders import quick_folder
from tests.support.in_process import Warehouse

AS_INSTALLED = forked.AS_INSTALLED
FORKED = forked.FORKED
IN_SMALL_STEPS = "tests.support.small_steps"
"""The program with chunks of a twentieth of their size."""

SHARED_WORK = {"REPLAYHOUSE_WORKERS": "2"}
"""A setting of commands whose work processes are to share; each takes a second of work to start."""

LONGEST_RUN_S = 240.0
LONGEST_FAREWELL_S = 60.0
LONGEST_WAIT_S = 120.0

BACKENDS = """
    SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND pid <> pg_backend_pid() ORDER BY pid
"""


class Command:
    """A command that runs in a process group of its own; its stages are read as it tells them on standard error."""

    def __init__(self, program: str | Sequence[str], arguments: Sequence[str], environment: dict[str, str]) -> None:
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as this object
        self._told = threading.Condition()
        self._lines: list[str] = []
        self._ended = False
        self.started = time.monotonic()
        self.stages: list[tuple[str, float]] = []
        reads, writes = os.pipe()
        self._errors = open(reads, encoding="utf-8")  # noqa: SIM115 - the thread that reads it closes it
        with open(writes, "wb") as errors:
            self._process = forked.start(program, arguments, environment, stdout=self._out, stderr=errors)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._errors:
            for line in self._errors:
                with self._told:
                    self._lines.append(line)
                    if line.endswith(" ...\n"):
                        self.stages.append((line.removesuffix(" ...\n"), time.monotonic() - self.started))
                    self._told.notify_all()
        with self._told:
            self._ended = True
            self._told.notify_all()

    @property
    def pid(self) -> int:
        """The main process, which leads the group."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the main process has not ended."""
        return self._process.poll() is None

    def reaches(self, stage: str) -> bool:
        """Waits until it tells of a stage; false if it ends without."""
        with self._told:
            self._told.wait_for(lambda: self._has_told(stage) or self._ended, LONGEST_RUN_S)
            return self._has_told(stage)

    def _has_told(self, stage: str) -> bool:
        return any(name == stage for name, _ in self.stages)

    def printed(self) -> str:
        """What stands so far on standard output."""
        number = self._out.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode()  # which leaves the place where it writes on

    def told(self) -> str:
        """What it has said so far on standard error."""
        with self._told:
            return "".join(self._lines)

    def workers(self) -> list[int]:
        """The processes that share its work."""
        return [found.pid for found in _processes() if found.group == self.pid and found.is_worker]

    def has_workers(self) -> bool:
        """Waits until processes share its work; false if it ends without."""
        wait_until(lambda: bool(self.workers()) or not self.is_running())
        return bool(self.workers())

    def kill(self, how: int = signal.SIGKILL) -> bool:
        """Sends a signal to the main process; false if it has ended."""
        if not self.is_running():
            return False
        self._process.send_signal(how)
        return True

    def result(self) -> Done:
        """Waits for its end; a command that hangs shows where, in an AssertionError."""
        try:
            code = self._process.wait(LONGEST_RUN_S)
        except subprocess.TimeoutExpired as error:
            os.killpg(self.pid, signal.SIGABRT)  # all print their stacks
            self._reader.join(LONGEST_FAREWELL_S)
            raise AssertionError(f"{error}\n{''.join(self._lines)}") from error
        self._reader.join(LONGEST_FAREWELL_S)
        self._out.seek(0)
        return Done(code, self._out.read(), "".join(self._lines))

    def left_behind(self) -> list[str]:
        """The processes of its group that live on well after its end."""
        deadline = time.monotonic() + LONGEST_FAREWELL_S
        while left := [f"{found.pid} {found.told}" for found in _processes() if found.group == self.pid]:
            if time.monotonic() > deadline:
                return left
            time.sleep(0.05)
        return []


class _Process(NamedTuple):
    pid: int
    group: int
    told: str
    name: str = ""

    @property
    def is_worker(self) -> bool:
        """One that was started for a pool, or was forked for it and has work."""
        return "spawn_main" in self.told or self.name == WORKER


def _processes() -> Iterator[_Process]:
    """Every process that lives, with its command line; zombies are left out."""
    if sys.platform.startswith("linux"):  # small containers have no ps
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError, ValueError, IndexError):
                    state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
                    told = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if state != "Z":
                        yield _Process(int(folder.name), int(group), told, (folder / "comm").read_text().strip())
        return
    wanted = ["ps", "-axww", "-o", "pid=,pgid=,stat=,command="]
    for line in subprocess.run(wanted, capture_output=True, text=True, check=True).stdout.splitlines():
        pid, group, state, told = line.split(None, 3)
        if not state.startswith("Z"):
            yield _Process(int(pid), int(group), told)


class Home:
    """A home folder with an embedded database of its own, and the commands that work on it."""

    def __init__(self, path: Path, program: str | Sequence[str] = IN_SMALL_STEPS) -> None:
        self.path = path
        self.server = EmbeddedServer(path)
        self._program = program
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        self._environment = ours | {"REPLAYHOUSE_HOME": str(path), "REPLAYHOUSE_WORKERS": "1"}
        self._environment |= {"COLUMNS": "100", "PYTHONFAULTHANDLER": "1"}

    def start(self, *arguments: str | Path, **settings: str) -> Command:
        """Starts a command."""
        return Command(self._program, list(map(str, arguments)), self._environment | settings)

    def run(self, *arguments: str | Path, **settings: str) -> Done:
        """Runs a command to its end, whatever that is."""
        return self.start(*arguments, **settings).result()

    def succeed(self, *arguments: str | Path, **settings: str) -> Command:
        """Runs a command that must exit with 0; it has ended when this returns."""
        command = self.start(*arguments, **settings)
        done = command.result()
        assert done.code == 0, f"{arguments} exited with {done.code}\n{done.out}\n{done.err}"
        assert "Traceback" not in done.err, done.err
        return command

    def warehouse(self) -> Warehouse:
        """The same home for commands within this process; the server is running."""
        self.server.start()
        return Warehouse(Database(self.server.url()), self.path)

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """A connection as the administrator, in autocommit; the server is running."""
        with self.warehouse().database.connect("replayhouse test", autocommit=True) as connection:
            yield connection

    def backends(self, application: str) -> list[int]:
        """The server's processes for connections of some name, such as `replayhouse ingest%`."""
        with suppress(Unreachable, psycopg.OperationalError), self._probing() as connection:
            return [pid for (pid,) in connection.execute(BACKENDS, [application])]
        return []  # the server is about to start, or gone

    def _probing(self) -> psycopg.Connection:
        return psycopg.connect(self.server.url(), autocommit=True)

    def postmaster(self) -> int | None:
        """The number of the server's main process, if it lives; numbers of dead ones are soon given to others."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.path / "postgres" / "postmaster.pid").read_text().splitlines()[0])
            return pid if serves(pid, self.path / "postgres") else None
        return None

    def save(self, path: Path) -> "Home":
        """A copy, whose server is not running; that of this one is stopped for it."""
        self.server.stop()
        subprocess.run(["cp", "-a", str(self.path), str(path)], check=True)
        return Home(path, self._program)

    def halt(self) -> None:
        """Ends the server the quickest way, as a crash would."""
        pid = self.postmaster()
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)
            wait_until(lambda: not any(found.pid == pid for found in _processes()))

    def remove(self) -> None:
        """Ends the server and deletes the folder."""
        self.halt()
        shutil.rmtree(self.path)


@contextmanager
def a_copy(home: Home) -> Iterator[Home]:
    """A copy of a stopped home, under a short path (sockets); it is gone afterwards."""
    with quick_folder() as folder:
        copied = home.save(folder / "home")
        try:
            yield copied
        finally:
            copied.remove()


def wait_until(is_so: Callable[[], bool], longest: float = LONGEST_WAIT_S) -> None:
    """Waits until it is so, so many seconds at most; AssertionError where it has not come about by then."""
    deadline = time.monotonic() + longest
    while not is_so():
        assert time.monotonic() < deadline, f"it has not come about in {longest:.0f} s"
        time.sleep(0.02)
