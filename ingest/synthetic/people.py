"""Who buys: most people once, some again, a few often; and under which of their addresses.

The numbers of the orders are cut into blocks, and each block is laid out alike: the same slots belong to the same
person. So whose order it is, and which one of his, follows from the order's number alone.
"""

from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from replayhouse.ingest.synthetic import days
from replayhouse.ingest.synthetic.draws import fraction, identifier, number
from replayhouse.ingest.synthetic.places import Place, Places
from replayhouse.ingest.synthetic.towns import odd_spelling, other_spelling

BLOCK = 5000
"""Orders in a block."""

Habit = Literal["once", "again", "split", "tied", "mover", "loyal", "vip"]
"""Why somebody has the orders he has.

once: one order; again: several, anyhow; split: one basket that became several orders within minutes, with one review
for all; tied: two orders in the same second from two addresses; mover: away and back again; loyal: more than five
small purchases; vip: more than five large ones.
"""


class Run(NamedTuple):
    """The slots of a person's orders, in the order in which he places them (but for `again`)."""

    habit: Habit
    slots: tuple[int, ...]


def _layout() -> dict[int, tuple[Run, int]]:
    runs = [
        Run("vip", (0, 12, 17, 23, 31, 38, 45, 52)),
        Run("loyal", (1, 13, 19, 26, 33, 40, 47)),
        Run("mover", (10, 20, 30)),
        Run("tied", (11, 21)),
        Run("split", (14, 15, 16)),
        Run("again", (24, 25, 35, 36, 37)),
    ]
    # Beside those: 137 people with two orders, 10 with three, 2 with four, one with five; a block has 5,000 orders.
    sizes = [5, 4, 4] + [3] * 10 + [2] * 137
    for place, size in enumerate(sizes):
        habit: Habit = "split" if place % 4 == 1 else "again"
        runs.append(Run(habit, tuple(100 + place * 5 + turn * 900 for turn in range(size))))
    return {slot: (run, turn) for run in runs for turn, slot in enumerate(run.slots)}


LAYOUT = _layout()
"""Whose order a slot is, and which one of his; a slot that is not here belongs to somebody who buys once."""


# However small an extract is, it reaches from the first day to the last.
_EDGES = {18: days.FIRST_DAY, 22: days.LAST_DAY}


# Slots whose customers spell their city otherwise; the first is that of somebody with orders before and after.
_OTHER_SPELLINGS = (25, 34)
_ODD_SPELLING = 39


class Buyer(NamedTuple):
    """Whose order it is: the number of the person's first order, which one of his it is (from 0), and why."""

    first: int
    turn: int
    habit: Habit


def buyer_of(order: int) -> Buyer:
    """Who placed the order of this number."""
    start, slot = order - order % BLOCK, order % BLOCK
    found = LAYOUT.get(slot)
    if found is None:
        return Buyer(order, 0, "once")
    run, turn = found
    return Buyer(start + run.slots[0], turn, run.habit)


class Customer(NamedTuple):
    """A row of the customers file: the alias of one order, the person, and the address it was sent to."""

    alias: str
    person: str
    place: Place
    city: str


class People:
    """The people of an extract."""

    def __init__(self, seed: int, places: Places) -> None:
        self._seed = seed
        self._places = places

    def placed_at(self, order: int, buyer: Buyer) -> datetime:
        """When the order of this number was placed."""
        if buyer.turn and buyer.habit in ("split", "tied"):
            minutes = 0 if buyer.habit == "tied" else 1 + number(self._seed, "pause", order) % 9
            return days.moment(number(self._seed, "placed", buyer.first)) + timedelta(minutes=minutes)
        bits = number(self._seed, "placed", order)
        if order in _EDGES:
            return days.on_day(_EDGES[order], bits)
        if buyer.habit in ("loyal", "vip", "mover"):
            # Their last purchase is fresh when the data end: nobody who left is loyal.
            day = date(2018, 8, 20) - timedelta(days=58 * (_longest(buyer) - 1 - buyer.turn) + bits % 40)
            return days.on_day(day, bits)
        return days.moment(bits)

    def customer_of(self, order: int, buyer: Buyer) -> Customer:
        """The customer row of the order of this number."""
        bits = number(self._seed, "alias", order)
        place = self._places.of_customer(number(self._seed, "home", buyer.first, _home(buyer, bits)))
        city = place.town.plain_name
        if order % BLOCK in _OTHER_SPELLINGS or fraction(bits, 1) < 0.003:
            city = other_spelling(place.town)
        elif order % BLOCK == _ODD_SPELLING:
            city = odd_spelling(place.town, order // BLOCK)
        return Customer(
            identifier(self._seed, "alias", order), identifier(self._seed, "person", buyer.first), place, city
        )


def _longest(buyer: Buyer) -> int:
    return len(LAYOUT[buyer.first % BLOCK][0].slots)


def _home(buyer: Buyer, bits: int) -> int:
    """Which of his homes (from 0) a person buys for."""
    if buyer.habit in ("mover", "tied"):
        return buyer.turn % 2
    if buyer.habit in ("once", "split"):
        return 0
    return buyer.turn if fraction(bits, 0) < 0.3 else 0
