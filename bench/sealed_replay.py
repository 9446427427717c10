"""`replay`, which folds a sealed log into Parquet without a database, beside `rebuild` of the same log in PostgreSQL.

Both in the same run, by one process and by several; the digests of what a replay withholds nothing of must agree. Peak
memory is sampled in runs of its own.
"""

from functools import partial
from pathlib import Path

from bench.report import Report, Row
from bench.timing import NotMeasured, Timing, repeated
from bench.warehouse import Warehouse

LARGEST_PEAK_BYTES = 500_000_000
"""Of the processes of a replay together, by one of them or two, whatever the size of the log."""


def measure(warehouse: Warehouse, folder: Path, processes: tuple[int, ...], report: Report) -> None:
    """Seals the log, and folds it both ways."""
    sealed, rows = folder / "sealed", folder / "rows"
    seal = warehouse.timed("log", "seal", sealed)
    report.notes.append(f"log seal of {seal.document['sealed']:,} events: {seal.seconds:.2f} s, {_megabytes(sealed)}.")
    for workers in processes:
        name = "1 process" if workers == 1 else f"{workers} processes"
        ours = repeated(partial(_replay, warehouse, sealed, rows, workers))
        theirs = repeated(partial(_rebuild, warehouse, workers))
        _, peak = warehouse.watched("replay", sealed, "--out", rows, "--force", "--workers", str(workers))
        report.rows.append(_row(name, ours, theirs))
        report.notes.append(
            f"replay of a sealed log, {name}: {ours}, {_megabytes(rows)}, peak memory {peak}; rebuild: {theirs}."
        )
        if peak.program > LARGEST_PEAK_BYTES:
            report.failures.append(
                f"replay, {name}: {peak} of memory, and at most {LARGEST_PEAK_BYTES:,} bytes are due"
            )
    _compare(warehouse, sealed, rows)


def _row(name: str, ours: Timing, theirs: Timing) -> Row:
    return Row(
        f"replay of the sealed log into Parquet, {name} (digests agree)",
        str(ours),
        f"rebuild, {name}: {theirs}",
        f"{ours.seconds / theirs.seconds:.2f} of its time",
        "at most 1",
        ours.seconds <= theirs.seconds,
    )


def _replay(warehouse: Warehouse, sealed: Path, rows: Path, workers: int) -> float:
    return warehouse.timed("replay", sealed, "--out", rows, "--force", "--workers", str(workers)).seconds


def _rebuild(warehouse: Warehouse, workers: int) -> float:
    return warehouse.timed("rebuild", "--workers", str(workers)).seconds


def _compare(warehouse: Warehouse, sealed: Path, rows: Path) -> None:
    """Raises NotMeasured where the digests are not those of the live tables."""
    keys = warehouse.url()
    found = warehouse.json("replay", sealed, "--out", rows, "--force", "--keys", keys)["contexts"]
    live = warehouse.json("digest")["contexts"]
    if differing := [context for context in live if found[context]["tables"] != live[context]["tables"]]:
        raise NotMeasured(f"replay and rebuild differ in {', '.join(differing)}: not the same work")


def _megabytes(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1_000_000:,.1f} MB of files"
