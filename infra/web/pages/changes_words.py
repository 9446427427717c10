"""Why a figure moved, and what a correction changed, in words."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from replayhouse.infra.answers.movements import Moved
from replayhouse.infra.application.changes import Changes
from replayhouse.infra.audit.corrections import Change, Correction
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.web.pages.layout import short
from replayhouse.infra.web.pages.overview_words import in_words
from replayhouse.infra.web.pages.places import place_of

_TAKEN_BACK = ("Rewound", "order of a load that was taken back", "orders of a load that was taken back")
_CAUSES = {
    "Revenue": (
        ("OrderCompleted", "more order delivered", "more orders delivered"),
        ("OrderLineAdded", "order with another line", "orders with another line"),
        _TAKEN_BACK,
    ),
    "Orders": (("OrderPlaced", "more order", "more orders"), _TAKEN_BACK),
    "Late deliveries": (("DeliveryDelayed", "more delivery late", "more deliveries late"), _TAKEN_BACK),
}
"""Events that move a figure, and in words how many orders have them."""

_CORRECTED = {
    "Revenue": ("price", "freight", "time of placing"),
    "Orders": ("time of placing",),
    "Late deliveries": ("time of delivery", "promised day", "time of placing"),
}
"""What moves a figure when it is corrected."""

_LESS = (
    ("OrderCanceled", "order canceled", "orders canceled"),
    ("OrderMadeUnavailable", "order became unavailable", "orders became unavailable"),
)
_AMENDED = (
    ("OrderLineAmended", "order with a line corrected", "orders with a line corrected"),
    ("OrderAmended", "order corrected", "orders corrected"),
)
"""What is told where more was corrected than is listed."""

_MONEY = ("price", "freight", "amount")


class CorrectionInWords(NamedTuple):
    """The thing that was corrected, where its page is, and what was corrected."""

    thing: str
    path: str
    changes: str


def because(moved: Moved, changes: Changes) -> str:
    """Why the figure of a month moved."""
    name, month = moved.figure.name, moved.month
    if moved.now is None:
        return "no order that counts is left of it"
    told = _happened(changes, month, _CAUSES[name])
    corrected = Counter(
        change.what.partition(" of line ")[0]
        for one in changes.corrections
        if changes.months.get(one.key) == month
        for change in one.changes
    )
    told += [
        f"a {what} corrected" if corrected[what] == 1 else f"{corrected[what]} times the {what} corrected"
        for what in _CORRECTED[name]
        if corrected[what]
    ]
    if moved.change < 0:
        told += _happened(changes, month, _LESS)
    if not told:
        told = _happened(changes, month, _AMENDED)
    return ", ".join(told) or "for another reason"


def _happened(changes: Changes, month: str, causes: tuple[tuple[str, str, str], ...]) -> list[str]:
    touched = [(changes.touched.get((month, event), 0), one, many) for event, one, many in causes]
    return [count(orders, one, many) for orders, one, many in touched if orders]


def correction_in_words(correction: Correction, currency: str) -> CorrectionInWords:
    """A correction as the page tells it."""
    thing = f"{correction.kind.capitalize()} {short(correction.key)}"
    changes = "; ".join(_change_in_words(change, currency) for change in correction.changes)
    return CorrectionInWords(thing, place_of(correction.kind, correction.key), changes)


def _change_in_words(change: Change, currency: str) -> str:
    if change.is_personal:
        return f"{change.what} corrected"
    before, after = (_value(change.what, value, currency) for value in (change.before, change.after))
    return f"{change.what} {before} became {after}"


def _value(what: str, value: Any, currency: str) -> str:
    match value:
        case None:
            return "unknown"
        case Decimal() if what.partition(" ")[0] in _MONEY:
            return in_words(value, "money", 2, currency)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case UUID():
            return short(value)
        case _:
            return str(value)
