"""The program, run as a user runs it: a process of its own, with a home of its own."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.connection import make_database
from replayhouse.infra.runtime.settings import Settings
from tests.support.forked import FORKED, INSTALLED, start
from tests.support.prepared import furnish

PROGRAM = INSTALLED
TIMEOUT_S = 240
TOLD = "told.json"

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
    """The program with a home folder and, perhaps, settings of its own; forked, or `AS_INSTALLED`."""

    def __init__(self, home: Path, program: str | Sequence[str] = FORKED, **settings: str) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        self.home = home
        self._program = program
        self.environment = ours | {"REPLAYHOUSE_HOME": str(home), "COLUMNS": "100"} | settings

    def run(self, *arguments: str | Path) -> Done:
        """Runs a command to its end, whatever that is."""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as out,
            tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        ):
            given = list(map(str, arguments))
            process = start(self._program, given, self.environment, stdout=out, stderr=err)
            try:
                code = process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                raise
            out.seek(0)
            err.seek(0)
            return Done(code, out.read(), err.read())

    def succeed(self, *arguments: str | Path) -> Done:
        """Runs a command that must exit with 0."""
        done = self.run(*arguments)
        assert done.code == 0, f"{arguments} exited with {done.code}\n{done.out}\n{done.err}"
        return done

    def json(self, *arguments: str | Path) -> Any:
        """The JSON document of a command that must exit with 0."""
        return self.succeed(*arguments, "--json").document


@dataclass(frozen=True)
class Loaded:
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

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives, as the administrator."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    @cached_property
    def url(self) -> str:
        """Where its database is."""
        return self.program.succeed("db", "url").out.strip()


@contextmanager
def loaded_warehouse(prepared: Path, folder: Path, extract: Path | None = None) -> Iterator[Loaded]:
    """A warehouse with one load, and with a server of its own; the extract is made up where none is given."""
    program = Program(folder / "home")
    furnish(program.home, prepared)
    try:
        if extract is None:
            extract = folder / "extract"
            program.succeed("generate", extract, "--orders", "80", "--seed", "7")
        yield Loaded(program, extract, program.json("ingest", extract, "--name", "first"))
    finally:
        program.run("db", "stop")


def make_loaded(folder: Path, prepared: Path) -> None:
    """Makes such a warehouse to be copied: its server does not run."""
    folder.mkdir(parents=True)
    with loaded_warehouse(prepared, folder) as loaded:
        (folder / TOLD).write_text(json.dumps(loaded.told), encoding="utf-8")


@contextmanager
def copy_of_loaded(made: Path, home: Path) -> Iterator[Loaded]:
    """A copy of what `make_loaded` has made there, with a running server of its own; nobody changes the extract."""
    subprocess.run(["cp", "-a", str(made / "home"), str(home)], check=True)
    program = Program(home)
    try:
        program.succeed("db", "start")
        yield Loaded(program, made / "extract", json.loads((made / TOLD).read_text(encoding="utf-8")))
    finally:
        program.run("db", "stop")


@contextmanager
def empty_warehouse(loaded: Loaded, home: Path) -> Iterator[Program]:
    """An empty warehouse: a new database in the server of the loaded one, which is quick to make."""
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(loaded.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(sql.Identifier(name)))
        url = loaded.url.replace("/replayhouse?", f"/{name}?")
        make_database(Settings(home=home, database_url=url))
        yield Program(home, REPLAYHOUSE_DATABASE_URL=url)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
