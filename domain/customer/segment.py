"""The six segments: what a person's purchases say of them on a given day (R33, R34)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from replayhouse.domain.customer.events import Segment

CHURNED_AFTER_DAYS = 180
_UNTIL_CHURNED = timedelta(days=CHURNED_AFTER_DAYS + 1)
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
    if is_churned(last, as_of):
        return "CHURNED"
    if buyer.orders == 1:
        return "ONE_TIME"
    if buyer.orders <= REGULAR_UP_TO_ORDERS:
        return "REGULAR"
    if buyer.spent <= LOYAL_UP_TO_BRL:
        return "LOYAL"
    return "VIP"


def is_churned(last_purchase_at: datetime, as_of: date) -> bool:
    """Whether somebody who bought nothing since is churned on that day: from day 181 after the purchase's date on."""
    return (as_of - last_purchase_at.date()).days > CHURNED_AFTER_DAYS


def churned_from(last_purchase_at: datetime) -> date | None:
    """The first day of which that is true; None where it lies after the last day that there is."""
    return last_purchase_at.date() + _UNTIL_CHURNED if is_churned(last_purchase_at, date.max) else None
