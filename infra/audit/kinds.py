"""The kinds of things that have a history, and which streams of the log are theirs."""

from enum import StrEnum
from typing import NamedTuple


class HistoryKind(StrEnum):
    """What has a history."""

    ORDER = "order"
    SHIPMENT = "shipment"
    CUSTOMER = "customer"
    REVIEW = "review"
    PRODUCT = "product"
    SELLER = "seller"
    BATCH = "batch"
    ROW = "row"


class Streams(NamedTuple):
    """The context of a kind, and how the topic begins that its streams begin with."""

    context: str
    first_topic: str


STREAMS = {
    HistoryKind.ORDER: Streams("sales", "sales.OrderPlaced."),
    HistoryKind.SHIPMENT: Streams("fulfillment", "fulfillment.ShipmentPlanned."),
    HistoryKind.CUSTOMER: Streams("customer", "customer.CustomerRegistered."),
    HistoryKind.REVIEW: Streams("customer", "customer.ReviewSubmitted."),
    HistoryKind.PRODUCT: Streams("marketplace", "marketplace.ProductListed."),
    HistoryKind.SELLER: Streams("marketplace", "marketplace.SellerRegistered."),
    HistoryKind.BATCH: Streams("quality", "quality.BatchOpened."),
    HistoryKind.ROW: Streams("quality", "quality.RowQuarantined."),
}
"""Products and sellers share a table, and so do others: their streams are told apart by how they begin."""

OF_COLUMN = {
    "order_id": HistoryKind.ORDER,
    "customer_id": HistoryKind.CUSTOMER,
    "seller_id": HistoryKind.SELLER,
    "product_id": HistoryKind.PRODUCT,
    "review_id": HistoryKind.REVIEW,
    "batch_id": HistoryKind.BATCH,
}
"""What the ids are of that stand in columns, and in fields of events, of these names."""

PERSONAL = frozenset({HistoryKind.CUSTOMER, HistoryKind.REVIEW, HistoryKind.SHIPMENT, HistoryKind.ROW})
"""The kinds whose events have personal fields."""

TOLD_WITH_PEOPLE = PERSONAL | {HistoryKind.ORDER}
"""The kinds of which personal fields are shown with the lines of extracts that their events name."""


def kind_of(topic: str) -> HistoryKind | None:
    """The kind of thing whose streams begin with an event of this topic; None of other streams."""
    return next((kind for kind, streams in STREAMS.items() if topic.startswith(streams.first_topic)), None)
