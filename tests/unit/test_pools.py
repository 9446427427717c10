"""A pool of processes comes to an end whatever becomes of one of them."""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.runtime import subprocesses
from replayhouse.infra.runtime.subprocesses import Pool, end_with_parent, without_main

SCRIPT = """
import sys
import replayhouse
from replayhouse.infra.runtime.subprocesses import Pool, end_with_parent

print("once")
with Pool(2, end_with_parent, ()) as pool:
    print(sum(pool.map(abs, [-1, -2])))
print(sum(replayhouse.generate(sys.argv[1], 2_001, workers=2).records.values()) > 0)
"""


def _start_deaf() -> None:
    """Asked to end it does not."""
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _wait_for_ever(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    while True:
        time.sleep(60)


def test_a_pool_ends_though_one_of_its_processes_was_killed_and_another_never_ends(tmp_path: Path) -> None:
    with pytest.raises(BrokenProcessPool), Pool(2, _start_deaf, ()) as pool:  # noqa: PT012 - the block is what is tested
        try:
            tasks = [pool.submit(_wait_for_ever, tmp_path) for _ in range(2)]
            while len(at_work := [int(path.name) for path in tmp_path.iterdir()]) < 2:
                time.sleep(0.01)
            os.kill(at_work[0], signal.SIGKILL)
            tasks[0].result()
        except BrokenProcessPool:
            pool.kill()
            raise
    assert pool.processes == []


def test_a_pool_is_shut_down_though_a_process_was_killed_that_holds_the_lock_of_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of those that wait for a task holds it: three times of four, one of those that are killed here."""
    monkeypatch.setattr(subprocesses, "FOLLOW_SECONDS", 0.1)
    pool = Pool(4, end_with_parent, ())
    assert list(pool.map(abs, range(4))) == [0, 1, 2, 3]
    processes, manager = pool.processes, pool._executor_manager_thread
    *killed, last = [process.pid or 0 for process in processes]
    for pid in (*killed, last):  # they do not hear that they are to end
        os.kill(pid, signal.SIGSTOP)
    ending = threading.Thread(target=pool.shutdown)
    ending.start()
    while not is_joining(manager):
        time.sleep(0.01)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    os.kill(last, signal.SIGCONT)
    ending.join(60)
    assert not ending.is_alive()
    assert [process for process in processes if process.is_alive()] == []


def is_joining(thread: Any) -> bool:
    """Whether it has asked all processes to end, and waits for one of them."""
    frame = sys._current_frames().get(thread.ident or 0)
    names = [one.f_code.co_name for one, _ in traceback.walk_stack(frame)]
    return "join_executor_internals" in names and "join" in names


def test_a_script_that_uses_processes_is_not_run_by_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, tmp_path / "extract"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["once", "3", "True"]), done.stderr


def test_the_main_module_is_back_when_the_last_block_has_ended() -> None:
    main = sys.modules["__main__"]
    with without_main():
        with without_main():
            assert sys.modules["__main__"] is not main
        assert sys.modules["__main__"] is not main
    assert sys.modules["__main__"] is main
