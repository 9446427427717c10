"""Whatever a role, a database, a URL or the environment sets of a session: the same rows, the same texts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from psycopg import sql

from replayhouse.infra.postgres import session
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support import hostile_settings as hostile
from tests.support.cli import Program
from tests.support.databases import a_database, copied
from tests.support.extracts import COMMENT, Lines, a_good_extract, a_review, adding, changed, replacing, write
from tests.support.in_process import Warehouse
from tests.support.own_servers import VERSION_16, OwnServer, an_own_server

ROOT = Path(__file__).parents[2]
CONTEXTS = ("sales", "fulfillment", "customer", "marketplace", "quality")
COLUMNS = """
    SELECT table_schema, table_name, array_agg(column_name::text ORDER BY column_name)
    FROM information_schema.columns
    WHERE table_schema = ANY(%s) AND data_type IN ('text', 'character varying', 'numeric', 'date')
    GROUP BY 1, 2 ORDER BY 1, 2
"""
TEXTS = sql.SQL('SELECT t::text FROM (SELECT {} FROM {}) AS t ORDER BY t::text COLLATE "C"')


class Outcome(NamedTuple):
    """All that a run leaves behind that a setting could have changed."""

    loaded: Any
    taken_back: Any
    rebuilt: Any
    texts: dict[str, list[str]]


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two extracts with letters of many alphabets, and characters that quoting has to get right."""
    folder = tmp_path_factory.mktemp("extracts")
    strange = a_review(803, 3, 4, title="N'\\u0041 \\\\ {null}", comment="\"€ – 中文 🙂, \\x41 'NULL'\"")
    first: Lines = changed(a_good_extract(), order_reviews=adding(strange))
    second = changed(
        first,
        sellers=replacing("são paulo", "são joão del-rei ½"),
        order_reviews=replacing(COMMENT, "ótimo ☂"),
        geolocation=replacing("-22.9,", "-22.8123456789,"),
    )
    return write(folder / "first", first), write(folder / "second", second)


@pytest.fixture(scope="module")
def undisturbed(server: EmbeddedServer, extracts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    with copied(server) as database:
        outcome = worked(database, database, extracts, tmp_path_factory.mktemp("home"))
    assert any("🙂" in text for text in outcome.texts["customer.fact_review"])
    return outcome


def worked(database: Database, plain: Database, extracts: tuple[Path, Path], home: Path, **settings: str) -> Outcome:
    """Loads, loads what is corrected, takes it back, verifies and rebuilds. `plain` is read without the program."""
    warehouse = Warehouse(database, home)

    def told(*arguments: str | Path) -> Any:
        done = warehouse.run(*arguments, "--json", **settings)
        assert done.code == 0, f"{arguments} exited with {done.code}\n{done.out}\n{done.err}"
        return done.document

    told("ingest", extracts[0])
    second = told("ingest", extracts[1])["batch"]
    loaded = digests(told("digest"))
    told("retract", second, "--reason", "não")
    taken_back = digests(told("digest"))
    told("audit", "verify")
    rebuilt = digests(told("rebuild"))
    assert told("status")["position"] > 0
    return Outcome(loaded, taken_back, rebuilt, texts(plain))


def digests(told: Any) -> dict[str, dict[str, str]]:
    """By context and table; those of quality hold ids and times of the loads."""
    return {
        context: {table: found["digest"] for table, found in tables["tables"].items()}
        for context, tables in told["contexts"].items()
        if context != "quality"
    }


def texts(database: Database) -> dict[str, list[str]]:
    """The texts, amounts and days of every table."""
    found = {}
    with hostile.undisturbed(database.url) as conn:
        for schema, table, columns in conn.execute(COLUMNS, [[*CONTEXTS, "shared", "mart"]]).fetchall():
            query = TEXTS.format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table))
            found[f"{schema}.{table}"] = [text for (text,) in conn.execute(query)]
    return found


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Database]:
    with copied(server) as copy:
        with hostile.undisturbed(copy.url) as conn:
            conn.execute(hostile.MAKE_METHOD)
        yield copy


@pytest.mark.parametrize("alter", [hostile.ALTER_DATABASE, hostile.ALTER_ROLE], ids=["database", "role"])
def test_settings_of_a_database_and_of_a_role(
    alter: str, database: Database, undisturbed: Outcome, extracts: tuple[Path, Path], tmp_path: Path
) -> None:
    hostile.set_by(database, alter)
    assert worked(database, database, extracts, tmp_path) == undisturbed


def test_settings_in_the_url(
    database: Database, undisturbed: Outcome, extracts: tuple[Path, Path], tmp_path: Path
) -> None:
    assert worked(hostile.in_url(database), database, extracts, tmp_path) == undisturbed


def test_settings_in_the_environment(
    database: Database, undisturbed: Outcome, extracts: tuple[Path, Path], tmp_path: Path
) -> None:
    assert worked(database, database, extracts, tmp_path, **hostile.ENVIRONMENT) == undisturbed


def test_a_backup_and_what_is_restored_from_it(
    database: Database, server: EmbeddedServer, extracts: tuple[Path, Path], tmp_path: Path
) -> None:
    hostile.set_by(database, hostile.ALTER_DATABASE)
    backed_up = Warehouse(database, tmp_path / "home")
    backed_up.ingest(extracts[0])
    told = backed_up.run("db", "backup", tmp_path / "a.backup", "--json", **hostile.ENVIRONMENT)
    assert told.code == 0, told
    with a_database(server) as other:
        hostile.set_by(other, hostile.ALTER_DATABASE, {**hostile.SETTINGS, "default_table_access_method": "heap"})
        restored = Warehouse(other, tmp_path / "elsewhere")
        told = restored.run("db", "restore", tmp_path / "a.backup", "--json", **hostile.ENVIRONMENT)
        assert told.code == 0, told
        assert restored.digests(CONTEXTS) == backed_up.digests(CONTEXTS)
        assert texts(other) == texts(database)


def test_psql_shows_what_the_program_means(database: Database, tmp_path: Path) -> None:
    hostile.set_by(database, hostile.ALTER_DATABASE)
    home, url = tmp_path / "home", {"REPLAYHOUSE_DATABASE_URL": database.url}
    asked = "SELECT 'são', date '2018-02-01', interval '1 day 2 hours', 0.1::float8 + 0.2, '\\x41'::bytea,"
    asked += " current_setting('transaction_timeout'), (SELECT count(*) FROM fact_order)"
    done = Program(home, **hostile.ENVIRONMENT, **url).succeed("db", "psql", "-X", "-A", "-t", "-c", asked)
    assert done.out == "são|2018-02-01|1 day 02:00:00|0.30000000000000004|\\x41|0|0\n"


@pytest.mark.parametrize("name", [*session.SETTINGS, *session.LATER])
def test_each_setting_is_ours_in_every_session(name: str, database: Database) -> None:
    hostile.set_by(database, hostile.ALTER_DATABASE, {name: hostile.SETTINGS[name]})
    with database.connect(autocommit=True) as conn:
        assert conn.execute("SELECT current_setting(%s)", [name]).fetchone() == (
            {**session.SETTINGS, **session.LATER}[name],
        )


# --- PostgreSQL 16, which knows fewer settings --------------------------------------------------------------------


@pytest.fixture(scope="module")
def version_16() -> Iterator[OwnServer]:
    with an_own_server(VERSION_16) as own:
        own.make()
        own.start()
        yield own


@pytest.mark.parametrize("disturbed", [False, True], ids=["left alone", "disturbed"])
def test_on_postgresql_16(
    disturbed: bool, version_16: OwnServer, undisturbed: Outcome, extracts: tuple[Path, Path], tmp_path: Path
) -> None:
    database = version_16.database(f"warehouse_{disturbed}".lower())
    with hostile.undisturbed(version_16.database("postgres").url) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(f"warehouse_{disturbed}".lower())))
    with hostile.undisturbed(database.url) as conn:
        assert conn.info.server_version // 10_000 == 16
        conn.execute(hostile.MAKE_METHOD)
    if disturbed:
        known = {name: value for name, value in hostile.SETTINGS.items() if name != "transaction_timeout"}
        hostile.set_by(database, hostile.ALTER_DATABASE, known)
    assert worked(database, database, extracts, tmp_path) == undisturbed
    backup = Warehouse(database, tmp_path).run("db", "backup", tmp_path / "a.backup", "--json")
    assert backup.code == 0, backup


def test_nobody_else_makes_a_connection() -> None:
    """Who makes one past `Database.connect` says there what its session depends on, or does not find it set."""
    places = {
        str(path.relative_to(ROOT))
        for package in ("infra", "consumer")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"psycopg\.(Async)?(Connection\.)?connect\(|ConnectionPool", path.read_text("utf-8"))
    }
    kit = "consumer/replayhouse_consumer/postgres_session.py"
    assert places == {"infra/postgres/connection.py", "infra/postgres/embedded.py", kit}
