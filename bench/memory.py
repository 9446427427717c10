"""Peak memory of a command with all its processes, and of the server beside it, sampled while they run."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it ships no type information

INTERVAL_SECONDS = 0.1
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Peak:
    """The largest sums seen at one moment, in bytes.

    `resident` counts what processes share once for each of them; `program` and `server` share it out (PSS; where the
    system does not tell, what a process has to itself). `processes` is the largest number of the program's processes,
    and `seconds` what all that were seen took of the processors, as far as they were seen.
    """

    resident: int
    program: int
    server: int
    processes: int
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.program / MEGABYTE:,.0f} MB"


class Watch:
    """Samples in a thread of its own from the beginning of the block to its end; then `peak` is known."""

    def __init__(self, pid: int, server_pid: int) -> None:
        self._program = psutil.Process(pid)
        self._server = psutil.Process(server_pid)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._seconds: dict[tuple[int, float], float] = {}
        self.peak = Peak(0, 0, 0, 0)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._is_over.wait(INTERVAL_SECONDS):
            program, server = _family(self._program), _family(self._server)
            resident, shared_out = _sums(program)
            _, of_server = _sums(server)
            self._seconds |= _seconds(program)
            self.peak = Peak(
                max(self.peak.resident, resident),
                max(self.peak.program, shared_out),
                max(self.peak.server, of_server),
                max(self.peak.processes, len(program)),
                sum(self._seconds.values()),
            )


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _seconds(processes: Iterable[psutil.Process]) -> dict[tuple[int, float], float]:
    """Processor seconds of each by its id and its start: ids are given again."""
    found = {}
    for process in processes:
        try:
            times = process.cpu_times()
            found[process.pid, process.create_time()] = times.user + times.system
        except psutil.Error:  # it has just ended
            continue
    return found


def _sums(processes: Iterable[psutil.Process]) -> tuple[int, int]:
    """Resident and shared-out memory of processes that may end at any moment, bytes."""
    resident = shared_out = 0
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.Error:  # it has just ended
            continue
        resident += memory.rss
        shared_out += getattr(memory, "pss", memory.uss)
    return resident, shared_out
