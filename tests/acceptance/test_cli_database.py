"""`db`, and what every command says of a database that it cannot use."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.cli import PROGRAM, Loaded, Program
from tests.support.forked import AS_INSTALLED
from tests.support.prepared import furnish

NEWER_SCHEMA = "INSERT INTO event_store.schema_version (version, name) VALUES (9999, 'from_the_future')"
WORKING_ON_THE_DATABASE = (
    ("status",),
    ("batches",),
    ("project",),
    ("rebuild",),
    ("digest",),
    ("audit", "verify"),
    ("audit", "history", "order", "0" * 32),
    ("quality", "report"),
    ("db", "url"),
)


@pytest.fixture
def port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program with an embedded database of its own, not yet made."""
    made = Program(tmp_path / "home")
    yield made
    made.run("db", "stop")


def test_the_url_is_one_line_that_starts_the_database_and_serves_any_client(program: Program, prepared: Path) -> None:
    furnish(program.home, prepared)
    done = program.succeed("db", "url")
    assert done.out.count("\n") == 1
    url = done.out.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT position FROM event_store.head").fetchone() == (0,)
    assert program.json("db", "url") == {"url": url}


def test_a_stopped_database_starts_again_where_it_is_needed(program: Program) -> None:
    started = Program(program.home, AS_INSTALLED).json("db", "start")
    assert set(started) == {"running", "data", "url", "listen"}
    assert (started["running"], started["listen"]) == (True, None)
    assert program.json("db", "stop") == {"running": False, "stopped": True}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(started["url"])
    assert program.json("db", "stop") == {"running": False, "stopped": False}
    assert "not running" in program.succeed("db", "stop").out
    assert program.json("status")["position"] == 0
    with psycopg.connect(started["url"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_bi_tools_read_over_tcp_with_the_readers_password_only(program: Program, port: int, prepared: Path) -> None:
    furnish(program.home, prepared)
    assert program.json("db", "start", "--listen", str(port))["listen"] == port
    url = program.succeed("db", "url", "--role", "reader").out.strip()
    assert f"@127.0.0.1:{port}/" in url
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM event_store.log").fetchone() == (0,)
        with pytest.raises(psycopg.Error):
            connection.execute("CREATE TABLE mine (a int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM event_store.subject_key")
    user, _, place = url.partition("@")
    wrong = f"{user}wrong@{place}"
    done = Program(program.home, REPLAYHOUSE_DATABASE_URL=wrong).run("status", "--json")
    assert done.code == 3
    assert "password" in done.document["error"]
    assert "wrong@" not in done.document["error"]


def test_a_database_in_use_is_not_started_anew_to_listen(loaded: Loaded, port: int) -> None:
    with psycopg.connect(loaded.url, application_name="somebody"):
        done = loaded.program.run("db", "start", "--listen", str(port), "--json")
    assert done.code == 4
    assert "somebody" in done.document["error"]


def test_psql_opens_on_the_warehouse_with_its_own_options(loaded: Loaded) -> None:
    done = loaded.program.succeed("db", "psql", "-X", "-A", "-t", "-c", "SELECT count(*) FROM sales.fact_order")
    assert done.out.strip() == "80"
    assert loaded.program.run("db", "psql", "-X", "-c", "SELECT nonsense").code == 1


def test_psql_is_the_one_that_comes_with_the_program(loaded: Loaded, tmp_path: Path) -> None:
    other = tmp_path / "psql"
    other.write_text("#!/bin/sh\necho another psql\n")
    other.chmod(0o755)
    for path in ("/nowhere", f"{tmp_path}:{os.environ['PATH']}"):
        found = Program(loaded.program.home, PATH=path)
        assert found.succeed("db", "psql", "-X", "-A", "-t", "-c", "SELECT 7 * 6").out.strip() == "42"


def test_psql_reads_the_star_schema_by_its_names_and_writes_only_where_a_role_says_so(loaded: Loaded) -> None:
    asked = ("-X", "-A", "-t", "-c", "SELECT current_user, (SELECT count(*) FROM fact_order) FROM dim_date LIMIT 1")
    assert loaded.program.succeed("db", "psql", *asked).out == "replayhouse_bi|80\n"
    assert loaded.program.succeed("db", "psql", "--role", "administrator", *asked).out == "postgres|80\n"
    own = Program(loaded.program.home, REPLAYHOUSE_DATABASE_URL=loaded.url)
    assert own.succeed("db", "psql", *asked).out == "postgres|80\n"
    refused = own.run("db", "psql", "-X", "-c", "CREATE TABLE public.mine (a int)")
    assert (refused.code, "read-only" in refused.err) == (1, True)
    written = own.run("db", "psql", "--role", "administrator", "-X", "-c", "CREATE TEMPORARY TABLE mine (a int)")
    assert written.code == 0


@pytest.mark.parametrize("words", WORKING_ON_THE_DATABASE, ids=" ".join)
def test_a_database_that_does_not_answer_is_exit_3(words: tuple[str, ...], tmp_path: Path, port: int) -> None:
    url = f"postgresql://somebody:secret@127.0.0.1:{port}/warehouse"
    done = Program(tmp_path / "home", REPLAYHOUSE_DATABASE_URL=url).run(*words, "--json")
    assert done.code == 3
    assert set(done.document) == {"error"}
    assert "cannot be reached" in done.document["error"]
    assert "secret" not in done.out + done.err
    assert "Traceback" not in done.err


def test_a_schema_that_is_newer_than_the_program_is_exit_2(empty: Program) -> None:
    with psycopg.connect(empty.environment["REPLAYHOUSE_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(NEWER_SCHEMA)
    done = empty.run("status", "--json")
    assert done.code == 2
    assert "9999" in done.document["error"]


@pytest.mark.parametrize("words", [("start", "--listen", "5439"), ("stop",), ("url", "--role", "reader")], ids=" ".join)
def test_a_database_of_ones_own_is_left_to_its_owner(words: tuple[str, ...], empty: Program) -> None:
    done = empty.run("db", *words, "--json")
    assert done.code == 2
    assert "REPLAYHOUSE_DATABASE_URL" in done.document["error"]


def test_a_reader_that_leaves_early_ends_a_command_quietly(loaded: Loaded) -> None:
    command = [str(argument) for argument in ("audit", "history", "batch", loaded.told["batch"])]
    with subprocess.Popen(
        [PROGRAM, *command], env=loaded.program.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
