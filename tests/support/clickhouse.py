"""ClickHouse for tests: its engine without a server (chDB), of which a process has one at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.clickhouse.server import Server, connected
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings, load_clickhouse_settings
from tests.support.cli import Done
from tests.support.in_process import Warehouse

SERVER = "REPLAYHOUSE_TEST_CLICKHOUSE_URL"
"""Names a server for the tests of one: clickhouse://user@host:8123, without a database."""

Digests = dict[str, dict[str, str]]


class Died(BaseException):
    """In the place of a kill: nothing but what the operating system does is done any more."""


@contextmanager
def dying_before(statement: int) -> Iterator[None]:
    """Whoever writes to ClickHouse within the block dies before that statement, from 0."""
    left = iter(range(statement))

    def mortal(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if next(left, None) is None:
                raise Died
            return function(*arguments, **named)

        return called

    with (
        patch.object(Server, "execute", mortal(Server.execute)),
        patch.object(Server, "insert_lines", mortal(Server.insert_lines)),
    ):
        yield


@contextmanager
def keeping(database: Database, folder: Path) -> Iterator["Kept"]:
    """A warehouse and a ClickHouse, whose engine runs all the while: each command would start one, else."""
    kept = Kept(database, folder)
    with kept.connected():
        yield kept


class Kept:
    """A warehouse whose read models are kept in ClickHouse as well, in a folder. `given` are further settings."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.warehouse = Warehouse(database, folder / "home")
        self.database = database
        self.folder = folder / "clickhouse"
        self.url = f"chdb://{self.folder}"
        self.given: dict[str, str] = {}

    @property
    def settings(self) -> ClickHouseSettings:
        """Those of ClickHouse."""
        return load_clickhouse_settings(url=self.url)

    def run(self, *arguments: str | Path, **settings: str) -> Done:
        """Runs a command to its end, whatever that is."""
        return self.warehouse.run(*arguments, **{"REPLAYHOUSE_CLICKHOUSE_URL": self.url, **self.given, **settings})

    def json(self, *arguments: str | Path) -> Any:
        """The JSON document of a command that must exit with 0."""
        done = self.run(*arguments, "--json")
        assert done.code == 0, f"{arguments} exited with {done.code}\n{done.out}\n{done.err}"
        return done.document

    def project(self, *arguments: str) -> Any:
        """What came of each context, once ClickHouse is up with the log."""
        return self.json("project", "--to", "clickhouse", *arguments)["contexts"]

    def digests(self) -> Digests:
        """Of what stands in ClickHouse, by context and table."""
        return _digests_of(self.json("digest", "--in", "clickhouse"))

    def live_digests(self) -> Digests:
        """Of the live tables in PostgreSQL."""
        return _digests_of(self.json("digest"))

    @contextmanager
    def connected(self) -> Iterator[Server]:
        """A connection to ClickHouse."""
        with connected(self.settings) as server:
            yield server

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query in ClickHouse gives."""
        with self.connected() as server:
            return server.rows(query)

    def files_with(self, text: str) -> list[str]:
        """The files of ClickHouse in which a text stands, which must be in one where it was written: few are packed."""
        return sorted(
            str(file.relative_to(self.folder))
            for file in self.folder.rglob("*")
            if file.is_file() and text.encode() in file.read_bytes()
        )


def _digests_of(document: Any) -> Digests:
    contexts = document["contexts"]
    return {
        context: {table: told["digest"] for table, told in contexts[context]["tables"].items()}
        for context in CONTEXTS
        if context in contexts
    }
