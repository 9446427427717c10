"""Memory at the usual size and at ten times of it, of what reads or writes the whole log; Spark where it is installed.

Each command runs once, and is watched: its wall time is that of a command that is looked at ten times a second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.memory import MEGABYTE, Peak
from bench.report import Row
from bench.warehouse import Warehouse

LARGEST_PEAK_BYTES = 10**9
LARGEST_GROWTH = 1.25
"""A command's peak at ten times the size, in times of the one at the usual size: the heaps of processes vary."""

_OWN_HEAP = ("export", "replay by Spark")
"""DuckDB may take a thousand million bytes to make the keys, and Java takes what it is given: no limit of ours."""


@dataclass(frozen=True)
class Cost:
    """One run of a command: wall seconds, and its peak with the processor seconds of its processes."""

    seconds: float
    peak: Peak

    def __str__(self) -> str:
        return f"{self.peak}, {self.seconds:.1f} s, of the processors {self.peak.seconds:.1f} s"


def measure(warehouse: Warehouse, folder: Path, tell: Callable[[str], None]) -> dict[str, Cost]:
    """Loads the extract of the folder into an empty warehouse, and runs everything that passes over the whole log."""
    sealed, rows = folder / "sealed", folder / "rows"
    replay = ("replay", sealed, "--out", rows, "--force")
    commands: dict[str, tuple[str | Path, ...]] = {
        "ingest": ("ingest", folder / "extract", "--no-project"),
        "rebuild, 2 processes": ("rebuild", "--workers", "2"),
        "audit verify": ("audit", "verify"),
        "log seal": ("log", "seal", sealed),
        "log verify": ("log", "verify", sealed),
        "replay, 1 process": (*replay, "--workers", "1"),
        "replay, 2 processes": (*replay, "--workers", "2"),
        "replay by Spark": (*replay, "--engine", "spark", "--master", "local[2]"),
        "export": ("export", folder / "export"),
    }
    if find_spec("pyspark") is None:
        del commands["replay by Spark"]
    found = {}
    for what, command in commands.items():
        tell(what)
        done, peak = warehouse.watched(*command)
        found[what] = Cost(done.seconds, peak)
    return found


def rows(usual: dict[str, Cost], larger: dict[str, Cost]) -> list[Row]:
    """A row for each command: what it took at the larger size, beside what it took at the usual one."""
    return [_row(what, usual[what], cost) for what, cost in larger.items()]


def _row(what: str, usual: Cost, larger: Cost) -> Row:
    growth = larger.peak.program / usual.peak.program
    limit = f"under {LARGEST_PEAK_BYTES // MEGABYTE:,} MB and {LARGEST_GROWTH} times"
    is_within = larger.peak.program < LARGEST_PEAK_BYTES and growth <= LARGEST_GROWTH
    is_ours = what not in _OWN_HEAP
    return Row(
        f"peak memory of {what}",
        str(larger),
        f"at a tenth of the size: {usual}",
        f"{growth:.2f} times its memory, {larger.peak.seconds / usual.peak.seconds:.1f} its work",
        limit if is_ours else "",
        is_within if is_ours else None,
    )
