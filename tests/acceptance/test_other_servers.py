"""Servers of one's own: those that take no writes, poolers before them, and databases in other encodings."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from replayhouse.infra.application.backup import note
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres import session
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import WrongServer
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import tell_nobody
from tests.oracle.lines import an_id, an_item
from tests.support.cli import Program
from tests.support.databases import a_database, copied
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.hostile_settings import ALTER_DATABASE, set_by, undisturbed
from tests.support.in_process import Warehouse, refused
from tests.support.own_servers import an_own_server
from tests.support.poolers import REFUSAL, pooled

LATIN = sql.SQL("CREATE DATABASE latin ENCODING {} LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")

READING = (
    "status",
    "digest",
    "batches",
    "revisions",
    "quality report",
    "audit verify",
    "audit history order ORDER",
    "audit prove 3 --out DIR/proof",
    "audit checkpoint DIR/checkpoint",
    "audit compare r1 live",
    "questions late",
    "ask 1",
    "ask all",
    "db backup DIR/backup",
    "db url",
    "db roles",
    "db start",
)
WRITING = (
    "quality quarantine",
    "audit history customer PERSON",
    "audit lineage sales.fact_order ORDER",
    "token create reader --name somebody",
    "ingest EXTRACT",
    "ingest CORRECTED",
    "ingest CORRECTED --dry-run",
    "project",
    "rebuild",
    "rebuild --to-position 3 --into then",
    "audit compare 3 live",
    "retract BATCH --reason mistake",
    "revert sales",
    "quality release ROW",
    "quality discard ROW --reason mistake",
    "customer erase PERSON --reason asked --yes",
)


class Shown:
    """A warehouse with one load, on a server that takes no writes any more."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        bad = changed(a_good_extract(), order_items=adding(an_item(4, 1, "nonsense")))
        extract, corrected = write(folder / "first", bad), write(folder / "second", a_good_extract())
        warehouse.json("audit", "keygen")
        batch = warehouse.ingest(extract)["batch"]
        row = warehouse.json("quality", "quarantine")[0]["row"]
        self._words = {"EXTRACT": extract, "CORRECTED": corrected, "BATCH": batch, "ROW": row}
        self._words |= {"ORDER": an_id(1), "PERSON": an_id(901)}

    def words(self, command: str, folder: Path) -> list[str]:
        """The command, with the names that stand in it for something of this warehouse."""
        return [str(self._words.get(word, word)).replace("DIR", str(folder)) for word in command.split()]


@pytest.fixture(scope="module", params=["a standby", "a database that is read-only by default"])
def shown(request: pytest.FixtureRequest, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    settings = {"wal_level": "replica", "max_connections": "100"}
    folder = tmp_path_factory.mktemp("shown")
    with an_own_server() as own:
        subprocess.run(["cp", "-a", str(prepared / "postgres"), str(own.data)], check=True)
        own.start(**settings)
        database = own.database("replayhouse")
        shown = Shown(Warehouse(database, folder / "home"), folder)
        if request.param == "a standby":
            own.stop()
            (own.data / "standby.signal").touch()
            own.start(**settings)
        else:
            set_by(database, ALTER_DATABASE, {"default_transaction_read_only": "on"})
        yield shown


@pytest.mark.parametrize("command", READING)
def test_what_only_reads_works_where_nothing_can_be_written(command: str, shown: Shown, tmp_path: Path) -> None:
    assert shown.warehouse.json(*shown.words(command, tmp_path))


@pytest.mark.parametrize("command", WRITING)
def test_what_writes_says_that_nothing_can_be_written(command: str, shown: Shown, tmp_path: Path) -> None:
    done = shown.warehouse.run(*shown.words(command, tmp_path), "--json")
    refused(done, 3, "takes no writes", "standby", "default_transaction_read_only")


def test_psql_reads_there_too(shown: Shown, tmp_path: Path) -> None:
    program = Program(tmp_path / "home", REPLAYHOUSE_DATABASE_URL=shown.warehouse.database.url)
    done = program.succeed("db", "psql", "-X", "-A", "-t", "-c", "SELECT count(*) FROM sales.fact_order")
    assert done.out == "5\n"


def test_a_warehouse_cannot_be_made_where_nothing_can_be_written(server: EmbeddedServer, tmp_path: Path) -> None:
    with a_database(server) as database:
        set_by(database, ALTER_DATABASE, {"default_transaction_read_only": "on"})
        warehouse = Warehouse(database, tmp_path)
        refused(warehouse.run("db", "start", "--json"), 3, "takes no writes", "schema")
        refused(warehouse.run("status", "--json"), 2, "no warehouse")


def test_a_database_of_ones_own_is_reached_by_what_the_environment_says(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = conninfo_to_dict(shown.warehouse.database.url)
    known = {"PGUSER": place.pop("user"), "PGDATABASE": place.pop("dbname"), "PGPASSWORD": "needed"}
    warehouse = Warehouse(Database(f"postgresql://?host={quote(str(place['host']), safe='')}"), tmp_path)
    monkeypatch.setattr(session, "_forgotten", set(known))  # as where this process used an embedded server before
    for command in ("status", f"db backup {tmp_path / 'a.backup'}", f"db drill {tmp_path / 'a.backup'}"):
        done = warehouse.run(*command.split(), "--json", **{name: str(value) for name, value in known.items()})
        assert done.code == 0, done
        assert "cannot be reached" not in done.err, "a drill's own server is reached without these variables"
        assert command == "status" or "takes no writes" in done.err, "it is reached again to note the drill there"


def test_what_cannot_be_noted_is_told_and_no_error(tmp_path: Path) -> None:
    told: list[str] = []
    settings = Settings(home=tmp_path, database_url=f"postgresql://postgres@/replayhouse?host={tmp_path}")
    note(Site(settings, tell_nobody, told.append), "this drill", lambda conn: pytest.fail("there is no server"))
    assert "no note of this drill" in told[0]


def test_a_backup_of_a_server_that_takes_no_writes_is_good_and_it_is_told_that_nobody_noted_it(
    shown: Shown, tmp_path: Path
) -> None:
    for command in ("backup", "drill"):
        done = shown.warehouse.run("db", command, tmp_path / "a.backup")
        assert (done.code, f"The database has no note of this {command}" in done.err) == (0, True), done
        assert "takes no writes" in done.err


# --- poolers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_refusing", "why"),
    [(True, REFUSAL), (False, "lock_timeout is 0 and was to be 10s")],
    ids=["refuses", "passes over"],
)
@pytest.mark.parametrize("command", ["status", "ingest EXTRACT"])
def test_a_pooler_is_refused(command: str, is_refusing: bool, why: str, server: EmbeddedServer, tmp_path: Path) -> None:
    words = command.replace("EXTRACT", str(write(tmp_path / "extract", a_good_extract()))).split()
    with copied(server) as database, pooled(database, is_refusing=is_refusing) as behind:
        done = Warehouse(behind, tmp_path / "home").run(*words, "--json")
        refused(done, 2, "pooler", why, "name the server itself")
        assert Warehouse(database, tmp_path / "home").events() == {}


@pytest.mark.parametrize("error", [errors.DuplicatePreparedStatement, errors.InvalidSqlStatementName])
def test_sessions_that_change_under_way_are_a_poolers(error: type[errors.Error]) -> None:
    with pytest.raises(WrongServer, match=r"pooler.*_pg3_0"), translated():
        raise error('prepared statement "_pg3_0" already exists')


# --- encodings and versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
@pytest.mark.parametrize("command", ["status", "db start"])
def test_a_database_in_another_encoding_is_refused(
    command: str, encoding: str, server: EmbeddedServer, tmp_path: Path
) -> None:
    administered = server.url().replace("/replayhouse?", "/postgres?")
    with undisturbed(administered) as conn:
        conn.execute(LATIN.format(sql.Literal(encoding)))
        try:
            warehouse = Warehouse(Database(administered.replace("/postgres?", "/latin?")), tmp_path)
            refused(warehouse.run(*command.split(), "--json"), 2, encoding, "UTF8", "latin")
        finally:
            conn.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_server_that_does_not_know_a_setting_is_too_old(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "replayhouse.infra.postgres.session.SETTINGS", {"client_encoding": "UTF8", "of_another_day": "on"}
    )
    with copied(server) as database:
        refused(Warehouse(database, tmp_path).run("status", "--json"), 2, "16 or newer", "of_another_day")
