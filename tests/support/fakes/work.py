"""The staged work of a load in memory: what DuckDB does, for tests of the use case.

It plans a load by the same rules as infra/staging/sql/plan.sql, one record at a time, so that a load can be tried on a
handful of records without a database.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.customer.review import ReviewFacts
from replayhouse.domain.fulfillment.area import Sample
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.marketplace.product import ProductFacts
from replayhouse.domain.marketplace.seller import SellerFacts
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import OrderHeader, Payment
from replayhouse.ingest.ports import Place, Unit
from replayhouse.ingest.work import (
    AreaWork,
    CategoryWork,
    CustomerRow,
    Family,
    HeaderRow,
    ItemRow,
    Kind,
    OrderWork,
    PaymentRow,
    PersonWork,
    ProductWork,
    ReviewRow,
    SellerWork,
)
from tests.support.fakes.load_log import MemoryLog


class CustomerRecord(NamedTuple):
    """A record of the customers file: the person, the alias, and the address given there."""

    customer_id: UUID
    alias: UUID
    address: Address


@dataclass
class MemoryExtract:
    """The good records of an extract, by key; a record's line follows from its place, the header being line 1.

    Reviews stand under review and order, samples under their zip prefix, categories have their English name. The
    `customer_id` of a review counts for nothing: whose order it is, the load finds out.
    """

    customers: dict[UUID, CustomerRecord] = field(default_factory=dict)
    orders: dict[UUID, OrderHeader] = field(default_factory=dict)
    order_items: dict[tuple[UUID, int], Line] = field(default_factory=dict)
    order_payments: dict[tuple[UUID, int], Payment] = field(default_factory=dict)
    order_reviews: dict[tuple[UUID, UUID], ReviewFacts] = field(default_factory=dict)
    products: dict[UUID, ProductFacts] = field(default_factory=dict)
    sellers: dict[UUID, SellerFacts] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    geolocation: dict[str, list[Sample]] = field(default_factory=dict)


class MemoryWork:
    """The plan of a load of an extract, held against a log (port StagedWork)."""

    def __init__(self, extract: MemoryExtract, log: MemoryLog) -> None:
        self._extract = extract
        self._log = log
        self._persons = {**log.persons, **{row.alias: row.customer_id for row in extract.customers.values()}}
        self._aliases = {
            **log.aliases,
            **{order_id: header.customer_alias for order_id, header in extract.orders.items()},
        }
        self._plan = sorted(self._placed(), key=lambda planned: planned[0])

    def families(self, unit: Unit, after: Place) -> Iterator[tuple[Place, Family]]:
        """The families of a unit after a place, in the order of bucket, kind and key."""
        for place, family in self._plan:
            if place > after and unit.first_bucket <= place.bucket <= unit.last_bucket:
                yield place, family

    def seller_zips(self) -> Mapping[UUID, str]:
        """The zip prefix of each seller, by this extract before the log."""
        shown = {seller_id: seller.zip_prefix for seller_id, seller in self._extract.sellers.items()}
        return {**self._log.seller_zips, **shown}

    def sizes(self) -> dict[int, int]:
        """The events expected per bucket, more or less."""
        sizes: dict[int, int] = defaultdict(int)
        for place, family in self._plan:
            sizes[place.bucket] += 10 * len(family.orders) if isinstance(family, PersonWork) else 1
        return sizes

    def remember(self, log: MemoryLog, after: Place, up_to: Place) -> None:
        """Writes down what later loads look up of the families after a place, up to and with another."""
        extract = self._extract
        for place, family in self._plan:
            if not after < place <= up_to:
                continue
            if isinstance(family, PersonWork):
                self._remember_person(log, family)
            elif isinstance(family, ProductWork):
                log.seen["products", family.key] = extract.products[family.key]
            elif isinstance(family, SellerWork):
                log.seen["sellers", family.key] = extract.sellers[family.key]
                log.seller_zips[family.key] = family.seller.zip_prefix
            elif isinstance(family, AreaWork):
                log.seen["geolocation", family.zip_prefix] = extract.geolocation[family.zip_prefix]
            elif family.english is not None:
                log.seen["categories", family.name] = family.english

    def _remember_person(self, log: MemoryLog, person: PersonWork) -> None:
        for row in person.customers:
            record = self._extract.customers[row.alias]
            log.seen["customers", row.alias] = record
            log.persons[row.alias] = record.customer_id
        for order in person.orders:
            log.aliases[order.order_id] = self._aliases[order.order_id]
            if order.header is not None:
                log.seen["orders", order.order_id] = order.header.header
            for item in order.items:
                log.seen["order_items", (order.order_id, item.item.item_no)] = item.item
                log.sellers[order.order_id].add(item.item.seller_id)
            for payment in order.payments:
                log.seen["order_payments", (order.order_id, payment.payment.payment_no)] = payment.payment
            for review in order.reviews:
                key = (review.review.review_id, order.order_id)
                log.seen["order_reviews", key] = self._extract.order_reviews[key]

    def _news(self, file: str) -> Iterator[UUID]:
        """The order or, of the other files, the key of each record that is new or changed."""
        rows: Mapping[object, object] = getattr(self._extract, file)
        for key, row in rows.items():
            if self._log.seen.get((file, key)) != row:
                if file == "order_reviews":
                    assert isinstance(row, ReviewFacts)
                    yield row.order_id
                else:
                    yield key[0] if isinstance(key, tuple) else key  # type: ignore[misc] # keys are UUIDs or begin so

    def _touched_orders(self) -> set[UUID]:
        """Orders with news of their own, or of their customer or sellers, and all others of the same alias."""
        touched = {order_id for file in ORDER_FILES for order_id in self._news(file)}
        customers, sellers = set(self._news("customers")), set(self._news("sellers"))
        touched |= {order_id for (order_id, _), line in self._extract.order_items.items() if line.seller_id in sellers}
        touched |= {order_id for order_id, known in self._log.sellers.items() if known & sellers}
        aliases = {self._aliases[order_id] for order_id in touched} | customers
        return {order_id for order_id, alias in self._aliases.items() if alias in aliases}

    def _placed(self) -> Iterator[tuple[Place, Family]]:
        for person in self._people():
            yield _place(Kind.PERSON, person.key), person
        line_of = {file: _lines(getattr(self._extract, file)) for file in ("products", "sellers", "categories")}
        for product_id in self._news("products"):
            facts = self._extract.products[product_id]
            yield _place(Kind.PRODUCT, product_id), ProductWork(product_id, line_of["products"][product_id], facts)
        for seller_id in self._news("sellers"):
            seller = self._extract.sellers[seller_id]
            yield _place(Kind.SELLER, seller_id), SellerWork(seller_id, line_of["sellers"][seller_id], seller)
        yield from self._categories(line_of["products"], line_of["categories"])
        yield from self._areas()

    def _people(self) -> Iterable[PersonWork]:
        people: dict[UUID, PersonWork] = {}

        def of_alias(alias: UUID) -> PersonWork:
            customer_id = self._persons.get(alias)
            key = customer_id or alias
            return people.setdefault(key, PersonWork(key, customer_id))

        touched = self._touched_orders()
        shown = {self._aliases[order_id] for order_id in touched} | set(self._news("customers"))
        for line, row in enumerate(self._extract.customers.values(), start=2):
            if row.alias in shown:
                of_alias(row.alias).customers.append(CustomerRow(line, row.alias, row.address))
        orders = {order_id: OrderWork(order_id) for order_id in sorted(touched)}
        for order_id, order in orders.items():
            of_alias(self._aliases[order_id]).orders.append(order)
        self._fill(orders)
        return people.values()

    def _fill(self, orders: Mapping[UUID, OrderWork]) -> None:
        """All records of the orders in the extract, unchanged ones too."""
        for line, (order_id, header) in enumerate(self._extract.orders.items(), start=2):
            if order_id in orders:
                orders[order_id].header = HeaderRow(line, header)
        for line, ((order_id, _), item) in enumerate(self._extract.order_items.items(), start=2):
            if order_id in orders:
                orders[order_id].items.append(ItemRow(line, item))
        for line, ((order_id, _), payment) in enumerate(self._extract.order_payments.items(), start=2):
            if order_id in orders:
                orders[order_id].payments.append(PaymentRow(line, payment))
        for line, review in enumerate(self._extract.order_reviews.values(), start=2):
            if review.order_id in orders:
                customer_id = self._persons.get(self._aliases[review.order_id], UNKNOWN_ID)
                orders[review.order_id].reviews.append(ReviewRow(line, review._replace(customer_id=customer_id)))

    def _categories(
        self, products: Mapping[object, int], translations: Mapping[object, int]
    ) -> Iterator[tuple[Place, Family]]:
        shown: dict[str, int] = {}
        for product_id in self._news("products"):
            name = self._extract.products[product_id].category
            if name is not None:
                shown[name] = min(products[product_id], shown.get(name, products[product_id]))
        translated = {
            name
            for name, english in self._extract.categories.items()
            if self._log.seen.get(("categories", name)) != english
        }
        for name in sorted(translated | shown.keys()):
            key = UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())
            english, line = (self._extract.categories[name], translations[name]) if name in translated else (None, None)
            yield _place(Kind.CATEGORY, key), CategoryWork(key, name, line, english, shown.get(name))

    def _areas(self) -> Iterator[tuple[Place, Family]]:
        line = 2
        for zip_prefix, samples in self._extract.geolocation.items():
            lines = list(range(line, line + len(samples)))
            line += len(samples)
            if self._log.seen.get(("geolocation", zip_prefix)) != samples:
                key = UUID(hashlib.md5(zip_prefix.encode(), usedforsecurity=False).hexdigest())
                yield _place(Kind.AREA, key), AreaWork(key, zip_prefix, lines, samples)


ORDER_FILES = ("orders", "order_items", "order_payments", "order_reviews")


def _lines(rows: Iterable[object]) -> dict[object, int]:
    return {key: line for line, key in enumerate(rows, start=2)}


def _place(kind: Kind, key: UUID) -> Place:
    """As the plan in the staging database has it: the bucket is the first byte of the MD5 of the family's key."""
    return Place(hashlib.md5(str(key).encode(), usedforsecurity=False).digest()[0], kind, key)
