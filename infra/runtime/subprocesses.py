"""What every pool of processes needs: its processes end with the one that they work for, however that ends."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, TypeVar

Result = TypeVar("Result")

_CTRL_C = {signal.SIGINT}


class Pool(ProcessPoolExecutor):
    """Processes of their own, each of which begins with `start`, which calls `end_with_parent`.

    Ctrl-C, which a terminal sends to all of them, ends them without a word from their first moment on: they are started
    with the signal held back, for the interpreter would tell of it until then. The script of whoever uses this as a
    library is not run again by them.
    """

    def __init__(self, processes: int, start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._others = set(active_children())
        super().__init__(processes, get_context("spawn"), start, arguments)
        # All are started with the first task. Started one by one, each when a task finds the others busy, one could be
        # killed before the executor has begun to look out for it, and nobody would notice.
        self._safe_to_dynamically_spawn_children = False

    @property
    def processes(self) -> list[BaseProcess]:
        """Those of its processes that live."""
        return [child for child in active_children() if child not in self._others]

    def kill(self) -> None:
        """Ends its processes at once, after BrokenProcessPool: the executor asks them to, and waits until they have.

        One may not hear of it, and wait for ever for a lock that the dead one holds.
        """
        for process in self.processes:
            process.kill()

    def submit(self, fn: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:
        """One more task, for which a process may be started."""
        with _held_back(), without_main():
            return super().submit(fn, *arguments, **named)


@contextmanager
def without_main() -> Iterator[None]:
    """Processes that are started in the block know nothing of the module that Python runs.

    They would run it again, to find what it defines: a script that calls us, and does not ask whether it is `__main__`,
    would do its work once more in each of them. Nothing that we send them is defined there.
    """
    _main_module.hide()
    try:
        yield
    finally:
        _main_module.show()


class _MainModule:
    """The module that Python runs: out of sight while any thread is in such a block."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hiding = 0
        self._module = sys.modules["__main__"]

    def hide(self) -> None:
        with self._lock:
            if self._hiding == 0:
                self._module, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
            self._hiding += 1

    def show(self) -> None:
        with self._lock:
            self._hiding -= 1
            if self._hiding == 0:
                sys.modules["__main__"] = self._module


_main_module = _MainModule()


def end_with_parent() -> None:
    """From now on this process, one of a pool, ends as soon as its parent has; returns at once.

    It would wait for ever for the next task of a parent that was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


@contextmanager
def _held_back() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
