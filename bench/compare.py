"""`audit compare` of two read models that both stand, against the full outer join in SQL that counts what differs.

The two are the live one and one as of an earlier position, under a prefix: the log without its last hundredth. The
baseline joins each table with its counterpart once, by key, and counts the rows that differ; no columns, no examples.
Its counts must be those of the command, or there is no figure.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Table

from bench.timing import Best, NotMeasured, Timing, best_of, repeated, timed
from bench.warehouse import Finished, Warehouse
from replayhouse.projections.projection import columns_without_position
from replayhouse.projections.warehouse import PROJECTIONS

PREFIX = "bench_before"
SHARE = 100
"""The earlier read model lacks so many times fewer events than there are."""

SETTINGS = {
    "as the server is set": "",
    "64 MB of work_mem": "SET LOCAL work_mem = '64MB'",
    "256 MB of work_mem": "SET LOCAL work_mem = '256MB'",
    "256 MB of work_mem, no parallel workers": (
        "SET LOCAL work_mem = '256MB'; SET LOCAL max_parallel_workers_per_gather = 0"
    ),
}

_JOIN = sql.SQL("""
    SELECT count(*) FROM {old} AS a FULL JOIN {new} AS b ON {same_key}
    WHERE ({of_a}) IS DISTINCT FROM ({of_b})
""")


def prepare(warehouse: Warehouse) -> None:
    """Makes the earlier read model under its prefix, beside a live one that shows the whole log."""
    warehouse.run("project")
    head = int(warehouse.timed("status").document["position"])
    warehouse.run("rebuild", "--to-position", str(head - head // SHARE), "--into", PREFIX)
    with psycopg.connect(warehouse.url(), autocommit=True) as connection:
        for old, new, *_ in _tables():
            for table in (old, new):  # neither side pays for what a vacuum would do in its own time
                connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))


def compare(warehouse: Warehouse) -> tuple[Timing, Finished]:
    """Seconds of the command, and its last answer."""
    answers: list[Finished] = []

    def run() -> float:
        answers.append(once(warehouse))
        return answers[-1].seconds

    return repeated(run), answers[-1]


def once(warehouse: Warehouse) -> Finished:
    """One run of the command."""
    return warehouse.timed("audit", "compare", PREFIX, "live")


def differing(told: Finished) -> int:
    """Rows that the command found to differ, in all tables."""
    return sum(_of_table(table) for table in told.document["tables"].values())


def join(warehouse: Warehouse, told: Finished) -> Best:
    """The best case of the joins; raises NotMeasured if they count other rows than the command."""
    counts: dict[str, int] = {}
    settings: dict[str, Callable[[], float]] = {
        name: partial(_join, warehouse, setting, counts) for name, setting in SETTINGS.items()
    }
    best = best_of(settings)
    expected = {name: _of_table(table) for name, table in told.document["tables"].items()}
    if counts != expected:
        wrong = sorted(name for name in counts.keys() | expected.keys() if counts.get(name) != expected.get(name))
        raise NotMeasured(f"audit compare and the joins count other rows in {', '.join(wrong)}")
    return best


def _tables() -> Iterator[tuple[sql.Identifier, sql.Identifier, str, Table]]:
    """Every folded table: the earlier one, the live one, its context and declaration."""
    for context, projection in PROJECTIONS.items():
        for table in projection.tables:
            old, new = (sql.Identifier(schema, table.name) for schema in (f"{PREFIX}_{context}", context))
            yield old, new, context, table


def _of_table(table: Mapping[str, Any]) -> int:
    return int(table["added"]) + int(table["removed"]) + int(table["changed"])


def _join(warehouse: Warehouse, setting: str, counts: dict[str, int]) -> float:
    warehouse.settle()

    def run() -> None:
        with psycopg.connect(warehouse.url()) as connection:
            if setting:
                connection.execute(setting.encode())
            for old, new, context, table in _tables():
                names = columns_without_position(table)
                query = _JOIN.format(
                    old=old,
                    new=new,
                    same_key=sql.SQL(" AND ").join(
                        sql.SQL("a.{0} = b.{0}").format(sql.Identifier(key.name)) for key in table.primary_key.columns
                    ),
                    of_a=sql.SQL(", ").join(sql.Identifier("a", name) for name in names),
                    of_b=sql.SQL(", ").join(sql.Identifier("b", name) for name in names),
                )
                (counts[f"{context}.{table.name}"],) = connection.execute(query).fetchone() or (0,)

    return timed(run)
