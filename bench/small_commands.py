"""Small commands on a warm warehouse: processor time, which is what somebody waits for who runs many of them.

The baseline is an interpreter that imports what all of them stand on (command line, settings, driver) and ends. The
processor time is that of the process and of those that it started and waited for; the server is not in it.

Loads of a thousand orders are compared with the same without columns, in turns: these are to cost a small load nothing.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report import Row
from bench.timing import NotMeasured, Timing
from bench.warehouse import Warehouse

RUNS = 5
RUNS_INTO_EMPTY = 3
ORDERS = 60
SMALL_LOAD = 1_000
STATUS_SECONDS, LOAD_SECONDS, WITHOUT_COLUMNS = 0.3, 1.5, 1.05
"""What is to be reached: seconds, and times the processor time of the same load without columns."""

_COLUMNS = "REPLAYHOUSE_COLUMNS"
_DEPENDENCIES = "import typer, pydantic_settings, psycopg"


@dataclass(frozen=True)
class Used:
    """Runs of one command: processor time, and seconds from its start to its exit."""

    processor: Timing
    elapsed: Timing


def measure(warehouse: Warehouse, folder: Path, seed: int) -> list[Row]:
    """The rows of the table. Extracts are made under `folder`, a new one for each load."""
    extracts = [folder / f"load-{number}" for number in range(RUNS + 1)]
    for number, extract in enumerate(extracts):
        warehouse.run("generate", extract, "--orders", str(ORDERS), "--seed", str(seed + number))
    warehouse.run("ingest", extracts.pop(0))
    imports = _used(lambda _: [sys.executable, "-c", _DEPENDENCIES], warehouse)
    status = _used(lambda _: warehouse.command("status"), warehouse)
    batches = _used(lambda _: warehouse.command("batches"), warehouse)
    load = _used(lambda run: warehouse.command("ingest", extracts[run]), warehouse)
    rows = [
        _row(f"{name}, processor time", used.processor, imports.processor, STATUS_SECONDS)
        for name, used in {"status": status, "batches": batches}.items()
    ]
    what = f"load of {ORDERS} orders into a warm warehouse, read models and all"
    rows.append(_row(f"{what}, processor time", load.processor, imports.processor, None))
    rows.append(_row(what, load.elapsed, imports.elapsed, LOAD_SECONDS))
    return rows


def loads(warehouse: Warehouse, folder: Path, seed: int) -> list[Row]:
    """The rows about loads of a thousand orders, read models and all: into a warm warehouse, and into empty ones.

    Extracts are made under `folder`, and a warehouse there for each load into an empty one.
    """
    warm: dict[str, list[tuple[float, float]]] = {"on": [], "off": []}
    empty: dict[str, list[tuple[float, float]]] = {"on": [], "off": []}
    for number in range(RUNS):
        for place, columns in enumerate(warm):
            extract = folder / f"thousand-{number}-{columns}"
            new = seed + 1_000 + len(warm) * number + place
            warehouse.run("generate", extract, "--orders", str(SMALL_LOAD), "--seed", str(new))
            with warehouse.setting(_COLUMNS, columns):
                warm[columns].append(_once(warehouse.command("ingest", extract), warehouse.environment))
            if number < RUNS_INTO_EMPTY:
                with Warehouse(folder / f"home-{number}-{columns}") as fresh, fresh.setting(_COLUMNS, columns):
                    empty[columns].append(_once(fresh.command("ingest", extract), fresh.environment))
    rows = []
    for where, runs in (("a warm warehouse", warm), ("an empty one", empty)):
        on, off = _of(runs["on"]), _of(runs["off"])
        what = f"load of {SMALL_LOAD:,} orders into {where}, read models and all"
        times = on.processor.seconds / off.processor.seconds
        rows.append(
            Row(
                f"{what}, processor time",
                str(on.processor),
                f"without columns: {off.processor}",
                f"{times:.2f} times its time",
                f"at most {WITHOUT_COLUMNS}",
                times <= WITHOUT_COLUMNS,
            )
        )
        elapsed = f"{on.elapsed.seconds / off.elapsed.seconds:.2f} times its time"
        rows.append(Row(what, str(on.elapsed), f"without columns: {off.elapsed}", elapsed, "", None))
    return rows


def _row(what: str, ours: Timing, imports: Timing, reach: float | None) -> Row:
    return Row(
        what,
        str(ours),
        f"interpreter and imports alone: {imports}",
        f"{ours.seconds / imports.seconds:.1f} times its time",
        "" if reach is None else f"below {reach} s",
        None if reach is None else ours.seconds < reach,
    )


def _used(command: Callable[[int], list[str]], warehouse: Warehouse) -> Used:
    """Several runs of what `command` says for each."""
    return _of([_once(command(number), warehouse.environment) for number in range(RUNS)])


def _of(runs: Sequence[tuple[float, float]]) -> Used:
    """Runs as `_once` tells them."""
    return Used(Timing(tuple(used for used, _ in runs)), Timing(tuple(elapsed for _, elapsed in runs)))


def _once(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise NotMeasured(f"{' '.join(command)} exited with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, elapsed
