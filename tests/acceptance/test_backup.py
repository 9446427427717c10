"""Backups: the log into one file, the keys into another; and both into an empty database, or nothing at all."""

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import psycopg
import pyrage
import pytest
from psycopg import sql

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from tests.oracle.lines import an_id
from tests.support.cli import CONTEXTS, Done
from tests.support.crashes import SEED, a_seed
from tests.support.databases import COPY
from tests.support.extracts import a_good_extract, write
from tests.support.homes import FORKED, Home
from tests.support.in_process import Warehouse, refused
from tests.support.prepared import furnish

PERSON = an_id(901)

FORBIDDEN = (
    "DELETE FROM event_store.sales_events",
    "UPDATE event_store.commit SET root = chain",
    "DELETE FROM event_store.subject_key",
)
COMMENTS = """
    SELECT count(*)
    FROM pg_description AS d
    JOIN pg_class AS c ON c.oid = d.objoid
    WHERE c.relnamespace = 'event_store'::regnamespace
"""


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    """One small load."""
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.begin(write(tmp_path / "first", a_good_extract()))
    return warehouse


@pytest.fixture
def elsewhere(database: Database, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty database on the same server, which knows nothing of replayhouse, and a home of its own."""
    name = f"{database.url.partition('?')[0].rpartition('/')[2]}_elsewhere"
    with database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute(COPY.format(sql.Identifier(name), sql.Identifier("template0")))
        url = database.url.replace(name.removesuffix("_elsewhere"), name)
        yield Warehouse(Database(url), tmp_path / "elsewhere")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def backed_up(warehouse: Warehouse, file: Path) -> Any:
    """Backs up; the document that tells of it."""
    return warehouse.json("db", "backup", file)


def digests(warehouse: Warehouse) -> dict[str, dict[str, str]]:
    return warehouse.digests(CONTEXTS)


def schemas(warehouse: Warehouse) -> set[str]:
    return {
        str(name) for (name,) in warehouse.rows("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information'")
    }


# --- what comes back --------------------------------------------------------------------------------------------


def test_a_restored_warehouse_is_the_one_that_was_backed_up(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    told = backed_up(warehouse, tmp_path / "log")
    restored = elsewhere.json("db", "restore", tmp_path / "log")
    assert (restored["position"], restored["chain"]) == (told["position"], told["chain"])
    assert digests(elsewhere) == digests(warehouse)
    assert elsewhere.json("audit", "verify")["chain"] == warehouse.json("audit", "verify")["chain"]
    assert elsewhere.json("batches") == warehouse.json("batches")


def test_what_was_restored_has_no_backup_and_no_drill_of_its_own_yet(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    backed_up(warehouse, tmp_path / "before")
    warehouse.json("db", "drill", tmp_path / "before")
    assert {"backup", "drill"} <= set(warehouse.json("status"))
    backed_up(warehouse, tmp_path / "log")
    elsewhere.json("db", "restore", tmp_path / "log")
    assert not {"backup", "drill"} & set(elsewhere.json("status"))


def test_loading_goes_on_after_a_restore(warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path) -> None:
    backed_up(warehouse, tmp_path / "log")
    elsewhere.json("db", "restore", tmp_path / "log")
    assert elsewhere.json("ingest", tmp_path / "first")["status"] == "unchanged"
    later = a_good_extract()
    later["order_payments"][0] = later["order_payments"][0].replace("110.00", "111.00")
    write(tmp_path / "second", later)
    assert elsewhere.ingest(tmp_path / "second")["events"] == warehouse.ingest(tmp_path / "second")["events"]
    assert digests(elsewhere)["sales"] == digests(warehouse)["sales"]


def test_the_log_of_a_restored_warehouse_is_append_only_still(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    backed_up(warehouse, tmp_path / "log")
    elsewhere.json("db", "restore", tmp_path / "log")
    with elsewhere.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # only what is enabled ALWAYS still works
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(statement.encode())
    assert elsewhere.rows(COMMENTS) == warehouse.rows(COMMENTS)
    may_read = "SELECT has_table_privilege('replayhouse_reader', 'event_store.{}', 'SELECT')"
    assert elsewhere.rows(may_read.format("sales_events")) == [(True,)]
    assert elsewhere.rows(may_read.format("subject_key")) == [(False,)]


def test_the_file_of_the_log_holds_no_key(warehouse: Warehouse, tmp_path: Path) -> None:
    backed_up(warehouse, tmp_path / "log")
    keys = [bytes(key) for (key,) in warehouse.rows("SELECT key FROM event_store.subject_key")]
    with ZipFile(tmp_path / "log") as log, ZipFile(tmp_path / "log.keys") as kept:
        in_log, in_keys = (b"".join(map(file.read, file.namelist())) for file in (log, kept))
    assert keys
    assert all(key in in_keys and key not in in_log for key in keys)
    assert (tmp_path / "log.keys").stat().st_mode & 0o077 == 0


def test_who_was_erased_after_the_backup_is_erased_again(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    backed_up(warehouse, tmp_path / "log")
    warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "they asked for it")
    listed = tmp_path / "home" / "erased_subjects.csv"
    told = elsewhere.json("db", "restore", tmp_path / "log", "--erased", listed)
    assert told["erased"] == 1
    assert elsewhere.rows("SELECT key FROM event_store.subject_key WHERE subject_id = %s", PERSON) == [(None,)]
    shown = "SELECT zip_prefix, is_anonymized FROM customer.dim_customer WHERE customer_id = %s"
    assert elsewhere.rows(shown, PERSON) == [("unknown", True)]
    assert digests(elsewhere)["customer"] == digests(warehouse)["customer"]
    assert elsewhere.json("audit", "verify")["valid"] is True
    assert ErasedSubjects(tmp_path / "elsewhere").subjects() == [UUID(PERSON)], "the next restore must know of it too"


def test_who_was_erased_before_the_backup_stands_on_the_list_of_the_restored_home(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "they asked for it")
    backed_up(warehouse, tmp_path / "log")
    elsewhere.json("db", "restore", tmp_path / "log")
    assert ErasedSubjects(tmp_path / "elsewhere").subjects() == [UUID(PERSON)]


def test_a_backup_that_is_none_is_told_before_its_keys_are_missed(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    refused(elsewhere.run("db", "restore", tmp_path / "nothing", "--json"), 2, "There is no backup", "nothing")
    backed_up(warehouse, tmp_path / "log")
    refused(elsewhere.run("db", "restore", tmp_path / "log.keys", "--json"), 2, "holds the keys", "name that")


def test_without_keys_everybody_counts_as_erased_only_if_that_is_said(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    backed_up(warehouse, tmp_path / "log")
    (tmp_path / "log.keys").unlink()
    refused(elsewhere.run("db", "restore", tmp_path / "log", "--json"), 2, "--keys", "--without-keys")
    elsewhere.json("db", "restore", tmp_path / "log", "--without-keys")
    assert elsewhere.rows("SELECT count(*) FROM event_store.subject_key WHERE key IS NOT NULL") == [(0,)]
    assert elsewhere.rows("SELECT DISTINCT zip_prefix FROM customer.dim_customer") == [("unknown",)]
    assert digests(elsewhere)["sales"] == digests(warehouse)["sales"]


def test_keys_of_a_later_backup_serve_an_earlier_one(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    backed_up(warehouse, tmp_path / "monday")
    earlier = digests(warehouse)
    warehouse.json("retract", warehouse.json("batches")[0]["batch"], "--reason", "try")
    backed_up(warehouse, tmp_path / "tuesday")
    elsewhere.json("db", "restore", tmp_path / "monday", "--keys", tmp_path / "tuesday.keys")
    assert digests(elsewhere) == earlier


# --- what is refused --------------------------------------------------------------------------------------------


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])


def changed_by_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def something_else(file: Path) -> None:
    file.write_text("not a backup at all\n" * 100)


HARM: list[tuple[Callable[[Path], None], str]] = [
    (cut_off, "is not whole"),
    (changed_by_a_byte, "is not whole"),
    (something_else, "is no backup"),
    (Path.unlink, "There is no backup"),
]


@pytest.mark.parametrize(("harm", "words"), HARM, ids=lambda value: getattr(value, "__name__", ""))
def test_a_harmed_backup_is_refused_and_nothing_is_restored(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    backed_up(warehouse, tmp_path / "log")
    before = schemas(elsewhere)
    harm(tmp_path / "log")
    refused(elsewhere.run("db", "restore", tmp_path / "log", "--json"), 2, words, "log")
    assert schemas(elsewhere) == before


@pytest.mark.parametrize("harm", [cut_off, changed_by_a_byte, something_else], ids=lambda harm: harm.__name__)
def test_a_harmed_file_of_keys_is_refused(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    backed_up(warehouse, tmp_path / "log")
    harm(tmp_path / "log.keys")
    refused(elsewhere.run("db", "restore", tmp_path / "log", "--json"), 2, "log.keys")


def test_keys_of_another_log_or_an_earlier_time_are_refused(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    backed_up(warehouse, tmp_path / "monday")
    elsewhere.ingest(write(tmp_path / "other", a_good_extract()))
    backed_up(elsewhere, tmp_path / "other_log")
    warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "they asked for it")
    backed_up(warehouse, tmp_path / "tuesday")
    for keys, words in (("other_log.keys", "another log"), ("monday.keys", "name the keys that were written with it")):
        done = warehouse.run("db", "restore", tmp_path / "tuesday", "--keys", tmp_path / keys, "--json")
        refused(done, 2, words)


def test_a_database_that_is_not_empty_is_left_as_it_is(warehouse: Warehouse, tmp_path: Path) -> None:
    backed_up(warehouse, tmp_path / "log")
    before = digests(warehouse)
    refused(warehouse.run("db", "restore", tmp_path / "log", "--json"), 2, "is not empty", "REPLAYHOUSE_HOME")
    assert digests(warehouse) == before


def test_a_file_that_is_no_backup_is_never_replaced(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear all")
    refused(warehouse.run("db", "backup", tmp_path / "letters.txt", "--json"), 2, "is left as it is")
    refused(warehouse.run("db", "backup", tmp_path / "nowhere" / "log", "--json"), 2, "does not exist")
    assert (tmp_path / "letters.txt").read_text() == "dear all"


# --- while others write, and kills ------------------------------------------------------------------------------


def _home(folder: Path) -> Home:
    return Home(folder, FORKED)


def _document(done: Done) -> Any:
    assert done.code == 0, done
    return json.loads(done.out)


def _digests(home: Home) -> dict[str, dict[str, str]]:
    return digests(home.warehouse())


def test_a_lost_warehouse_comes_back_as_it_was_at_its_backup(prepared: Path, tmp_path: Path) -> None:
    """The drill: a backup while a load is written, more loads, an erasure, the machine is lost, all is restored."""
    extracts = [tmp_path / name for name in ("one", "two")]
    home, new = _home(tmp_path / "a"), _home(tmp_path / "b")
    furnish(home.path, prepared)
    try:
        home.succeed("generate", extracts[0], "--orders", "250", "--seed", "3", "--until", "2018-03-31")
        home.succeed("generate", extracts[1], "--orders", "250", "--seed", "3")
        home.succeed("ingest", extracts[0])
        loading = home.start("ingest", extracts[1])
        loading.reaches("appending")
        told = _document(home.run("db", "backup", tmp_path / "log", "--json"))
        assert loading.result().code == 0
        warehouse = home.warehouse()
        [(person,)] = warehouse.rows("SELECT customer_id::text FROM customer.dim_customer WHERE orders > 0 LIMIT 1")
        home.succeed("customer", "erase", "--yes", person, "--reason", "they asked for it")
        then = warehouse.json("rebuild", "--to-position", str(told["position"]), "--into", "then")["contexts"]
        listed = (home.path / "erased_subjects.csv").read_bytes()
        home.remove()

        new.path.mkdir()
        (new.path / "erased_subjects.csv").write_bytes(listed)
        restored = _document(new.run("db", "restore", tmp_path / "log", "--json"))
        assert restored["backup"]["chain"] == told["chain"]
        now = new.warehouse().json("rebuild", "--to-position", str(told["position"]), "--into", "then")["contexts"]
        assert {c: shown["tables"] for c, shown in now.items()} == {c: shown["tables"] for c, shown in then.items()}
        assert new.warehouse().json("audit", "verify")["valid"] is True
        new.succeed("ingest", extracts[1])
        live = _digests(new)
        assert new.warehouse().rebuilt_digests() == live
    finally:
        for left in (home, new):
            left.halt()


@pytest.fixture(scope="module")
def kept(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Home, Path, dict[str, dict[str, str]]]]:
    """A home with a load, its backup, and its digests."""
    folder = tmp_path_factory.mktemp("kept")
    home = _home(folder / "home")
    furnish(home.path, prepared)
    try:
        home.succeed("generate", folder / "extract", "--orders", "300", "--seed", "4")
        home.succeed("ingest", folder / "extract")
        home.succeed("db", "backup", folder / "log")
        yield home, folder / "log", _digests(home)
    finally:
        home.halt()


def _killed(home: Home, chance: random.Random, longest: float, *arguments: str | Path) -> float:
    """Starts a command and kills it at a random moment, at its end at the latest; how long it lived."""
    command, moment = home.start(*arguments), chance.uniform(0.2, longest)
    deadline = time.monotonic() + moment
    while command.is_running() and time.monotonic() < deadline:
        time.sleep(0.005)
    command.kill()
    command.result()
    assert command.left_behind() == []
    return moment


def test_a_killed_backup_leaves_the_earlier_one_or_a_whole_new_one(
    kept: tuple[Home, Path, dict[str, dict[str, str]]], tmp_path: Path
) -> None:
    home, log, _ = kept
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    copied = [tmp_path / "log", tmp_path / "log.keys"]
    shutil.copy(log, copied[0])
    shutil.copy(log.with_name("log.keys"), copied[1])
    for _ in range(3):
        print(f"  killed after {_killed(home, chance, 1.5, 'db', 'backup', copied[0], '--force'):.3f} s")
        with ZipFile(copied[0]) as one, ZipFile(copied[1]) as other:
            assert (one.testzip(), other.testzip()) == (None, None)
    home.succeed("db", "backup", copied[0], "--force")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.keys"]


def test_a_killed_backup_that_is_encrypted_leaves_the_earlier_one_or_a_whole_new_one(
    kept: tuple[Home, Path, dict[str, dict[str, str]]], tmp_path: Path
) -> None:
    home, _, _ = kept
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance, identity = random.Random(seed), pyrage.x25519.Identity.generate()
    again = ("db", "backup", tmp_path / "log", "--recipient", str(identity.to_public()), "--force")
    home.succeed(*again)
    for _ in range(3):
        print(f"  killed after {_killed(home, chance, 1.5, *again):.3f} s")
        for name in ("log", "log.keys"):
            with ZipFile(BytesIO(pyrage.decrypt((tmp_path / name).read_bytes(), [identity]))) as plain:
                assert plain.testzip() is None
    home.succeed(*again)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.keys"]


def test_a_killed_restore_is_started_again_and_comes_to_the_same_end(
    kept: tuple[Home, Path, dict[str, dict[str, str]]], tmp_path: Path
) -> None:
    _, log, expected = kept
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    home = _home(tmp_path / "home")
    try:
        for _ in range(3):
            moment = _killed(home, chance, 4.0, "db", "restore", log)
            shown = home.run("status", "--json")
            print(f"  killed after {moment:.3f} s; status exits with {shown.code}")
            if shown.code == 0 and json.loads(shown.out)["position"]:
                break  # it was through
            assert shown.code in (0, 2, 4), shown  # 2: it had not even begun, and there is no warehouse
        done = home.run("db", "restore", log, "--json")
        assert done.code == 0 or "is not empty" in done.out, done
        assert _digests(home) == expected
        assert home.warehouse().json("audit", "verify")["valid"] is True
    finally:
        home.halt()
