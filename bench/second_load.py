"""Loading again: the very same extract, and the extract of the next day."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg

from bench.timing import Timing, repeated
from bench.warehouse import Finished, Warehouse

DAY = date(2018, 8, 20)
"""The evening of the first of two extracts in a row; most orders are placed by then."""


@dataclass(frozen=True)
class NextDay:
    """The load of one evening, and that of the next one, read models and all; seconds to make all marts after each."""

    first: Finished
    second: Finished
    marts: tuple[float, float]


def same_again(warehouse: Warehouse, extract: Path) -> Timing:
    """Seconds to find out that nothing in an extract is new."""
    return repeated(lambda: warehouse.timed("ingest", extract, "--no-project").seconds)


def next_day(warehouse: Warehouse, scratch: Path, orders: int, seed: int) -> NextDay:
    """Loads the extracts of two evenings in a row into an empty warehouse."""
    loads, marts = [], []
    for day in (DAY, DAY + timedelta(days=1)):
        extract = scratch / f"extract-{day}"
        options = ("--orders", str(orders), "--seed", str(seed), "--until", str(day))
        warehouse.run("generate", extract, *options)
        loads.append(warehouse.timed("ingest", extract))
        marts.append(_marts(warehouse))
    return NextDay(loads[0], loads[1], (marts[0], marts[1]))


def _marts(warehouse: Warehouse) -> float:
    """Seconds of a command that makes all marts, and nothing else: it finds them to be of another definition."""
    with psycopg.connect(warehouse.url(), autocommit=True) as connection:
        connection.execute("UPDATE read_model.mart SET definition = ''")
    return warehouse.timed("project").seconds
