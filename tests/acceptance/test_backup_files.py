"""The files of a backup, and what a restore makes of those that are not what they say: nothing, in plain words."""

import errno
import gc
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import conninfo

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.backup import archive as backup_file
from replayhouse.infra.backup.archive import DUMP, KEYS, LOG, BackupFile, Manifest, Writer
from replayhouse.infra.backup.backup import back_up
from replayhouse.infra.backup.restore import script_for
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres import migrate, pg_tools
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import InputError
from tests.support.cli import CONTEXTS
from tests.support.databases import a_database
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused
from tests.support.read_side import a_header, a_line, a_payment
from tests.support.recorded_events import registered

NO, BAD_INPUT, CONFLICT = 1, 2, 4
CHANGED = """
    UPDATE event_store.sales_events SET source = 'orders:1'
    WHERE notification_id = (SELECT max(notification_id) FROM event_store.sales_events)
"""
SCHEMAS = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$|^public$' ORDER BY 1"


@dataclass(frozen=True)
class Shop:
    """A warehouse with one load, and its backup; tests change neither."""

    warehouse: Warehouse
    backup: Path
    told: Any

    @property
    def keys(self) -> Path:
        """The keys of the backup."""
        return beside(self.backup)


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with a_database(server) as made:
        warehouse = Warehouse(made, folder / "home")
        warehouse.ingest(write(folder / "extract", a_good_extract()))
        yield Shop(warehouse, folder / "shop.backup", warehouse.json("db", "backup", folder / "shop.backup"))


@pytest.fixture
def empty(server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse in a database that nobody has used yet."""
    with a_database(server) as made:
        yield Warehouse(made, tmp_path / "empty")


def beside(backup: Path) -> Path:
    """Where the keys of a backup stand."""
    return backup.with_name(f"{backup.name}.keys")


def copy_of(shop: Shop, folder: Path) -> Path:
    """A copy of the backup with its keys, to be harmed."""
    for path in (shop.backup, shop.keys):
        shutil.copy(path, folder)
    return folder / shop.backup.name


def rewritten(path: Path, kind: str, **changes: Any) -> None:
    """Writes a file of a backup anew: whole, with the right hashes, but with another manifest, or other members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    members |= {name: value for name, value in changes.items() if name in members}
    with path.open("wb") as file:
        writer = Writer(file)  # it is closed by finish
        for name, content in members.items():
            writer.add(name, [content], lambda done, of: None)
        told = msgspec.convert({**manifest, "sha256": writer.sha256}, Manifest)
        others = {name: value for name, value in changes.items() if name not in members}
        writer.finish(replace(told, **others))


def is_empty(warehouse: Warehouse) -> bool:
    """Whether nothing of ours is in the database."""
    return warehouse.rows(SCHEMAS) == []


def execute(warehouse: Warehouse, *statements: str) -> None:
    """As the administrator."""
    with warehouse.database.connect("replayhouse test", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


# --- what is written --------------------------------------------------------------------------------------------


def test_tables_triggers_comments_owners_and_rights_come_back_as_they_were(shop: Shop, empty: Warehouse) -> None:
    empty.json("db", "restore", shop.backup)
    assert schema_of(empty) == schema_of(shop.warehouse)


OLDER_SCHEMA = 4
"""The migration after which a log can be written; all since then have added to it."""

ORDERED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])


def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    shop: Shop, server: EmbeddedServer, empty: Warehouse, tmp_path: Path
) -> None:
    backup, order = tmp_path / "older.backup", uuid4()
    with a_database(server) as made:
        older = Warehouse(made, tmp_path / "older")
        with made.connect("replayhouse test", autocommit=True) as conn:
            older_migrations = migrate.migrations()[:OLDER_SCHEMA]
            with (
                patch.object(migrate, "migrations", return_value=older_migrations),
                patch.object(migrate, "make_roles"),
            ):
                migrate.migrate(conn)
            events = [Recorded("sales", order, version, event) for version, event in enumerate(ORDERED, 1)]
            EventStore().append(conn, [registered(uuid4()), *events], None)
        with patch("replayhouse.infra.backup.backup.store_id"):  # a store had no id yet
            back_up(made, backup, beside(backup), lambda *_: None)
        assert backup_file.read_manifest(BackupFile(backup), LOG).schema_version == OLDER_SCHEMA

        empty.json("db", "restore", backup)

        assert schema_of(empty) == schema_of(shop.warehouse)
        assert empty.json("audit", "verify")["chain"] == older.json("audit", "verify")["chain"]
        older.json("project")  # it is brought up to date where it stands, and shows the same
        assert empty.digests(CONTEXTS) == older.digests(CONTEXTS)
        assert empty.rows("SELECT count(*) FROM sales.fact_order") == [(1,)]


def schema_of(warehouse: Warehouse) -> str:
    """The schemas that migrations make, as pg_dump writes them; what differs from call to call is left out."""
    options = ["--schema-only", "--schema=event_store", "--schema=read_model"]
    pg_dump = str(pg_tools.program("pg_dump", 18))
    done = subprocess.run(
        [pg_dump, *options],
        env=pg_tools.environment(warehouse.database.url),
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)


def test_no_password_stands_on_a_command_line(shop: Shop, tmp_path: Path, empty: Warehouse) -> None:
    lines: list[str] = []
    start = subprocess.Popen

    def recording(command: list[str], **options: Any) -> Any:
        lines.extend(command)
        return start(command, **options)

    def with_password(warehouse: Warehouse) -> Warehouse:
        return Warehouse(Database(conninfo.make_conninfo(warehouse.database.url, password="verysecret")), tmp_path)

    with patch.object(subprocess, "Popen", recording):
        with_password(shop.warehouse).json("db", "backup", tmp_path / "b")
        with_password(empty).json("db", "restore", tmp_path / "b")
    assert [Path(word).name for word in lines if word.startswith("/")] == ["pg_dump", "pg_restore", "psql"]
    assert not any("verysecret" in word for word in lines)
    assert pg_tools.environment("postgresql://a:verysecret@h/d")["PGPASSWORD"] == "verysecret"


def test_two_backups_into_the_same_file_are_a_conflict(shop: Shop, tmp_path: Path) -> None:
    with backup_file.writing_backup(tmp_path / "b", LOG, replaces=False):
        refused(shop.warehouse.run("db", "backup", tmp_path / "b", "--json"), CONFLICT, "writing")


def test_a_backup_without_room_leaves_the_earlier_one_as_it_was(shop: Shop, tmp_path: Path) -> None:
    backup = copy_of(shop, tmp_path)
    earlier = backup.read_bytes(), beside(backup).read_bytes()

    complaints: list[object] = []
    with (
        patch.object(Writer, "finish", side_effect=OSError(errno.ENOSPC, "No space left on device")),
        patch.object(sys, "unraisablehook", complaints.append),
    ):
        refused(
            shop.warehouse.run("db", "backup", backup, "--force", "--json"), BAD_INPUT, "No space left", "unchanged"
        )
        gc.collect()

    assert complaints == []
    assert (backup.read_bytes(), beside(backup).read_bytes()) == earlier
    assert len(list(tmp_path.iterdir())) == 2


# --- what is refused --------------------------------------------------------------------------------------------


@given(st.data())
def test_a_changed_byte_is_noticed_or_changes_nothing_that_is_read(shop: Shop, data: st.DataObject) -> None:
    path, kind = data.draw(st.sampled_from([(shop.backup, LOG), (shop.keys, KEYS)]))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 2_000, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    harmed = path.with_name("harmed")
    harmed.write_bytes(content)
    try:
        told = backup_file.check(BackupFile(harmed), kind, lambda done, of: None)
    except InputError:
        return
    assert told == backup_file.read_manifest(BackupFile(path), kind)


@pytest.mark.parametrize("schema", ["bi", "mart"])
def test_views_of_others_on_the_empty_tables_are_not_removed(
    schema: str, shop: Shop, database: Database, tmp_path: Path
) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.json("status")
    execute(
        warehouse,
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"CREATE VIEW {schema}.mine AS SELECT * FROM sales.fact_order",
    )
    refused(warehouse.run("db", "restore", shop.backup, "--json"), BAD_INPUT, "not empty", f"{schema}.mine")
    assert warehouse.rows(f"SELECT count(*) FROM {schema}.mine") == [(0,)]


def test_tables_of_somebody_else_are_not_removed(shop: Shop, empty: Warehouse) -> None:
    execute(empty, "CREATE SCHEMA sales", "CREATE TABLE sales.mine (a int)")
    refused(empty.run("db", "restore", shop.backup, "--json"), BAD_INPUT, "not empty", "sales")
    assert empty.rows("SELECT count(*) FROM sales.mine") == [(0,)]


def test_a_backup_of_a_newer_program_is_refused(shop: Shop, empty: Warehouse, tmp_path: Path) -> None:
    backup = copy_of(shop, tmp_path)
    rewritten(backup, LOG, schema_version=9_999)
    refused(empty.run("db", "restore", backup, "--json"), BAD_INPUT, "9999", "newer replayhouse")
    rewritten(backup, LOG, format=backup_file.FORMAT + 1)
    refused(empty.run("db", "restore", backup, "--json"), BAD_INPUT, "newer replayhouse")
    assert is_empty(empty)


def test_a_dump_that_cannot_be_restored_leaves_nothing_behind(shop: Shop, empty: Warehouse, tmp_path: Path) -> None:
    backup = copy_of(shop, tmp_path)
    with zipfile.ZipFile(backup) as archive:
        dump = archive.read(DUMP)
    rewritten(backup, LOG, **{DUMP: dump[: len(dump) // 2]})

    done = empty.run("db", "restore", backup, "--json")

    assert done.code == NO, done
    assert "pg_restore" in done.document["error"]
    assert is_empty(empty)
    empty.json("db", "restore", shop.backup)


def test_a_log_that_was_tampered_with_is_not_restored(shop: Shop, empty: Warehouse, database: Database) -> None:
    backup = shop.backup.with_name("tampered.backup")
    source = Warehouse(database, shop.backup.parent / "home")
    source.json("db", "restore", shop.backup)
    execute(source, "ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only", CHANGED)
    source.json("db", "backup", backup)

    refused(empty.run("db", "restore", backup, "--json"), NO, "does not hold", "Nothing was restored")

    assert is_empty(empty)


def test_what_was_made_on_the_tables_of_the_log_comes_along_and_is_named_afterwards(
    shop: Shop, empty: Warehouse, database: Database
) -> None:
    backup = shop.backup.with_name("indexed.backup")
    source = Warehouse(database, shop.backup.parent / "home")
    source.json("db", "restore", shop.backup)
    execute(source, "CREATE UNIQUE INDEX own ON event_store.sales_events (leaf)")
    source.json("db", "backup", backup)

    empty.json("db", "restore", backup)

    named = empty.run("audit", "verify", "--json").document
    assert (named["valid"], named["reason"]) == (
        False, "event_store.sales_events has an index own that no migration made"
    )  # fmt: skip


def test_a_server_that_does_not_know_a_setting_is_not_given_it(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(
        b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSELECT pg_catalog.set_config('a');\nrest\n"
    )
    with script.open("rb") as file:
        assert b"".join(script_for(16, file)) == script.read_bytes().replace(b"SET transaction_timeout = 0;\n", b"")
    with script.open("rb") as file:
        assert b"".join(script_for(17, file)) == script.read_bytes()
