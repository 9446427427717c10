"""A person with their orders: orders, shipments, aliases, reviews, purchases and segment, decided together.

What crosses the contexts is worked out here, in the same step: Sales decides first, the policies of Fulfillment and
Customer take in what came of it, so that all of it is appended in one transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from replayhouse.domain.customer.customer import (
    AliasSeen,
    Customer,
    OrderOutcome,
    customer_of,
    due_on,
    evaluate,
    observe_aliases,
    observe_regions,
    record_purchases,
)
from replayhouse.domain.customer.customer import evolve as evolve_customer
from replayhouse.domain.customer.review import reassign, review_of, review_stream_id, submit
from replayhouse.domain.fulfillment.events import ShipmentPlanned, ShipmentReplanned
from replayhouse.domain.fulfillment.shipment import OrderProgress, Route, follow, shipment_of
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.sales.events import (
    OrderAmended,
    OrderLineAdded,
    OrderLineAmended,
    OrderPaid,
    OrderPlaced,
    PaymentAmended,
    PaymentReceived,
)
from replayhouse.domain.sales.order import Order, observed, order_of
from replayhouse.ingest.decision import Decision, Known, lines_of, source_of
from replayhouse.ingest.translate.unsaid import as_known
from replayhouse.ingest.work import OrderWork, PersonWork

OF_A_PAYMENT = (PaymentReceived, PaymentAmended)
OF_A_LINE = (OrderLineAdded, OrderLineAmended)
PLANS = (ShipmentPlanned, ShipmentReplanned)

AT_ONCE = date.min
"""From when on those lapse whom a load could not evaluate: at the next evaluation, whatever its day."""


@dataclass(slots=True)
class PersonDecided:
    """The decisions on a person's rows, and the date from which they would lapse, where that changed."""

    decisions: list[Decision]
    due_changed: bool = False
    due: date | None = None


@dataclass(slots=True)
class _OrderAtHand:
    """An order after it was decided on, and the lines that tell of it: its own, its alias', and those of all of it."""

    work: OrderWork
    order: Order
    header: str
    customer: str
    whole: str | None


def decide_person(
    work: PersonWork,
    known: Known,
    seller_zips: Mapping[UUID, str],
    known_reviews: Mapping[UUID, list[UUID]],
    as_of: date | None,
) -> PersonDecided:
    """Everything that a person's rows tell, in the order of the contexts' dependence.

    `seller_zips` maps sellers to their zip prefix, `known_reviews` orders to the review streams that the log has of
    them; `as_of` is the date of the segment's evaluation, None where there is none.
    """
    decided = PersonDecided([])
    orders = [_decide_order(decided, work, order, known) for order in work.orders]
    customer = _decide_aliases(decided, work, orders, known)
    for at_hand in orders:
        _decide_shipment(decided, at_hand, customer, known, seller_zips)
        _decide_reviews(decided, at_hand, customer, known, known_reviews.get(at_hand.work.order_id, ()))
    if work.customer_id is not None and customer.is_registered:
        _decide_purchases(decided, work.customer_id, customer, orders, as_of)
    return decided


def _decide_order(decided: PersonDecided, person: PersonWork, work: OrderWork, known: Known) -> _OrderAtHand:
    before = order_of(known.events("sales", work.order_id))
    events, order = observed(
        before,
        person.customer_id,
        as_known(work.header.header, work.header.unsaid, before) if work.header else None,
        [as_known(row.item, row.unsaid, before.lines.get(row.item.item_no)) for row in work.items],
        [as_known(row.payment, row.unsaid, before.payments.get(row.payment.payment_no)) for row in work.payments],
    )
    header = lines_of("orders", [work.header.line]) if work.header else ""
    items = lines_of("order_items", [row.line for row in work.items])
    customer = lines_of("customers", [row.line for row in person.customers if row.alias == order.customer_alias])
    at_hand = _OrderAtHand(work, order, header, customer, source_of(header, items, customer))
    for event in events:
        decided.decisions.append(Decision("sales", work.order_id, event, _source_of_order_event(event, at_hand, items)))
    return at_hand


def _source_of_order_event(event: DomainEvent, order: _OrderAtHand, items: str) -> str | None:
    """The lines that caused an event: of a placed order its header, lines and customer; of a payment its own."""
    kind = type(event)
    if kind is OrderPlaced:
        return order.whole
    if isinstance(event, OF_A_PAYMENT):
        lines = [row.line for row in order.work.payments if row.payment.payment_no == event.payment_no]
        return lines_of("order_payments", lines)
    if kind is OrderPaid:
        return source_of(order.header, items, lines_of("order_payments", [row.line for row in order.work.payments]))
    if isinstance(event, OF_A_LINE):
        lines = [row.line for row in order.work.items if row.item.item_no == event.line.item_no]
        return lines_of("order_items", lines)
    if isinstance(event, OrderAmended) and event.what == "customer_id":
        return order.customer or None
    return order.header or None


def _decide_aliases(decided: PersonDecided, work: PersonWork, orders: list[_OrderAtHand], known: Known) -> Customer:
    """The person's aliases as the extract shows them, each dated by the first order placed under it."""
    if work.customer_id is None:
        return customer_of(())
    customer = customer_of(known.events("customer", work.customer_id))
    placed_at: dict[UUID, datetime] = {}
    for at_hand in orders:
        alias, at = at_hand.order.customer_alias, at_hand.order.placed_at
        placed_at[alias] = min(at, placed_at.get(alias, at))
    rows = {row.alias: row for row in work.customers}
    seen = [
        AliasSeen(alias, placed_at.get(alias), as_known(row.address, row.unsaid, customer.aliases.get(alias)))
        for alias, row in rows.items()
    ]
    seen += [
        AliasSeen(alias, at, None) for alias, at in placed_at.items() if alias not in rows and alias in customer.aliases
    ]
    for event in observe_aliases(customer, seen):
        source = _source_of_alias_event(getattr(event, "alias", None), work, orders)
        decided.decisions.append(Decision("customer", work.customer_id, event, source))
        customer = evolve_customer(customer, event)
    if customer.is_registered:
        shown = [(row.address.state, row.region) for row in work.customers if row.region is not None]
        source = source_of(lines_of("customers", [row.line for row in work.customers]))
        for told in observe_regions(customer, shown):
            decided.decisions.append(Decision("customer", work.customer_id, told, source))
            customer = evolve_customer(customer, told)
    return customer


def _source_of_alias_event(alias: UUID | None, work: PersonWork, orders: Iterable[_OrderAtHand]) -> str | None:
    """The lines that show an alias and date it; all of the person's where the event is not of one alias (a move)."""
    headers = [
        at_hand.work.header.line
        for at_hand in orders
        if at_hand.work.header is not None and alias in (None, at_hand.order.customer_alias)
    ]
    customers = [row.line for row in work.customers if alias in (None, row.alias)]
    return source_of(lines_of("orders", headers), lines_of("customers", customers))


def _decide_shipment(
    decided: PersonDecided,
    at_hand: _OrderAtHand,
    customer: Customer,
    known: Known,
    seller_zips: Mapping[UUID, str],
) -> None:
    order, order_id = at_hand.order, at_hand.work.order_id
    address = customer.aliases.get(order.customer_alias)
    route = Route(
        destination_zip=address.zip_prefix if address is not None else None,
        origins=tuple(seller_zips.get(line.seller_id) for line in order.ordered_lines),
        is_anonymized=customer.is_anonymized,
    )
    progress = OrderProgress(
        order_id=order_id,
        customer_id=order.customer_id,
        placed_at=order.placed_at,
        promised_by=order.promised_by,
        is_shipped=order.is_shipped,
        shipped_at=order.shown_shipped_at,
        is_completed=order.is_completed,
        completed_at=order.shown_completed_at,
        is_ended=order.is_ended,
        approved_at=order.shown_approved_at,
    )
    shipment = shipment_of(known.events("fulfillment", order_id))
    step = at_hand.header or at_hand.whole
    for event in follow(shipment, progress, route):
        source = at_hand.whole if isinstance(event, PLANS) else step
        decided.decisions.append(Decision("fulfillment", order_id, event, source))


def _decide_reviews(
    decided: PersonDecided, at_hand: _OrderAtHand, customer: Customer, known: Known, known_reviews: Iterable[UUID]
) -> None:
    """The order's reviews as shown, and those the log has of it, should the order's person have become known."""
    decided_on: set[UUID] = set()
    for row in at_hand.work.reviews:
        stream_id = review_stream_id(row.review.review_id, row.review.order_id)
        decided_on.add(stream_id)
        review = review_of(known.events("customer", stream_id))
        source = source_of(lines_of("order_reviews", [row.line]))
        shown = as_known(row.review, row.unsaid, review)
        for event in submit(review, shown, is_anonymized=customer.is_anonymized):
            decided.decisions.append(Decision("customer", stream_id, event, source))
    for stream_id in known_reviews:
        if stream_id not in decided_on:
            review = review_of(known.events("customer", stream_id))
            for event in reassign(review, at_hand.order.customer_id):
                decided.decisions.append(Decision("customer", stream_id, event, at_hand.customer or None))


def _decide_purchases(
    decided: PersonDecided, customer_id: UUID, customer: Customer, orders: list[_OrderAtHand], as_of: date | None
) -> None:
    """The policy between Sales and Customer, and the segment that follows from it."""
    due_before = due_on(customer)
    outcomes = [
        OrderOutcome(
            order_id=at_hand.work.order_id,
            is_completed=at_hand.order.is_completed,
            amount=at_hand.order.total,
            placed_at=at_hand.order.placed_at,
            completed_at=at_hand.order.shown_completed_at,
        )
        for at_hand in orders
    ]
    sources = {at_hand.work.order_id: at_hand.whole for at_hand in orders}
    for event in record_purchases(customer, outcomes):
        source = sources.get(getattr(event, "order_id", UNKNOWN_ID))
        decided.decisions.append(Decision("customer", customer_id, event, source))
        customer = evolve_customer(customer, event)
    before = len(decided.decisions)
    _decide_segment(decided, customer_id, customer, as_of)
    decided.due_changed = decided.due != due_before or len(decided.decisions) > before


def _decide_segment(decided: PersonDecided, customer_id: UUID, customer: Customer, as_of: date | None) -> None:
    if as_of is None:
        decided.due = AT_ONCE if customer.is_to_evaluate else None
        return
    for event in evaluate(customer, as_of):
        decided.decisions.append(Decision("customer", customer_id, event, None))
        customer = evolve_customer(customer, event)
    decided.due = due_on(customer)


def lapse(customer_id: UUID, known: Known, as_of: date) -> PersonDecided:
    """The evaluation of a person whom this load does not show, but whose last purchase is long ago now (R33)."""
    decided = PersonDecided([])
    customer = customer_of(known.events("customer", customer_id))
    _decide_segment(decided, customer_id, customer, as_of)
    decided.due_changed = True
    return decided
