"""What events and fields are called on pages. Most follow from their names; those that do not read well stand here."""

import re

_EVENTS = {
    "AliasLinked": "Seen under one more alias",
    "AliasAmended": "Address of an alias corrected",
    "AreaSurveyed": "Area surveyed",
    "BatchAccepted": "Load accepted",
    "BatchAssessed": "Load assessed",
    "BatchCompleted": "Load completed",
    "BatchOpened": "Load begun",
    "BatchRejected": "Load rejected",
    "BatchRetracted": "Load taken back",
    "CustomerAnonymized": "Personal data erased",
    "CustomerMoved": "Moved",
    "CustomerRegistered": "First seen",
    "DeliveryCompleted": "Delivered",
    "DeliveryDelayed": "Late",
    "OrderCompleted": "Delivered",
    "OrderInvoiced": "Invoiced",
    "OrderMadeUnavailable": "Goods not to be had",
    "OrderPaid": "Fully paid",
    "OrderProcessingStarted": "Being prepared",
    "OrderShipped": "Handed to the carrier",
    "ProductDescribed": "Description changed",
    "ProductListed": "First seen",
    "ProductRecategorized": "Moved to another category",
    "ProductRemeasured": "Weight or size changed",
    "PurchaseRevoked": "Counts as a purchase no longer",
    "ReviewRevised": "Review corrected",
    "ReviewSubmitted": "Review written",
    "Rewound": "Taken back with its load",
    "RowQuarantined": "Record kept apart",
    "RegionShown": "Region told",
    "RowReleased": "Record let in",
    "RowDiscarded": "Record given up",
    "SellerRegistered": "First seen",
    "SellerMoved": "Moved",
    "ShipmentDispatched": "Handed to the carrier",
    "ShipmentReplanned": "Plan corrected",
}
_NEW = {"Amended": "corrected"}
_WORD = re.compile(r"[A-Z][a-z]*")

_CORRECTIONS = ("Amended", "Revised", "Replanned", "Recategorized", "Described", "Remeasured", "Revoked", "Rewound")

_ROWS = {
    "fact_order_item": "line",
    "fact_payment": "payment",
    "address_history": "address",
    "segment_history": "change of segment",
    "customer_alias": "alias",
}
_FIELDS = {"item_no": "line", "payment_no": "payment", "weight_g": "weight, g", "volume_cm3": "volume, cm³"} | {
    f"{side}_cm": f"{side}, cm" for side in ("length", "height", "width")
}


def title_of(event: str) -> str:
    """What happened, in words, by the event's name without context and version."""
    if event in _EVENTS:
        return _EVENTS[event]
    words = [_NEW.get(word, word.lower()) for word in _WORD.findall(event)]
    return " ".join(words).capitalize()


def is_correction(event: str) -> bool:
    """Whether an event says that what was known before was wrong, or is so no longer."""
    return event.endswith(_CORRECTIONS)


def name_of(field: str) -> str:
    """A field of an event, or a column, in words."""
    return _FIELDS.get(field) or field.removesuffix("_id").replace("_", " ")


def row_name(table: str, key: tuple[object, ...]) -> str:
    """One of several rows of a thing: `line 2`."""
    return " ".join((_ROWS.get(table, name_of(table)), *map(str, key)))
