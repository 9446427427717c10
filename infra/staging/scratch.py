"""The folder for what is needed during one ingest only; it never outlives the next one."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from replayhouse.infra.runtime.errors import UsageError

LOCK = "lock"

_IS_FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """A new folder on the disk of the warehouse, gone afterwards.

    It is locked while its process lives. Folders that nobody holds were left by killed processes, and are removed; the
    others belong to loads of other databases that share the home. Raises UsageError where the disk has no room for what
    the block writes there.
    """
    staging = home / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    with _held(home / "staging.lock"):
        for folder in staging.iterdir():
            _remove_what_was_left(folder)
        scratch = Path(tempfile.mkdtemp(prefix="ingest-", dir=staging))
        held = _hold(scratch / LOCK)
    try:
        with _translated(staging):
            yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(held)


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """DuckDB's errors have no numbers, so that all are known by their words."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if any(words in str(error) for words in _IS_FULL):
            raise UsageError(
                f"The disk of {folder} is full, where the load needs room: make some, and run the same command again."
            ) from error
        raise


def _remove_what_was_left(folder: Path) -> None:
    with suppress(BlockingIOError):  # it is held: its process lives
        if (folder / LOCK).exists():
            os.close(_hold(folder / LOCK, fcntl.LOCK_NB))
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    handle = _hold(path)
    try:
        yield
    finally:
        os.close(handle)


def _hold(path: Path, how: int = 0) -> int:
    """Locks a file for as long as the handle that this returns is open; the kernel lets go of it if we die."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
    except BaseException:
        os.close(handle)
        raise
    return handle
