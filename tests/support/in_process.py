"""The program within the process of the test, on the test's own database: a load takes a second less.

Commands go through `replayhouse.infra.cli.main.run`, as those of the installed program do; settings stand in
the environment.
"""

import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.main import run
from replayhouse.infra.cli.output import print_json
from replayhouse.infra.postgres.connection import Database
from tests.oracle.expected import Row, described, differences
from tests.support.cli import Done
from tests.support.databases import Beginnings

READ_MODELS = tuple(context for context in CONTEXTS if context != "quality")
"""The contexts whose read models follow from the extracts alone; quality's tell of the loads."""

EVENTS_BY_CONTEXT = """
    SELECT split_part(topic, '.', 1), count(*)::int
    FROM event_store.log
    GROUP BY 1
    ORDER BY 1
"""


_BEGINNINGS = Beginnings()


class Warehouse:
    """A database of its own, and the program that works on it."""

    def __init__(self, database: Database, home: Path) -> None:
        self.database = database
        self._settings = {"REPLAYHOUSE_DATABASE_URL": database.url, "REPLAYHOUSE_HOME": str(home)}

    def run(self, *arguments: str | Path, **settings: str) -> Done:
        """Runs a command to its end, whatever that is; `settings` add to those of the warehouse."""
        out, err = io.StringIO(), io.StringIO()
        with _environment({**self._settings, **settings}), redirect_stdout(out), redirect_stderr(err):
            code = run([str(argument) for argument in arguments])
        return Done(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str | Path) -> Any:
        """The JSON document of a command that must exit with 0."""
        done = self.run(*arguments, "--json")
        assert done.code == 0, f"{arguments} exited with {done.code}\n{done.out}\n{done.err}"
        return done.document

    def ingest(self, path: Path) -> Any:
        """Loads an extract, which must complete; the document that tells of it."""
        told = self.json("ingest", path)
        assert told["status"] == "completed", told
        return told

    def begin(self, path: Path) -> Any:
        """The same, as the first that is done with a warehouse: once a process, and from then on by copying."""
        texts = {file.name: file.read_bytes() for file in sorted(path.iterdir())}
        return _BEGINNINGS.made(self.database, (path.name, tuple(texts.items())), lambda: self.ingest(path))

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """What a query gives, as the administrator."""
        with self.database.connect("replayhouse test", autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def table(self, table: str, names: Sequence[str]) -> list[Row]:
        """Columns of a table, in no particular order."""
        with self.database.connect("replayhouse test", autocommit=True) as connection:
            return _rows_of(connection, table, names)

    def events(self) -> dict[str, int]:
        """How many events the log holds, by context; contexts without any are left out."""
        return {str(context): int(number) for context, number in self.rows(EVENTS_BY_CONTEXT)}

    def digests(self, contexts: Iterable[str] = READ_MODELS) -> dict[str, dict[str, str]]:
        """The digests of the live tables, by context and table."""
        told = self.json("digest", *contexts)["contexts"]
        return {context: _digests_of(told[context]) for context in told}

    def rebuilt_digests(self) -> dict[str, dict[str, str]]:
        """The digests of all tables after everything was folded again, by context and table."""
        told = self.json("rebuild")["contexts"]
        return {context: _digests_of(told[context]) for context in told}

    def differs_from(self, oracle: duckdb.DuckDBPyConnection, *leaving_out: str) -> str:
        """Where the read models differ from the oracle's, for people; empty if they do not."""
        with self.database.connect("replayhouse test", autocommit=True) as connection:
            fetch = partial(_rows_of, connection)
            return described(differences(oracle, fetch, {"quality.batch_file", *leaving_out}))


def as_printed(document: object) -> Any:
    """A document as it is read again once a command has printed it."""
    out = io.StringIO()
    with redirect_stdout(out):
        print_json(document)
    return json.loads(out.getvalue())


def refused(done: Done, code: int, *words: str) -> None:
    """Told in plain words, with this exit code; nothing else was printed."""
    assert done.code == code, done
    assert list(done.document) == ["error"]
    for word in words:
        assert word in done.document["error"], done.document
    assert "Traceback" not in done.err
    assert "nobody expected" not in done.err


def rejected(done: Done, *words: str) -> Any:
    """A batch that was rejected, and why; the document that tells of it."""
    assert done.code == 1, done
    told = done.document
    assert told["status"] == "rejected"
    for word in words:
        assert word in " ".join(told["reasons"]), told["reasons"]
    return told


def _rows_of(connection: psycopg.Connection, table: str, names: Sequence[str]) -> list[Row]:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(*table.split(".")))
    return connection.execute(query).fetchall()


@contextmanager
def _environment(settings: Mapping[str, str]) -> Any:
    others = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
    with patch.dict(os.environ, {**others, **settings}, clear=True):
        yield


def _digests_of(context: Mapping[str, Any]) -> dict[str, str]:
    return {table: told["digest"] for table, told in context["tables"].items()}


def dying_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which ends in an error once it has been called so often."""
    left = iter(range(calls))

    def called(*arguments: Any, **named: Any) -> Any:
        if next(left, None) is None:
            raise RuntimeError("killed")
        return function(*arguments, **named)

    return called
