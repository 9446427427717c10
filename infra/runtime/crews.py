"""Work cut into tasks, done here or by a pool of processes: each makes a worker with its first task, and keeps it.

What goes wrong in making a worker is told like what goes wrong at work: an initializer of the pool would print it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Protocol, TypeVar

from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.subprocesses import Pool, end_with_parent, started_pool

Task = TypeVar("Task")
Done = TypeVar("Done")
_Given = TypeVar("_Given", contravariant=True)
_Made = TypeVar("_Made", covariant=True)

_FAREWELL_SECONDS = 10.0


class Worker(Protocol[_Given, _Made]):
    """Does tasks, one after the other."""

    def do(self, task: _Given) -> _Made:
        """Does a task."""
        ...

    def close(self) -> None:
        """Gives back what it holds."""
        ...


class Crew(Generic[Task, Done]):
    """Does tasks, here or in processes; more may be added while they are done."""

    def __init__(self, make: Callable[[], Worker[Task, Done]], pool: Pool | None) -> None:
        self._make = make
        self._pool = pool
        self._waiting: list[Task] = []

    def add(self, task: Task) -> None:
        """One more task."""
        self._waiting.append(task)

    def do(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Done]]:
        """Each task, as it is done, with what came of it."""
        self._waiting += tasks
        return self._here() if self._pool is None else self._in(self._pool)

    def _here(self) -> Iterator[tuple[Task, Done]]:
        worker = self._make()
        try:
            while self._waiting:
                task = self._waiting.pop(0)
                yield task, worker.do(task)
        finally:
            worker.close()

    def _in(self, pool: Pool) -> Iterator[tuple[Task, Done]]:
        running: dict[Future[Done], Task] = {}
        while self._waiting or running:
            running.update({pool.submit(_do, task): task for task in self._waiting})
            self._waiting.clear()
            for future in wait_for(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


@contextmanager
def crew(processes: int, make: Callable[[], Worker[Task, Done]], when_one_dies: str) -> Iterator[Crew[Task, Done]]:
    """A crew of so many processes for the time of the block; of this one alone for one.

    `make` makes a worker, and goes to the processes. Raises ReplayhouseError, with what is said `when_one_dies`.
    """
    if processes <= 1:
        yield Crew(make, None)
        return
    with started_pool(processes, _start, (make,)) as pool:
        try:
            yield Crew(make, pool)
        except BaseException as error:
            if isinstance(error, BrokenProcessPool):
                pool.kill()
            with _killed_when_overdue(pool.processes):
                pool.shutdown(wait=True, cancel_futures=True)
            if isinstance(error, BrokenProcessPool):
                raise ReplayhouseError(when_one_dies) from error
            raise


@contextmanager
def _killed_when_overdue(processes: Sequence[BaseProcess]) -> Iterator[None]:
    """Waiting for them in the block comes to an end, whatever they are stuck in: what they do is undone anyway."""

    def kill() -> None:
        for process in processes:
            process.kill()

    timer = threading.Timer(_FAREWELL_SECONDS, kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# --- in a process of the pool -----------------------------------------------------------------------------------

_make: Callable[[], Worker[Any, Any]] | None = None
_worker: Worker[Any, Any] | None = None


def _start(make: Callable[[], Worker[Any, Any]]) -> None:
    global _make  # what makes the worker of this process
    end_with_parent()
    _make = make


def _do(task: Any) -> Any:
    global _worker  # of this process, for all its tasks
    if _worker is None:
        assert _make is not None, "the initializer has set it"
        _worker = _make()
    return _worker.do(task)
