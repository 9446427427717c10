"""`export` beside what somebody would do by hand: psql's `COPY ... TO STDOUT (FORMAT csv)` of the same relations, and a
DuckDB file loaded from these files, without keys.

How quickly DuckDB reads the same tables again is noted: the digests recomputed from Parquet, and a scan of the CSV
files. Peak memory is sampled in a run of its own.
"""

import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import duckdb

from bench.report import Report, Row
from bench.timing import NotMeasured, repeated, timed
from bench.warehouse import Warehouse

LARGEST_PEAK_BYTES = 1_400_000_000
"""Of the program; DuckDB, which makes the keys, may take a thousand million of it."""

MOST = 3
"""So many times the time of the other way is not to be exceeded: the other hashes nothing, and makes no keys."""


def measure(warehouse: Warehouse, folder: Path, report: Report) -> None:
    """Exports the live tables, and does the same by hand."""
    folder.mkdir()
    relations = _relations(warehouse, folder / "first")
    ours = repeated(partial(_export, warehouse, folder / "export"))
    copies = repeated(partial(_copy, warehouse, folder / "csv", relations))
    loads = repeated(partial(_load, folder / "csv", relations))
    by_hand = copies.seconds + loads.seconds
    report.rows.append(
        Row(
            f"export of {len(relations)} tables as Parquet and DuckDB, with digests and keys",
            str(ours),
            f"COPY to CSV by psql and DuckDB from that: {by_hand:.2f} s",
            f"{ours.seconds / by_hand:.2f} times its time",
            f"at most {MOST}",
            ours.seconds <= MOST * by_hand,
        )
    )
    unchanged = warehouse.timed("export", folder / "export")
    if unchanged.document["status"] != "unchanged":
        raise NotMeasured("nothing has changed, and export has written")
    digests = warehouse.timed("digest", "--in", folder / "export")
    if digests.document["contexts"] != warehouse.json("digest")["contexts"]:
        raise NotMeasured("the digests of the export are not those of the live tables")
    _, peak = warehouse.watched("export", folder / "watched")
    parquet, duck = _sizes(folder / "export")
    report.notes.append(
        f"export: {ours}, {parquet:,.1f} MB of Parquet and {duck:,.1f} MB of DuckDB, peak memory {peak}; again without "
        f"a change {unchanged.seconds:.2f} s, digest --in {digests.seconds:.2f} s."
    )
    report.notes.append(
        f"By hand: COPY to CSV {copies}, {_size(folder / 'csv'):,.1f} MB; DuckDB from that {loads}. DuckDB scans "
        f"these in {_scan(folder / 'csv'):.2f} s, Parquet in {_scan(folder / 'export' / '.current'):.2f} s."
    )
    if peak.program > LARGEST_PEAK_BYTES:
        report.failures.append(f"export: {peak} of memory, and at most {LARGEST_PEAK_BYTES:,} bytes are due")


def _relations(warehouse: Warehouse, folder: Path) -> list[str]:
    """What an export has, each with its schema."""
    warehouse.run("export", folder)
    return sorted(f"{path.parent.name}.{path.stem}" for path in (folder / ".current").glob("*/*.parquet"))


def _export(warehouse: Warehouse, folder: Path) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    return warehouse.timed("export", folder).seconds


def _copy(warehouse: Warehouse, folder: Path, relations: list[str]) -> float:
    """All relations by one psql, each into a file of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    commands = [f"\\copy (SELECT * FROM {one}) TO '{folder / one}.csv' (FORMAT csv, HEADER)" for one in relations]
    words = [word for command in commands for word in ("-c", command)]
    warehouse.settle()
    begun = time.perf_counter()
    done = subprocess.run(
        warehouse.command("db", "psql", "-q", *words), env=warehouse.environment, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise NotMeasured(f"psql: {done.stderr.decode().strip()[-200:]}")
    return time.perf_counter() - begun


def _load(folder: Path, relations: list[str]) -> float:
    file = folder / "by-hand.duckdb"
    file.unlink(missing_ok=True)

    def load() -> None:
        with duckdb.connect(str(file)) as connection:
            for schema in {one.split(".")[0] for one in relations}:
                connection.execute(f"CREATE SCHEMA {schema}")
            for one in relations:
                connection.execute(f"CREATE TABLE {one} AS FROM {_readable(folder / f'{one}.csv')}")

    return timed(load)


def _readable(file: Path) -> str:
    """A file as DuckDB reads it. What psql quoted is said, for it may stand below all that is looked at to find out."""
    if file.suffix == ".csv":
        return f"read_csv('{file}', header = true, delim = ',', quote = '\"', escape = '\"')"
    return f"'{file}'"


def _scan(folder: Path) -> float:
    """DuckDB reading every value of every file."""
    files = sorted([*folder.glob("*.csv"), *folder.glob("*/*.parquet")])

    def scan() -> None:
        with duckdb.connect() as connection:
            for file in files:
                connection.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {_readable(file)} AS t").fetchall()

    return timed(scan)


def _sizes(folder: Path) -> tuple[float, float]:
    parquet = sum(path.stat().st_size for path in (folder / ".current").glob("*/*.parquet"))
    return parquet / 1e6, (folder / "warehouse.duckdb").stat().st_size / 1e6


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.glob("*.csv")) / 1e6
