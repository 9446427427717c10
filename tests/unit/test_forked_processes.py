"""Processes of a pool that are forked before anything is opened: when that is done, and what they are then."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forked import CAN_FORK
from tests.support.homes import wait_until

__test__ = CAN_FORK  # elsewhere processes are started

BEGIN = """
import fcntl, gc, os, random, signal, socket, sys, threading, time
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children
from replayhouse.infra.runtime.subprocesses import end_with_parent, prepared, started_pool

def forked():
    return {child.pid for child in active_children()}

def who(_=None):
    time.sleep(0.05)
    return os.getpid()
"""

AT_HAND = """
with prepared(3, pools=2):
    assert len(ready := forked()) == 6
    for _ in range(2):
        with started_pool(2, end_with_parent) as pool:
            assert len(pool.processes) == 2
            assert {process.pid for process in pool.processes} < ready
            assert set(pool.map(who, range(20))) <= ready
        assert pool.processes == []
    assert forked() == set()
    with started_pool(2, end_with_parent) as pool:
        assert not set(pool.map(abs, range(20))) & ready
        assert not {process.pid for process in pool.processes} & ready
with prepared(2):
    assert len(forked()) == 2
assert forked() == set()
"""

NOT_FORKED = """
def works():
    with prepared(2):
        assert forked() == set()
        with started_pool(2, end_with_parent) as pool:
            assert list(pool.map(abs, [-1, -2])) == [1, 2]

one, other = socket.socketpair()
works()
one.close(), other.close()
told = threading.Event()
thread = threading.Thread(target=told.wait)
thread.start()
works()
told.set()
thread.join()
with prepared(2):
    assert len(forked()) == 2
with prepared(1):
    assert forked() == set()
"""

INDEPENDENT = """
signal.signal(signal.SIGTERM, print)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
reads, writes = os.pipe()
os.set_blocking(writes, False)
signal.set_wakeup_fd(writes)
gc.disable()
random.seed(1)
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)

def state():
    kept = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    opened = [os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, reads, writes, file.fileno())]
    return kept, set(opened), gc.isenabled(), signal.set_wakeup_fd(-1)

def draw(_):
    time.sleep(0.05)
    return os.getpid(), random.random()

with prepared(2):
    with started_pool(2, end_with_parent) as pool:
        kept = [signal.SIG_DFL, signal.SIG_DFL, signal.SIG_IGN]
        assert pool.submit(state).result() == (kept, {os.devnull}, True, -1)
        firsts = dict(reversed(list(pool.map(draw, range(20)))))
        assert len(set(firsts.values())) == len(firsts)
        assert random.Random(1).random() not in firsts.values()
        file.close()
        with open(sys.argv[1]) as again:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""

KILLED_IDLE = """
with prepared(2):
    os.kill(min(ready := forked()), signal.SIGKILL)
    while len(forked()) == 2:
        time.sleep(0.01)
    with started_pool(2, end_with_parent) as pool:
        assert not set(pool.map(abs, range(20))) & ready
        assert len(pool.processes) == 2 and not {process.pid for process in pool.processes} & ready
assert forked() == set()
"""

KILLED_AT_WORK = """
def wait(_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)

with prepared(2):
    try:
        with started_pool(2, end_with_parent) as pool:
            tasks = [pool.submit(wait, number) for number in range(2)]
            while not all(task.running() for task in tasks):
                time.sleep(0.01)
            os.kill(pool.processes[0].pid, signal.SIGKILL)
            try:
                tasks[0].result()
            except BrokenProcessPool:
                pool.kill()
                raise
    except BrokenProcessPool:
        assert forked() == set()
    else:
        raise AssertionError("nobody noticed")
"""

ENDED_FROM_OUTSIDE = """
with prepared(2, pools=2):
    with started_pool(2, end_with_parent) as pool:
        tasks = [pool.submit(time.sleep, 600) for _ in range(2)]
        print(*forked(), flush=True)
        time.sleep(600)
"""


def _started(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BEGIN + script, *map(str, arguments)]
    folder = Path(__file__).parents[2]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True
    )


@pytest.mark.parametrize("script", [AT_HAND, NOT_FORKED, INDEPENDENT, KILLED_IDLE, KILLED_AT_WORK])
def test_it(script: str, tmp_path: Path) -> None:
    process = _started(script, tmp_path / "file")
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_they_end_with_the_process_that_they_work_for_or_wait_for(how: signal.Signals) -> None:
    process = _started(ENDED_FROM_OUTSIDE)
    assert process.stdout is not None
    forked = [int(word) for word in process.stdout.readline().split()]
    assert len(forked) == 4
    process.send_signal(how)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (-how, "", "")
    wait_until(lambda: not any(_lives(pid) for pid in forked))


def test_an_interrupt_from_the_terminal_ends_them_without_a_word() -> None:
    process = _started(f"signal.signal(signal.SIGINT, lambda *_: os._exit(130))\n{ENDED_FROM_OUTSIDE}")
    assert process.stdout is not None
    forked = [int(word) for word in process.stdout.readline().split()]
    os.killpg(process.pid, signal.SIGINT)
    assert (process.communicate(), process.returncode) == (("", ""), 130)
    wait_until(lambda: not any(_lives(pid) for pid in forked))


def _lives(pid: int) -> bool:
    """An orphan that has ended may not be reaped by whoever inherits it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
