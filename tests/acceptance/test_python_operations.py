"""The database and its backups from Python: what the methods answer is what the commands print."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import replayhouse
from replayhouse.infra.postgres import session
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import a_database
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, as_printed
from tests.support.prepared import furnish


@pytest.fixture
def bare(server: EmbeddedServer) -> Iterator[Database]:
    """A database that knows nothing of replayhouse."""
    with a_database(server) as made:
        yield made


def opened(database: Database, home: Path) -> replayhouse.Warehouse:
    return replayhouse.open(home=home, database_url=database.url)


def test_what_is_backed_up_is_restored(database: Database, bare: Database, tmp_path: Path) -> None:
    commands = Warehouse(database, tmp_path / "home")
    loaded = commands.begin(write(tmp_path / "extract", a_good_extract()))
    file, told = tmp_path / "log", list[str]()
    warehouse = opened(database, tmp_path / "home")
    report = warehouse.backup(file)
    assert (report.file, report.keys, report.log_bytes) == (file, tmp_path / "log.keys", file.stat().st_size)
    assert (report.manifest.position, report.manifest.chain) == (loaded["position"], loaded["chain"])
    printed = commands.json("db", "backup", tmp_path / "other")
    assert list(printed) == [*report.document(), "seconds"]
    alike = ("position", "events", "chain", "recorded_at", "subjects", "keys_bytes")
    assert {name: printed[name] for name in alike} == {
        name: value for name, value in as_printed(report.document()).items() if name in alike
    }
    with pytest.raises(replayhouse.UsageError, match="There is a file"):
        warehouse.backup(file)
    warehouse.backup(file, keys=tmp_path / "keys", force=True)

    elsewhere = replayhouse.open(
        home=tmp_path / "elsewhere", database_url=bare.url, tell=lambda doing, *_: told.append(doing), warn=told.append
    )
    restored = elsewhere.restore(file, keys=tmp_path / "keys")
    assert (restored.head.position, restored.head.chain.hex()) == (loaded["position"], loaded["chain"])
    assert as_printed(restored.document())["backup"]["chain"] == loaded["chain"]
    assert (restored.document()["erased"], restored.document()["keys"]) == (0, str(tmp_path / "keys"))
    assert told[0] == "checking the backup"
    assert any(line.startswith("No list of erased people") for line in told)
    assert elsewhere.digest().document() == warehouse.digest().document()
    with pytest.raises(replayhouse.UsageError, match="is not empty"):
        elsewhere.restore(file, keys=tmp_path / "keys")
    with pytest.raises(replayhouse.UsageError, match="There is no backup"):
        elsewhere.restore(tmp_path / "none")


def test_a_database_of_ones_own_is_made_and_reached(bare: Database, tmp_path: Path) -> None:
    warehouse = opened(bare, tmp_path / "home")
    with pytest.raises(replayhouse.NoWarehouse):
        warehouse.status()
    started = warehouse.start()
    assert started.document() == Warehouse(bare, tmp_path / "home").json("db", "start")
    assert warehouse.status().head.position == 0
    with psycopg.connect(warehouse.url()) as connection:
        assert connection.execute("SELECT position FROM event_store.head").fetchone() == (0,)
    call = warehouse.psql()
    done = subprocess.run(
        [call.program, "-XAtc", "SHOW search_path", "-c", "SHOW default_transaction_read_only"],
        env=call.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    path = "sales,fulfillment,customer,marketplace,quality,shared,mart,masked,regional"
    assert done.stdout.split("\n")[:2] == [path, "on"]
    for refused in (warehouse.stop, lambda: warehouse.url("reader"), lambda: warehouse.start(listen=5439)):
        with pytest.raises(replayhouse.UsageError, match="names a database of your own"):
            refused()
    with pytest.raises(replayhouse.UsageError, match="There is no role 'owner': name administrator or reader"):
        warehouse.url("owner")


def test_the_embedded_database_starts_again_after_it_was_stopped(
    tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    furnish(home, prepared)
    for name in [name for name in os.environ if name.startswith("REPLAYHOUSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(session, "_forgotten", set())  # what earlier tests had in their environment
    with replayhouse.open(home=home) as warehouse:
        try:
            assert warehouse.status().head.position == 0
            started = warehouse.start()
            assert started.document() == {
                "running": True,
                "data": str(home / "postgres"),
                "url": warehouse.url(),
                "listen": None,
            }
            with psycopg.connect(warehouse.url("reader")) as connection:
                assert connection.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (0,)
            with pytest.raises(replayhouse.UsageError, match="A port is a number from 1 to 65535"):
                warehouse.start(listen=70_000)
            assert warehouse.stop().document() == {"running": False, "stopped": True}
            assert not warehouse.stop().was_running
            assert warehouse.status().head.position == 0
        finally:
            warehouse.stop()
