"""The program and its warehouses, as the tests need them: run as a user runs them, from another environment."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pages import PAGE, files_of

from replayhouse_dagster import ReplayhouseCli

LONGEST_S = 240


@dataclass(frozen=True)
class Program:
    """The program of another environment."""

    path: Path

    def run(self, home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs a command on a home to its end, whatever that is."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        return subprocess.run(
            [self.path, *arguments],
            env={**ours, "REPLAYHOUSE_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )

    def succeed(self, home: Path, *arguments: str | Path) -> str:
        """Runs a command that must exit with 0; its output."""
        done = self.run(home, *arguments)
        assert done.returncode == 0, f"{arguments} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@dataclass(frozen=True)
class Warehouse:
    """A warehouse, and the folder in which extracts arrive for it."""

    program: Program
    home: Path
    arriving: Path

    @classmethod
    @contextmanager
    def copied(cls, program: Program, prepared: Path, folder: Path) -> Iterator["Warehouse"]:
        """An empty one, copied from one that is prepared."""
        made = cls(program, folder / "home", folder / "arriving extracts")
        made.home.mkdir(parents=True)
        made.arriving.mkdir()
        subprocess.run(["cp", "-a", prepared / "postgres", made.home / "postgres"], check=True)
        try:
            yield made
        finally:
            program.run(made.home, "db", "stop")

    @property
    def cli(self) -> ReplayhouseCli:
        """The resource that runs the program on it."""
        return ReplayhouseCli(
            executable=str(self.program.path), home=str(self.home), seconds_between_tries=0.1, environment={}
        )

    def json(self, *arguments: str | Path) -> Any:
        """The document of a command that must exit with 0."""
        return json.loads(self.program.succeed(self.home, *arguments, "--json"))

    def digests(self) -> dict[tuple[str, ...], str]:
        """The digest of each live table, by context and table."""
        return {
            (context, table): found["digest"]
            for context, model in self.json("digest")["contexts"].items()
            for table, found in model["tables"].items()
        }

    def receive(self, extract: Path, name: str | None = None) -> str:
        """An extract arrives, whole; its name."""
        there = self.arriving / (name or extract.name)
        shutil.copytree(extract, there)
        (there / "_SUCCESS").touch()
        return there.name

    def receive_zip(self, extract: Path, name: str | None = None) -> str:
        """The same as a zip."""
        made = shutil.make_archive(str(self.arriving / (name or extract.name)), "zip", extract)
        return Path(made).name


def write_settings(home: Path) -> None:
    """Gives a Dagster the settings that the page shows."""
    home.mkdir()
    (home / "dagster.yaml").write_text(files_of(PAGE)["dagster.yaml"], encoding="utf-8")
