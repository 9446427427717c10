"""Peak memory of an ingest and a rebuild with all their processes, in runs of their own: looking costs time."""

from dataclasses import dataclass
from pathlib import Path

from bench.memory import Peak
from bench.warehouse import Finished, Warehouse

LIMIT_BYTES = 10**9


@dataclass(frozen=True)
class Watched:
    """Both commands, and the most memory that they took at one moment."""

    ingest: Finished
    ingest_peak: Peak
    rebuild: Finished
    rebuild_peak: Peak

    @property
    def is_within_limit(self) -> bool:
        """Whether both stay under 1 GB."""
        return max(self.ingest_peak.program, self.rebuild_peak.program) < LIMIT_BYTES


def measure(warehouse: Warehouse, extract: Path) -> Watched:
    """Loads the extract into an empty warehouse and rebuilds its read models."""
    ingest, ingest_peak = warehouse.watched("ingest", extract, "--no-project")
    rebuild, rebuild_peak = warehouse.watched("rebuild")
    return Watched(ingest, ingest_peak, rebuild, rebuild_peak)
