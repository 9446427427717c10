"""The order: its state, and what a look at an extract tells that happened to it since.

An extract shows a snapshot, not what happened. `observe` holds the snapshot against what is known and derives the
steps that must have happened from status and times; a second, later snapshot yields only what is new.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.kernel.money import NOTHING, total_of
from replayhouse.domain.kernel.state import Changes, Decider, Steps, evolved, folded
from replayhouse.domain.sales.events import (
    AmendedFact,
    Line,
    OrderAmended,
    OrderApproved,
    OrderCanceled,
    OrderCompleted,
    OrderInvoiced,
    OrderLineAdded,
    OrderLineAmended,
    OrderMadeUnavailable,
    OrderPaid,
    OrderPlaced,
    OrderProcessingStarted,
    OrderShipped,
    PaymentAmended,
    PaymentReceived,
)

RANK = {
    "created": 0,
    "approved": 1,
    "invoiced": 2,
    "processing": 2,
    "shipped": 3,
    "delivered": 4,
    "canceled": 5,
    "unavailable": 5,
}
"""How far each status is; an order only goes up. Invoiced and processing may follow each other."""

ENDED = frozenset({"canceled", "unavailable"})
SHIPPED_OR_LATER = frozenset({"shipped", "delivered"})

SHOWN_WHILE: dict[str, frozenset[str]] = {
    "approved_at": frozenset(RANK) - {"created"},
    "shipped_at": SHIPPED_OR_LATER | ENDED,
    "completed_at": frozenset({"delivered"}),
}
"""The statuses that allow each step, and so its time (R18)."""


def shown_at(step: str, status: str, at: datetime | None) -> datetime | None:
    """The time of a step, if the status allows that step (R18)."""
    return at if status in SHOWN_WHILE[step] else None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment; its number is unique in the order and need not start at 1. `amount` in BRL."""

    payment_no: int
    method: str
    installments: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OrderHeader:
    """An order's own row as the extract shows it; the times as given, whether the status allows them or not.

    `promised_by` is None where the source does not know it.
    """

    customer_alias: UUID
    status: str
    placed_at: datetime
    promised_by: datetime | None
    approved_at: datetime | None = None
    shipped_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True)
class Order:
    """What is known of an order. `status` is the source's word, empty until it is placed."""

    status: str = ""
    customer_id: UUID = UNKNOWN_ID
    customer_alias: UUID = UNKNOWN_ID
    placed_at: datetime = datetime.min
    promised_by: datetime | None = None
    approved_at: datetime | None = None
    shipped_at: datetime | None = None
    completed_at: datetime | None = None
    lines: Mapping[int, Line] = field(default_factory=dict)
    payments: Mapping[int, Payment] = field(default_factory=dict)
    is_placed: bool = False
    was_paid: bool = False
    latest_time: datetime = datetime.min

    @property
    def is_completed(self) -> bool:
        """Delivered, and not canceled since."""
        return self.status == "delivered"

    @property
    def is_shipped(self) -> bool:
        """Whether the status says that the carrier has the parcel, or had it; of one that ended it says nothing."""
        return self.status in SHIPPED_OR_LATER

    @property
    def is_ended(self) -> bool:
        """Whether the order came to nothing: canceled or unavailable."""
        return self.status in ENDED

    @property
    def shown_approved_at(self) -> datetime | None:
        """The time of the approval, if the status allows that step (R18)."""
        return shown_at("approved_at", self.status, self.approved_at)

    @property
    def shown_shipped_at(self) -> datetime | None:
        """The carrier's time, if the status allows that step (R18)."""
        return shown_at("shipped_at", self.status, self.shipped_at)

    @property
    def shown_completed_at(self) -> datetime | None:
        """The delivery time, if the status allows that step (R18)."""
        return shown_at("completed_at", self.status, self.completed_at)

    @property
    def ordered_lines(self) -> list[Line]:
        """The lines by their numbers."""
        return [self.lines[item_no] for item_no in sorted(self.lines)]

    @property
    def seller_count(self) -> int:
        """How many sellers have a line (R20); one whom nobody knows is none."""
        return len({line.seller_id for line in self.lines.values() if line.seller_id != UNKNOWN_ID})

    @property
    def price(self) -> Decimal:
        """Sum over the lines, in BRL."""
        return total_of([line.price for line in self.lines.values()])

    @property
    def freight(self) -> Decimal:
        """Sum over the lines, in BRL."""
        return total_of([line.freight for line in self.lines.values()])

    @property
    def total(self) -> Decimal:
        """Price and freight of all lines (R20), in BRL."""
        return total_of([line.total for line in self.lines.values()])

    @property
    def paid(self) -> Decimal:
        """Sum of all payments, in BRL."""
        return total_of([payment.amount for payment in self.payments.values()])

    @property
    def max_installments(self) -> int | None:
        """The largest number of installments of a payment (R20); None without payments."""
        return max([payment.installments for payment in self.payments.values()], default=None)

    @property
    def main_payment(self) -> Payment | None:
        """The largest payment, of equal ones that with the lowest number (R20); None without payments."""
        return min(self.payments.values(), key=_largest_first, default=None)

    @property
    def is_paid(self) -> bool:
        """Whether the payments reach the total, to the cent, as the amounts are now (R21)."""
        return pays(self.paid, self.total)


NEW_ORDER = Order()


def _largest_first(payment: Payment) -> tuple[Decimal, int]:
    return (-payment.amount, payment.payment_no)


def pays(paid: Decimal, total: Decimal) -> bool:
    """Whether an amount pays a total: something was paid, and it reaches the total, to the cent (R21)."""
    return paid > NOTHING and paid >= total


def _placed(order: Order, event: OrderPlaced) -> Changes:
    return {
        "is_placed": True,
        "status": order.status or "created",
        "customer_id": event.customer_id,
        "customer_alias": event.customer_alias,
        "placed_at": event.placed_at,
        "promised_by": event.promised_by,
        "lines": {line.item_no: line for line in event.lines},
        "latest_time": max(order.latest_time, event.occurred_at),
    }


def _line(order: Order, event: OrderLineAdded | OrderLineAmended) -> Changes:
    return {"lines": {**order.lines, event.line.item_no: event.line}}


def _amended(order: Order, event: OrderAmended) -> Changes:
    value = event.customer_id if event.what == "customer_id" else event.time
    return {event.what: value, "latest_time": max(order.latest_time, event.occurred_at)}


def _payment(order: Order, event: PaymentReceived | PaymentAmended) -> Changes:
    payment = Payment(event.payment_no, event.method, event.installments, event.amount)
    return {"payments": {**order.payments, event.payment_no: payment}}


def _paid(order: Order, event: OrderPaid) -> Changes:
    return {"was_paid": True}


def _stepped(order: Order, status: str, occurred_at: datetime, **facts: datetime | None) -> Changes:
    """The order with a step taken: its status goes up, or stays where it is further already."""
    if RANK[status] < RANK.get(order.status, 0):
        status = order.status
    return {"status": status, "latest_time": max(order.latest_time, occurred_at), **facts}


_EVOLUTION: Steps[Order] = {
    OrderPlaced: _placed,
    OrderLineAdded: _line,
    OrderLineAmended: _line,
    OrderAmended: _amended,
    PaymentReceived: _payment,
    PaymentAmended: _payment,
    OrderPaid: _paid,
    OrderApproved: lambda o, e: _stepped(o, "approved", e.occurred_at, approved_at=e.approved_at),
    OrderInvoiced: lambda o, e: _stepped(o, "invoiced", e.occurred_at),
    OrderProcessingStarted: lambda o, e: _stepped(o, "processing", e.occurred_at),
    OrderShipped: lambda o, e: _stepped(o, "shipped", e.occurred_at, shipped_at=e.shipped_at),
    OrderCompleted: lambda o, e: _stepped(o, "delivered", e.occurred_at, completed_at=e.completed_at),
    OrderCanceled: lambda o, e: _stepped(o, "canceled", e.occurred_at),
    OrderMadeUnavailable: lambda o, e: _stepped(o, "unavailable", e.occurred_at),
}


def evolve(order: Order, event: DomainEvent) -> Order:
    """The order after an event; total on any subsequence of a stream, other events change nothing."""
    return evolved(order, event, _EVOLUTION)


def order_of(events: Iterable[DomainEvent]) -> Order:
    """The order that these events made."""
    return folded(NEW_ORDER, events, _EVOLUTION)


def observe(
    order: Order,
    customer_id: UUID | None,
    header: OrderHeader | None,
    lines: Sequence[Line] = (),
    payments: Sequence[Payment] = (),
) -> tuple[DomainEvent, ...]:
    """What must have happened to the order, by what an extract shows of it.

    `customer_id` is the person behind the alias (None: as known), `header` the order's own row (None: not in this
    extract). Lines and payments that the extract lacks stay as they are (R6). Raises DomainError where the order would
    go backwards, change its alias, or is not known at all.
    """
    return observed(order, customer_id, header, lines, payments)[0]


def observed(
    order: Order,
    customer_id: UUID | None,
    header: OrderHeader | None,
    lines: Sequence[Line],
    payments: Sequence[Payment],
) -> tuple[tuple[DomainEvent, ...], Order]:
    """As `observe`, and the order after it: who needs both would evolve a million orders twice otherwise."""
    decider = Decider(order, _EVOLUTION)
    if not order.is_placed:
        if header is None:
            raise DomainError("an order is placed before anything else happens to it", "order")
        _place(decider, customer_id or UNKNOWN_ID, header, lines)
    else:
        if header is not None:
            _refuse_going_backwards(order, header)
            _amend(decider, "placed_at", header.placed_at)
            _amend(decider, "promised_by", header.promised_by)
        if customer_id is not None and customer_id != decider.state.customer_id:
            placed_at = decider.state.placed_at
            decider.happened(OrderAmended(placed_at, "customer_id", customer_id=customer_id))
        _observe_lines(decider, lines)
    _observe_payments(decider, payments)
    if header is not None:
        _observe_steps(decider, header)
    return tuple(decider.events), decider.state


def _place(decider: Decider[Order], customer_id: UUID, header: OrderHeader, lines: Sequence[Line]) -> None:
    for line in lines:
        _refuse_negative(line)
    decider.happened(
        OrderPlaced(
            occurred_at=header.placed_at,
            customer_id=customer_id,
            customer_alias=header.customer_alias,
            placed_at=header.placed_at,
            promised_by=header.promised_by,
            lines=tuple(sorted(lines, key=lambda line: line.item_no)),
        )
    )


def _refuse_negative(line: Line) -> None:
    if line.price < 0 or line.freight < 0:
        raise DomainError(
            "price and freight are not negative", f"line {line.item_no}", price=line.price, freight=line.freight
        )


def _refuse_going_backwards(order: Order, header: OrderHeader) -> None:
    if header.customer_alias != order.customer_alias:
        raise DomainError(
            "an order keeps its customer_id", "order", known=order.customer_alias, shown=header.customer_alias
        )
    known, shown = RANK[order.status], RANK[header.status]
    if shown < known or (order.status in ENDED and header.status != order.status):
        raise DomainError("an order does not go backwards", "order", known=order.status, shown=header.status)


def _amend(decider: Decider[Order], what: AmendedFact, time: datetime | None) -> None:
    """Corrects one time of the header, at the new time, or where it is taken back at the old one."""
    known: datetime | None = getattr(decider.state, what)
    if time != known:
        at = decider.state.placed_at if what == "promised_by" else (time or known or decider.state.latest_time)
        decider.happened(OrderAmended(at, what, time=time))


def _observe_lines(decider: Decider[Order], lines: Sequence[Line]) -> None:
    for line in sorted(lines, key=lambda line: line.item_no):
        _refuse_negative(line)
        known = decider.state.lines.get(line.item_no)
        if known is None:
            decider.happened(OrderLineAdded(decider.state.placed_at, line))
        elif known != line:
            decider.happened(OrderLineAmended(decider.state.placed_at, line))


def _observe_payments(decider: Decider[Order], payments: Sequence[Payment]) -> None:
    for payment in sorted(payments, key=lambda payment: payment.payment_no):
        known = decider.state.payments.get(payment.payment_no)
        if known != payment:
            what = PaymentReceived if known is None else PaymentAmended
            facts = (payment.payment_no, payment.method, payment.installments, payment.amount)
            decider.happened(what(decider.state.placed_at, *facts))
    if not decider.state.was_paid:
        paid, total = decider.state.paid, decider.state.total
        if pays(paid, total):
            decider.happened(OrderPaid(decider.state.placed_at, paid, total))


def _observe_steps(decider: Decider[Order], header: OrderHeader) -> None:
    """The steps up to the status shown, each at its own time; a time that the status does not allow is none (R18)."""
    status = header.status
    approved_at = shown_at("approved_at", status, header.approved_at)
    shipped_at = shown_at("shipped_at", status, header.shipped_at)

    if RANK[decider.state.status] >= RANK["approved"]:
        _amend(decider, "approved_at", approved_at)
    elif approved_at is not None or (status != "created" and status not in ENDED):
        decider.happened(OrderApproved(approved_at or decider.state.latest_time, approved_at))

    if status == "invoiced" and decider.state.status != status:
        decider.happened(OrderInvoiced(decider.state.latest_time))
    if status == "processing" and decider.state.status != status:
        decider.happened(OrderProcessingStarted(decider.state.latest_time))

    if RANK[decider.state.status] >= RANK["shipped"]:
        _amend(decider, "shipped_at", shipped_at)
    elif shipped_at is not None or status in SHIPPED_OR_LATER:
        decider.happened(OrderShipped(shipped_at or decider.state.latest_time, shipped_at))

    if status == "delivered":
        _complete(decider, header.completed_at)
    elif status in ENDED and decider.state.status != status:
        end = OrderCanceled if status == "canceled" else OrderMadeUnavailable
        decider.happened(end(decider.state.latest_time, last_step=decider.state.status))


def _complete(decider: Decider[Order], completed_at: datetime | None) -> None:
    order = decider.state
    if order.is_completed:
        _amend(decider, "completed_at", completed_at)
    else:
        decider.happened(
            OrderCompleted(
                occurred_at=completed_at or order.latest_time,
                customer_id=order.customer_id,
                placed_at=order.placed_at,
                completed_at=completed_at,
                total=order.total,
            )
        )
