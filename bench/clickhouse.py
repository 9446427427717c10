"""Filling ClickHouse from the log, beside what ClickHouse itself takes to insert the same rows, given as Arrow.

By its engine without a server (chDB), which stands in the environment of the engines: `.venv-engines/bin/python -m
bench --only clickhouse`.
"""

import shutil
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pyarrow as pa

from bench.memory import MEGABYTE
from bench.report import Report, Row
from bench.timing import NotMeasured, Timing, repeated, timed
from bench.warehouse import Warehouse
from replayhouse.infra.clickhouse import tables
from replayhouse.infra.clickhouse.server import connected
from replayhouse.infra.read_models import arrow
from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings
from replayhouse.projections.warehouse import PROJECTIONS

MOST_OF_A_REBUILD = 2.0

_URL = "REPLAYHOUSE_CLICKHOUSE_URL"


def measure(warehouse: Warehouse, folder: Path, report: Report) -> None:
    """By one process each, for the engine is in one alone: filling, rebuilding in PostgreSQL, inserting Arrow."""
    if find_spec("chdb") is None:
        raise NotMeasured("the engine chdb is not installed: use .venv-engines/bin/python (make test-engines)")
    folder.mkdir()
    rebuilt = repeated(lambda: warehouse.timed("rebuild", "--workers", "1").seconds)
    with warehouse.setting(_URL, f"chdb://{folder / 'ours'}"):
        filled = repeated(lambda: warehouse.timed("rebuild", "--to", "clickhouse").seconds)
        again, peak = warehouse.watched("rebuild", "--to", "clickhouse")
        in_clickhouse = warehouse.json("digest", "--in", "clickhouse")["contexts"]
    live = warehouse.json("digest")["contexts"]
    if any(in_clickhouse[context]["tables"] != live[context]["tables"] for context in PROJECTIONS):
        raise NotMeasured("ClickHouse and PostgreSQL have other digests: not the same work")
    rows, inserted = _inserted(warehouse, folder)
    shutil.rmtree(folder)
    report.rows.append(
        Row(
            "rebuild --to clickhouse (digests agree)",
            str(filled),
            f"rebuild in PostgreSQL, 1 process: {rebuilt}",
            f"{filled.seconds / rebuilt.seconds:.2f} times its time",
            f"at most {MOST_OF_A_REBUILD}",
            filled.seconds <= MOST_OF_A_REBUILD * rebuilt.seconds,
        )
    )
    events = sum(of["events"] for of in again.document["contexts"].values())
    report.notes.append(
        f"ClickHouse: {events:,} events folded into {rows:,} rows, with the start of the engine, in {filled}; of that, "
        f"inserting the same rows as Arrow takes ClickHouse {inserted}. Peak memory of the process, engine and all: "
        f"{peak.program / MEGABYTE:,.0f} MB."
    )


def _inserted(warehouse: Warehouse, folder: Path) -> tuple[int, Timing]:
    """How many rows the folded tables have, and what their insertion takes where they are ready in memory."""
    with psycopg.connect(warehouse.url(), autocommit=True) as conn:
        ready = {t: arrow.read(conn, f"{t.schema}.{t.name}") for p in PROJECTIONS.values() for t in p.tables}
    settings = load_clickhouse_settings(url=f"chdb://{folder / 'theirs'}")
    with connected(settings) as server:

        def insert(number: int) -> None:
            for table, rows in ready.items():
                name = tables.rows_of(table) + f"_{number}"
                server._client.insert_arrow(name, _versioned(rows), database=server.database)  # as it stands

        numbers = iter(range(100))

        def run() -> float:
            number = next(numbers)
            for table in ready:
                tables.create(server, table, suffix=f"_{number}")
            return timed(partial(insert, number))

        return sum(rows.num_rows for rows in ready.values()), repeated(run)


def _versioned(rows: pa.Table) -> pa.Table:
    ones = pa.array([1] * rows.num_rows, pa.uint64())
    zeros = pa.array([0] * rows.num_rows, pa.uint8())
    return rows.append_column(tables.VERSION, ones).append_column(tables.DELETED, zeros)
