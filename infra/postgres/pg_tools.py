"""PostgreSQL's own client programs, `pg_dump`, `pg_restore` and `psql`: which ones, and how they are called.

Where the database is and with which password stands in their environment, never on their command line, which every
user of the machine can read.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from psycopg import conninfo, pq

from replayhouse.infra.postgres import session
from replayhouse.infra.postgres.os_account import packaged_programs
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable, WrongServer

_PACKAGED = 18
"""Major version of the programs in the wheel; they work with older servers too, and refuse newer ones."""

_FAREWELL_SECONDS = 10.0
_NO_CONNECTION = ("connection to server", "server closed the connection", "terminating connection", "could not connect")
_NO_ROOM = ("No space left", "could not extend file", "File too large")


def program(name: str, server: int) -> Path:
    """A program that works with a server of this major version: that of the wheel, or for a newer one that of the PATH.

    Raises WrongServer if there is none.
    """
    if server <= _PACKAGED:
        return packaged_programs() / name
    found = shutil.which(name)
    if found is None:
        raise WrongServer(
            f"The server is PostgreSQL {server}, and the {name} of replayhouse is of version {_PACKAGED}: "
            f"install the clients of PostgreSQL {server}, so that {name} stands in the PATH."
        )
    return Path(found)


def environment(url: str, server: int = 0) -> dict[str, str]:
    """This process' environment, with all that the URL says, and our session's settings, in libpq's variables.

    `server` is the major version, where it is known: newer ones are sent more settings.
    """
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    given = conninfo.conninfo_to_dict(url)
    settings = {
        **given,
        "client_encoding": session.SETTINGS["client_encoding"],
        "options": session.options(given.get("options"), server),
    }
    kept = {name: value for name, value in os.environ.items() if name not in session.OVERRULING}
    return {**kept, **{variables[k]: str(v) for k, v in settings.items() if k in variables}}


class Client:
    """A program at work. `write_to` and `read_from` are its pipes, where it was given some."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        self._name = name
        self._process = process
        self._errors = errors

    @property
    def write_to(self) -> IO[bytes]:
        """Its standard input."""
        assert self._process.stdin is not None, "it was given a pipe"
        return self._process.stdin

    @property
    def read_from(self) -> IO[bytes]:
        """Its standard output."""
        assert self._process.stdout is not None, "it was given a pipe"
        return self._process.stdout

    def finish(self) -> None:
        """Waits for its end. Raises Unreachable where the server is gone or full, ReplayhouseError if it failed."""
        code = self._process.wait()
        if code == 0:
            return
        self._errors.seek(0)
        told = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        gist = next((line for line in told if "error:" in line.lower() or "fatal:" in line.lower()), "")
        gist = (gist or (told[-1] if told else f"it ended with {code}")).rstrip(".")
        if any(words in line for line in told for words in _NO_ROOM):
            raise Unreachable(f"The disk of the database is full ({gist}): make room, and run the same command again.")
        if any(words in line for line in told for words in _NO_CONNECTION):
            raise Unreachable(f"The connection to the database is lost: {gist}.")
        raise ReplayhouseError(f"{self._name} has failed: {gist}.")


@contextmanager
def running(
    path: Path,
    arguments: Sequence[str],
    url: str | None = None,
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[Client]:
    """The program, on the database of the URL; it has ended when the block has, by force where it must."""
    with TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(path), *arguments],
            env={**(environment(url) if url else os.environ), "LC_ALL": "C.UTF-8"},
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
        )
        try:
            yield Client(path.name, process, errors)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing is asked of it any more: with its pipes closed it ends by itself, or is made to."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_FAREWELL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
