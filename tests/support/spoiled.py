"""An extract whose records pass, and are poor: an export that lost columns on its way."""

import csv
from collections.abc import Callable
from pathlib import Path

from tests.oracle.expected import FILES

Record = dict[str, str]


def spoil(extract: Path) -> None:
    """Times of orders, what products are, and prices are gone: the extract is loaded, and scores far below the goal."""
    gone = ("order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date")
    _each(extract / FILES["orders"], lambda _: dict.fromkeys(gone, ""))
    _each(extract / FILES["products"], lambda record: {name: "" for name in record if name != "product_id"})
    nothing = {"price": "0.00", "seller_id": "f" * 32, "product_id": "e" * 32}
    _each(extract / FILES["order_items"], lambda _: nothing)


def _each(path: Path, changed: Callable[[Record], Record]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        records = [record | changed(record) for record in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, records[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
