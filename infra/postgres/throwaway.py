"""A warehouse that is thrown away: a home with a server of its own, gone with the block, however its process ends.

A small process, the guard, waits for that end, which closes the pipe between them; then it ends the server and removes
the folder. Where it was killed too, whoever comes next does that first.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.postmaster import postmaster_of, serves
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError, Unreachable, UsageError

MARK = "made-by-replayhouse-drill"
"""A file of this name says that a folder is ours to remove; it is locked while somebody works in it."""

_HOME = "home"
_LONGEST_WAIT_SECONDS = 10.0
_LONGEST_REMOVAL_SECONDS = 60.0
_GUARD = "from replayhouse.infra.postgres.throwaway import guard; guard()"
_IGNORED_BY_THE_GUARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def throwaway_home(folder: Path) -> Iterator[Path]:
    """An empty home within the folder, which is made, and is gone afterwards with the server of that home.

    Raises UsageError where the folder holds something else, or cannot be used; Conflicting while somebody else works in
    it.
    """
    made = _missing_parents(folder)
    lock = _held(folder)
    try:
        remove(folder / _HOME)
        with _guarded(folder, lock):
            (folder / _HOME).mkdir(mode=0o700)
            yield folder / _HOME
    finally:
        if _is_at(folder / MARK, lock):  # the guard was killed, or there was none yet
            _remove_all(folder)
        os.close(lock)
        for parent in made:
            with suppress(OSError):  # something else stands in it by now
                parent.rmdir()


def _missing_parents(folder: Path) -> list[Path]:
    """Those that have to be made for it, the innermost first."""
    return [parent for parent in folder.parents if not parent.exists()]


def _held(folder: Path) -> int:
    """The folder is there, and is ours alone while this descriptor, or a copy of it, is open."""
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (folder / MARK).exists() and any(folder.iterdir()):
                raise UsageError(f"The folder {folder} holds something that no drill has made: move it elsewhere.")
            handle = os.open(folder / MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:  # whoever had it has just removed it
            continue
        except OSError as error:
            raise UsageError(f"The folder {folder} cannot be used: {error.strerror}. Set REPLAYHOUSE_HOME.") from error
        if _is_locked(handle) and _is_at(folder / MARK, handle):
            return handle
        os.close(handle)
        if time.monotonic() > deadline:
            raise Conflicting(f"Another drill is at work in {folder}: wait until it has ended.")
        time.sleep(0.05)


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def _guarded(folder: Path, lock: int) -> Iterator[None]:
    """Beside the block lives a process that removes what the folder holds once the block, or this process, has ended.

    It holds the lock too, so that nobody else begins before it is through.
    """
    waits, line = os.pipe()
    try:
        guard = subprocess.Popen(
            [sys.executable, "-P", "-c", _GUARD, str(folder)],
            stdin=waits,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            start_new_session=True,
        )
    except BaseException:
        os.close(line)
        raise
    finally:
        os.close(waits)
    try:
        yield
    finally:
        os.close(line)
        guard.wait()


def guard() -> None:
    """All that the guard does: its standard input ends when nobody needs the folder any more."""
    for number in _IGNORED_BY_THE_GUARD:
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 1):
        pass
    _remove_all(Path(sys.argv[1]))


def _remove_all(folder: Path) -> None:
    remove(folder / _HOME)
    with suppress(FileNotFoundError):
        (folder / MARK).unlink()
    with suppress(OSError):  # the next one has made it again
        folder.rmdir()


def remove(home: Path) -> None:
    """Ends the server of a home, where one runs, without regard to what it does, and removes the home.

    Raises ReplayhouseError where that cannot be done.
    """
    server = EmbeddedServer(home)
    deadline = time.monotonic() + _LONGEST_REMOVAL_SECONDS
    while home.exists():
        _end(server.data)
        sockets = server.socket_folder()
        if sockets != server.data:
            shutil.rmtree(sockets, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)  # what is just being made there is seen the next time round
        if time.monotonic() > deadline:
            raise ReplayhouseError(f"The folder {home} cannot be removed: do that yourself, it holds personal fields.")
        time.sleep(0.01)


def _end(data: Path) -> None:
    """Ends the server of a data folder at once, as PostgreSQL calls it: its children go first, and nothing is saved."""
    try:
        postmaster = postmaster_of(data)
    except (OSError, ValueError, Unreachable):
        return
    if postmaster is None:
        return
    since = time.monotonic()
    while serves(postmaster.pid, data) and (waited := time.monotonic() - since) < 2 * _LONGEST_WAIT_SECONDS:
        with suppress(ProcessLookupError, PermissionError):  # it is a stranger's, who was given the number
            os.kill(postmaster.pid, signal.SIGQUIT if waited < _LONGEST_WAIT_SECONDS else signal.SIGKILL)
        time.sleep(0.02)
