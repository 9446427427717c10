"""Rebuilds of all read models: by one process and by several, from the log and from segments, against both baselines.

Before rebuilds from segments are timed one has made them, and its seconds are noted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import plain_sql
from bench.report import Report
from bench.rows import note_rates, note_seconds, rate_row, time_row
from bench.timing import NotMeasured, Timing, repeated, timed
from bench.warehouse import Warehouse
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import marts

PROCESSES = 2
"""Rebuilds are measured with one process and with so many, as the baselines have one connection or two."""

TIMES_THE_RUNNER = 100
"""So many times the events/s of the library's runner are to be reached, by one process."""

SEGMENTS = "REPLAYHOUSE_SEGMENTS"
FROM_THE_LOG, FROM_SEGMENTS = "from the log", "from segments"
_SETTING = {FROM_THE_LOG: "off", FROM_SEGMENTS: "on"}
_MOST_OF_PLAIN_SQL = {(FROM_THE_LOG, PROCESSES): 1.5, (FROM_SEGMENTS, PROCESSES): 1.0}

Timings = Mapping[tuple[str, int], Timing]
"""By where the events come from, and by how many processes."""


@dataclass(frozen=True)
class Rebuilds:
    """Measures on warehouses that others have filled, and adds what it finds to a report."""

    report: Report
    tell: Callable[[str], None]

    def measure(self, warehouse: Warehouse) -> Timings:
        """Rebuilds from the log, then from the segments that another one has made, by one process and by several."""
        found = {}
        for source in _SETTING:
            if source == FROM_SEGMENTS:
                self._make_segments(warehouse)
            for workers in (1, PROCESSES):
                self.tell(f"rebuild {source}, {_processes(workers)}")
                found[source, workers] = repeated(partial(_seconds, warehouse, source, workers))
        return found

    def once(self, warehouse: Warehouse) -> Timings:
        """The same, each once and by several processes alone."""
        found = {(FROM_THE_LOG, PROCESSES): Timing((_seconds(warehouse, FROM_THE_LOG, PROCESSES),))}
        self._make_segments(warehouse)
        return found | {(FROM_SEGMENTS, PROCESSES): Timing((_seconds(warehouse, FROM_SEGMENTS, PROCESSES),))}

    def against_the_runner(self, warehouse: Warehouse, rebuilds: Timings, events: int) -> None:
        """The rows against the library's runner; raises ImportError without what the library needs besides."""
        self.tell("ProjectionRunner of the library")
        from bench import library_projection  # the library's recorder needs psycopg_pool

        best, folded = library_projection.measure(warehouse)
        against = "ProjectionRunner, fact_order alone"
        for (source, workers), rebuild in rebuilds.items():
            what = f"rebuild {source} of all read models, {_processes(workers)}"
            times = TIMES_THE_RUNNER if workers == 1 else None
            rate_row(self.report, what, events / rebuild.seconds, against, best, folded, times)
        note_rates(self.report, against, best, folded)

    def against_plain_sql(
        self, warehouse: Warehouse, extract: Path, rebuilds: Timings, of: str = "", only: str | None = None
    ) -> None:
        """The rows against plain SQL on the same files; raises NotMeasured where that makes other tables."""
        self.tell("COPY of the CSVs and plain SQL")
        best = plain_sql.measure(warehouse, extract, only)
        differing = plain_sql.differences(warehouse.url(), warehouse.url(plain_sql.DATABASE))
        warehouse.drop_database(plain_sql.DATABASE)
        if differing:
            raise NotMeasured(f"plain SQL and the read models differ in {', '.join(differing)}: not the same work")
        against = "COPY of the CSVs + SQL"
        for (source, workers), rebuild in rebuilds.items():
            what = f"rebuild {source}{of}, {_processes(workers)} (same tables, compared)"
            time_row(self.report, what, rebuild, against, best, _MOST_OF_PLAIN_SQL.get((source, workers)))
        note_seconds(self.report, against, best)
        self.report.notes.append(
            f"A rebuild makes besides what the baseline does not: the marts, {_seconds_of_marts(warehouse):.2f} s by "
            "themselves, and a check of the rows that stood there before."
        )

    def _make_segments(self, warehouse: Warehouse) -> None:
        self.tell("a rebuild that makes segments")
        seconds = _seconds(warehouse, FROM_SEGMENTS, PROCESSES)
        self.report.notes.append(f"The rebuild that made the segments, {_processes(PROCESSES)}: {seconds:.2f} s.")


def _seconds(warehouse: Warehouse, source: str, workers: int) -> float:
    with warehouse.setting(SEGMENTS, _SETTING[source]):
        return warehouse.timed("rebuild", "--workers", str(workers)).seconds


def _seconds_of_marts(warehouse: Warehouse) -> float:
    """Of making them on the live tables, by the program's own SQL; they are not kept."""
    with Database(warehouse.url()).connect(autocommit=True) as conn, conn.transaction(force_rollback=True):
        return timed(lambda: marts.create_marts(conn, "bench_mart", marts.live_schemas()))


def _processes(workers: int) -> str:
    return "1 process" if workers == 1 else f"{workers} processes"
