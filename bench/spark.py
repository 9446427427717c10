"""`replay --engine spark` by two processors of this machine, beside the pool of two processes in the same run.

Spark stands in the environment of the engines: `.venv-engines/bin/python -m bench --only spark`. What it costs more
here is Java's start and its own processes' memory; there is no cluster to gain from.
"""

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from bench.report import Report, Row
from bench.timing import NotMeasured, repeated
from bench.warehouse import Warehouse

PROCESSES = 2
LONGEST_OVERHEAD_SECONDS = 30.0
"""Beyond the pool's time: Java, executors and their first imports, whatever the size of the log."""

_ENGINES = {"pool": ("--workers", str(PROCESSES)), "spark": ("--engine", "spark", "--master", f"local[{PROCESSES}]")}


def measure(warehouse: Warehouse, folder: Path, report: Report) -> None:
    """Seals the log, and folds it by each; the digests must agree."""
    if find_spec("pyspark") is None:
        raise NotMeasured("Spark is not installed: use .venv-engines/bin/python (make test-engines)")
    sealed, rows = folder / "sealed-for-spark", folder / "rows-of-spark"
    warehouse.run("log", "seal", sealed)
    commands: dict[str, tuple[str | Path, ...]] = {
        name: ("replay", sealed, "--out", rows, "--force", *options) for name, options in _ENGINES.items()
    }
    seconds = {name: repeated(partial(_seconds, warehouse, command)) for name, command in commands.items()}
    watched = {name: warehouse.watched(*command) for name, command in commands.items()}
    tables = [[of["tables"] for of in done.document["contexts"].values()] for done, _ in watched.values()]
    if tables[0] != tables[1]:
        raise NotMeasured("the pool and Spark have other digests: not the same work")
    overhead = seconds["spark"].seconds - seconds["pool"].seconds
    report.rows.append(
        Row(
            f"replay by Spark, local[{PROCESSES}] (digests agree)",
            str(seconds["spark"]),
            f"replay, {PROCESSES} processes: {seconds['pool']}",
            f"{overhead:.1f} s more",
            f"at most {LONGEST_OVERHEAD_SECONDS:.0f} s more",
            overhead <= LONGEST_OVERHEAD_SECONDS,
        )
    )
    told = ", ".join(f"{name}: {peak}" for name, (_, peak) in watched.items())
    report.notes.append(f"Peak memory of a replay with all its processes, {told}.")


def _seconds(warehouse: Warehouse, command: tuple[str | Path, ...]) -> float:
    return warehouse.timed(*command).seconds
