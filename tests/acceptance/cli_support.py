"""The installed program, run as a user runs it: a process of its own, with a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

PROGRAM = Path(sys.executable).with_name("replayhouse")
TIMEOUT_S = 120

FILES = (
    "customers",
    "geolocation",
    "order_items",
    "order_payments",
    "order_reviews",
    "orders",
    "products",
    "sellers",
    "categories",
)
_numbers = count(1)

CONTEXTS = ("sales", "fulfillment", "customer", "marketplace", "quality")


class Done(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Program:
    """The program with a home folder and, perhaps, settings of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        self.home = home
        self.environment = ours | {"REPLAYHOUSE_HOME": str(home), "COLUMNS": "100"} | settings

    def run(self, *arguments: str | Path) -> Done:
        """Runs a command to its end, whatever that is."""
        done = subprocess.run(
            [PROGRAM, *arguments], env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def succeed(self, *arguments: str | Path) -> Done:
        """Runs a command that must exit with 0."""
        done = self.run(*arguments)
        assert done.code == 0, f"{arguments} exited with {done.code}\n{done.out}\n{done.err}"
        return done

    def json(self, *arguments: str | Path) -> Any:
        """The JSON document of a command that must exit with 0."""
        return self.succeed(*arguments, "--json").document


class Loaded(NamedTuple):
    """A warehouse with one small load. `told` is what `ingest --json` said of it."""

    program: Program
    extract: Path
    told: Any

    def value(self, query: str, *parameters: object) -> Any:
        """The one value of a query, as the administrator."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query.encode(), parameters).fetchone()
        assert row is not None, query
        return row[0]

    @property
    def url(self) -> str:
        """Where its database is."""
        return self.program.succeed("db", "url").out.strip()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A warehouse with one load, for tests that change nothing which others look at; its server ends with them."""
    folder = tmp_path_factory.mktemp("loaded")
    program = Program(folder / "home")
    try:
        program.succeed("generate", folder / "extract", "--orders", "80", "--seed", "7")
        yield Loaded(program, folder / "extract", program.json("ingest", folder / "extract", "--name", "first"))
    finally:
        program.run("db", "stop")


@pytest.fixture
def empty(loaded: Loaded, tmp_path: Path) -> Iterator[Program]:
    """An empty warehouse for one test: a new database beside the loaded one, which is quick to make."""
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(loaded.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = loaded.url.replace("/replayhouse?", f"/{name}?")
        yield Program(tmp_path / "home", REPLAYHOUSE_DATABASE_URL=url)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
