"""A warehouse as of a position, made from live rows as far as they go, against folding all of the log up to there.

Both are made under a prefix, by `rebuild --into`: first all of the log is folded, which no limit does; then a load of a
hundredth of the orders follows; then the same position is asked for again. The digests of all tables are the same, or
there is no figure. Processor time is told too, that of the server with it: other work on the machine weighs less in it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.timing import NotMeasured, Timing, repeated
from bench.warehouse import Finished, Warehouse

PREFIX = "bench_moment"
SHARE = 100
"""The load has so many times fewer orders than the log."""

_SEED_OF_THE_LOAD = 2


@dataclass(frozen=True)
class Used:
    """Seconds of a command from its start to its end, and the processor time of all that worked for it."""

    elapsed: Timing
    processor: Timing

    def __str__(self) -> str:
        return f"{self.elapsed}, processor time {self.processor}"


@dataclass(frozen=True)
class Moments:
    """What it took to fold all, and to take over what stands; events of the load in between."""

    folded: Used
    taken_over: Used
    loaded: int


def measure(warehouse: Warehouse, extract: Path, orders: int, seed: int) -> Moments:
    """Loads an extract, which it makes, on top of a log of so many orders whose read models are brought up to date."""
    warehouse.run("project")
    position = warehouse.timed("status").document["position"]
    folded, wanted = _used(warehouse, lambda: warehouse.timed("rebuild", "--into", PREFIX))
    arguments = ("--orders", str(max(1, orders // SHARE)), "--seed", str(seed + _SEED_OF_THE_LOAD))
    warehouse.run("generate", extract, *arguments)
    load = warehouse.timed("ingest", extract)
    limited = ("rebuild", "--to-position", str(position), "--into", PREFIX)
    taken_over, found = _used(warehouse, lambda: warehouse.timed(*limited))
    warehouse.run("revisions", "drop", PREFIX)
    if _tables(found) != _tables(wanted):
        raise NotMeasured("what was taken over is not what the log makes: the digests differ")
    return Moments(folded, taken_over, sum(load.document["events"].values()))


def _tables(told: Finished) -> dict[str, Any]:
    return {context: shown["tables"] for context, shown in told.document["contexts"].items()}


def _used(warehouse: Warehouse, run: Callable[[], Finished]) -> tuple[Used, Finished]:
    processor: list[float] = []
    answers: list[Finished] = []

    def once() -> float:
        before = _processor_time(warehouse)
        answers.append(run())
        processor.append(_processor_time(warehouse) - before)
        return answers[-1].seconds

    return Used(repeated(once), Timing(tuple(processor))), answers[-1]


def _processor_time(warehouse: Warehouse) -> float:
    """Seconds so far of the commands that have ended, and of the server with its processes."""
    own = os.times()
    return own.children_user + own.children_system + _server_time(warehouse.server_pid)


def _server_time(pid: int) -> float:
    """Of the server's main process, of those of its processes that have ended, and of those that live."""
    ticks = 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for process, fields in ((pid, slice(11, 15)), *((int(child), slice(11, 13)) for child in children)):
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, told[fields]))
    return ticks / os.sysconf("SC_CLK_TCK")
