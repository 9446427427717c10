"""A few recorded events, to be appended to a log."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from replayhouse.domain.customer.events import CustomerRegistered
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import OrderApproved, OrderPaid
from replayhouse.infra.event_store.recorded import Recorded

AT = datetime(2018, 1, 2, 3, 4, 5)
APPROVED = OrderApproved(occurred_at=AT, approved_at=AT)
PAID = OrderPaid(occurred_at=AT, paid=Decimal("12.00"), total=Decimal("12.00"))


def order(stream: UUID, version: int, event: DomainEvent = APPROVED, source: str | None = None) -> Recorded:
    return Recorded("sales", stream, version, event, source)


def registered(stream: UUID, city: str = "são paulo") -> Recorded:
    event = CustomerRegistered(occurred_at=AT, alias=uuid4(), zip_prefix="01310", city=city, state="SP", placed_at=AT)
    return Recorded("customer", stream, 1, event)
