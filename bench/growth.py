"""How the commands grow with the data: each once, on extracts of several sizes, every size in a warehouse of its own.

What grows with the data should take ten times as long for ten times as much; what does not, the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import answers, compare, live, retraction
from bench.timing import NotMeasured
from bench.warehouse import Warehouse

Seconds = dict[str, dict[int, float]]
"""By command, and then by the number of orders."""


@dataclass(frozen=True)
class Growth:
    """Measures sizes one after the other, in folders of their own under `scratch`."""

    scratch: Path
    seed: int
    tell: Callable[[str], None]

    def measure(self, sizes: Sequence[int]) -> Seconds:
        """Seconds of each command at each size; a warehouse is gone before the next one is made."""
        found: Seconds = {}
        for orders in sizes:
            for what, seconds in self._at(orders).items():
                found.setdefault(what, {})[orders] = seconds
        return found

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
        return {
            "ingest": warehouse.timed("ingest", extract, "--no-project").seconds,
            "rebuild": warehouse.timed("rebuild").seconds,
            "ingest of the same extract again": warehouse.timed("ingest", extract).seconds,
            "audit verify": warehouse.timed("audit", "verify").seconds,
        }


def _backup(warehouse: Warehouse, folder: Path) -> dict[str, float]:
    backup = folder / "backup"
    found = {"db backup": warehouse.timed("db", "backup", backup).seconds}
    with Warehouse(folder / "restored") as restored:
        found["db restore, read models and all"] = restored.timed("db", "restore", backup).seconds
    return found
