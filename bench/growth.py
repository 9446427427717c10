"""How the commands grow with the data: each once, on extracts of several sizes, every size in a warehouse of its own.

What grows with the data should take ten times as long for ten times as much; what does not, the same.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import answers, compare, live, retraction
from bench.machine import GIGABYTE
from bench.rebuilds import SEGMENTS
from bench.report import Report
from bench.timing import NotMeasured
from bench.warehouse import Warehouse

_FIXED_BYTES, _BYTES_AN_ORDER = 3 * GIGABYTE, 60_000
"""Of disk, for two warehouses with their write-ahead logs, extract, backup and read models: measured, rounded up."""


@dataclass(frozen=True)
class Growth:
    """Measures sizes one after the other, in folders of their own under `scratch`."""

    scratch: Path
    seed: int
    tell: Callable[[str], None]

    def measure(self, sizes: Sequence[int], report: Report) -> None:
        """Seconds of each command at each size; a warehouse is gone before the next one is made.

        A size for which the disk has no room is told as a failure, and the others go on.
        """
        for orders in sizes:
            needed, free = _disk_bytes(orders), shutil.disk_usage(self.scratch.parent).free
            asked, there = (f"{size / GIGABYTE:.0f} GB" for size in (needed, free))
            room = f"{orders:,} orders need about {asked} of disk, and {there} are free"
            self.tell(room)
            if needed > free:
                report.failures.append(f"growth: {room}")
                continue
            for what, seconds in self._at(orders).items():
                report.growth.setdefault(what, {})[orders] = seconds

    def _at(self, orders: int) -> dict[str, float]:
        folder = self.scratch / f"{orders}-orders"
        extract = folder / "extract"
        folder.mkdir(parents=True)
        with Warehouse(folder / "home") as warehouse:
            self.tell(f"{orders:,} orders: generating them")
            warehouse.run("generate", extract, "--orders", str(orders), "--seed", str(self.seed))
            found = self._main_road(warehouse, extract, orders)
            self.tell(f"{orders:,} orders: compare")
            compare.prepare(warehouse)
            found["audit compare of two read models"] = compare.once(warehouse).seconds
            self.tell(f"{orders:,} orders: answers")
            found |= answers.anew_and_kept(warehouse)
            self.tell(f"{orders:,} orders: retract")
            load = retraction.generate(warehouse, folder / "load", orders, self.seed)
            taken = retraction.once(warehouse, load)
            found["ingest of 1 % more orders, read models and all"] = taken.load.seconds
            found["retract of that load, read models and all"] = taken.retraction.seconds
            self.tell(f"{orders:,} orders: backup and restore")
            found |= _backup(warehouse, folder)
            found |= self._live(warehouse, orders)
        return found

    def _live(self, warehouse: Warehouse, orders: int) -> dict[str, float]:
        """What needs a rate of appends that the machine may be too busy for; the other figures are kept then."""
        self.tell(f"{orders:,} orders: following the log")
        try:
            found = live.measure(warehouse)
        except NotMeasured as error:
            self.tell(f"{orders:,} orders: {error}")
            return {}
        return {f"append to visible, live, at {live.EVENTS_A_SECOND} events/s, 99th percentile": found.percentile(0.99)}

    def _main_road(self, warehouse: Warehouse, extract: Path, orders: int) -> dict[str, float]:
        self.tell(f"{orders:,} orders: ingest, rebuild, verify")
        found = {"ingest": warehouse.timed("ingest", extract, "--no-project").seconds}
        with warehouse.setting(SEGMENTS, "off"):
            found["rebuild from the log"] = warehouse.timed("rebuild").seconds
        with warehouse.setting(SEGMENTS, "on"):
            found["rebuild that makes segments"] = warehouse.timed("rebuild").seconds
            found["rebuild from segments"] = warehouse.timed("rebuild").seconds
        return found | {
            "ingest of the same extract again": warehouse.timed("ingest", extract).seconds,
            "audit verify": warehouse.timed("audit", "verify").seconds,
        }


def _disk_bytes(orders: int) -> int:
    return _FIXED_BYTES + _BYTES_AN_ORDER * orders


def _backup(warehouse: Warehouse, folder: Path) -> dict[str, float]:
    backup = folder / "backup"
    found = {"db backup": warehouse.timed("db", "backup", backup).seconds}
    with Warehouse(folder / "restored") as restored:
        found["db restore, read models and all"] = restored.timed("db", "restore", backup).seconds
    return found
