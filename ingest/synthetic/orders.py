"""An order as it ended, put together from its person, plan, basket, journey, payments and reviews."""

from datetime import datetime
from random import Random
from typing import NamedTuple

from replayhouse.ingest.synthetic.catalogue import Catalogue
from replayhouse.ingest.synthetic.checkout import Basket, Line, Payment, payments_of
from replayhouse.ingest.synthetic.draws import identifier, number
from replayhouse.ingest.synthetic.journey import Journey, journey_of
from replayhouse.ingest.synthetic.opinions import Review, reviews_of
from replayhouse.ingest.synthetic.people import Customer, People, buyer_of
from replayhouse.ingest.synthetic.places import Places
from replayhouse.ingest.synthetic.plans import Status, plan_of


class Order(NamedTuple):
    """Everything that the nine files say of one order."""

    order_id: str
    customer: Customer
    status: Status
    placed_at: datetime
    journey: Journey
    lines: list[Line]
    payments: list[Payment]
    reviews: tuple[Review, ...]


class Market:
    """The marketplace behind an extract of so many orders: the same seed and size, the same marketplace."""

    def __init__(self, seed: int, orders: int) -> None:
        self._seed = seed
        self.places = Places(seed, orders)
        self.catalogue = Catalogue(seed, orders, self.places)
        self._people = People(seed, self.places)

    def placed_at(self, order: int) -> datetime:
        """When the order of this number is placed: what R41 asks first."""
        return self._people.placed_at(order, buyer_of(order))

    def order(self, order: int) -> Order:
        """The order of this number, from 0, as it ended; it follows from the seed, the size and the number."""
        buyer = buyer_of(order)
        placed_at = self._people.placed_at(order, buyer)
        customer = self._people.customer_of(order, buyer)
        town = customer.place.town
        random = Random(number(self._seed, "order", order)).random
        plan = plan_of(order, buyer.habit, placed_at, town, random)
        basket = Basket(self.catalogue, random)
        origin = basket.origin()
        lines = basket.lines(plan, buyer.habit, placed_at, origin, town)
        journey = journey_of(plan, placed_at, origin, town, random)
        total = sum(line.price + line.freight for line in lines)
        payments = payments_of(plan, total, random)
        if buyer.habit == "split" and buyer.turn:
            reviews = self.order(buyer.first).reviews
        else:
            review_ids = tuple(identifier(self._seed, "review", order, turn) for turn in range(plan.reviews))
            reviews = reviews_of(plan, journey, review_ids, random)
        return Order(
            order_id=identifier(self._seed, "order", order),
            customer=customer,
            status=plan.status,
            placed_at=placed_at,
            journey=journey,
            lines=lines if plan.has_lines else [],
            payments=payments,
            reviews=reviews,
        )
