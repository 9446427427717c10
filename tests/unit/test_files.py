"""Files that are kept: whole or not at all, for their owner alone, past no link, in the place of nothing unasked."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from replayhouse.infra.audit.checkpoint import read_checkpoint
from replayhouse.infra.audit.inclusion import read_proof
from replayhouse.infra.audit.signing_keys import read_key, read_public_key
from replayhouse.infra.backup.archive import LOG, BackupFile, read_manifest
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.runtime.errors import Conflicting, InputError, UsageError
from replayhouse.infra.runtime.files import writing


def write(path: Path, data: bytes = b"new", *, replaces: bool = False) -> None:
    with writing(path, replaces=replaces) as file:
        file.write(data)


def test_a_file_is_for_its_owner_alone_and_stands_there_when_it_is_whole(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with writing(tmp_path / "file") as file:
            file.write(b"half")
            assert not (tmp_path / "file").exists()
            [beside] = tmp_path.iterdir()
            assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_what_is_there_is_replaced_only_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(UsageError, match="--force"):
        write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"
    write(tmp_path / "file", replaces=True)
    assert (tmp_path / "file").read_bytes() == b"new"


def test_what_comes_there_while_it_is_written_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--force"), writing(tmp_path / "file"):
        (tmp_path / "file").write_bytes(b"somebody else's")
    assert (tmp_path / "file").read_bytes() == b"somebody else's"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("name", ["file", "file.unfinished"])
def test_no_link_is_followed_or_replaced(name: str, replaces: bool, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    for where in (target, tmp_path / "nowhere"):
        (tmp_path / name).symlink_to(where)
        with pytest.raises(UsageError, match=r"link|not a file of yours"):
            write(tmp_path / "file", replaces=replaces)
        assert (tmp_path / name).is_symlink()
        (tmp_path / name).unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("replaces", [False, True])
def test_only_files_in_folders_that_exist_are_written(replaces: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(UsageError, match="is not a file"):
            write(path, replaces=replaces)
    with pytest.raises(UsageError, match="does not exist"):
        write(tmp_path / "nowhere" / "file", replaces=replaces)
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / ("x" * 250), replaces=replaces)


def test_two_who_write_the_same_file_are_a_conflict_and_what_was_left_goes(tmp_path: Path) -> None:
    with writing(tmp_path / "file") as file:
        file.write(b"first")
        with pytest.raises(Conflicting, match="Another command is writing"):
            write(tmp_path / "file")
    left = tmp_path / "other.unfinished"
    left.write_bytes(b"of a command that was killed")
    watcher = left.open("rb")  # who had it open reads nothing of what comes
    write(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == b"new"
    assert watcher.read() == b"of a command that was killed"
    watcher.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "other"]


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "file", replaces=True) as file:
        file.write(b"%d" % (1 // 0))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("writer", ["make_key", "writing"])
def test_a_full_disk_leaves_no_half_of_a_secret(writer: str, tmp_path: Path) -> None:
    """No file may grow: what a disk without room is to whoever writes."""
    path = tmp_path / "secret"
    code = (
        "import resource\n"
        "from pathlib import Path\n"
        "from replayhouse.infra.runtime.files import writing\n"
        "from replayhouse.infra.audit.signing_keys import make_key\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))\n"
        f"path = Path({str(path)!r})\n"
        "if " + repr(writer == "make_key") + ":\n"
        "    make_key(path)\n"
        "with writing(path) as file:\n"
        "    file.write(bytes(1000))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = done.stderr.splitlines()[-1]  # what reaches whoever called, and not what came before it
    assert said.startswith("replayhouse.infra.runtime.errors.UsageError")
    assert "cannot be written: File too large" in said
    assert list(tmp_path.iterdir()) == []


READERS: dict[str, Callable[[Path], object]] = {
    "proof": read_proof,
    "checkpoint": read_checkpoint,
    "signing key": read_key,
    "public key": lambda path: read_public_key(str(path)),
    "erased": lambda path: ErasedSubjects.at(path).subjects(),
    "erased, to add to it": lambda path: ErasedSubjects.at(path).add(UUID(int=1), datetime.now(UTC), 1),
    "backup": lambda path: read_manifest(BackupFile(path), LOG),
}
"""Whatever reads a file that somebody names."""


@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_a_pipe_a_device_and_a_folder_are_no_files_and_nobody_waits_for_them(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, told in ((tmp_path / "pipe", "a pipe or a device"), (Path("/dev/zero"), "a pipe or a device")):
        with pytest.raises(InputError, match=f"{path} cannot be .*: It is {told}, not a file"):
            read(path)
    with pytest.raises(InputError, match=f"{tmp_path} cannot be .*: Is a directory"):
        read(tmp_path)
