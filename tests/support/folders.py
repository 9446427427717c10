"""Folders for tests: quick ones, and those that all processes of a session share."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 * 2**30


def has_memory() -> bool:
    """Whether there is plenty of memory for files."""
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder with a short path (sockets), in memory where there is plenty of it; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="replayhouse-", dir=MEMORY if has_memory() else None) as folder:
        yield Path(folder)


def parent_of_shared(factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of this session's temporary files: of all its processes together."""
    own = factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@contextmanager
def shared_folder(parent: Path, name: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """A folder that all processes of a session share: made by the first who asks, removed by the last to leave."""
    folder, users, lock = (parent / f"{name}{suffix}" for suffix in ("", ".users", ".lock"))
    with _locked(lock):
        count = _number(users)
        if count == 0:
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
        users.write_text(str(count + 1))
    try:
        yield folder
    finally:
        with _locked(lock):
            users.write_text(str(_number(users) - 1))
            if _number(users) == 0:
                shutil.rmtree(folder)


def _number(path: Path) -> int:
    return int(path.read_text()) if path.exists() else 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
