"""What becomes of an order: mostly all goes well; each kind of dirt in the source has a slot of its own in every block.

An extract of a hundred orders holds every kind already; in larger ones the slots recur with each block.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

from replayhouse.ingest.synthetic.draws import Weighted
from replayhouse.ingest.synthetic.people import BLOCK, Habit
from replayhouse.ingest.synthetic.towns import Town

Status = Literal["created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable"]
Punctuality = Literal["early", "on the day", "late"]
Oddity = Literal[
    "", "carrier before approval", "carrier before placing", "delivery before carrier", "no approval", "no carrier",
    "no delivery",
]  # fmt: skip
Paying = Literal["credit_card", "boleto", "debit_card", "voucher", "parts", "vouchers", "not_defined", "none"]
Quirk = Literal["", "from two", "no installments", "short", "interest"]
Comment = Literal["", "quirky", "blank"]


class Plan(NamedTuple):
    """One order's fate.

    `lines` says how many it has, `has_lines` whether the extract shows them, `reached` how many of approval,
    dispatch and delivery have a time.
    """

    status: Status = "delivered"
    reached: int = 3
    punctuality: Punctuality = "early"
    oddity: Oddity = ""
    lines: int = 1
    has_lines: bool = True
    paying: Paying = "credit_card"
    quirk: Quirk = ""
    reviews: int = 1
    comment: Comment = ""


USUAL = Plan()

TRAPS = {
    2: Plan(punctuality="late", paying="boleto"),
    3: Plan("unavailable", 1, has_lines=False),
    4: Plan(paying="vouchers"),
    5: Plan("canceled", 3),
    6: Plan(reviews=2, comment="quirky"),
    7: Plan("shipped", 2),
    8: Plan("processing", 1),
    9: Plan("created", 0, has_lines=False, reviews=0),
    18: Plan(paying="boleto"),
    22: Plan("canceled", 0, reviews=0),
    27: Plan(oddity="no delivery"),
    28: Plan(oddity="carrier before approval", paying="boleto"),
    29: Plan("invoiced", 1),
    32: Plan("canceled", 0, has_lines=False, paying="not_defined"),
    34: Plan(paying="parts"),
    39: Plan(quirk="from two"),
    41: Plan(quirk="no installments"),
    42: Plan("approved", 1, reviews=0),
    43: Plan(oddity="carrier before placing"),
    44: Plan(oddity="delivery before carrier"),
    46: Plan(punctuality="on the day"),
    48: Plan(paying="none"),
    49: Plan("canceled", 2),
    50: Plan(oddity="no approval"),
    51: Plan(oddity="no carrier"),
    53: Plan(lines=12),
    54: Plan(quirk="short"),
    55: Plan(quirk="interest"),
    56: Plan(comment="blank"),
    57: Plan(reviews=3),
    58: Plan(reviews=0),
    59: Plan(lines=4),
    60: Plan("unavailable", 1),
    61: Plan("canceled", 1),
    62: Plan("invoiced", 1, has_lines=False),
    63: Plan("shipped", 2, punctuality="late"),
    64: Plan(paying="debit_card"),
    65: Plan("canceled", 3, punctuality="late"),
}
"""The slots of a block whose orders have a fate of their own."""

_FATES = Weighted[tuple[Status, int, bool]](
    (
        (("delivered", 3, True), 9702),
        (("shipped", 2, True), 111),
        (("canceled", 0, True), 9),
        (("canceled", 0, False), 5),
        (("canceled", 1, True), 30),
        (("canceled", 1, False), 12),
        (("canceled", 2, True), 7),
        (("unavailable", 1, False), 61),
        (("invoiced", 1, True), 32),
        (("processing", 1, True), 31),
    )
)
_FATES_IN_THE_END = Weighted[tuple[Status, int, bool]](
    ((("canceled", 0, True), 2), (("canceled", 1, True), 6), (("shipped", 2, True), 1))
)
_END = datetime(2018, 9, 1)
_LINES = Weighted(((1, 900), (2, 76), (3, 13.4), (4, 5.1), (5, 2.1), (6, 2), (7, 0.2), (10, 0.1), (15, 0.05)))
_PAYING = Weighted[Paying](
    (("credit_card", 745), ("boleto", 199), ("voucher", 16), ("debit_card", 15.4), ("parts", 21.5), ("vouchers", 3.5))
)
_ODDITIES = Weighted[Oddity](
    (("", 984.2), ("carrier before approval", 13.8), ("carrier before placing", 1.6), ("delivery before carrier", 0.2))
)
_QUIRKS = Weighted[Quirk]((("", 995.4), ("short", 1.2), ("interest", 2.6), ("from two", 0.8)))
_REVIEWS = Weighted(((1, 986.8), (0, 7.7), (2, 5.4), (3, 0.1)))

# How many of a hundred deliveries come after the promised day: by state and region, and months that went badly.
_LATE_IN_REGION = {"North": 8.5, "Northeast": 10.8, "Central-West": 6.5, "Southeast": 5.0, "South": 6.3}
_LATE_IN_STATE = {"RJ": 10.0, "ES": 8.5, "SP": 4.1}
_LATE_MONTHS = {(2017, 11): 1.9, (2018, 2): 2.0, (2018, 3): 2.4, (2018, 8): 1.3, (2017, 6): 0.6, (2018, 7): 0.6}


def plan_of(order: int, habit: Habit, placed_at: datetime, town: Town, random: Callable[[], float]) -> Plan:
    """The fate of the order of this number: that of its slot, or drawn."""
    if (plan := TRAPS.get(order % BLOCK)) is not None:
        return plan
    if habit in ("loyal", "vip", "mover", "split"):
        return USUAL
    fates = _FATES if placed_at < _END else _FATES_IN_THE_END
    status, reached, has_lines = fates.at(random())
    chance = random() * 100
    late = _LATE_IN_STATE.get(town.state) or _LATE_IN_REGION[town.region]
    late *= _LATE_MONTHS.get((placed_at.year, placed_at.month), 1.0)
    return Plan(
        status,
        reached,
        "late" if chance < late else "on the day" if chance < late + 1.3 else "early",
        _ODDITIES.at(random()) if reached == 3 else "",
        _LINES.at(random()),
        has_lines,
        _PAYING.at(random()),
        _QUIRKS.at(random()),
        _REVIEWS.at(random()),
    )
