"""`retract` of a load of a hundredth of the orders, read models and all, on logs of two sizes.

It should cost what the load has touched, whatever else the log holds. So the same load is taken back from a log of a
quarter of the size too. The load is an extract of its own, with its own orders and people; places, categories and
the dates of their latest orders are what it shares with the log.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.timing import Timing, repeated
from bench.warehouse import Warehouse

SHARE = 100
"""The load has so many times fewer orders than the log."""
SMALLER = 4
"""The other log has so many times fewer orders than the one, and the same load on top of it."""

_SEED_OF_THE_LOAD = 1
REASON = "to see how long it takes"


@dataclass(frozen=True)
class TakenBack:
    """How long the load took, then its retraction; events that each appended."""

    load: Timing
    retraction: Timing
    loaded: int
    appended: int


def generate(warehouse: Warehouse, extract: Path, orders: int, seed: int) -> Path:
    """The extract of the load, for a log of so many orders."""
    arguments = ("--orders", str(max(1, orders // SHARE)), "--seed", str(seed + _SEED_OF_THE_LOAD))
    warehouse.run("generate", extract, *arguments)
    return extract


def measure(warehouse: Warehouse, extract: Path) -> TakenBack:
    """Loads the extract on top of the log, and takes it back, again and again: the read models are caught up before."""
    warehouse.run("project")
    loads: list[float] = []
    loaded: list[int] = []
    appended: list[int] = []

    def load_and_take_back() -> float:
        load = warehouse.timed("ingest", extract)
        loads.append(load.seconds)
        loaded.append(sum(load.document["events"].values()))
        taken = warehouse.timed("retract", load.document["batch"], "--reason", REASON)
        appended.append(int(taken.document["position"]) - int(load.document["position"]))
        return taken.seconds

    retraction = repeated(load_and_take_back)
    return TakenBack(Timing(tuple(loads)), retraction, loaded[0], appended[0])
