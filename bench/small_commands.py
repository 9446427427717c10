"""Small commands on a warm warehouse: processor time, which is what somebody waits for who runs many of them.

The baseline is an interpreter that imports what all of them stand on (command line, settings, driver) and ends. The
processor time is that of the process and of those that it started and waited for; the server is not in it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.report import Row
from bench.timing import NotMeasured, Timing
from bench.warehouse import Warehouse

RUNS = 5
ORDERS = 60
STATUS_SECONDS, LOAD_SECONDS = 0.3, 1.5
"""What is to be reached."""

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
    runs = [_once(command(number), warehouse.environment) for number in range(RUNS)]
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
