"""Orders for tests: what an extract may show of one, and what is told of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import NEW_ORDER, Order, OrderHeader, Payment, evolve, observe

PERSON, NEIGHBOUR = UUID(int=0xA1), UUID(int=0xA2)
ALIAS, OTHER_ALIAS = UUID(int=0xB1), UUID(int=0xB2)
SELLER, OTHER_SELLER = UUID(int=0xC1), UUID(int=0xC2)
PRODUCT = UUID(int=0xD1)

MONDAY = datetime(2018, 3, 5, 9, 30)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + timedelta(days=days) for days in range(1, 5))
PROMISE = datetime(2018, 3, 20)


def brl(amount: str) -> Decimal:
    return Decimal(amount)


def line(item_no: int = 1, price: str = "80.00", freight: str = "20.00", seller_id: UUID = SELLER) -> Line:
    return Line(item_no, PRODUCT, seller_id, brl(price), brl(freight), WEDNESDAY)


def payment(payment_no: int = 1, amount: str = "100.00", method: str = "credit_card", installments: int = 3) -> Payment:
    return Payment(payment_no, method, installments, brl(amount))


def header(status: str, **times: datetime | None) -> OrderHeader:
    """An order of Monday, promised for the 20th; without the times that are not named."""
    facts: dict[str, Any] = {"placed_at": MONDAY, "promised_by": PROMISE, **times}
    return OrderHeader(customer_alias=ALIAS, status=status, **facts)


def delivered(**times: datetime | None) -> OrderHeader:
    """An ordinary order: approved on Tuesday, shipped on Wednesday, delivered on Friday."""
    facts = {"approved_at": TUESDAY, "shipped_at": WEDNESDAY, "completed_at": FRIDAY, **times}
    return header("delivered", **facts)


def shown(*snapshots: OrderHeader, person: UUID | None = PERSON) -> Order:
    """The order after some extracts, one after the other, each with one line of R$ 100 that is not paid."""
    order = NEW_ORDER
    for snapshot in snapshots:
        order = after(order, observe(order, person, snapshot, [line()]))
    return order


def after(order: Order, events: tuple[DomainEvent, ...]) -> Order:
    for event in events:
        order = evolve(order, event)
    return order


def facts_of(order: Order) -> dict[str, object]:
    """What the star schema shows of an order, but for what follows from lines and payments (R18 to R22)."""
    return {
        "status": order.status,
        "customer_id": order.customer_id,
        "customer_alias": order.customer_alias,
        "placed_at": order.placed_at,
        "promised_by": order.promised_by,
        "approved_at": order.approved_at,
        "shipped_at": order.shipped_at,
        "completed_at": order.shown_completed_at,
        "lines": dict(order.lines),
        "payments": dict(order.payments),
        "is_paid": order.is_paid,
    }
