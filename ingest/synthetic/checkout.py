"""The basket and how it is paid: lines with their freight, payments in one or several parts. Amounts are cents."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from replayhouse.ingest.synthetic.catalogue import Catalogue, Product
from replayhouse.ingest.synthetic.draws import Weighted, along
from replayhouse.ingest.synthetic.people import Habit
from replayhouse.ingest.synthetic.plans import Plan
from replayhouse.ingest.synthetic.towns import Town

_SMALL_PURCHASE, _SMALL_FREIGHT, _LARGE_PURCHASE = 5990, 1990, 18990

# Freight in cents by how far it is, and for each kilogram.
_WITHIN_STATE = (620, 785, 890, 1150, 1290, 1520)
_WITHIN_REGION = (1110, 1340, 1510, 1680, 1850, 2340)
_TO_FAR_REGION = {"North": (1610, 2230, 2760, 3410, 4120), "Northeast": (1480, 1970, 2410, 3090, 3840)}
_ELSEWHERE = (1270, 1510, 1690, 1940, 2420)
_PER_KILOGRAM = 85

_INSTALLMENTS = Weighted(
    ((1, 330), (2, 162), (3, 136), (4, 92), (5, 68), (6, 51), (7, 21), (8, 55), (9, 8), (10, 69), (12, 2), (24, 1))
)


class Line(NamedTuple):
    """A line of an order."""

    item_no: int
    product_id: str
    seller_id: str
    ship_by: datetime
    price: int
    freight: int


class Payment(NamedTuple):
    """A payment of an order."""

    payment_no: int
    method: str
    installments: int
    amount: int


class Basket:
    """What somebody buys: one product or several; most of several lines are the same product once more."""

    def __init__(self, catalogue: Catalogue, random: Callable[[], float]) -> None:
        self._catalogue = catalogue
        self._random = random
        self._first = self._product()

    def origin(self) -> Town:
        """The town of the first line's seller."""
        return self._catalogue.seller_place(self._first.seller).town

    def lines(self, plan: Plan, habit: Habit, placed_at: datetime, origin: Town, destination: Town) -> list[Line]:
        """The lines that the plan asks for, numbered from 1."""
        random = self._random
        ship_by = placed_at + timedelta(seconds=int((3 + 6 * random()) * 86400))
        freight_by_distance = along(_distances(origin, destination), random())
        lines: list[Line] = []
        product = self._first
        for item_no in range(1, plan.lines + 1):
            if item_no > 1 and random() < 0.35:
                product = self._product()
            freight = int(freight_by_distance + product.kilograms * _PER_KILOGRAM)
            price = product.price
            if habit == "loyal":
                price, freight = min(price, _SMALL_PURCHASE), min(freight, _SMALL_FREIGHT)
            elif habit == "vip":
                price = max(price, _LARGE_PURCHASE)
            if freight % 271 == 0:
                freight = 0
            seller_id = self._catalogue.seller_id(product.seller)
            lines.append(Line(item_no, product.product_id, seller_id, ship_by, price, freight))
        return lines

    def _product(self) -> Product:
        chance = self._random()
        return self._catalogue.product(int(chance * chance * self._catalogue.products))


def payments_of(plan: Plan, total: int, random: Callable[[], float]) -> list[Payment]:
    """Payments that make up the total in cents, or not quite where the plan says so."""
    first = 2 if plan.quirk == "from two" else 1
    if plan.quirk == "short":
        total -= min(total, 1 + int(random() * 300))
    elif plan.quirk == "interest":
        total += 1 + int(total * 0.04 * random())
    match plan.paying:
        case "none":
            return []
        case "not_defined":
            return [Payment(first, "not_defined", 1, 0)]
        case "credit_card":
            installments = 0 if plan.quirk == "no installments" else _INSTALLMENTS.at(random())
            return [Payment(first, "credit_card", installments, total)]
        case "parts":
            by_card = int(total * (0.3 + 0.6 * random()))
            vouchers = _vouchers(first + 1, total - by_card, 1 + int(random() ** 4 * 5), random)
            return [Payment(first, "credit_card", _INSTALLMENTS.at(random()), by_card), *vouchers]
        case "vouchers":
            several = _vouchers(first, total, 2 + int(random() ** 3 * 10), random)
            return [*several, Payment(several[-1].payment_no + 1, "voucher", 1, 0)]
        case method:
            return [Payment(first, method, 1, total)]


def _vouchers(first: int, total: int, count: int, random: Callable[[], float]) -> list[Payment]:
    vouchers = []
    for payment_no in range(first, first + count - 1):
        amount = int(total * random() * 0.7)
        vouchers.append(Payment(payment_no, "voucher", 1, amount))
        total -= amount
    return [*vouchers, Payment(first + count - 1, "voucher", 1, total)]


def _distances(origin: Town, destination: Town) -> tuple[int, ...]:
    if origin.state == destination.state:
        return _WITHIN_STATE
    if origin.region == destination.region:
        return _WITHIN_REGION
    return _TO_FAR_REGION.get(destination.region, _ELSEWHERE)
