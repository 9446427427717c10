"""Encrypted backups: only who has the key reads them, age does too, and whatever is wrong with them is told before
anything is restored."""

import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.cli import CONTEXTS
from tests.support.databases import a_database
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused

BAD_INPUT = 2
BEGINS = b"age-encryption.org/v1\n"
SCHEMAS = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$|^public$' ORDER BY 1"


def an_identity(folder: Path, name: str) -> tuple[Path, str]:
    """A new key in a file as age-keygen writes it, and the recipient that belongs to it."""
    made = pyrage.x25519.Identity.generate()
    path = folder / name
    path.write_text(f"# created: 2026-11-30T10:00:00Z\n# public key: {made.to_public()}\n{made}\n")
    path.chmod(0o600)
    return path, str(made.to_public())


@dataclass(frozen=True)
class Shop:
    """A warehouse with one load; and the keys of two people."""

    warehouse: Warehouse
    first: tuple[Path, str]
    second: tuple[Path, str]
    backup: Path


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Its backup is for the first of them."""
    folder = tmp_path_factory.mktemp("shop")
    first, second = an_identity(folder, "first"), an_identity(folder, "second")
    with a_database(server) as made:
        warehouse = Warehouse(made, folder / "home")
        warehouse.ingest(write(folder / "extract", a_good_extract()))
        warehouse.json("db", "backup", folder / "log", "--recipient", first[1])
        yield Shop(warehouse, first, second, folder / "log")


@pytest.fixture
def empty(server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    """A database that nobody has used yet, and a home that is not there."""
    with a_database(server) as made:
        yield Warehouse(made, tmp_path / "empty")


def copied(shop: Shop, folder: Path) -> Path:
    for path in (shop.backup, shop.backup.with_name("log.keys")):
        shutil.copy(path, folder)
    return folder / "log"


def decrypted(path: Path, identity: Path) -> bytes:
    """What a file holds, by the program age where it is installed, else by the library, in another way than ours."""
    if age := shutil.which("age"):
        return subprocess.run([age, "--decrypt", "--identity", identity, path], check=True, capture_output=True).stdout
    [key] = [line for line in identity.read_text().splitlines() if line.startswith("AGE-")]
    return bytes(pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(key)]))


# --- what comes back --------------------------------------------------------------------------------------------


def test_what_was_encrypted_is_restored_and_shows_the_same(shop: Shop, empty: Warehouse) -> None:
    done = empty.run("db", "restore", shop.backup, "--identity", shop.first[0])
    assert (done.code, "The chain holds." in done.out) == (0, True), done
    assert empty.digests(CONTEXTS) == shop.warehouse.digests(CONTEXTS)


def test_both_files_are_encrypted_for_each_recipient_and_are_their_owners_alone(
    shop: Shop, tmp_path: Path, empty: Warehouse
) -> None:
    recipients = ["--recipient", shop.first[1], "--recipient", shop.second[1]]
    told = shop.warehouse.json("db", "backup", tmp_path / "log", *recipients)
    assert told["recipients"] == 2
    for path, size in ((tmp_path / "log", told["bytes"]), (tmp_path / "log.keys", told["keys_bytes"])):
        assert path.read_bytes().startswith(BEGINS)
        assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_size) == (0o600, size)
    empty.json("db", "restore", tmp_path / "log", "--identity", shop.second[0])
    assert empty.digests(["sales"]) == shop.warehouse.digests(["sales"])


def test_age_reads_what_was_written_and_what_it_writes_is_restored(
    shop: Shop, empty: Warehouse, tmp_path: Path
) -> None:
    for name in ("log", "log.keys"):
        plain = decrypted(shop.backup.with_name(name), shop.first[0])
        (tmp_path / name).write_bytes(plain)
    again = Warehouse(empty.database, tmp_path / "again")
    again.json("db", "restore", tmp_path / "log")
    assert again.digests(CONTEXTS) == shop.warehouse.digests(CONTEXTS)


def test_recipients_and_identity_may_stand_in_settings(shop: Shop, empty: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "recipients").write_text(f"# for the safe\n\n{shop.first[1]}\n  {shop.second[1]}  \n")
    listed = {"REPLAYHOUSE_BACKUP_RECIPIENTS": str(tmp_path / "recipients")}
    done = shop.warehouse.run("db", "backup", tmp_path / "log", **listed)
    assert (done.code, "Both are encrypted for 2 recipients." in done.out) == (0, True), done
    done = empty.run("db", "restore", tmp_path / "log", "--json", REPLAYHOUSE_BACKUP_IDENTITY=str(shop.second[0]))
    assert done.code == 0, done


def test_what_age_wrote_in_letters_is_restored_too(shop: Shop, empty: Warehouse, tmp_path: Path) -> None:
    recipient = pyrage.x25519.Recipient.from_str(shop.second[1])
    for name in ("log", "log.keys"):
        plain = decrypted(shop.backup.with_name(name), shop.first[0])
        (tmp_path / name).write_bytes(pyrage.encrypt(plain, [recipient], armored=True))
    empty.json("db", "restore", tmp_path / "log", "--identity", shop.second[0])
    assert empty.digests(["sales"]) == shop.warehouse.digests(["sales"])


def test_an_encrypted_backup_takes_the_place_of_an_earlier_one_only_where_that_is_said(
    shop: Shop, tmp_path: Path
) -> None:
    again: list[str | Path] = ["db", "backup", copied(shop, tmp_path), "--recipient", shop.second[1]]
    refused(shop.warehouse.run(*again, "--json"), BAD_INPUT, "already", "--force")
    assert (tmp_path / "log").read_bytes() == shop.backup.read_bytes()
    shop.warehouse.json(*again, "--force")
    assert decrypted(tmp_path / "log", shop.second[0]).startswith(b"PK")


# --- what is refused --------------------------------------------------------------------------------------------


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def cut_off_in_its_head(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def changed_by_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def with_something_behind_it(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


HARMS = [cut_off, cut_off_in_its_head, changed_by_a_bit, with_something_behind_it]


@pytest.mark.parametrize("name", ["log", "log.keys"])
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_harmed_file_is_refused_and_nothing_is_restored(
    shop: Shop, empty: Warehouse, tmp_path: Path, harm: Callable[[Path], None], name: str
) -> None:
    backup = copied(shop, tmp_path)
    harm(tmp_path / name)
    done = empty.run("db", "restore", backup, "--identity", shop.first[0], "--json")
    refused(done, BAD_INPUT, f"{tmp_path / name} is not whole", "Take another copy")
    assert_nothing_was_done(empty, tmp_path)


def test_whoever_has_another_key_or_none_restores_nothing(shop: Shop, empty: Warehouse, tmp_path: Path) -> None:
    done = empty.run("db", "restore", shop.backup, "--identity", shop.second[0], "--json")
    refused(done, BAD_INPUT, "encrypted for others than", str(shop.second[0]))
    refused(empty.run("db", "restore", shop.backup, "--json"), BAD_INPUT, "is encrypted", "--identity")
    assert_nothing_was_done(empty, tmp_path)


def test_a_backup_in_clear_is_not_taken_for_one_that_was_encrypted(
    shop: Shop, empty: Warehouse, tmp_path: Path
) -> None:
    shop.warehouse.json("db", "backup", tmp_path / "log")
    done = empty.run("db", "restore", tmp_path / "log", "--identity", shop.first[0], "--json")
    refused(done, BAD_INPUT, "log is not encrypted", "name no identity")
    shutil.copy(shop.backup, tmp_path / "log")  # its keys are in clear
    done = empty.run("db", "restore", tmp_path / "log", "--identity", shop.first[0], "--json")
    refused(done, BAD_INPUT, "log.keys is not encrypted")
    assert_nothing_was_done(empty, tmp_path)


def assert_nothing_was_done(empty: Warehouse, folder: Path) -> None:
    assert empty.rows(SCHEMAS) == []
    assert not (folder / "empty").exists(), "a home that was made for nothing"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ("There is no identity",)),
        (b"", ("is no identity", "AGE-SECRET-KEY-1")),
        (b"# only a comment\n", ("is no identity",)),
        (b"AGE-SECRET-KEY-1NONSENSE\n", ("is no identity",)),
        (bytes(range(256)), ("is no identity",)),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n", ("is no identity", "OpenSSH")),
    ],
    ids=["missing", "empty", "comment", "nonsense", "bytes", "ssh"],
)
def test_an_identity_that_is_none_is_told(
    shop: Shop, empty: Warehouse, tmp_path: Path, content: bytes | None, words: tuple[str, ...]
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    refused(empty.run("db", "restore", shop.backup, "--identity", tmp_path / "key", "--json"), BAD_INPUT, *words)


def test_an_identity_that_others_can_read_is_told_of(shop: Shop, empty: Warehouse, tmp_path: Path) -> None:
    shutil.copy(shop.first[0], tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    done = empty.run("db", "restore", shop.backup, "--identity", tmp_path / "key")
    assert (done.code, "Others can read the identity" in done.err) == (0, True), done


def test_a_recipient_that_is_none_is_told_and_no_private_key_is_shown(shop: Shop, tmp_path: Path) -> None:
    private = shop.first[0].read_text().splitlines()[-1]
    backup: list[str | Path] = ["db", "backup", tmp_path / "log", "--json"]
    shown = "A private key is given"
    for given, words in (
        ("age1nonsense", "'age1nonsense' is no recipient"),
        *((one, shown) for one in (private, private.lower(), f'"{private}"')),
    ):
        done = shop.warehouse.run(*backup, "--recipient", given)
        refused(done, BAD_INPUT, words)
        assert private.casefold() not in (done.out + done.err).casefold()
    listed = tmp_path / "recipients"
    for content, words in (
        (f"{shop.first[1]}\n\nage1nonsense\n", f"{listed}, line 3"),
        ("# nobody\n", "names nobody"),
        (None, "There is no file of recipients"),
    ):
        if content is None:
            listed.unlink()
        else:
            listed.write_text(content)
        refused(shop.warehouse.run(*backup, REPLAYHOUSE_BACKUP_RECIPIENTS=str(listed)), BAD_INPUT, words)
    assert not (tmp_path / "log").exists()


def test_keys_that_are_encrypted_are_told_of_where_they_are_read_in_clear(shop: Shop, tmp_path: Path) -> None:
    shop.warehouse.json("log", "seal", tmp_path / "sealed")
    keys = shop.backup.with_name("log.keys")
    done = shop.warehouse.run("replay", tmp_path / "sealed", "--out", tmp_path / "rows", "--keys", keys, "--json")
    refused(done, BAD_INPUT, "is encrypted", "age --decrypt")
