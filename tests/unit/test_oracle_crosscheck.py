"""Whether plain Python, written row by row, agrees with the oracle's SQL on whole extracts.

The extracts are a random one, full of ties and of times out of order, and the real sample where it is at hand.
"""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import pytest

from tests.oracle.expected import FILES, Row, expected, rows
from tests.oracle.lines import NOBODY, a_customer, a_payment, an_id, an_item, an_order, line, write_extract
from tests.support.the_sample import SAMPLE

CENT = Decimal("0.01")
STATUSES = ("created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable")
WITHOUT_DISPATCH = ("created", "approved", "invoiced", "processing")

AMOUNTS = ("0.00", "0.01", "150", "33.3", "200.00")

Record = dict[str, str]


@pytest.fixture(params=["random", "sample"])
def extract(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A random extract, and the sample; another random one where there is no sample."""
    if request.param == "sample" and SAMPLE.is_dir():
        return SAMPLE
    return a_random_extract(tmp_path, random.Random(request.param))


def a_random_extract(folder: Path, chance: random.Random) -> Path:
    """399 orders of 59 persons: many ties, times in any order, and missing customers, sellers and times."""
    lines: dict[str, list[str]] = {
        "customers": [
            a_customer(100 + number, chance.randrange(1, 60), str(chance.randrange(2)), chance.choice("ab"), "BA")
            for number in range(1, 420)
            if number % 10
        ],
        "orders": [],
        "order_items": [],
        "order_payments": [],
        "sellers": [line(an_id(number), number, "Itú", chance.choice(("SP", "??"))) for number in range(50, 54)],
        "geolocation": [a_sample(chance) for _ in range(300)],
    }
    for number in range(1, 400):
        status = chance.choice((*STATUSES, *["delivered"] * 8))
        approved, carrier, delivered = (chance.choice((a_time(chance), a_time(chance), "")) for _ in range(3))
        times = {"approved": approved, "carrier": carrier, "delivered": delivered}
        promised = a_time(chance)[:10] + " 00:00:00"
        lines["orders"].append(an_order(number, status, a_time(chance), promised=promised, **times))
        for item_no in chance.sample(range(1, 9), chance.randrange(4)):
            price, freight = chance.choices(AMOUNTS, k=2)
            lines["order_items"].append(an_item(number, item_no, price, freight, chance.randrange(50, 55)))
        for payment_no in chance.sample(range(1, 9), chance.randrange(4)):
            method, installments = chance.choice(("boleto", "voucher")), chance.randrange(12)
            lines["order_payments"].append(a_payment(number, payment_no, chance.choice(AMOUNTS), method, installments))
    return write_extract(folder, lines)


def a_time(chance: random.Random) -> str:
    """One of few times of day, so that durations often fall on half a hundredth of a day."""
    return str(datetime(2017, 1, 1) + timedelta(chance.randrange(260), seconds=chance.choice((0, 432, 1296, 7))))


def a_sample(chance: random.Random) -> str:
    latitude = chance.choice((-23.1, -22.75, -1.1e-5, 5.28, 5.3))
    city, state = chance.choice((("x", "SP"), ("é", "RJ"), ("Z", "??")))
    return line(f"{chance.randrange(30):05}", latitude, -chance.randrange(20, 80), city, state)


def records(extract: Path, file: str) -> list[Record]:
    with (extract / FILES[file]).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def grouped(found: list[Record], key: str) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in found:
        groups[record[key]].append(record)
    return groups


def time_of(cell: str) -> datetime | None:
    return datetime.fromisoformat(cell) if cell else None


def money(found: list[Record], *cells: str) -> Decimal:
    return sum((Decimal(record[cell]) for record in found for cell in cells), Decimal("0.00")).quantize(CENT)


def days(start: datetime, end: datetime | None) -> Decimal | None:
    if end is None:
        return None
    # Adding zero turns -0.00, which a numeric column cannot hold, into 0.00.
    return (Decimal((end - start) // timedelta(seconds=1)) / 86400).quantize(CENT, ROUND_HALF_UP) + 0


def orders_in_python(extract: Path) -> Iterator[Row]:
    person_of = {record["customer_id"]: record["customer_unique_id"] for record in records(extract, "customers")}
    items = grouped(records(extract, "order_items"), "order_id")
    payments = grouped(records(extract, "order_payments"), "order_id")
    for order in records(extract, "orders"):
        lines, paid_by = items[order["order_id"]], payments[order["order_id"]]
        largest = sorted(paid_by, key=lambda one: (-Decimal(one["payment_value"]), int(one["payment_sequential"])))
        total, paid = money(lines, "price", "freight_value"), money(paid_by, "payment_value")
        yield (
            UUID(order["order_id"]),
            UUID(person_of.get(order["customer_id"], NOBODY.hex)),
            len(lines),
            len({one["seller_id"] for one in lines}),
            money(lines, "price"),
            total,
            paid,
            len(paid_by),
            max((int(one["payment_installments"]) for one in paid_by), default=None),
            largest[0]["payment_type"] if largest else "unknown",
            paid >= max(total, CENT),
        )


def deliveries_in_python(extract: Path) -> Iterator[Row]:
    zip_of_alias = {one["customer_id"]: one["customer_zip_code_prefix"] for one in records(extract, "customers")}
    zip_of_seller = {one["seller_id"]: one["seller_zip_code_prefix"] for one in records(extract, "sellers")}
    items = grouped(records(extract, "order_items"), "order_id")
    for order in records(extract, "orders"):
        status = order["order_status"]
        placed, promised = (
            datetime.fromisoformat(order[cell])
            for cell in ("order_purchase_timestamp", "order_estimated_delivery_date")
        )
        carrier = None if status in WITHOUT_DISPATCH else time_of(order["order_delivered_carrier_date"])
        delivered = time_of(order["order_delivered_customer_date"]) if status == "delivered" else None
        shown = "canceled" if status in ("canceled", "unavailable") else "planned"
        if carrier or status == "shipped":
            shown = "dispatched"
        if status == "delivered":
            shown = "delivered"
        late = max(0, (delivered.date() - promised.date()).days) if delivered else None
        first = min(items[order["order_id"]], key=lambda one: int(one["order_item_id"]), default={"seller_id": ""})
        yield (
            UUID(order["order_id"]),
            shown,
            days(placed, carrier),
            days(placed, delivered),
            late,
            None if late is None else late > 0,
            delivered > promised if delivered else None,
            zip_of_alias.get(order["customer_id"], "unknown").rjust(5, "0"),
            zip_of_seller.get(first["seller_id"], "unknown").rjust(5, "0"),
        )


def areas_in_python(extract: Path) -> Iterator[Row]:
    yield ("unknown", "unknown", "unknown", None, None, 0)
    for prefix, found in grouped(records(extract, "geolocation"), "geolocation_zip_code_prefix").items():
        points = [(float(one["geolocation_lat"]), float(one["geolocation_lng"]), one) for one in found]
        inside = [point for point in points if -33.76 <= point[0] <= 5.28 and -74.0 <= point[1] <= -28.84]
        if inside:
            yield (
                prefix,
                commonest(one["geolocation_city"] for _, _, one in inside),
                commonest(one["geolocation_state"] for _, _, one in inside),
                median(latitude for latitude, _, _ in inside),
                median(longitude for _, longitude, _ in inside),
                len(inside),
            )


def commonest(texts: Iterable[str]) -> str:
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], text))


def persons_in_python(extract: Path) -> Iterator[Row]:
    orders = records(extract, "orders")
    order_of = {order["customer_id"]: order for order in orders}
    items = grouped(records(extract, "order_items"), "order_id")
    today = datetime.fromisoformat(max(order["order_purchase_timestamp"] for order in orders)).date()
    for person, aliases in grouped(records(extract, "customers"), "customer_unique_id").items():
        history: list[tuple[str, ...]] = []
        bought: list[tuple[datetime, Decimal]] = []
        placed = {one["customer_id"]: order_of.get(one["customer_id"], {}) for one in aliases}
        for alias in sorted(
            aliases,
            key=lambda one: (placed[one["customer_id"]].get("order_purchase_timestamp", ""), one["customer_id"]),
        ):
            order = placed[alias["customer_id"]]
            address = (alias["customer_zip_code_prefix"].rjust(5, "0"), alias["customer_city"], alias["customer_state"])
            if history[-1:] != [address]:
                history.append(address)
            if order.get("order_status") == "delivered":
                amount = money(items[order["order_id"]], "price", "freight_value")
                bought.append((datetime.fromisoformat(order["order_purchase_timestamp"]), amount))
        spent = sum((amount for _, amount in bought), Decimal("0.00"))
        first, last = (bought[0][0], bought[-1][0]) if bought else (None, None)
        segment = "VIP" if spent > 1000 else "LOYAL"
        if len(bought) <= 5:
            segment = ("NEW", "ONE_TIME", *["REGULAR"] * 4)[len(bought)]
        if last and (today - last.date()).days > 180:
            segment = "CHURNED"
        average = (spent / len(bought)).quantize(CENT, ROUND_HALF_UP) if bought else None
        yield (
            UUID(person),
            *history[-1],
            len(history),
            len(aliases),
            len(bought),
            spent,
            average,
            first,
            last,
            segment,
        )


def persons_in_sql(extract: Path) -> list[Row]:
    oracle = expected(extract)
    addresses = Counter(person for (person,) in rows(oracle, "customer.address_history", ("customer_id",)))
    names = (
        *("customer_id", "zip_prefix", "city", "state", "alias_count", "orders", "spent", "average_order"),
        *("first_purchase_at", "last_purchase_at", "segment"),
    )
    return [
        (*row[:4], addresses[row[0]], *row[4:])
        for row in rows(oracle, "customer.dim_customer", names)
        if row[0] != NOBODY
    ]


def agree(first: Any, second: Any) -> None:
    assert sorted(map(repr, first)) == sorted(map(repr, second))


@pytest.mark.parametrize(
    ("in_python", "table", "names"),
    [
        (
            orders_in_python,
            "sales.fact_order",
            "order_id customer_id item_count seller_count price total paid payment_count max_installments"
            " payment_method is_paid",
        ),
        (
            deliveries_in_python,
            "fulfillment.fact_delivery",
            "order_id status days_to_dispatch days_to_deliver days_late is_late is_past_estimate destination_zip"
            " origin_zip",
        ),
        (areas_in_python, "fulfillment.dim_geography", "zip_prefix city state latitude longitude samples"),
    ],
)
def test_plain_python_agrees_with_the_oracle(
    extract: Path, in_python: Callable[[Path], Iterator[Row]], table: str, names: str
) -> None:
    agree(in_python(extract), rows(expected(extract), table, names.split()))


def test_plain_python_agrees_with_the_oracle_on_persons(extract: Path) -> None:
    agree(persons_in_python(extract), persons_in_sql(extract))
