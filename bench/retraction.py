"""`retract` of a load of a hundredth of the orders, read models and all, on logs of two sizes.

It should cost what the load has touched, whatever else the log holds. So the same load is taken back from a log of a
quarter of the size too. The load is an extract of its own, with its own orders and people; places, categories and
the dates of their latest orders are what it shares with the log.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.timing import Timing, repeated
from bench.warehouse import Finished, Warehouse

SHARE = 100
"""The load has so many times fewer orders than the log."""
SMALLER = 4
"""The other log has so many times fewer orders than the one, and the same load on top of it."""

_SEED_OF_THE_LOAD = 1
REASON = "to see how long it takes"


@dataclass(frozen=True)
class Once:
    """A load and its retraction."""

    load: Finished
    retraction: Finished


@dataclass(frozen=True)
class TakenBack:
    """How long the load took, then its retraction, again and again; events that each appended."""

    load: Timing
    retraction: Timing
    loaded: int
    appended: int


def generate(warehouse: Warehouse, extract: Path, orders: int, seed: int) -> Path:
    """The extract of the load, for a log of so many orders."""
    arguments = ("--orders", str(max(1, orders // SHARE)), "--seed", str(seed + _SEED_OF_THE_LOAD))
    warehouse.run("generate", extract, *arguments)
    return extract


def once(warehouse: Warehouse, extract: Path) -> Once:
    """Loads the extract on top of a log whose read models are up to date, and takes it back."""
    load = warehouse.timed("ingest", extract)
    return Once(load, warehouse.timed("retract", load.document["batch"], "--reason", REASON))


def measure(warehouse: Warehouse, extract: Path) -> TakenBack:
    """The same, several times over; the read models are brought up to date before."""
    warehouse.run("project")
    runs: list[Once] = []

    def run() -> float:
        runs.append(once(warehouse, extract))
        return runs[-1].retraction.seconds

    retraction = repeated(run)
    first = runs[0]
    return TakenBack(
        load=Timing(tuple(run.load.seconds for run in runs)),
        retraction=retraction,
        loaded=sum(first.load.document["events"].values()),
        appended=int(first.retraction.document["position"]) - int(first.load.document["position"]),
    )
