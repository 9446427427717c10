"""What is known of an order at an earlier time (R41): it never looks further along than it does later."""

from datetime import datetime

from replayhouse.ingest.synthetic.orders import Order
from replayhouse.ingest.synthetic.plans import Status


def as_known(order: Order, until: datetime) -> Order:
    """The order as an extract of that time shows it: a step once it and all steps before it have happened.

    Lines and payments are there from the start; of the reviews, those that are answered by then. The order must have
    been placed by then.
    """
    journey = order.journey
    approval = max(order.placed_at, journey.approved_at or order.placed_at)
    dispatch = max(approval, journey.shipped_at or approval)
    delivery = max(dispatch, journey.delivered_at or dispatch)
    reviews = tuple(review for review in order.reviews if review.answered_at <= until)
    if _end(order, approval, dispatch, delivery) <= until:
        return order._replace(reviews=reviews)
    status: Status = "created"
    if journey.approved_at is not None and approval <= until:
        status = "approved"
    if journey.shipped_at is not None and dispatch <= until:
        status = "shipped"
    if journey.delivered_at is not None and delivery <= until:
        status = "delivered"
    known = journey._replace(
        approved_at=journey.approved_at if approval <= until else None,
        shipped_at=journey.shipped_at if dispatch <= until else None,
        delivered_at=journey.delivered_at if delivery <= until else None,
    )
    return order._replace(status=status, journey=known, reviews=reviews)


def _end(order: Order, approval: datetime, dispatch: datetime, delivery: datetime) -> datetime:
    """When the order's last status is known; without a time of its own, from the promised date on."""
    match order.status:
        case "created":
            return order.placed_at
        case "approved" | "invoiced" | "processing":
            return approval
        case "shipped" if order.journey.shipped_at is not None:
            return dispatch
        case "delivered" if order.journey.delivered_at is not None:
            return delivery
    return max(order.journey.promised_by, delivery)
