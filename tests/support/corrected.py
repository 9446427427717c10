"""The site after one more load, which corrects a price and a comment: what was shown before, and what was changed."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fastapi.testclient import TestClient

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.ingest.synthetic import generate
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.web import asking

SAVED = ("/", "/?period=all")
LOAD = "corrected"
SECRET = "moro na rua das flores"
_ITEMS = "olist_order_items_dataset.csv"


@dataclass(frozen=True)
class Corrected:
    """The site and its warehouse; `saved` are pages as they were before the load, when the log ended at `before`.

    `order` had a line with the price `was`, which is `now` another; it stands at `line` of the extract. The
    comment of `review` is SECRET now.
    """

    client: TestClient
    warehouse: Warehouse
    before: int
    after: int
    saved: dict[str, str]
    order: str
    was: Decimal
    now: Decimal
    line: int
    review: str


@contextmanager
def corrected(server: EmbeddedServer, loaded: Warehouse, folder: Path, orders: int, seed: int) -> Iterator[Corrected]:
    """Loads the newest extract once more, with another price of an order delivered long ago, and another comment."""
    extract = folder / LOAD
    generate(extract, orders, seed, None, 1)
    order, line, was = _first_delivered(extract)
    now = was + 100
    _write_price(extract / _ITEMS, line, now)
    review = _write_comment(extract / "olist_order_reviews_dataset.csv")
    with copied(server, Database(loaded.database.url)) as database, asking(database, folder / "home") as client:
        warehouse = Warehouse(database, folder / "home")
        before = warehouse.json("status")["position"]
        saved = {path: client.get(path).text for path in SAVED}
        told = warehouse.json("ingest", extract, "--answers")
        assert told["status"] == "completed", told
        after = warehouse.json("status")["position"]
        yield Corrected(client, warehouse, before, after, saved, order, was, now, line, review)


def _first_delivered(extract: Path) -> tuple[str, int, Decimal]:
    """The order of the first line in the file that was delivered in 2017, that line's number, and its price."""
    with (extract / "olist_orders_dataset.csv").open(encoding="utf-8", newline="") as file:
        orders = {row["order_id"]: row for row in csv.DictReader(file)}
    with (extract / _ITEMS).open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            order = orders[row["order_id"]]
            if order["order_status"] == "delivered" and order["order_purchase_timestamp"].startswith("2017"):
                return row["order_id"], number, Decimal(row["price"])
    raise AssertionError("there is no order of 2017 that was delivered")


def _write_price(path: Path, line: int, price: Decimal) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    cells = lines[line - 1].split(",")
    cells[5] = str(price)
    lines[line - 1] = ",".join(cells)
    path.write_text("\n".join(lines), encoding="utf-8", newline="")


def _write_comment(path: Path) -> str:
    """Gives the first review another comment; returns its id."""
    with path.open(encoding="utf-8", newline="") as file:
        header, first, *others = csv.reader(file)
    first[header.index("review_comment_message")] = SECRET
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, first, *others])
    return first[0]
