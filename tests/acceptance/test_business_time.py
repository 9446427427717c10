"""`rebuild --occurred-before`: held against what the extracts say, by rules of its own and by extracts of that day.

An extract as of a day (R41) and the log as of that day differ where the extract's times are out of order or missing:
the extract shows a step once all steps before it have happened, and an end without a time from the promised date on; an
event counts from its own time on, or without one from the latest time known before it.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import duckdb
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.ingest.synthetic import generate
from tests.oracle.expected import differences, expected, rows
from tests.support.in_process import Warehouse

ORDERS, SEED = 400, 11
ENDED = ("canceled", "unavailable")
OF_THE_LOADS = ("quality.batch_file", "customer.segment_history")
READ_ORDERS = (
    "SELECT order_id, customer_alias, status, placed_at, approved_at, carrier_at, delivered_at FROM reading.orders"
)


class Order(NamedTuple):
    """An order's row of the whole extract."""

    order_id: UUID
    alias: UUID
    status: str
    placed_at: datetime
    approved_at: datetime | None
    carrier_at: datetime | None
    delivered_at: datetime | None

    @property
    def is_plain(self) -> bool:
        """Whether its times are in order, and its last step has one."""
        times = [at for at in (self.placed_at, self.approved_at, self.carrier_at, self.delivered_at) if at is not None]
        last = {"created": self.placed_at, "shipped": self.carrier_at, "delivered": self.delivered_at}
        untimed = self.status in ENDED or last.get(self.status, self.approved_at) is None
        return times == sorted(times) and not untimed

    def shown_at(self, before: datetime) -> tuple[Any, ...] | None:
        """Status, approval, dispatch and completion by the events that had occurred; None if it was not placed."""
        if self.placed_at >= before:
            return None
        status, latest = "created", self.placed_at
        shown: dict[str, datetime | None] = {"approved": None, "shipped": None, "delivered": None}
        for step, at in self._steps():
            occurred_at = at or latest
            latest = max(latest, occurred_at)
            if occurred_at < before:
                status, shown[step] = step, at
        shipped = shown["shipped"] if status in ("shipped", "delivered", *ENDED) else None
        return status, shown["approved"], shipped, shown["delivered"] if status == "delivered" else None

    def _steps(self) -> Iterator[tuple[str, datetime | None]]:
        if self.status != "created" and (self.approved_at or self.status not in ENDED):
            yield "approved", self.approved_at
        if self.status in ("invoiced", "processing"):
            yield self.status, None
        if self.status in ("shipped", "delivered") or (self.status in ENDED and self.carrier_at):
            yield "shipped", self.carrier_at
        if self.status == "delivered":
            yield "delivered", self.delivered_at
        if self.status in ENDED:
            yield self.status, None


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def placed_last_before(oracle: duckdb.DuckDBPyConnection, day: date) -> date:
    """A day on which an order was placed: a load of an extract of that day evaluates as of it."""
    [(at,)] = oracle.execute("SELECT max(placed_at) FROM reading.orders WHERE placed_at < ?", [day]).fetchall()
    return at.date()  # type: ignore[no-any-return]  # DuckDB does not say what it returns


def test_the_past_is_what_the_extracts_of_that_day_show(warehouse: Warehouse, tmp_path: Path) -> None:
    generate(tmp_path / "whole", ORDERS, SEED)
    warehouse.ingest(tmp_path / "whole")
    with expected(tmp_path / "whole") as whole:
        orders = [Order(*row) for row in whole.execute(READ_ORDERS).fetchall()]
        people = dict(whole.execute("SELECT customer_alias, customer_id FROM reading.customers").fetchall())
        days = [placed_last_before(whole, day) for day in (date(2017, 11, 25), date(2018, 5, 2))]
    excused = {order.order_id for order in orders if not order.is_plain}
    excused |= {people[order.alias] for order in orders if not order.is_plain and order.alias in people}
    assert 0 < len([order for order in orders if not order.is_plain]) < ORDERS / 4

    for day in days:
        warehouse.json("rebuild", "--occurred-before", str(day), "--into", "then")
        generate(tmp_path / str(day), ORDERS, SEED, until=datetime.combine(day, time(23, 59, 59)))
        with expected(tmp_path / str(day)) as oracle:
            found = differences(oracle, lambda table, names: warehouse.table(f"then_{table}", names), OF_THE_LOADS)
            assert len(rows(oracle, "sales.fact_order")) > 50
        unexplained = {
            table: [row for row in (*one.missing, *one.unexpected) if excused.isdisjoint(row)]
            for table, one in found.items()
        }
        assert not any(unexplained.values()), unexplained
        assert not warehouse.rows("SELECT * FROM then_customer.segment_history")
        assert not warehouse.rows("SELECT * FROM then_quality.batch")

        before = datetime.combine(day, time.max)
        shown = {
            row[0]: row[1:]
            for row in warehouse.rows(
                "SELECT order_id, status, approved_at, shipped_at, completed_at FROM then_sales.fact_order"
            )
        }
        assert shown == {o.order_id: told for o in orders if (told := o.shown_at(before)) is not None}


def test_limits_are_applied_one_after_the_other(warehouse: Warehouse, tmp_path: Path) -> None:
    """What a load brought that was taken back later had happened, and is not seen; before that position, it is."""
    for name, day in (("first", date(2017, 12, 1)), ("second", date(2018, 10, 17))):
        generate(tmp_path / name, 60, 5, until=datetime.combine(day, time(23, 59, 59)))
        position = warehouse.ingest(tmp_path / name)["position"]
    batch = warehouse.rows("SELECT batch_id FROM quality.batch ORDER BY opened_at DESC LIMIT 1")[0][0]
    warehouse.json("retract", str(batch), "--reason", "taken back")

    def orders(*limits: str) -> int:
        told = warehouse.json("rebuild", "sales", *limits, "--into", "then")
        return int(told["contexts"]["sales"]["tables"]["fact_order"]["rows"])

    spring = ["--occurred-before", "2018-05-01T12:00"]
    first = orders("--occurred-before", "2017-12-01")
    assert orders(*spring) == orders() == first
    assert first < orders("--to-position", str(position), *spring) < orders("--to-position", str(position))
