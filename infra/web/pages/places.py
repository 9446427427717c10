"""Where the page of each thing is."""

from uuid import UUID

from replayhouse.infra.audit.kinds import HistoryKind

PLACES = {
    HistoryKind.ORDER: "orders",
    HistoryKind.CUSTOMER: "customers",
    HistoryKind.SELLER: "sellers",
    HistoryKind.PRODUCT: "products",
    HistoryKind.REVIEW: "reviews",
    HistoryKind.SHIPMENT: "shipments",
    HistoryKind.BATCH: "loads",
}
"""The first part of the address, by kind of thing."""


def place_of(kind: HistoryKind, key: UUID | str) -> str:
    """The path of a thing's page."""
    return f"/{PLACES[kind]}/{key.hex if isinstance(key, UUID) else key}"
