"""Opening a folder or a zip: which files are found, and what is refused before anything is read."""

import hashlib
import os
import stat
import zipfile
from pathlib import Path

import pytest

from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.staging.extract import Limits, open_extract
from replayhouse.infra.staging.files import SOURCE_FILES

ORDERS = SOURCE_FILES["orders"].name
SELLERS = SOURCE_FILES["sellers"].name


def zip_of(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def refused(path: Path, tmp_path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        open_extract(path, tmp_path / "staging", limits)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["folder", "zip", "zip with a folder", "zip in capitals"])
def test_an_extract_tells_path_size_and_hash_of_each_file_it_has(tmp_path: Path, kind: str) -> None:
    contents = {ORDERS: b"orders\n" * 1000, SELLERS: b"", "readme.txt": b"hello"}
    if kind == "folder":
        path = tmp_path / "folder"
        path.mkdir()
        for name, content in contents.items():
            (path / name).write_bytes(content)
    else:
        folder = "archive/" if kind == "zip with a folder" else ""
        names = {name: name.upper() if kind == "zip in capitals" else folder + name for name in contents}
        path = zip_of(tmp_path / "extract.zip", {names[name]: content for name, content in contents.items()})
    files = open_extract(path, tmp_path / "staging").files
    assert set(files) == {"orders", "sellers"}
    assert files["orders"].path.read_bytes() == contents[ORDERS]
    assert files["orders"].bytes == 7000
    assert files["orders"].sha256 == hashlib.sha256(contents[ORDERS]).hexdigest()
    assert files["sellers"].bytes == 0


def test_opening_a_zip_again_unpacks_it_again(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "extract.zip", {ORDERS: b"whole"})
    first = open_extract(path, tmp_path / "staging").files["orders"]
    first.path.write_bytes(b"half written by a killed process")
    assert open_extract(path, tmp_path / "staging").files["orders"].path.read_bytes() == b"whole"


def test_a_path_that_does_not_exist_is_refused_and_says_what_an_extract_is(tmp_path: Path) -> None:
    message = refused(tmp_path / "nothing", tmp_path)
    assert "does not exist" in message
    assert all(source.name in message for source in SOURCE_FILES.values())


def test_an_empty_folder_and_an_empty_zip_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "is empty" in refused(tmp_path / "empty", tmp_path)
    assert "is empty" in refused(zip_of(tmp_path / "empty.zip", {}), tmp_path)


def test_other_files_are_refused_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "sales.csv").write_text("a,b\n")
    assert "but sales.csv" in refused(folder, tmp_path)
    assert "but x/sales.csv" in refused(zip_of(tmp_path / "other.zip", {"x/sales.csv": b""}), tmp_path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.txt"
    path.write_text("order_id\n")
    assert "neither a folder nor a zip" in refused(path, tmp_path)
    assert "name the folder that it stands in" in refused(path.rename(tmp_path / ORDERS), tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "neither a folder nor a zip" in refused(tmp_path / "pipe", tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / ORDERS)
    assert "is not a file" in refused(folder, tmp_path)


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ORDERS).write_text("")
    (folder / ORDERS.upper()).write_text("")
    assert "the same file twice" in refused(folder, tmp_path)
    both = zip_of(tmp_path / "twice.zip", {f"a/{ORDERS}": b"", f"b/{ORDERS}": b""})
    assert "the same file twice" in refused(both, tmp_path)


def test_files_in_several_folders_of_a_zip_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "folders.zip", {f"a/{ORDERS}": b"", f"b/{SELLERS}": b""})
    assert "several folders: a, b" in refused(path, tmp_path)


@pytest.mark.parametrize(
    "name", [f"../{ORDERS}", f"/etc/{ORDERS}", f"a/../../{ORDERS}", f"..\\{ORDERS}", f"C:/{ORDERS}"]
)
def test_an_entry_that_leads_out_of_the_zip_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "extract.zip", {SELLERS: b"", name: b"x"})
    assert "leads out of it" in refused(path, tmp_path)
    assert not (tmp_path / "staging").exists()


@pytest.mark.parametrize("name", ["leia-me: dados.txt", "2018: março/notes.txt", "a:", "link.txt", ".DS_Store"])
def test_an_entry_that_is_passed_over_harms_nobody_and_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "extract.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(ORDERS, b"orders")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == "link.txt" else 0
        archive.writestr(entry, "/etc/passwd")
    extract = open_extract(path, tmp_path / "staging")
    assert set(extract.files) == {"orders"}
    assert extract.passed_over == (() if name == ".DS_Store" else (name,))
    assert os.listdir(tmp_path / "staging" / "unpacked") == [ORDERS]


def test_one_of_the_files_that_is_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo(ORDERS)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert "is a link" in refused(path, tmp_path)


def test_a_zip_that_unpacks_to_far_more_than_it_packs_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "bomb.zip", {ORDERS: bytes(5_000_000)})
    assert "more than 20 times" in refused(path, tmp_path)
    assert open_extract(path, tmp_path / "staging", Limits(max_ratio=1e9)).files["orders"].bytes == 5_000_000


def test_a_zip_over_the_size_limit_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "large.zip", {ORDERS: b"0123456789" * 20})
    assert "the limit is 100" in refused(path, tmp_path, Limits(max_bytes=100))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "encrypted.zip", {ORDERS: b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\3\4") + 6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refused(path, tmp_path)


@pytest.mark.parametrize("harm", ["checksum", "cut off", "no directory"])
def test_a_broken_zip_is_refused(tmp_path: Path, harm: str) -> None:
    content = bytearray(zip_of(tmp_path / "whole.zip", {ORDERS: os.urandom(5000)}).read_bytes())
    if harm == "checksum":
        content[2000] ^= 1
    elif harm == "cut off":
        del content[3000:]
    else:
        del content[1000:4000]
    path = tmp_path / "broken.zip"
    path.write_bytes(content)
    message = refused(path, tmp_path)
    assert "cannot be unpacked" in message or "neither a folder nor a zip" in message
