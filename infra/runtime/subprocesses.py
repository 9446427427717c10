"""What every pool of processes needs: its processes end with the one that they work for, however that ends.

Whoever may need processes has them `prepared` before anything is opened: where this process may be forked, that takes
milliseconds, and they share what it has imported. A pool is made of those, or else of processes that are started anew.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_first
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, TypeVar

from replayhouse.infra.runtime import forks
from replayhouse.infra.runtime.errors import ReplayhouseError

Result = TypeVar("Result")

_CTRL_C = {signal.SIGINT}
FOLLOW_SECONDS = 5.0
"""So long after the first process of a pool has ended the others may take."""

_MOST_FORKED = 8
"""Processes that may end unused: work that asks for more is large enough to have them started."""


class Pool(ProcessPoolExecutor):
    """Processes of their own, each of which begins with `start`, which calls `end_with_parent`.

    Ctrl-C, which a terminal sends to all of them, ends them without a word from their first moment on: they are started
    with the signal held back, for the interpreter would tell of it until then. The script of whoever uses this as a
    library is not run again by them.
    """

    def __init__(
        self, processes: int, start: Callable[..., None], arguments: tuple[Any, ...], *, method: str = "spawn"
    ) -> None:
        self._others = set(active_children())
        super().__init__(processes, get_context(method), start, arguments)
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

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes once they have no more tasks; with `wait`, they have ended when this returns.

        They end together. One that is killed while it waits for a task holds the lock of the queue, and nobody looks
        out for that any more: the others would wait for it for ever. Those that do not follow the first are killed.
        """
        manager: Any = self._executor_manager_thread  # a thread, or None; its type is described as another one
        processes = list((self._processes or {}).values())
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if not wait or manager is None:
            return
        wait_for_first([process.sentinel for process in processes])
        manager.join(FOLLOW_SECONDS)
        if manager.is_alive():
            for process in processes:
                process.kill()
            manager.join()

    def submit(self, fn: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:
        """One more task, for which a process may be started."""
        with _held_back():
            return super().submit(fn, *arguments, **named)

    def _launch_processes(self) -> None:
        with without_main():
            super()._launch_processes()  # type: ignore[misc] # only here are they known to be started


class _ForkedPool(Pool):
    """Processes that are there at once, and wait until they `begin`."""

    def __init__(self, processes: int) -> None:
        before = forks.descriptors()
        super().__init__(processes, _wait_to_begin, (), method="fork")
        queues = forks.descriptors() - before
        self._gates: list[Connection] = []
        with _held_back(), forks.unwarned():
            for _ in range(processes):
                gate, opened = get_context("fork").Pipe(duplex=False)
                self._initargs = gate, forks.descriptors() - queues - {gate.fileno()}
                self._spawn_process()  # type: ignore[attr-defined] # all of them now, and not with the first task
                gate.close()
                self._gates.append(opened)

    @property
    def size(self) -> int:
        """How many processes wait."""
        return len(self._gates)

    def begin(self, processes: int, start: Callable[..., None], arguments: tuple[Any, ...]) -> bool:
        """So many of them begin, the others end. False, and all of them have ended, where one was killed meanwhile."""
        self._end(processes)
        self._max_workers = processes
        self._others = set(active_children()) - set(self._processes.values())
        try:
            for gate in self._gates:
                gate.send((start, arguments))
                gate.close()
        except OSError:
            self.dismiss()
            return False
        return True

    def dismiss(self) -> None:
        """Ends all of them; none has had a task."""
        self._end(0)
        self.shutdown()

    def _end(self, after: int) -> None:
        """Ends all but the first: they hold no lock of the queues yet, so they may be killed."""
        for pid, process in list(self._processes.items())[after:]:
            process.kill()
            process.join()
            del self._processes[pid]
        for gate in self._gates[after:]:
            gate.close()
        del self._gates[after:]


_prepared: list[_ForkedPool] = []
"""Pools that nobody has asked for yet."""

_handed_on: list[Callable[[], Callable[[], object]]] = []


def hand_on(what: Callable[[], Callable[[], object]]) -> None:
    """Whenever a pool starts, its processes first do what this gives then: something that can be sent to them."""
    if what not in _handed_on:
        _handed_on.append(what)


@contextmanager
def prepared(processes: int, pools: int = 1) -> Iterator[None]:
    """So many pools inside the block find their processes at hand, if this process may be forked now.

    Those that are not needed end with the block.
    """
    made: list[_ForkedPool] = []
    if 1 < processes <= _MOST_FORKED and pools and forks.may_fork():
        with suppress(OSError):  # there is no room for so many, and perhaps nobody needs them
            made.extend(_ForkedPool(processes) for _ in range(pools))
    _prepared.extend(made)
    try:
        yield
    finally:
        for one in made:
            if one in _prepared:
                _prepared.remove(one)
                one.dismiss()


def started_pool(processes: int, start: Callable[..., None], arguments: tuple[Any, ...] = ()) -> Pool:
    """A pool whose processes begin with `start`, which calls `end_with_parent`: they were prepared, or are started."""
    if _handed_on:
        start, arguments = _begin, ([give() for give in _handed_on], start, arguments)
    for one in _prepared:
        if one.size >= processes:
            _prepared.remove(one)
            if one.begin(processes, start, arguments):
                return one
            break
    return Pool(processes, start, arguments)


def _begin(handed: Sequence[Callable[[], object]], start: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    for do in handed:
        do()
    start(*arguments)


def workers_without_data(processes: int) -> Pool:
    """A pool for work that is all in its tasks."""
    return started_pool(processes, end_with_parent)


@contextmanager
def ending(pool: Pool, when_one_dies: str) -> Iterator[None]:
    """The pool ends with the block, its tasks that have not begun undone.

    Where a process of it has died, raises ReplayhouseError with what is said for that.
    """
    try:
        yield
    except BrokenProcessPool as error:
        pool.kill()
        raise ReplayhouseError(when_one_dies) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
    _end_at_interrupt()
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _end_at_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)


def _wait_to_begin(gate: Connection, foreign: set[int]) -> None:
    """The first thing that a forked process does; whoever has forked it says how it goes on, or ends."""
    forks.become_independent(foreign)
    _end_at_interrupt()
    try:
        start, arguments = gate.recv()
    except EOFError:
        os._exit(0)
    gate.close()
    forks.name_process()
    start(*arguments)


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
