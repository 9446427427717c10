"""Writes the nine files, in spans that are independent of each other: any number of processes gives the same bytes.

Every row follows from the seed, the size of the extract and its own number, so nothing is kept in memory but the
rows of the span that is being written.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from replayhouse.ingest.synthetic.catalogue import category_rows
from replayhouse.ingest.synthetic.files import FILE_NAMES, HEADERS, money_cell, text_cell, time_cell
from replayhouse.ingest.synthetic.knowledge import as_known
from replayhouse.ingest.synthetic.orders import Market, Order
from replayhouse.ingest.synthetic.places import GROUP

_ORDERS_AT_ONCE = 100
"""So many orders have their second payments and reviews after all first ones: rows of an order need not be adjacent."""
_ORDERS_FOR_A_PROCESS = 2_000
"""A further process takes longer to start than so many orders to write."""
_SPANS_FOR_A_PROCESS = 4

_ORDER_FILES = ("customers", "orders", "order_items", "order_payments", "order_reviews")


Pools = Callable[[int], Executor]
"""Makes a pool of so many processes."""


def processes_worth(orders: int, workers: int) -> int:
    """How many of so many processes are of use for an extract."""
    return min(workers, -(-orders // _ORDERS_FOR_A_PROCESS))


def generate(
    directory: Path, orders: int, seed: int, until: datetime | None = None, workers: int = 1, pool: Pools | None = None
) -> dict[str, int]:
    """Writes an extract of so many orders into the directory, which is made, and returns the records of each file.

    The same seed, number of orders and `until` give the same bytes, whatever the number of `workers`, the processes of
    a pool that share a large extract; without a pool this one does everything. With `until`, a local time, the extract
    is as it would have looked then (R41): the orders placed by then, as far as they had come. Files of the same names
    are replaced, when all nine are written. Raises ValueError if `orders` or `workers` is below 1.
    """
    if orders < 1 or workers < 1:
        raise ValueError(f"An extract needs at least 1 order and 1 worker, not {orders} and {workers}.")
    with _folder(directory) as parts:
        rows = _write_files(parts, orders, seed, until, processes_worth(orders, workers), pool)
        for name in FILE_NAMES.values():
            (parts / name).replace(directory / name)
    return {file: rows[file] for file in FILE_NAMES}


@contextmanager
def _folder(directory: Path) -> Iterator[Path]:
    """A folder for what is not finished, inside the directory; where that is made in vain, it is removed again."""
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".parts-", dir=directory) as parts:
            yield Path(parts)
    except BaseException:
        if is_new:
            with suppress(OSError):  # something of it is there
                directory.rmdir()
        raise


def _write_files(
    parts: Path, orders: int, seed: int, until: datetime | None, processes: int, pool: Pools | None
) -> Counter[str]:
    """The nine files, whole, and how many records each holds."""
    rows: Counter[str] = Counter()
    spans = _spans(parts, orders, seed, until, processes * _SPANS_FOR_A_PROCESS)
    for counted in _written(spans, processes, pool):
        rows.update(counted)
    for file, name in FILE_NAMES.items():
        _join(parts / name, HEADERS[file], (span.part(file) for span in spans))
    return rows


@dataclass(frozen=True, slots=True)
class _Span:
    """One of so many parts of an extract, written by one process."""

    parts: Path
    orders: int
    seed: int
    until: datetime | None
    place: int
    places: int

    def part(self, file: str) -> Path:
        """Where this span's rows of a file are written."""
        return self.parts / f"{self.place:04d}-{file}"

    def share(self, count: int, step: int = 1) -> tuple[int, int]:
        """This span's share of so many things, from a multiple of the step to before another."""
        steps = -(-count // step)
        first, last = (steps * place // self.places * step for place in (self.place, self.place + 1))
        return first, min(last, count)


def _spans(parts: Path, orders: int, seed: int, until: datetime | None, count: int) -> list[_Span]:
    return [_Span(parts, orders, seed, until, place, count) for place in range(count)]


def _written(spans: list[_Span], processes: int, pool: Pools | None) -> Iterator[dict[str, int]]:
    if processes == 1 or pool is None:
        yield from map(_write_span, spans)
        return
    with pool(processes) as started:
        written = [started.submit(_write_span, span) for span in spans]
        try:
            for span in written:
                yield span.result()
        except BaseException:
            # By the thread of the executor, which may be telling just now that its processes were killed.
            started.shutdown(wait=False, cancel_futures=True)
            raise


def _join(target: Path, header: str, parts: Iterable[Path]) -> None:
    with target.open("wb") as whole:
        whole.write(f"{header}\n".encode())
        for part in parts:
            with part.open("rb") as rows:
                shutil.copyfileobj(rows, whole, 1 << 20)


def _write_span(span: _Span) -> dict[str, int]:
    market = Market(span.seed, span.orders)
    rows: Counter[str] = Counter()
    with ExitStack() as stack:
        files: dict[str, TextIO] = {
            file: stack.enter_context(span.part(file).open("w", encoding="utf-8", newline="")) for file in FILE_NAMES
        }
        _write_orders(span, market, files, rows)
        for group in market.places.samples(*span.share(len(market.places), GROUP)):
            _write(files, rows, "geolocation", group)
        _write(files, rows, "products", market.catalogue.product_rows(*span.share(market.catalogue.products)))
        _write(files, rows, "sellers", market.catalogue.seller_rows(*span.share(market.catalogue.sellers)))
        if span.place == 0:
            _write(files, rows, "categories", category_rows())
    return rows


def _write(files: dict[str, TextIO], counts: Counter[str], file: str, rows: Iterable[str]) -> None:
    for row in rows:
        files[file].write(row)
        counts[file] += 1


def _write_orders(span: _Span, market: Market, files: dict[str, TextIO], counts: Counter[str]) -> None:
    first, last = span.share(span.orders, _ORDERS_AT_ONCE)
    for start in range(first, last, _ORDERS_AT_ONCE):
        rows: dict[str, list[str]] = {file: [] for file in _ORDER_FILES}
        later: dict[str, list[str]] = {"order_payments": [], "order_reviews": []}
        for index in range(start, min(start + _ORDERS_AT_ONCE, last)):
            if span.until is None:
                _add(market.order(index), rows, later)
            elif market.placed_at(index) <= span.until:
                _add(as_known(market.order(index), span.until), rows, later)
        for file in _ORDER_FILES:
            together = rows[file] + later.get(file, [])
            files[file].write("".join(together))
            counts[file] += len(together)


def _add(order: Order, rows: dict[str, list[str]], later: dict[str, list[str]]) -> None:
    order_id, customer, journey = order.order_id, order.customer, order.journey
    alias, place = customer.alias, customer.place
    rows["customers"].append(
        f"{alias},{customer.person},{place.zip_prefix},{text_cell(customer.city)},{place.town.state}\n"
    )
    rows["orders"].append(
        f"{order_id},{alias},{order.status},{order.placed_at},{time_cell(journey.approved_at)},"
        f"{time_cell(journey.shipped_at)},{time_cell(journey.delivered_at)},{journey.promised_by}\n"
    )
    for line in order.lines:
        rows["order_items"].append(
            f"{order_id},{line.item_no},{line.product_id},{line.seller_id},{line.ship_by},"
            f"{money_cell(line.price)},{money_cell(line.freight)}\n"
        )
    for turn, payment in enumerate(order.payments):
        (later if turn else rows)["order_payments"].append(
            f"{order_id},{payment.payment_no},{payment.method},{payment.installments},{money_cell(payment.amount)}\n"
        )
    for turn, review in enumerate(order.reviews):
        (later if turn else rows)["order_reviews"].append(
            f"{review.review_id},{order_id},{review.score},{text_cell(review.title)},{text_cell(review.comment)},"
            f"{review.created_at},{review.answered_at}\n"
        )
