"""Where the time of an ingest and a rebuild goes, by one process that does all of the work (see bench.sampled)."""

from dataclasses import dataclass
from pathlib import Path

from bench.warehouse import Warehouse


@dataclass(frozen=True)
class Costs:
    """Seconds by what the process was doing."""

    ingest: dict[str, float]
    rebuild: dict[str, float]
    orders: int


def measure(warehouse: Warehouse, scratch: Path, orders: int, seed: int) -> Costs:
    """Loads an extract of so many orders into an empty warehouse and rebuilds its read models."""
    extract = scratch / f"extract-{orders}"
    warehouse.run("generate", extract, "--orders", str(orders), "--seed", str(seed))
    ingest = warehouse.sampled("ingest", extract, "--no-project")
    return Costs(ingest, warehouse.sampled("rebuild"), orders)
