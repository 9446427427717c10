"""When this process may be forked, and how a fork becomes a process of its own.

A fork has one thread and all memory of the others: a lock that one of them held is never released. It has all open
descriptors too: a connection that both of them use is broken, a lock on a file is held by both.
"""

import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WORKER = "replay-worker"
"""What a fork is called once it has work; the kernel keeps 15 letters."""

_OF_ITS_OWN = 3  # the standard streams come before
_SAFE_THREADS = {"jemalloc_bg_thd"}
"""The allocator that pyarrow brings purges memory in a thread of its own, and takes care of forks."""

_LOOKS, _BETWEEN_LOOKS_SECONDS = 10, 0.002
"""A thread that was waited for goes on for a moment."""


def may_fork() -> bool:
    """Whether this process is on Linux, and has one thread and no connection to anything."""
    if sys.platform != "linux":
        return False
    try:
        for _ in range(_LOOKS):
            if _threads() == 1:
                return not any(_is_socket(number) for number in descriptors())
            time.sleep(_BETWEEN_LOOKS_SECONDS)
    except OSError:  # nobody can tell
        return False
    return False


def descriptors() -> set[int]:
    """All open files, pipes and connections but the standard streams. Raises OSError where nobody can tell."""
    numbers = {int(name) for name in os.listdir("/proc/self/fd")}
    return {number for number in numbers if number >= _OF_ITS_OWN and _is_open(number)}


def become_independent(foreign: set[int]) -> None:
    """In a fork, at once: it is as one that was started, but for its memory.

    Signals have their default actions where they had handlers. In the place of what is foreign, of standard input and
    of standard output stands the null device: nothing is held open, and no number is given away that memory knows.
    """
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, *foreign):
        os.dup2(null, descriptor, inheritable=descriptor < _OF_ITS_OWN)
    gc.freeze()  # what is shared stays shared: nobody looks for cycles there
    gc.enable()


def name_process() -> None:
    """A fork has the command line of its parent: `ps -o comm` tells those that have work from others."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(WORKER)


@contextmanager
def unwarned() -> Iterator[None]:
    """Newer interpreters warn of forks beside any thread, also those that do no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _threads() -> int:
    found = 0
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            found += (task / "comm").read_text().strip() not in _SAFE_THREADS
    return found


def _is_open(number: int) -> bool:
    """The one by which the list was read is closed."""
    with suppress(OSError):
        os.fstat(number)
        return True
    return False


def _is_socket(number: int) -> bool:
    return os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
