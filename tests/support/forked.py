"""The program as a process of its own, quickly: forked from one that has imported it (see `tests.support.fork_server`).

Where the start itself is what is shown, and on systems where forking is not safe, the installed program is started.
"""

import atexit
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

from tests.support import forked_command
from tests.support.fork_server import HEADER_BYTES

ROOT = Path(__file__).parents[2]
INSTALLED = Path(sys.executable).with_name("replayhouse")

AS_INSTALLED = (str(INSTALLED),)
"""The installed program, started as a user starts it."""

FORKED = "replayhouse.infra.cli.main"
"""The same program, forked."""

CAN_FORK = sys.platform == "linux"
LONGEST_START_S = 240.0


class Process(Protocol):
    """What a test needs of a running program, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...


class Forked:
    """A forked program. Its exit code is negative where a signal has ended it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._told = connection.makefile("rb")
        self.pid = int(self._told.readline())
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        if self._code is None and select.select([self._connection], [], [], 0)[0]:
            self._end()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self._code is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"the program, process {self.pid}", timeout or 0.0)
            self._end()
        assert self._code is not None
        return self._code

    def send_signal(self, sig: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _end(self) -> None:
        told = self._told.readline()
        assert told, "the server of forked programs has died"
        self._code = int(told)
        self._told.close()
        self._connection.close()


def start(
    program: str | Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdout: IO[Any],
    stderr: IO[Any],
) -> Process:
    """Starts a program in the repository, in a session of its own, without standard input.

    `program` is a module whose `main` a forked process calls, or a command with its first arguments.
    """
    if isinstance(program, str) and not CAN_FORK:
        program = (sys.executable, "-m", program)
    if not isinstance(program, str):
        return subprocess.Popen(
            [*program, *arguments],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_server())
    message = json.dumps((program, list(arguments), dict(environment), str(ROOT))).encode()
    with open(os.devnull) as nothing:
        socket.send_fds(
            connection, [b"%0*d" % (HEADER_BYTES, len(message))], [nothing.fileno(), stdout.fileno(), stderr.fileno()]
        )
    connection.sendall(message)
    return Forked(connection)


def put_on_the_path(folder: Path) -> dict[str, str]:
    """Makes a command `replayhouse` in a folder that starts forked programs; what it needs of the environment."""
    if not CAN_FORK:
        (folder / INSTALLED.name).symlink_to(INSTALLED)
        return {}
    source = Path(forked_command.__file__).read_text(encoding="utf-8")
    command = folder / INSTALLED.name
    command.write_text(f"#!{sys.executable} -IS\n{source}", encoding="utf-8")
    command.chmod(0o755)
    return {forked_command.SERVER: _server()}


@cache
def _server() -> str:
    """Where the server of this process listens; it is started when first asked for, and ends with this process."""
    folder = tempfile.mkdtemp(prefix="replayhouse-fork-")
    path = f"{folder}/server"
    environment = os.environ | {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # else importing pyarrow starts one
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", path], cwd=ROOT, env=environment, stdin=subprocess.PIPE
    )

    def end() -> None:
        server.communicate(timeout=LONGEST_START_S)
        shutil.rmtree(folder)

    atexit.register(end)
    deadline = time.monotonic() + LONGEST_START_S
    while not os.path.exists(path):
        assert server.poll() is None, "the server of forked programs does not start"
        assert time.monotonic() < deadline, "the server of forked programs is not ready"
        time.sleep(0.02)
    return path
