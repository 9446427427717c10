"""The bytes that are hashed are those that are read: a file that changes meanwhile is refused, and leaves no trace."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import BinaryIO

import pytest

from replayhouse.infra.application import ingest as loading
from replayhouse.infra.loads import opened
from replayhouse.infra.loads.assessment import assess
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.staging import extract as opening
from replayhouse.infra.staging.staging import stage
from tests.oracle.expected import FILES, expected
from tests.support.extracts import a_good_extract, adding, changed, replacing, write, zipped
from tests.support.in_process import Warehouse, refused

Change = Callable[[Path], None]


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def replaced(path: Path) -> None:
    """By another file with as many bytes, and the times of the first."""
    other, times = path.with_name("other"), path.stat()
    other.write_bytes(path.read_bytes().replace(b"2017", b"2016").replace(b"SP", b"RJ").replace(b"casa", b"cama"))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def grown(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"\n")


def removed(path: Path) -> None:
    path.unlink()


CHANGES: tuple[Change, ...] = (replaced, cut_off, grown, removed)


@pytest.mark.parametrize("seed", range(8))
def test_a_file_that_changes_before_all_is_staged_is_refused_and_leaves_no_trace(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    folder = write(tmp_path / "given", a_good_extract())
    path = folder / FILES[random.choice([*FILES])]
    change = CHANGES[seed % len(CHANGES)]
    read = opening._read
    is_copied = seed >= len(CHANGES)

    def after_the_copy(*arguments: object, **named: object) -> object:
        change(path)
        return stage(*arguments, **named)  # type: ignore[arg-type]  # whatever it is called with

    def while_it_is_copied(stream: BinaryIO, of: Path) -> bytes:
        data = read(stream, of)
        if of == path and data:
            change(path)
        return data

    with monkeypatch.context() as patched:
        if is_copied:
            patched.setattr(opened, "stage", after_the_copy)
        else:
            patched.setattr(opening, "_read", while_it_is_copied)
        refused(warehouse.run("ingest", folder, "--json"), 2, str(path), "changed while it was read")

    assert warehouse.events() == {}
    assert warehouse.json("batches") == []
    assert os.listdir(tmp_path / "home" / "staging") == []


def test_what_changes_once_it_is_staged_is_loaded_as_it_was(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = changed(a_good_extract(), sellers=adding("no id,01001,rua x,SP"))
    folder = write(tmp_path / "given", lines)
    oracle = expected(folder)
    bytes_of = {file: (folder / name).read_bytes() for file, name in FILES.items()}

    def then_all_is_gone(*arguments: object) -> object:
        told = assess(*arguments)  # type: ignore[arg-type]  # whatever it is called with
        for name in FILES.values():
            cut_off(folder / name)
        return told

    monkeypatch.setattr(loading, "assess", then_all_is_gone)
    warehouse.ingest(folder)

    assert warehouse.differs_from(oracle) == ""
    assert warehouse.rows("SELECT text FROM quality.quarantine") == [("no id,01001,rua x,SP",)]
    hashes: dict[str, str] = dict(warehouse.rows("SELECT file, sha256 FROM quality.batch_file"))
    assert hashes == {file: hashlib.sha256(content).hexdigest() for file, content in bytes_of.items()}


def test_a_zip_that_changes_meanwhile_is_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = a_good_extract()
    path = zipped(write(tmp_path / "given", lines), tmp_path / "given.zip")
    other = zipped(write(tmp_path / "other", changed(lines, sellers=replacing("curitiba", "londrina"))), tmp_path / "o")

    def replacing_it(*arguments: object, **named: object) -> object:
        other.replace(path)
        return stage(*arguments, **named)  # type: ignore[arg-type]  # whatever it is called with

    with monkeypatch.context() as patched:
        patched.setattr(opened, "stage", replacing_it)
        refused(warehouse.run("ingest", path, "--json"), 2, "given.zip changed while it was read")
    assert warehouse.events() == {}
    warehouse.ingest(path)
    assert warehouse.rows("SELECT count(*) FROM marketplace.dim_seller WHERE city = 'londrina'") == [(1,)]
