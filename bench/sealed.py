"""`log seal`, which writes the log as sorted, compressed, verified Parquet, against copying its events into files.

The baseline is a binary COPY of all events to files, as the tables lie or sorted by stream, on one connection or two;
the quickest counts. `log verify` stands beside `audit verify`.
"""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from bench.lanes import Lane, side_by_side
from bench.memory import Peak
from bench.raw_copy import LANES
from bench.timing import Best, Timing, best_of, repeated, timed
from bench.warehouse import Warehouse

_TAKE_OUT = {
    "as the tables lie": sql.SQL("COPY event_store.{} TO STDOUT (FORMAT binary)"),
    "sorted by stream": sql.SQL(
        "COPY (SELECT * FROM event_store.{} ORDER BY originator_id, originator_version) TO STDOUT (FORMAT binary)"
    ),
}


def seal(warehouse: Warehouse, folder: Path) -> Timing:
    """Seconds of the command, from its start to its end, into an empty folder."""
    return repeated(partial(_seal, warehouse, folder))


def verify(warehouse: Warehouse, folder: Path) -> Timing:
    """Seconds of the command, from the files alone."""
    return repeated(lambda: warehouse.timed("log", "verify", folder).seconds)


def peaks(warehouse: Warehouse, folder: Path) -> tuple[Peak, Peak]:
    """The most memory that sealing, and verifying, took at one moment."""
    shutil.rmtree(folder, ignore_errors=True)
    return warehouse.watched("log", "seal", folder)[1], warehouse.watched("log", "verify", folder)[1]


def size_of(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copy(warehouse: Warehouse, folder: Path) -> Best:
    """The best case of copying every event into a file."""
    folder.mkdir()
    settings: dict[str, Callable[[], float]] = {
        f"{order}, {name}": partial(_copy, warehouse, [_lane(folder, query, contexts) for contexts in lanes])
        for order, query in _TAKE_OUT.items()
        for name, lanes in LANES.items()
    }
    try:
        return best_of(settings)
    finally:
        shutil.rmtree(folder)


def _seal(warehouse: Warehouse, folder: Path) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    return warehouse.timed("log", "seal", folder).seconds


def _copy(warehouse: Warehouse, lanes: Sequence[Lane]) -> float:
    warehouse.settle()
    return timed(lambda: side_by_side(warehouse.url(), lanes))


def _lane(folder: Path, query: sql.SQL, contexts: Sequence[str]) -> Lane:
    def take_out(connection: psycopg.Connection) -> None:
        with connection.cursor() as cursor:
            for context in contexts:
                events = query.format(sql.Identifier(f"{context}_events"))
                with (folder / context).open("wb") as target, cursor.copy(events) as rows:
                    for row in rows:
                        target.write(row)

    return take_out
