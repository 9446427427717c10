"""Any split of loads gives the same warehouse in the end (R42): one after the other, or all they say at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.customer import Address, Customer
from replayhouse.domain.customer.review import ReviewFacts
from replayhouse.domain.fulfillment.area import Sample
from replayhouse.domain.fulfillment.shipment import Shipment
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.marketplace.product import ProductFacts
from replayhouse.domain.marketplace.seller import SellerFacts
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import RANK, OrderHeader, Payment
from tests.support.fakes.work import CustomerRecord, MemoryExtract
from tests.support.load import Warehouse, loaded
from tests.support.orders import MONDAY, facts_of

PEOPLE, ALIASES, ORDERS, SELLERS, PRODUCTS, REVIEWS = (
    [UUID(int=kind * 16 + number) for number in range(1, count + 1)]
    for kind, count in ((0xA, 2), (0xB, 4), (0xE, 5), (0xC, 2), (0xD, 2), (0xF, 2))
)
PERSON_OF = {alias: PEOPLE[number % 2] for number, alias in enumerate(ALIASES)}
ALIAS_OF = dict(zip(ORDERS, [*ALIASES, ALIASES[0]], strict=True))  # the first alias has two orders
ZIPS = ["01001", "20040", "70000"]
FILES = ("customers", "orders", "order_items", "order_payments", "order_reviews", "products", "sellers", "geolocation")
FAR_APART = [0, 1, 2, 180, 181, 182, 300, 420]
"""Days: so that persons churn, and orders fall on the same day."""


class Source:
    """A marketplace that changes at random: an extract shows some of its files as they are then."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = MemoryExtract()

    def extracts(self, count: int) -> Iterator[MemoryExtract]:
        """What the source shows after each of some changes; seldom all of its files."""
        for _ in range(count):
            for _ in range(self.random.choice([1, 2, 6, 20])):
                self.random.choice([self._customer, self._order, self._order, self._item, self._rest])()
            brought = [file for file in FILES if self.random.random() < 0.6]
            yield MemoryExtract(**{file: dict(getattr(self.now, file)) for file in brought})

    def _time(self) -> datetime:
        return MONDAY + timedelta(days=self.random.choice(FAR_APART), hours=self.random.randrange(12))

    def _time_or_none(self) -> datetime | None:
        return self._time() if self.random.random() < 0.7 else None

    def _amount(self) -> Decimal:
        return Decimal(self.random.randrange(40_000)) / 100

    def _customer(self) -> None:
        alias = self.random.choice(ALIASES)
        address = Address(self.random.choice(ZIPS), "cidade", self.random.choice(["SP", "RJ"]))
        self.now.customers[alias] = CustomerRecord(PERSON_OF[alias], alias, address)

    def _order(self) -> None:
        order_id = self.random.choice(ORDERS)
        known = self.now.orders.get(order_id)
        status = self.random.choice([*RANK, "delivered", "delivered", "delivered"])
        if known is not None and not goes_up(known.status, status):
            status = known.status
        times = [self._time_or_none() for _ in range(3)]
        self.now.orders[order_id] = OrderHeader(ALIAS_OF[order_id], status, self._time(), self._time(), *times)

    def _item(self) -> None:
        if self.now.orders:
            order_id, number = self.random.choice(list(self.now.orders)), self.random.randint(1, 2)
            product_id, seller_id = self.random.choice(PRODUCTS), self.random.choice(SELLERS)
            line = Line(number, product_id, seller_id, self._amount(), self._amount(), self._time())
            self.now.order_items[order_id, number] = line

    def _rest(self) -> None:
        self.random.choice([self._payment, self._review, self._product, self._seller, self._area])()

    def _payment(self) -> None:
        if self.now.orders:
            order_id, number = self.random.choice(list(self.now.orders)), self.random.randint(1, 2)
            self.now.order_payments[order_id, number] = Payment(number, "boleto", 1, self._amount())

    def _review(self) -> None:
        if self.now.orders:
            review_id, order_id = self.random.choice(REVIEWS), self.random.choice(list(self.now.orders))
            score, answered_at = self.random.randint(1, 5), self._time_or_none()
            told = ReviewFacts(review_id, order_id, UNKNOWN_ID, score, None, "bom", self._time(), answered_at)
            self.now.order_reviews[review_id, order_id] = told

    def _product(self) -> None:
        facts = [self.random.choice([None, 0, 7]) for _ in range(7)]
        self.now.products[self.random.choice(PRODUCTS)] = ProductFacts("moveis", *facts)

    def _seller(self) -> None:
        self.now.sellers[self.random.choice(SELLERS)] = SellerFacts(self.random.choice(ZIPS), "cidade", "SP")

    def _area(self) -> None:
        latitudes = self.random.choices([-10.0, -20.0, 41.0], k=self.random.randint(1, 3))
        self.now.geolocation[self.random.choice(ZIPS)] = [
            Sample(at, -50.0, self.random.choice("ab"), "SP") for at in latitudes
        ]


def goes_up(known: str, shown: str) -> bool:
    return RANK[known] < RANK[shown] or known == shown or RANK[known] == RANK[shown] == RANK["invoiced"]


def without_orphans(shown: Sequence[MemoryExtract]) -> list[MemoryExtract]:
    """Items, payments and reviews of orders that no extract has shown so far are kept apart before a load decides."""
    known: set[UUID] = set()
    kept = []
    for one in shown:
        known |= one.orders.keys()
        kept.append(
            replace(
                one,
                order_items={key: row for key, row in one.order_items.items() if key[0] in known},
                order_payments={key: row for key, row in one.order_payments.items() if key[0] in known},
                order_reviews={key: row for key, row in one.order_reviews.items() if key[1] in known},
            )
        )
    return kept


def all_at_once(shown: Sequence[MemoryExtract]) -> MemoryExtract:
    """The newest row of each record; what a later extract lacks stays (R6)."""
    whole = MemoryExtract()
    for one in shown:
        for file in FILES:
            getattr(whole, file).update(getattr(one, file))
    return whole


# --- what the star schema shows ---------------------------------------------------------------------------------


def shipment_shown(shipment: Shipment) -> Shipment:
    return replace(shipment, latest_time=MONDAY, announced_days_late=None, is_dispatched=False)


def person_shown(customer: Customer) -> dict[str, object]:
    """All of a person but when their segment changed, which follows from the dates of the loads."""
    return {
        "aliases": dict(customer.aliases),
        "addresses": customer.address_history,
        "purchases": dict(customer.purchases),
        "segment": customer.segment,
    }


def everything_in(warehouse: Warehouse) -> dict[object, object]:
    return {
        **{("order", key): facts_of(warehouse.order(key)) for key in ORDERS},
        **{("shipment", key): shipment_shown(warehouse.shipment(key)) for key in ORDERS},
        **{("customer", key): person_shown(warehouse.customer(key)) for key in PEOPLE},
        **{("review", review, key): warehouse.review(key, review) for key in ORDERS for review in REVIEWS},
        **{("product", key): warehouse.product(key) for key in PRODUCTS},
        **{("seller", key): warehouse.seller(key) for key in SELLERS},
        **{("category", key): warehouse.category(key) for key in ("moveis",)},
        **{("area", key): warehouse.area(key).survey for key in ZIPS if warehouse.area(key).samples},
    }


# A seed makes a whole marketplace: dense at once, where strategies for each row would mostly draw empty files.
SEEDS = st.integers(0, 2**32)


@settings(max_examples=300)
@given(SEEDS, st.integers(2, 6))
def test_loads_one_after_the_other_give_what_one_load_of_all_they_say_gives(seed: int, count: int) -> None:
    shown = without_orphans(list(Source(seed).extracts(count)))
    assert everything_in(loaded(*shown)) == everything_in(loaded(all_at_once(shown)))


@given(SEEDS, st.integers(1, 4))
def test_what_is_known_already_is_no_news(seed: int, count: int) -> None:
    """Neither for the plan, which compares rows, nor for the decisions, which compare facts."""
    shown = without_orphans(list(Source(seed).extracts(count)))
    warehouse = loaded(*shown)
    assert warehouse.load(all_at_once(shown)) == []
    warehouse.log.seen.clear()
    assert warehouse.load(all_at_once(shown)) == []


@given(SEEDS)
def test_the_versions_of_every_stream_start_at_one_and_have_no_gap(seed: int) -> None:
    warehouse = loaded(*without_orphans(list(Source(seed).extracts(4))))
    versions: dict[tuple[str, UUID], list[int]] = {}
    for one in warehouse.log.recorded:
        versions.setdefault((one.context, one.stream_id), []).append(one.originator_version)
    assert versions == {stream: list(range(1, len(found) + 1)) for stream, found in versions.items()}
