"""A warehouse of the installed program in a home of its own, used from outside as a person would: by its commands."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.memory import Peak, Watch
from bench.timing import NotMeasured

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).with_name("replayhouse")


@dataclass(frozen=True)
class Finished:
    """A command that exited with 0: its seconds from start to end, and its JSON document."""

    seconds: float
    document: dict[str, Any]


class Warehouse:
    """A home folder with its embedded server. Use as a context: the server runs inside it and is stopped at its end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        self._environment = kept | {"REPLAYHOUSE_HOME": str(home)}
        self._url = ""

    @property
    def environment(self) -> dict[str, str]:
        """What commands on this warehouse are started with."""
        return dict(self._environment)

    @staticmethod
    def command(*arguments: str | Path) -> list[str]:
        """The installed program with these arguments."""
        return [str(PROGRAM), *map(str, arguments)]

    def __enter__(self) -> "Warehouse":
        self.run("db", "start")
        self._url = self.run("db", "url").strip()
        return self

    def __exit__(self, *_: object) -> None:
        self.run("db", "stop")

    def run(self, *arguments: str | Path) -> str:
        """What a command prints. Raises NotMeasured, with the end of what it said, if it fails."""
        command = self.command(*arguments)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        _check(arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """The JSON document of a command."""
        told: dict[str, Any] = json.loads(self.run(*arguments, "--json"))
        return told

    @contextmanager
    def setting(self, name: str, value: str) -> Iterator[str]:
        """Commands run with this variable in their environment while the block runs; its value."""
        self._environment[name] = value
        try:
            yield value
        finally:
            del self._environment[name]

    def timed(self, *arguments: str | Path) -> Finished:
        """Runs a command with `--json`, after a checkpoint, so that it pays for nothing that happened before."""
        self.settle()
        begun = time.perf_counter()
        printed = self.run(*arguments, "--json")
        return Finished(time.perf_counter() - begun, json.loads(printed))

    def watched(self, *arguments: str | Path) -> tuple[Finished, Peak]:
        """The same while its memory is sampled, and that of the server; the sampling costs some time."""
        self.settle()
        begun = time.perf_counter()
        command = self.command(*arguments, "--json")
        with subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            with Watch(process.pid, self.server_pid) as watch:
                printed, complaints = process.communicate()
            seconds = time.perf_counter() - begun
        _check(arguments, process.returncode, printed, complaints)
        return Finished(seconds, json.loads(printed)), watch.peak

    @contextmanager
    def background(self, *arguments: str | Path) -> Iterator[None]:
        """Runs a command while the block runs, and ends it as Ctrl-C would. NotMeasured if it ended before."""
        command = self.command(*arguments)
        with subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield
                if process.poll() is not None:
                    raise NotMeasured(f"replayhouse {' '.join(map(str, arguments))} exited with {process.returncode}")
            finally:
                process.send_signal(signal.SIGINT)

    @property
    def server_pid(self) -> int:
        """Process id of the embedded server."""
        return int((self.home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])

    def url(self, database: str | None = None) -> str:
        """The administrator's URL, of the warehouse's own database or of another on the same server."""
        return self._url if database is None else make_conninfo(self._url, dbname=database)

    def sampled(self, *arguments: str | Path) -> dict[str, float]:
        """Runs a command in one process under the sampler; seconds by what it was doing (see bench.sampled)."""
        result = self.home / "sampled.json"
        environment = self._environment | {"REPLAYHOUSE_WORKERS": "1"}
        command = [sys.executable, "-m", "bench.sampled", str(result), *map(str, arguments), "--json"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        _check(arguments, done.returncode, done.stdout, done.stderr)
        told: dict[str, float] = json.loads(result.read_text())
        return told

    def settle(self) -> None:
        """Writes out what the server still has to write, so that it does not do so while something else is timed."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def fresh_database(self, name: str) -> str:
        """An empty database of this name on the same server, in place of any that was there; returns its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self.settle()
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Removes a database that `fresh_database` made."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _check(arguments: tuple[str | Path, ...], code: int, printed: str, complaints: str) -> None:
    if code != 0:
        told = "\n".join((printed + complaints).strip().splitlines()[-5:])
        raise NotMeasured(f"replayhouse {' '.join(map(str, arguments))} exited with {code}: {told}")
