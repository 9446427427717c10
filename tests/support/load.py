"""Loads in memory for tests: extracts of a few records, loaded one after the other, and what is known afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from replayhouse.domain.customer.customer import Address, Customer, customer_of
from replayhouse.domain.customer.review import Review, ReviewFacts, review_of, review_stream_id
from replayhouse.domain.fulfillment.area import Area, area_of, area_stream_id
from replayhouse.domain.fulfillment.shipment import Shipment, shipment_of
from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.marketplace.category import Category, category_of, category_stream_id
from replayhouse.domain.marketplace.product import Product, product_of
from replayhouse.domain.marketplace.seller import Seller, SellerFacts, seller_of
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import Order, OrderHeader, Payment, order_of
from replayhouse.ingest.batch import evaluation_date
from replayhouse.ingest.load import evaluate_the_lapsed, units_of, work_through
from replayhouse.ingest.retract import Retraction, take_back
from tests.support.fakes.load_log import MemoryLog
from tests.support.fakes.retraction_log import MemoryRetractionLog
from tests.support.fakes.work import CustomerRecord, MemoryExtract, MemoryWork
from tests.support.orders import ALIAS, MONDAY, PERSON, SELLER

ORDER, OTHER_ORDER = UUID(int=0xE1), UUID(int=0xE2)
REVIEW = UUID(int=0xF1)
HERE, THERE = Address("01001", "sao paulo", "SP"), Address("20040", "rio de janeiro", "RJ")


def extract(**files: Any) -> MemoryExtract:
    """An extract with the files that are named."""
    return MemoryExtract(**files)


def customers(*rows: tuple[UUID, UUID, Address]) -> dict[UUID, CustomerRecord]:
    """Records of persons, aliases and addresses."""
    return {alias: CustomerRecord(person, alias, address) for person, alias, address in rows}


def items(order_id: UUID, *lines: Line) -> dict[tuple[UUID, int], Line]:
    return {(order_id, line.item_no): line for line in lines}


def payments(order_id: UUID, *shown: Payment) -> dict[tuple[UUID, int], Payment]:
    return {(order_id, payment.payment_no): payment for payment in shown}


def reviews(*shown: ReviewFacts) -> dict[tuple[UUID, UUID], ReviewFacts]:
    return {(review.review_id, review.order_id): review for review in shown}


def review(order_id: UUID = ORDER, score: int = 5, answered_at: datetime | None = MONDAY) -> ReviewFacts:
    return ReviewFacts(REVIEW, order_id, UNKNOWN_ID, score, "ok", "chegou", MONDAY, answered_at)


def sellers(**zips: str) -> dict[UUID, SellerFacts]:
    """The seller, and the other one."""
    ids = {"seller": SELLER, "other": UUID(int=SELLER.int + 1)}
    return {ids[name]: SellerFacts(zip_prefix, "osasco", "SP") for name, zip_prefix in zips.items()}


@dataclass
class Warehouse:
    """What loads have appended so far."""

    log: MemoryLog = field(default_factory=MemoryLog)
    as_of: date | None = None

    def load(self, shown: MemoryExtract) -> list[tuple[str, str, str | None]]:
        """Loads an extract as the command does; returns context, event and source of what was appended."""
        placed = {order_id: self.order(order_id).placed_at for order_id in self.log.aliases}
        placed |= {order_id: header.placed_at for order_id, header in shown.orders.items()}
        self.as_of = evaluation_date(max(placed.values(), default=None))
        before = len(self.log.recorded)
        work = MemoryWork(shown, self.log)
        log = self.log.open_load(UUID(int=len(self.log.loads) + 1), self.as_of, work)
        for unit in units_of(work.sizes(), 40):
            work_through(unit, work, log, self.as_of, work.seller_zips())
        evaluate_the_lapsed(log, self.as_of)
        return [(one.context, type(one.event).__name__, one.source) for one in self.log.recorded[before:]]

    def take_back(self, load_id: UUID) -> dict[str, int]:
        """Takes back a load, which is the newest that counts; returns how many of its events count no longer."""
        at = datetime(2018, 12, 1)
        return take_back(MemoryRetractionLog(self.log, load_id), Retraction(load_id, "why not", "ana", at), _unheard)

    def told(self, shown: MemoryExtract) -> list[str]:
        """Loads an extract; returns the names of the events."""
        return [event for _, event, _ in self.load(shown)]

    def order(self, order_id: UUID = ORDER) -> Order:
        return order_of(self.events("sales", order_id))

    def shipment(self, order_id: UUID = ORDER) -> Shipment:
        return shipment_of(self.events("fulfillment", order_id))

    def customer(self, customer_id: UUID = PERSON) -> Customer:
        return customer_of(self.events("customer", customer_id))

    def review(self, order_id: UUID = ORDER, review_id: UUID = REVIEW) -> Review:
        return review_of(self.events("customer", review_stream_id(review_id, order_id)))

    def product(self, product_id: UUID) -> Product:
        return product_of(self.events("marketplace", product_id))

    def seller(self, seller_id: UUID) -> Seller:
        return seller_of(self.events("marketplace", seller_id))

    def category(self, name: str) -> Category:
        return category_of(self.events("marketplace", category_stream_id(name)))

    def area(self, zip_prefix: str) -> Area:
        return area_of(self.events("fulfillment", area_stream_id(zip_prefix)))

    def events(self, context: str, stream_id: UUID) -> Sequence[DomainEvent]:
        """The events of a stream that count."""
        return effective(self.log.events(context, stream_id))


def _unheard(_: int) -> None:
    """Nobody wants to know how far it is."""


def loaded(*shown: MemoryExtract) -> Warehouse:
    """A warehouse after some loads."""
    warehouse = Warehouse()
    for one in shown:
        warehouse.load(one)
    return warehouse


def of_another_alias(header: OrderHeader, alias: UUID) -> OrderHeader:
    return replace(header, customer_alias=alias)


ONE_CUSTOMER = customers((PERSON, ALIAS, HERE))
