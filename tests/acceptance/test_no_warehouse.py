"""Where there is no warehouse: who makes one, and that all others say so and leave nothing behind."""

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from replayhouse.infra.postgres.connection import Database, make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.settings import Settings
from tests.support.cli import Done
from tests.support.databases import a_database
from tests.support.in_process import Warehouse, refused

AN_ID = "0" * 31 + "1"
OTHERS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("batches",),
    ("project",),
    ("project", "--follow"),
    ("rebuild",),
    ("rebuild", "--to-position", "1", "--into", "then"),
    ("digest",),
    ("revisions",),
    ("revisions", "drop", "then"),
    ("revert", "sales"),
    ("retract", AN_ID, "--reason", "none"),
    ("customer", "erase", "--yes", AN_ID, "--reason", "none"),
    ("audit", "verify"),
    ("audit", "history", "order", AN_ID),
    ("audit", "history", "order", "--key", "#1001"),
    ("audit", "lineage", "sales.fact_order", AN_ID),
    ("audit", "compare", "live", "1"),
    ("audit", "checkpoint", "head.json"),
    ("audit", "prove", "1"),
    ("ask", "22"),
    ("ask", "22", "--rows", "2017-11", "late"),
    ("ask", "22", "--history"),
    ("ask", "all"),
    ("quality", "report"),
    ("quality", "quarantine"),
    ("quality", "release", AN_ID),
    ("quality", "discard", AN_ID, "--reason", "none"),
    ("publish",),
    ("publish", "--verify"),
    ("consume", "--rebuild", "--into", "copy"),
    ("serve", "--port", "0"),
    ("db", "url"),
    ("db", "url", "--role", "reader"),
    ("db", "psql"),
    ("db", "grant", "analyst", "alice"),
    ("db", "revoke", "analyst", "alice"),
    ("db", "roles"),
    ("db", "backup", "monday.backup"),
)


@pytest.fixture
def bare(tmp_path: Path) -> Warehouse:
    """Settings that name a home where nothing is."""
    return Warehouse(Database(""), tmp_path / "nowhere")


def ran(warehouse: Warehouse, words: Sequence[str], **settings: str) -> Done:
    json = () if words[:2] == ("db", "psql") or words[0] == "serve" else ("--json",)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return warehouse.run(*words, *json, **settings)


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_mistyped_home_is_told_and_not_furnished(
    words: tuple[str, ...], bare: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = ran(bare, words)
    assert done.code == 2
    assert f"no warehouse in the folder {tmp_path / 'nowhere'}" in done.err
    assert "replayhouse db start" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_our_schema_is_left_without(server: EmbeddedServer, tmp_path: Path) -> None:
    with a_database(server) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        for words in OTHERS:
            if words != ("db", "url", "--role", "reader"):  # of the embedded server only
                done = ran(warehouse, words)
                assert (done.code, re.findall(r"no warehouse in the database bare_\d+ on ", done.err)) == (
                    2,
                    [f"no warehouse in the database {database.place.split()[0]} on "],
                ), words
        schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        assert warehouse.rows(schemas) == [("public",)]

        assert warehouse.json("db", "start")["running"]
        assert warehouse.json("status")["position"] == 0
    assert not (tmp_path / "home").exists()


def test_a_mistyped_path_makes_no_warehouse(bare: Warehouse, tmp_path: Path) -> None:
    done = bare.run("ingest", tmp_path / "extract", "--json", REPLAYHOUSE_DATABASE_URL="")
    refused(done, 2, f"{tmp_path / 'extract'} does not exist")
    assert list(tmp_path.iterdir()) == []


def test_stopping_where_nothing_is_makes_nothing(bare: Warehouse, tmp_path: Path) -> None:
    assert bare.json("db", "stop") == {"running": False, "stopped": False}
    assert list(tmp_path.iterdir()) == []


def test_the_backup_of_an_empty_log_does_not_replace_one_of_a_full_one(server: EmbeddedServer, tmp_path: Path) -> None:
    with a_database(server) as database:
        make_database(Settings(home=tmp_path, database_url=database.url))
        warehouse = Warehouse(database, tmp_path / "home")
        warehouse.json("db", "backup", tmp_path / "new.backup")
        good = tmp_path / "monday.backup"
        good.write_bytes((tmp_path / "new.backup").read_bytes())
        refused(warehouse.run("db", "backup", good, "--json"), 2, "empty", str(good))


def test_an_extract_is_not_written_over_another_one(bare: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "notes.txt").write_text("who sent it")
    real = folder / "OLIST_orders_dataset.csv"
    real.write_text("somebody's orders")
    done = bare.run("generate", folder, "--orders", "10", "--json")
    refused(done, 2, str(folder), real.name, "--force")
    assert sorted(path.name for path in folder.iterdir()) == [real.name, "notes.txt"]
    real.unlink()

    assert bare.json("generate", folder, "--orders", "10")["records"]["orders"] == 10
    refused(bare.run("generate", folder, "--orders", "10", "--json"), 2, "8 more")
    assert bare.json("generate", folder, "--orders", "12", "--force")["records"]["orders"] == 12
    assert (folder / "notes.txt").exists()


def test_an_extract_that_cannot_be_finished_leaves_nothing(
    bare: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    assert bare.run("generate", tmp_path / "new", "--orders", "10").code == 2
    assert list(tmp_path.iterdir()) == []
