"""Events drawn by chance, the same for the same seed: without hypothesis, whose choices may change with its version."""

from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from replayhouse.domain.customer import events as customer
from replayhouse.domain.fulfillment import events as fulfillment
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.regions import RegionShown
from replayhouse.domain.marketplace import events as marketplace
from replayhouse.domain.quality import events as quality
from replayhouse.domain.sales import events as sales

KINDS_OF_STREAMS: tuple[tuple[str, tuple[type[DomainEvent], ...]], ...] = (
    (
        "sales",
        (
            sales.OrderPlaced,
            sales.OrderLineAdded,
            sales.OrderLineAmended,
            sales.OrderAmended,
            sales.PaymentReceived,
            sales.PaymentAmended,
            sales.OrderPaid,
            sales.OrderApproved,
            sales.OrderInvoiced,
            sales.OrderProcessingStarted,
            sales.OrderShipped,
            sales.OrderCompleted,
            sales.OrderCanceled,
            sales.OrderMadeUnavailable,
        ),
    ),
    (
        "fulfillment",
        (
            fulfillment.ShipmentPlanned,
            fulfillment.ShipmentReplanned,
            fulfillment.ShipmentDispatched,
            fulfillment.DeliveryCompleted,
            fulfillment.DeliveryDelayed,
            fulfillment.ShipmentCanceled,
            fulfillment.DeliveryRevoked,
        ),
    ),
    ("fulfillment", (fulfillment.AreaSurveyed,)),
    (
        "customer",
        (
            customer.CustomerRegistered,
            customer.AliasLinked,
            customer.AliasAmended,
            customer.CustomerMoved,
            RegionShown,
            customer.PurchaseRecorded,
            customer.PurchaseAmended,
            customer.PurchaseRevoked,
            customer.SegmentChanged,
            customer.CustomerAnonymized,
        ),
    ),
    ("customer", (customer.ReviewSubmitted, customer.ReviewRevised)),
    (
        "marketplace",
        (
            marketplace.ProductListed,
            marketplace.ProductRecategorized,
            marketplace.ProductDescribed,
            marketplace.ProductRemeasured,
        ),
    ),
    ("marketplace", (marketplace.SellerRegistered, marketplace.SellerMoved, RegionShown)),
    ("marketplace", (marketplace.CategoryNamed,)),
    (
        "quality",
        (
            quality.BatchOpened,
            quality.BatchAssessed,
            quality.BatchAccepted,
            quality.BatchRejected,
            quality.BatchCompleted,
            quality.BatchRetracted,
        ),
    ),
    ("quality", (quality.RowQuarantined, quality.RowReleased, quality.RowDiscarded)),
)
"""The events of each kind of stream of a context; most streams begin with the first.

An event that is new stands in no log yet and need not be named here; no version is due to it.
"""


def drawn(kind: Any, random: Random) -> Any:
    """An event of a class, or what one is made of, with values of the right kinds.

    Each field has a chance of its own, by its name: an event that gets another field keeps the values of the others.
    """
    hints = get_type_hints(kind)
    if kind is sales.OrderAmended:  # some of the facts are never taken back
        hints |= {"time": datetime, "customer_id": UUID}
    seed = random.getrandbits(64)
    return kind(**{one.name: _value(hints[one.name], Random(f"{seed} {one.name}")) for one in fields(kind)})


def _value(kind: Any, random: Random) -> Any:
    if get_origin(kind) is Literal:
        return random.choice(get_args(kind))
    if isinstance(kind, UnionType):
        return _value(random.choice(get_args(kind)), random)
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], random) for _ in range(random.randrange(3)))
    if is_dataclass(kind):
        return drawn(kind, random)
    match kind.__name__:
        case "datetime":
            return datetime(2017, 1, 1) + timedelta(seconds=random.randrange(10**7))
        case "date":
            return date(2017, 1, 1) + timedelta(days=random.randrange(300))
        case "Decimal":
            return Decimal(random.randrange(100_000)).scaleb(-2)
        case "UUID":
            return UUID(int=random.randrange(9))
        case "int":
            return random.randrange(1, 6)
        case "float":
            return random.randrange(-5_000, 5_000) / 64
        case "str":
            return random.choice(("SP", "RJ", "São Paulo", "boleto", "delivered", "r1", "r2", "customer_id"))
        case "bool":
            return random.random() < 0.5
        case "NoneType":
            return None
    raise TypeError(kind)
