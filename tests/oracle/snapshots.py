"""An extract as it would have looked at the end of an earlier day (R41), made from a later one.

Orders that are quarantined (R4) cannot be placed in time and are in no snapshot. All cells that are shown are copied as
they are; every cell is quoted, which says nothing (R2).
"""

import csv
import shutil
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple

import duckdb

from tests.oracle.expected import FILES

Record = dict[str, str]

_KNOWN_FROM_THE_START = ("products", "sellers", "geolocation", "categories")

# How far an order has gone. Only a canceled one may have been delivered before.
_RANKS = {
    "created": 0,
    "approved": 1,
    "invoiced": 2,
    "processing": 2,
    "shipped": 3,
    "delivered": 4,
    "canceled": 5,
    "unavailable": 5,
}


class Order(NamedTuple):
    """What the whole extract says of an order: its last status and the times of its steps."""

    status: str
    placed_at: datetime
    approved_at: datetime | None
    carrier_at: datetime | None
    delivered_at: datetime | None
    promised_by: datetime


def snapshot(extract: Path, oracle: duckdb.DuckDBPyConnection, day: date, into: Path) -> Path:
    """Writes the extract as of the end of `day` into the folder, which is made, and returns the folder.

    `oracle` is that of the whole extract: it says which orders are good and how their times read.
    """
    as_of = datetime.combine(day, time(23, 59, 59))
    orders = {
        record: (order_id.hex, alias.hex, Order(*facts))
        for record, order_id, alias, *facts in oracle.execute(
            "SELECT * FROM reading.orders WHERE placed_at <= ?", [as_of]
        ).fetchall()
    }
    order_ids = {order_id for order_id, _, _ in orders.values()}
    aliases = {alias for _, alias, _ in orders.values()}

    def order_as_known(number: int, record: Record) -> Record | None:
        return as_known(record, orders[number][2], as_of) if number in orders else None

    def of_a_person(_: int, record: Record) -> Record | None:
        return record if record["customer_id"].lower() in aliases else None

    def of_an_order(_: int, record: Record) -> Record | None:
        return record if record["order_id"].lower() in order_ids else None

    def answered(number: int, record: Record) -> Record | None:
        return of_an_order(number, record) if "" < record["review_answer_timestamp"] <= str(as_of) else None

    into.mkdir(parents=True)
    for file in _KNOWN_FROM_THE_START:
        shutil.copyfile(extract / FILES[file], into / FILES[file])
    _copy(extract, into, "orders", order_as_known)
    _copy(extract, into, "customers", of_a_person)
    _copy(extract, into, "order_items", of_an_order)
    _copy(extract, into, "order_payments", of_an_order)
    _copy(extract, into, "order_reviews", answered)
    return into


def as_known(record: Record, order: Order, as_of: datetime) -> Record:
    """An order's record as it would have looked: the highest step then known, and no later times.

    A step is known once it and all steps before it have happened. A last status without a time of its own is known from
    the approval on if it comes before dispatch, else from the promised date or the last time, whichever is later.
    """
    approved = max(order.placed_at, order.approved_at or order.placed_at)
    dispatched = max(approved, order.carrier_at or approved)
    delivered = max(dispatched, order.delivered_at or dispatched)
    steps = [("created", order.placed_at)]
    if order.approved_at:
        steps.append(("approved", approved))
    if order.carrier_at:
        steps.append(("shipped", dispatched))
    if order.delivered_at:
        steps.append(("delivered", delivered))
    if order.status not in dict(steps):
        steps.append((order.status, approved if _RANKS[order.status] <= 2 else max(delivered, order.promised_by)))
    last_rank = _RANKS[order.status]
    known = [status for status, since in steps if since <= as_of and _RANKS[status] <= last_rank]
    shown = record | {"order_status": max(known, key=lambda status: _RANKS[status])}
    if approved > as_of:
        shown["order_approved_at"] = ""
    if dispatched > as_of:
        shown["order_delivered_carrier_date"] = ""
    if delivered > as_of:
        shown["order_delivered_customer_date"] = ""
    return shown


def _copy(extract: Path, into: Path, file: str, shown: Callable[[int, Record], Record | None]) -> None:
    with (
        (extract / FILES[file]).open(encoding="utf-8-sig", newline="") as source,
        (into / FILES[file]).open("w", encoding="utf-8", newline="") as target,
    ):
        records = csv.reader(source, strict=True)
        header = next(records)
        writer = csv.DictWriter(target, header, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        whole = (dict(zip(header, cells, strict=True)) for cells in records if len(cells) == len(header))
        for number, record in enumerate(whole):
            if (row := shown(number, record)) is not None:
                writer.writerow(row)
