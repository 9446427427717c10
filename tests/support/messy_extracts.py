"""Extracts made up at random to be messy: whatever may be missing is missing somewhere, and values are few, so that
ties, empty groups and the bounds of bands occur. The same numbers give the same extract.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from tests.oracle.lines import a_customer, a_payment, an_id, line
from tests.support.extracts import Lines, a_review

FIRST = datetime(2017, 2, 1)
STATUSES = ("delivered",) * 14 + (
    "shipped", "created", "approved", "invoiced", "processing", "canceled", "canceled", "unavailable",
)  # fmt: skip
PLACES = (
    ("01001", "são paulo", "SP"),
    ("20000", "Rio de  Janeiro", "RJ"),
    ("20001", "rio de janeiro", "RJ"),
    ("29000", "vitória", "ES"),
    ("40000", "salvador", "BA"),
    ("69000", "MANAUS", "AM"),
    ("70000", "brasília", "DF"),
    ("80000", "curitiba", "PR"),
    ("13000", "campinas", "SP"),
    ("13001", "itu", "SP"),
    ("99999", "itu", "XX"),
    ("1", "são  paulo", "SP"),
)
CATEGORIES = ("casa", "livros", "pc_gamer", "moveis", "")
PRICES = ("0.00", "0.01", "9.99", "24.99", "25.00", "49.90", "50.00", "99.90", "100.00", "200.00", "999.99", "2000.00")
FREIGHTS = ("0.00", "7.39", "9.99", "10.00", "14.1", "15.00", "30.00", "50.00")
METHODS = ("credit_card",) * 6 + ("boleto", "boleto", "voucher", "debit_card", "not_defined")
INSTALLMENTS = (0, 1, 1, 2, 3, 4, 6, 7, 8, 10, 11, 24)
TEXTS = (
    *("",) * 8, " ", ".", "Não recebi", "ATRASOU  muito", "produto diferente", "veio quebrado", "qualidade ruim",
    "pirata", "quero a devolução do dinheiro", "sem resposta do atendimento", "nota fiscal", "ótimo",
    "não foi\u00a0entregue",
)  # fmt: skip


def messy_extract(seed: int, orders: int, months: int) -> Lines:
    """So many orders, placed over so many months from February 2017 on."""
    chance = Random(seed)
    market = _Market(chance, orders, months)
    lines: Lines = {
        "customers": [], "geolocation": [], "order_items": [], "order_payments": [], "order_reviews": [], "orders": [],
        "products": list(market.products()), "sellers": list(market.sellers()),
        "categories": ["casa,home", "livros,books", "moveis,home"][: chance.randint(1, 3)],
    }  # fmt: skip
    for number in range(1, orders + 1):
        for file, some in market.order(number).items():
            lines[file] += some
    for zip_prefix, city, state in PLACES:
        if _happens(chance, 0.8):
            latitude, longitude = -5 - chance.random() * 25, -45 - chance.random() * 20
            lines["geolocation"] += [line(zip_prefix, f"{latitude:.6f}", f"{longitude:.6f}", city, state)]
    return lines


class _Market:
    """Who sells what to whom, and when."""

    def __init__(self, chance: Random, orders: int, months: int) -> None:
        self._chance = chance
        self._persons = range(0x1000, 0x1000 + max(1, orders * chance.randint(3, 9) // 10))
        self._sellers = range(0x2000, 0x2000 + 1 + orders // chance.choice((3, 8, 25)))
        self._products = range(0x3000, 0x3000 + 1 + orders // chance.choice((2, 5, 15)))
        self._orders, self._days = orders, months * 30

    def products(self) -> Iterator[str]:
        for product in self._products:
            if _happens(self._chance, 0.9):
                photos, length = self._chance.choice(("", 0, 1, 1, 2, 3, 5, 6, 9)), self._chance.choice(("", 50, 500))
                category = self._chance.choice(CATEGORIES)
                yield line(an_id(product), category, 40, length, photos, 800, 20, 10, 3)

    def sellers(self) -> Iterator[str]:
        for seller in self._sellers:
            if _happens(self._chance, 0.9):
                yield line(an_id(seller), *self._chance.choice(PLACES))

    def order(self, number: int) -> Lines:
        """The lines of an order, and of everything that belongs to it."""
        chance = self._chance
        placed, alias = self._placed(), 0x100000 + number
        lines: Lines = {"orders": [self._course(number, alias, placed)]}
        if _happens(chance, 0.95):
            lines["customers"] = [a_customer(alias, _early(chance, self._persons), *chance.choice(PLACES))]
        items = self._items(number, placed) if _happens(chance, 0.93) else []
        lines["order_items"] = [text for text, _ in items]
        if _happens(chance, 0.95):
            lines["order_payments"] = self._payments(number, sum(cents for _, cents in items))
        lines["order_reviews"] = self._reviews(number, placed)
        return lines

    def _placed(self) -> datetime:
        """Some at the same moment, and the last months emptier, so that not all months are regular."""
        chance = self._chance
        if _happens(chance, 0.1):
            return FIRST + timedelta(days=chance.choice((0, 40, 41)) % max(self._days, 1), hours=10)
        days = min(chance.random(), chance.random() if _happens(chance, 0.3) else 1) * self._days
        return FIRST + timedelta(seconds=round(days * 86_400))

    def _course(self, number: int, alias: int, placed: datetime) -> str:
        chance = self._chance
        approved = placed + timedelta(seconds=chance.choice((0, 600, 3_600, 86_400, 300_000)))
        shipped = approved + timedelta(days=chance.choice((-1, 0, 1, 2, 3, 20)), hours=chance.randint(0, 23))
        days = chance.choice((0, 1, 3, 7, 10, 14, 21, 30, 45))
        delivered = placed + timedelta(days=days, seconds=chance.choice((0, -1, 1, 43_210)))
        promised = placed.date() + timedelta(days=chance.choice((2, 10, 14, 21, 30)))
        told = [f"{at:%F %T}" if _happens(chance, 0.93) else "" for at in (approved, shipped, delivered)]
        return line(
            an_id(number), an_id(alias), chance.choice(STATUSES), f"{placed:%F %T}", *told, f"{promised:%F} 00:00:00"
        )

    def _items(self, number: int, placed: datetime) -> list[tuple[str, int]]:
        chance = self._chance
        count, product, seller = chance.choice((1, 1, 1, 2, 3, 6)), 0, 0
        made = []
        for item_no in range(first := chance.choice((1, 1, 1, 2)), first + count):
            if not product or _happens(chance, 0.4):
                product, seller = _early(chance, self._products), _early(chance, self._sellers)
            price, freight = chance.choice(PRICES), chance.choice(FREIGHTS)
            until = placed + timedelta(days=chance.choice((1, 3, 6)), hours=chance.randint(0, 9))
            text = line(an_id(number), item_no, an_id(product), an_id(seller), f"{until:%F %T}", price, freight)
            made.append((text, round(100 * float(price)) + round(100 * float(freight))))
        return made

    def _payments(self, number: int, cents: int) -> list[str]:
        chance = self._chance
        if _happens(chance, 0.05):
            return [a_payment(number, place, "10.00", "voucher") for place in range(1, 6)]
        paid = max(0, cents + chance.choice((0, 0, 0, 100, 101, -100, -101, 5_000)))
        parts = [paid] if _happens(chance, 0.8) else [paid // 2, paid - paid // 2]
        return [
            a_payment(number, place, f"{part / 100:.2f}", chance.choice(METHODS), chance.choice(INSTALLMENTS))
            for place, part in enumerate(parts, chance.choice((1, 2)))
        ]

    def _reviews(self, number: int, placed: datetime) -> list[str]:
        """Some under an id that other orders' reviews have."""
        chance = self._chance
        made = {}
        for _ in range(chance.choice((0, 1, 1, 1, 2))):
            review = chance.randint(0x4000, 0x4000 + self._orders // 9) if _happens(chance, 0.2) else 0x800000 + number
            created = placed.date() + timedelta(days=chance.choice((1, 9, 20, 70)))
            made[review] = a_review(
                review,
                number,
                chance.choice((1, 1, 2, 3, 4, 5, 5, 5)),
                title=chance.choice(TEXTS),
                comment=chance.choice(TEXTS),
                created=f"{created:%F} 00:00:00",
                answered=f"{created + timedelta(days=2):%F} 10:00:00",
            )
        return list(made.values())


def _happens(chance: Random, probability: float) -> bool:
    return chance.random() < probability


def _early(chance: Random, some: Sequence[int]) -> int:
    """One of them, more often one of the first: some have many, most have few."""
    return some[min(chance.randrange(len(some)), chance.randrange(len(some)))]


def lacking(lines: Lines, what: str) -> Lines:
    """The extract without a file's records, or where that is no file: with nothing to pay ("money"), or with orders
    that all have this status.
    """
    if what in lines:
        return {**lines, what: []}
    if what == "money":
        items = [",".join([*text.split(",")[:-2], "0.00", "0.00"]) for text in lines["order_items"]]
        payments = [",".join([*text.split(",")[:-1], "0.00"]) for text in lines["order_payments"]]
        return {**lines, "order_items": items, "order_payments": payments}
    orders = [text.split(",") for text in lines["orders"]]
    return {**lines, "orders": [",".join([*cells[:2], what, *cells[3:]]) for cells in orders]}
