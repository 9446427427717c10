"""The six segments: what a person's purchases say of them on a given day (R33, R34)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from domain.customer.events import Segment

CHURNED_AFTER_DAYS = 180
REGULAR_UP_TO_ORDERS = 5
LOYAL_UP_TO_BRL = Decimal("1000.00")


class Buyer(Protocol):
    """What the segment depends on: purchases only (R32), never what was merely ordered."""

    @property
    def orders(self) -> int:
        """How many purchases."""
        ...

    @property
    def spent(self) -> Decimal:
        """Their sum in BRL."""
        ...

    @property
    def last_purchase_at(self) -> datetime | None:
        """When the last one was placed; None without any."""
        ...


def segment_at(buyer: Buyer, as_of: date) -> Segment:
    """The segment at the end of the day `as_of`; the first line that fits decides (R33)."""
    last = buyer.last_purchase_at
    if last is None:
        return "NEW"
    if as_of >= churned_from(last):
        return "CHURNED"
    if buyer.orders == 1:
        return "ONE_TIME"
    if buyer.orders <= REGULAR_UP_TO_ORDERS:
        return "REGULAR"
    if buyer.spent <= LOYAL_UP_TO_BRL:
        return "LOYAL"
    return "VIP"


def churned_from(last_purchase_at: datetime) -> date:
    """The first day on which somebody who bought nothing since is churned: day 181 after the purchase's date."""
    return last_purchase_at.date() + timedelta(days=CHURNED_AFTER_DAYS + 1)
