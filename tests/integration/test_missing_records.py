"""What an extract lacks that holds everything: exactly what earlier ones had, the log knows, and it does not show."""

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.infra.staging.expected import OF_OLIST
from replayhouse.infra.staging.files import FILES
from replayhouse.infra.staging.staging import Staged
from tests.support.staging import (
    Row,
    Tables,
    an_id,
    category,
    customer,
    item,
    order,
    payment,
    product,
    review,
    sample,
    seller,
    staged_of,
)


class Kind(NamedTuple):
    """A kind of record: its natural key, in the columns of the file and of the staged table, and what spoils a record.

    A record whose `cell` is spoilt keeps its key; one whose last column of the key is, has none.
    """

    make: Callable[..., Row]
    key: tuple[str, ...]
    fields: str
    cell: tuple[str, str]


KINDS = {
    "categories": Kind(category, ("product_category_name",), "category", ("product_category_name_english", "")),
    "customers": Kind(customer, ("customer_id",), "customer_alias", ("customer_zip_code_prefix", "x")),
    "geolocation": Kind(sample, ("geolocation_zip_code_prefix",), "zip_prefix", ("geolocation_lat", "x")),
    "order_items": Kind(item, ("order_id", "order_item_id"), "order_id, item_no", ("price", "x")),
    "order_payments": Kind(payment, ("order_id", "payment_sequential"), "order_id, payment_no", ("payment_value", "x")),
    "order_reviews": Kind(review, ("review_id", "order_id"), "review_id, order_id", ("review_score", "9")),
    "orders": Kind(order, ("order_id",), "order_id", ("order_status", "x")),
    "products": Kind(product, ("product_id",), "product_id", ("product_weight_g", "x")),
    "sellers": Kind(seller, ("seller_id",), "seller_id", ("seller_zip_code_prefix", "x")),
}

ORDERS = range(1, 5)
EVERYTHING: list[tuple[str, Row]] = [
    *(("orders", order(number)) for number in ORDERS),
    *(("customers", customer(number)) for number in ORDERS),
    *(("order_items", item(number, order_item_id=str(no))) for number in ORDERS for no in (1, 2)),
    *(("order_payments", payment(number, payment_sequential=str(no))) for number in ORDERS for no in (1, 7)),
    *(("order_reviews", review(number)) for number in ORDERS),
    *(("products", product(number)) for number in (1, 2)),
    *(("sellers", seller(number)) for number in (1, 2)),
    *(("geolocation", sample(geolocation_zip_code_prefix=zip_prefix)) for zip_prefix in ("01001", "01001", "20040")),
    *(("categories", category(name, "english")) for name in ("livros", "moveis")),
]

HOW = st.sampled_from(["there"] * 7 + ["gone"] * 2 + ["spoilt", "without key"])
LOADS = st.lists(st.lists(HOW, min_size=len(EVERYTHING), max_size=len(EVERYTHING)), min_size=2, max_size=4)

Key = tuple[str, ...]


class Shown(NamedTuple):
    """An extract, and by kind the keys that it shows, and how many records have a key that cannot be read."""

    tables: Tables
    keys: dict[str, set[Key]]
    unreadable: Counter[str]


def extract_of(ways: list[str]) -> Shown:
    shown = Shown({file: [] for file in FILES}, {file: set() for file in FILES}, Counter())
    for (file, row), how in zip(EVERYTHING, ways, strict=True):
        kind = KINDS[file]
        match how:
            case "gone":
                continue
            case "spoilt":
                shown.tables[file].append({**row, kind.cell[0]: kind.cell[1]})
                if file == "geolocation":
                    shown.unreadable[file] += 1
                    continue
            case "without key":
                shown.tables[file].append({**row, kind.key[-1]: "" if file == "categories" else "x"})
                shown.unreadable[file] += 1
                continue
            case _:
                shown.tables[file].append(row)
        shown.keys[file].add(tuple(row[column] for column in kind.key))
    return shown


def taken_in(staged: Staged, file: str) -> set[Key]:
    """Natural keys of the records that the log knows after a load of this."""
    found = rows(staged, f"SELECT {KINDS[file].fields} FROM {'areas' if file == 'geolocation' else file}")
    return {tuple(str(value).replace("-", "") for value in row) for row in found}


def rows(staged: Staged, query: str) -> list[Any]:
    with duckdb.connect(str(staged.database), read_only=True) as connection:
        return connection.execute(query).fetchall()


class Log:
    """What loads leave behind, as the texts that the staging is handed."""

    def __init__(self) -> None:
        self.texts = {
            "fingerprints": "file,key,fingerprint\n",
            "orders": "order_id,customer_alias,status,placed_at,sellers\n",
            "aliases": "customer_alias,customer_id\n",
            "source_records": "batch_seq,file,key,line,order_id,is_there\n",
            "complete_loads": "batch_seq,file\n",
            "erased": "customer_id\n",
        }
        self.fingerprints: dict[tuple[str, str], str] = {}

    def add(self, load: int, staged: Staged) -> None:
        for file in FILES:
            found = rows(staged, f"SELECT key, fingerprint FROM {'areas' if file == 'geolocation' else file}")
            self.fingerprints |= {(file, str(key)): str(fingerprint) for key, fingerprint in found}
        told = "".join(f"{file},{key},{value}\n" for (file, key), value in self.fingerprints.items())
        self.texts["fingerprints"] = "file,key,fingerprint\n" + told
        self._add("orders", staged, "SELECT order_id, customer_alias, status, placed_at, '' FROM orders")
        self._add("aliases", staged, "SELECT customer_alias, customer_id FROM customers")
        changes = f"SELECT {load}, file, key, line, order_id, line IS NOT NULL FROM source_change"
        self._add("source_records", staged, changes)
        self.texts["complete_loads"] += "".join(f"{load},{file}\n" for file in FILES)

    def _add(self, name: str, staged: Staged, query: str) -> None:
        for row in rows(staged, query):
            line = ",".join("" if value is None else str(value) for value in row) + "\n"
            if name == "source_records" or line not in self.texts[name]:
                self.texts[name] += line


@settings(max_examples=6, deadline=None)
@given(loads=LOADS, erased=st.sets(st.sampled_from(ORDERS), max_size=2))
def test_what_is_missing_is_what_was_shown_and_is_known_and_is_not_there(
    loads: list[list[str]], erased: set[int]
) -> None:
    log, had, known = Log(), list[Shown](), {file: set[Key]() for file in FILES}
    for load, ways in enumerate(loads, start=1):
        if load == len(loads):
            log.texts["erased"] += "".join(f"{an_id('person', number)}\n" for number in erased)
        shown = extract_of(ways)
        with tempfile.TemporaryDirectory() as folder:
            staged = staged_of(Path(folder), shown.tables, OF_OLIST, log.texts, is_complete=True)
            log.add(load, staged)
            for file in FILES:
                gone = forgotten(known["customers"], known["orders"], erased if load == len(loads) else set())
                expected = {key for key in known[file] if any(key in one.keys[file] for one in had)}
                expected = {key for key in expected if not gone & set(key)}
                missing = expected - shown.keys[file]
                [found] = [some for some in staged.missing_records if some.counts.file == file]
                assert found.counts == (file, len(expected), len(missing), shown.unreadable[file]), (load, file)
                last_in = (max(n for n, one in enumerate(had, 1) if key in one.keys[file]) for key in missing)
                since = Counter((number, number == load - 1) for number in last_in)
                assert {(number, is_new): count for number, is_new, count in found.since} == since, (load, file)
            for file in FILES:
                known[file] |= taken_in(staged, file)
        had.append(shown)


def forgotten(aliases: set[Key], orders: set[Key], erased: set[int]) -> set[str]:
    """Aliases of people who were erased, where the log knows whose they are, and orders placed by these."""
    numbers = [number for number in erased if (an_id("alias", number),) in aliases]
    placed = {an_id("order", number) for number in numbers if (an_id("order", number),) in orders}
    return {an_id("alias", number) for number in numbers} | placed
