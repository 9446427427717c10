"""The drill: a backup is restored, checked and timed in a throw-away warehouse, of which nothing stays."""

import json
import os
import random
import shutil
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.throwaway import MARK
from tests.support.cli import Done
from tests.support.crashes import SEED, a_seed
from tests.support.databases import a_database, copied
from tests.support.extracts import a_good_extract, write
from tests.support.homes import FORKED, Command, Home, wait_until
from tests.support.in_process import Warehouse, refused
from tests.support.prepared import furnish

NO, BAD_INPUT, CONFLICT = 1, 2, 4
DRILLS = "SELECT file, position, events_lost, failure FROM event_store.restore_drill ORDER BY drill_id"


@dataclass(frozen=True)
class Shop:
    """A warehouse with one load, and its backup; tests change neither."""

    warehouse: Warehouse
    backup: Path
    told: Any


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with a_database(server) as made:
        warehouse = Warehouse(made, folder / "home")
        warehouse.ingest(write(folder / "extract", a_good_extract()))
        yield Shop(warehouse, folder / "log", warehouse.json("db", "backup", folder / "log"))


@pytest.fixture
def own(shop: Shop, server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    """A copy of the warehouse, with a home of its own."""
    with copied(server, shop.warehouse.database) as database:
        yield Warehouse(database, tmp_path / "home")


def copy_of(shop: Shop, folder: Path) -> Path:
    for path in (shop.backup, shop.backup.with_name("log.keys")):
        shutil.copy(path, folder)
    return folder / "log"


def with_manifest(path: Path, change: Callable[[Any], None]) -> None:
    """Writes a file of a backup anew, whole, with another manifest."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)


def drills(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return list(warehouse.rows(DRILLS))


def assert_nothing_is_left(home: Path) -> None:
    assert not (home / "drill").exists()
    assert servers_under(home / "drill") == []


def servers_under(home: Path) -> list[int]:
    """The processes of PostgreSQL at work in a folder below, there or not any more."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and os.readlink(entry / "cwd").startswith(f"{home}/"):
                found.append(int(entry.name))
    return found


# --- what is told -----------------------------------------------------------------------------------------------


def test_a_backup_that_comes_back_is_told_with_what_it_took_and_what_would_be_lost(
    shop: Shop, own: Warehouse, tmp_path: Path
) -> None:
    before = own.digests()
    told = own.json("db", "drill", shop.backup)
    assert (told["position"], told["chain"]) == (shop.told["position"], shop.told["chain"])
    assert (told["events_lost"], told["seconds_lost"], told["not_compared"]) == (0, 0.0, {})
    assert told["tables_compared"] == sum(len(c["tables"]) for c in own.json("digest")["contexts"].values())
    assert 0 < told["seconds_to_answers"] <= told["seconds"]

    later = a_good_extract()
    later["order_payments"][0] = later["order_payments"][0].replace("110.00", "111.00")
    own.ingest(write(tmp_path / "later", later))
    events = own.json("status")["position"] - told["position"]
    done = own.run("db", "drill", shop.backup)
    assert (done.code, f"Would be lost: {events} event" in done.out) == (0, True), done

    path = str(shop.backup)
    assert drills(own) == [(path, told["position"], 0, None), (path, told["position"], events, None)]
    assert own.json("status")["drill"]["events_lost"] == events
    assert own.run("status", "--check").code == 0
    assert own.digests() != before, "the live warehouse is the one with the later load"
    assert_nothing_is_left(tmp_path / "home")


def test_where_there_is_no_warehouse_a_drill_works_and_leaves_no_home(shop: Shop, tmp_path: Path) -> None:
    home = Home(tmp_path / "nowhere" / "home", FORKED)
    done = home.run("db", "drill", shop.backup, "--json")
    assert (done.code, "no warehouse here to compare with" in done.err) == (0, True), done
    assert json.loads(done.out)["events_lost"] is None
    assert not (tmp_path / "nowhere").exists()


def test_who_was_erased_since_is_erased_in_the_drill_too(shop: Shop, own: Warehouse) -> None:
    [(person,)] = own.rows("SELECT customer_id::text FROM customer.dim_customer WHERE orders > 0 LIMIT 1")
    own.json("customer", "erase", "--yes", person, "--reason", "they asked for it")
    told = own.json("db", "drill", shop.backup)
    assert (told["tables_compared"], set(told["not_compared"].values())) == (
        0,
        {"people were erased since, or keys are lost"},
    )


# --- what is found ----------------------------------------------------------------------------------------------


def test_rows_that_are_not_those_of_the_backup_are_named(shop: Shop, own: Warehouse, tmp_path: Path) -> None:
    def other_digest(manifest: Any) -> None:
        manifest["shown"]["sales"]["tables"]["fact_order"] = "0" * 64

    def other_version(manifest: Any) -> None:
        manifest["shown"]["sales"]["made_by"] = "of an earlier version"
        del manifest["shown"]["quality"]

    backup = copy_of(shop, tmp_path)
    with_manifest(backup, other_digest)
    refused(own.run("db", "drill", backup, "--json"), NO, "shows other rows", "in sales.fact_order:")
    assert "shows other rows" in str(drills(own)[-1][-1])
    assert "The last drill" in own.run("status", "--check").out
    with_manifest(backup, other_version)
    told = own.json("db", "drill", backup)
    assert set(told["not_compared"]) == {"sales", "quality"}
    assert own.run("status", "--check").code == 0, "the last drill did not fail"


def test_a_backup_of_before_digests_were_kept_is_drilled_without_them(
    shop: Shop, own: Warehouse, tmp_path: Path
) -> None:
    backup = copy_of(shop, tmp_path)
    with_manifest(backup, lambda manifest: manifest.pop("shown"))
    told = own.json("db", "drill", backup)
    assert (told["tables_compared"], len(told["not_compared"])) == (0, 5)


def test_read_models_that_were_behind_when_the_backup_was_made_are_not_compared(own: Warehouse, tmp_path: Path) -> None:
    later = a_good_extract()
    later["order_payments"][0] = later["order_payments"][0].replace("110.00", "111.00")
    own.json("ingest", write(tmp_path / "later", later), "--no-project")
    own.json("db", "backup", tmp_path / "log")
    told = own.json("db", "drill", tmp_path / "log")
    assert (told["tables_compared"], set(told["not_compared"].values())) == (
        0,
        {"the backup does not say what it showed"},
    )


def test_a_backup_that_does_not_come_back_is_noted_whatever_the_reason(
    shop: Shop, own: Warehouse, tmp_path: Path
) -> None:
    backup = copy_of(shop, tmp_path)
    backup.write_bytes(backup.read_bytes()[:-100])
    refused(own.run("db", "drill", backup, "--json"), BAD_INPUT, "is not whole")
    refused(own.run("db", "drill", tmp_path / "nothing", "--json"), BAD_INPUT, "There is no backup")
    (tmp_path / "log.keys").unlink()
    refused(own.run("db", "drill", backup, "--json"), BAD_INPUT, "There are no keys")
    told = [str(failure) for *_, failure in drills(own)]
    assert ["is not whole" in told[0], "no backup" in told[1], "no keys" in told[2]] == [True] * 3
    assert_nothing_is_left(tmp_path / "home")


def test_a_backup_of_another_warehouse_is_no_backup_of_this_one(shop: Shop, database: Database, tmp_path: Path) -> None:
    other = Warehouse(database, tmp_path / "home")
    other.ingest(write(tmp_path / "extract", a_good_extract()))
    refused(other.run("db", "drill", shop.backup, "--json"), NO, "of another log than that of the warehouse here")


# --- what stays of it -------------------------------------------------------------------------------------------


def test_a_folder_that_is_none_of_a_drill_is_left_as_it_is(shop: Shop, own: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "home" / "drill").mkdir(parents=True)
    (tmp_path / "home" / "drill" / "letters").write_text("dear all")
    refused(own.run("db", "drill", shop.backup, "--json"), BAD_INPUT, "holds something that no drill has made")
    assert (tmp_path / "home" / "drill" / "letters").read_text() == "dear all"


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Iterator[Home]:
    """A home of its own, for commands that are killed."""
    home = Home(tmp_path / "home", FORKED)
    furnish(home.path, prepared)
    try:
        yield home
    finally:
        home.halt()


def test_a_killed_drill_leaves_no_server_and_no_folder(shop: Shop, home: Home) -> None:
    home.server.start()
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    for _ in range(3):
        command, moment = home.start("db", "drill", shop.backup), chance.uniform(0.0, 3.0)
        assert command.reaches("checking the backup")
        killed = killed_after(command, moment)
        print(f"  {moment:.3f} s after it had begun to read; killed: {killed}")
        command.result()
        wait_until(lambda: not (home.path / "drill").exists())
        wait_until(lambda: not servers_under(home.path / "drill"))
    done = home.run("db", "drill", shop.backup, "--json")
    assert "another log" in done.out, done
    assert_nothing_is_left(home.path)


def test_an_interrupted_drill_ends_as_any_command_and_is_no_drill_that_failed(shop: Shop, home: Home) -> None:
    home.server.start()
    command = home.start("db", "drill", shop.backup)
    assert command.reaches("restoring the log")
    command.kill(signal.SIGINT)
    assert command.result().code == 130
    assert_nothing_is_left(home.path)
    assert drills(home.warehouse()) == []


def test_what_a_drill_left_whose_guard_was_killed_too_goes_with_the_next(shop: Shop, home: Home) -> None:
    home.server.start()
    command = home.start("db", "drill", shop.backup)
    assert command.reaches("folding every stream")
    [guard] = guards_of(home.path / "drill")
    os.kill(guard, signal.SIGKILL)
    command.kill()
    command.result()
    assert servers_under(home.path / "drill"), "the server lives on"
    done = home.run("db", "drill", shop.backup, "--json")
    assert "another log" in done.out, done
    assert_nothing_is_left(home.path)


def killed_after(command: Command, seconds: float) -> bool:
    """Kills it at that moment, which is what is tried out; false if it has ended before."""
    deadline = time.monotonic() + seconds
    while command.is_running() and time.monotonic() < deadline:
        time.sleep(0.005)
    return command.kill()


def guards_of(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().endswith(f"\0{folder}\0".encode()):
                found.append(int(entry.name))
    return found


def test_two_drills_at_once_do_not_take_the_server_from_one_another(shop: Shop, home: Home) -> None:
    home.server.start()
    first = home.start("db", "drill", shop.backup)
    assert first.reaches("checking the backup")
    os.kill(first.pid, signal.SIGSTOP)
    done: Done = home.run("db", "drill", shop.backup, "--json")
    os.kill(first.pid, signal.SIGCONT)
    refused(done, CONFLICT, "Another drill is at work")
    assert "another log" in first.result().err
    assert not (home.path / "drill" / MARK).exists()
