"""A crew does its tasks in this process or in others, and comes to its end whatever becomes of those."""

import os
import signal
import time

import pytest

from replayhouse.infra.runtime import crews
from replayhouse.infra.runtime.errors import ReplayhouseError


class Doubling:
    """A worker; a negative task is its end."""

    def do(self, task: int) -> tuple[int, int]:
        """Twice as much, and the process that says so."""
        if task < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * task, os.getpid()

    def close(self) -> None:
        """Holds nothing."""


@pytest.mark.parametrize("processes", [1, 2])
def test_each_task_is_done_once_also_one_that_is_added_meanwhile(processes: int) -> None:
    with crews.crew(processes, Doubling, "one died") as crew:
        done = {}
        for task, (twice, process) in crew.do([1, 2, 3]):
            done[task] = twice
            assert (process == os.getpid()) is (processes == 1)
            if task == 3:
                crew.add(4)
    assert done == {1: 2, 2: 4, 3: 6, 4: 8}


def test_where_a_process_dies_it_is_said_in_the_words_of_the_work() -> None:
    with pytest.raises(ReplayhouseError, match="one died"), crews.crew(2, Doubling, "one died") as crew:
        list(crew.do([-1, *range(50)]))


def test_a_process_that_is_stuck_does_not_hold_up_work_that_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "_FAREWELL_SECONDS", 0.5)

    def fail_while_one_is_stuck() -> None:
        with crews.crew(2, Doubling, "one died") as crew:
            assert crew._pool is not None
            stuck = crew._pool.submit(time.sleep, 10_000)
            while not stuck.running():
                time.sleep(0.02)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_one_is_stuck()
