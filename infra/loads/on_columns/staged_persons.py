"""The persons of a plan by shape: which have as many orders, of the same statuses, with as many lines, and so on.

A person here is a number: their place in the plan, among those of a range of buckets.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import duckdb
import numpy as np

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.customer.review import ReviewFacts, review_stream_id
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import OrderHeader, Payment
from replayhouse.infra.columns.held import together
from replayhouse.infra.columns.shapes import parts_by
from replayhouse.infra.columns.values import Array, Uuids
from replayhouse.infra.loads.on_columns.staged_rows import Rows, columns_of
from replayhouse.ingest.ports import Place
from replayhouse.ingest.work import (
    CustomerRow,
    HeaderRow,
    ItemRow,
    Kind,
    OrderWork,
    PaymentRow,
    PersonWork,
    ReviewRow,
)

MOST_CHILDREN = 24
"""Who has more orders, or orders with more lines, is of a shape of their own: such are rare."""

_LINE = {"line": int}
_OF_ALIAS: dict[str, object] = {"customer_alias": UUID, "region": str | None}


class _Children:
    """Which rows of a table belong to each row of another: a run of them."""

    def __init__(self, parents: Array, of: Array) -> None:
        """`parents` are the ids of those who have them, `of` whose each of them is: those of one stand together."""
        self.starts, self.counts = np.zeros(len(parents), np.int64), np.zeros(len(parents), np.int64)
        begins = np.flatnonzero(np.concatenate(([True], of[1:] != of[:-1]))[: len(of)])
        order = np.argsort(parents)
        whose = order[np.searchsorted(parents, of[begins], sorter=order)]
        self.starts[whose] = begins
        self.counts[whose] = np.diff(np.append(begins, len(of)))
        self.parents = np.repeat(whose, self.counts[whose])  # of each child

    def shape(self, kinds: Array, own: Array) -> Array:
        """The kinds of the parents, given their `own` and those of the children."""
        shape = together(own, self.counts)
        for number in range(min(MOST_CHILDREN, int(self.counts.max(initial=0)))):
            has = self.counts > number
            of_child = np.zeros(len(own), np.int64)
            of_child[has] = kinds[self.starts[has] + number]
            shape = together(shape, of_child)
        return shape

    def of(self, parents: Array) -> Iterator[Array]:
        """The first children of these parents, then the second ones, as long as they have some: all as many."""
        for number in range(int(self.counts[parents[0]])):
            yield self.starts[parents] + number


class Owned(NamedTuple):
    """Streams of persons: their ids as texts, and the number of the person whose each is."""

    ids: Array
    persons: Array


class _Tables(NamedTuple):
    customers: Rows
    orders: Rows
    items: Rows
    payments: Rows
    reviews: Rows


class StagedPersons:
    """The persons of a range of buckets, in the order of the plan."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, buckets: tuple[int, int]) -> None:
        def rows(table: str, columns: dict[str, object], *shape: str) -> Rows:
            return Rows(connection, table, columns, buckets, shape)

        self._persons = rows("work_person", {"bucket": int, "family": UUID, "customer_id": UUID | None})
        owner = {"family": UUID}
        of_order = {"order_id": UUID}
        self._of = _Tables(
            rows("work_customer", {**owner, **_LINE, **_OF_ALIAS, **columns_of(Address)}),
            rows("work_order", {**owner, **of_order, "line": int | None, **columns_of(OrderHeader)}, "status"),
            rows("work_item", {**of_order, **_LINE, **columns_of(Line)}),
            rows("work_payment", {**of_order, **_LINE, **columns_of(Payment)}),
            rows("work_review", {**_LINE, **columns_of(ReviewFacts)}),
        )
        families, orders = self._persons.values("family"), self._of.orders.values("order_id")
        self._customers = _Children(families, self._of.customers.values("family"))
        self._orders = _Children(families, self._of.orders.values("family"))
        self._items, self._payments, self._reviews = (
            _Children(orders, of.values("order_id")) for of in (self._of.items, self._of.payments, self._of.reviews)
        )

    @property
    def count(self) -> int:
        """How many there are."""
        count: int = self._persons.count
        return count

    @property
    def buckets(self) -> Array:
        """The bucket of each."""
        return self._persons.values("bucket")

    @property
    def keys(self) -> Array:
        """The key of each, as text."""
        return self._persons.values("family")

    def place(self, person: int) -> Place:
        """Where somebody stands in the plan."""
        return Place(int(self.buckets[person]), Kind.PERSON, UUID(self.keys[person].decode()))

    @property
    def customers(self) -> Owned:
        """Who they are, where that is known."""
        known = np.flatnonzero(~self._persons.nulls("customer_id"))
        return Owned(self._persons.values("customer_id")[known], known)

    @property
    def orders(self) -> Owned:
        """The orders of all of them."""
        return Owned(self._of.orders.values("order_id"), self._orders.parents)

    @property
    def reviews(self) -> Owned:
        """The streams of the reviews of these orders."""
        shown = self._of.reviews
        ids: Any = (Uuids(shown.values(name)) for name in ("review_id", "order_id"))
        streams: Any = review_stream_id(*ids) if shown.count else Uuids(shown.values("review_id"))
        return Owned(streams.values, self._orders.parents[self._reviews.parents])

    def shapes(self, among: Array) -> list[Array]:
        """The persons of each shape, of those who are `among` them."""
        of_order = self._of.orders.kinds
        for children, rows in (
            (self._items, self._of.items),
            (self._payments, self._of.payments),
            (self._reviews, self._of.reviews),
        ):
            of_order = children.shape(rows.kinds, of_order)
        shape = self._persons.nulls("customer_id").astype(np.int64)
        shape = self._customers.shape(self._of.customers.kinds, shape)
        shape = self._orders.shape(of_order, shape)
        alone = (self._orders.counts > MOST_CHILDREN) | (self._customers.counts > MOST_CHILDREN)
        for children in (self._items, self._payments, self._reviews):
            alone[self._orders.parents[children.counts > MOST_CHILDREN]] = True
        usual = np.flatnonzero(among & ~alone)
        return [*parts_by(shape[usual], usual), *np.flatnonzero(among & alone).reshape(-1, 1)]

    def work(self, persons: Array) -> PersonWork:
        """The work of persons of one shape, as that of one of them: columns in the place of values."""
        customers, orders = self._of.customers, self._of.orders
        return PersonWork(
            self._persons.at("family", persons),
            self._persons.at("customer_id", persons),
            [
                CustomerRow(
                    customers.at("line", rows),
                    customers.at("customer_alias", rows),
                    customers.facts(Address, rows),
                    region=customers.at("region", rows),
                )
                for rows in self._customers.of(persons)
            ],
            [self._order(orders, rows) for rows in self._orders.of(persons)],
        )

    def _order(self, orders: Rows, rows: Array) -> OrderWork:
        items, payments, reviews = self._of.items, self._of.payments, self._of.reviews
        has_header = not orders.nulls("line")[rows[0]]
        return OrderWork(
            orders.at("order_id", rows),
            HeaderRow(orders.at("line", rows), orders.facts(OrderHeader, rows)) if has_header else None,
            [ItemRow(items.at("line", of), items.facts(Line, of)) for of in self._items.of(rows)],
            [PaymentRow(payments.at("line", of), payments.facts(Payment, of)) for of in self._payments.of(rows)],
            [ReviewRow(reviews.at("line", of), reviews.facts(ReviewFacts, of)) for of in self._reviews.of(rows)],
        )
