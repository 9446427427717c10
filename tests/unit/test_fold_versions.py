"""A fold, its tables and its views stay what they are for as long as the projection has the same version.

By its version a program recognises what an earlier one has folded. So whoever changes what the read models show raises
it: then warehouses fill their tables anew, and else they would go on with a mixture.
"""

from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

from domain.customer import events as customer
from domain.fulfillment import events as fulfillment
from domain.kernel.events import DomainEvent
from domain.marketplace import events as marketplace
from domain.quality import events as quality
from domain.sales import events as sales
from infra.postgres.read_models.schema import line_writer
from projections.digest import NOTHING, digest_of
from projections.projection import Projection, Stream
from projections.warehouse import PROJECTIONS

STREAMS = 150
"""Of each kind."""

MADE = {
    "sales": {1: "98d53a9cb0c37013 0000000000000000 81cc9d1cce5229f4"},
    "fulfillment": {1: "2862b58447662f11 0000000000000000 34bc1bea6c111a51"},
    "customer": {1: "ee60bcf6ea309b37 0000000000000000 ca961bece473abe6"},
    "marketplace": {1: "c955610ad524db18 7c9239ecb15db7f2 8b44568faf9d8d6c"},
    "quality": {1: "a54b642fea675deb 0000000000000000 4669afad9c9b4753"},
}
"""By context and version, what stands for tables, views and fold. Entries are never changed: a version has one more."""

KINDS: tuple[tuple[str, tuple[type[DomainEvent], ...]], ...] = (
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
    ("marketplace", (marketplace.SellerRegistered, marketplace.SellerMoved)),
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


@pytest.mark.parametrize("context", PROJECTIONS)
def test_what_a_version_makes_stays_what_it_is(context: str) -> None:
    projection = PROJECTIONS[context]
    made = _told(projection)
    assert MADE[context].get(projection.version) == made, (
        f"The tables, the views or the fold of {context} are other ones than those of version {projection.version}. "
        f"Raise `version` in projections/{context}.py, and add {projection.version + 1}: {made!r} here."
    )


def _told(projection: Projection) -> str:
    """Fingerprint of the tables, queries of the views, and the digest of what streams that never change fold to."""
    tables = {table.name: table for table in projection.tables}
    rows = NOTHING
    for kind in [events for context, events in KINDS if context == projection.context]:
        random = Random(kind[0].__name__)
        for number in range(STREAMS):
            drawn = random.choices(kind, k=random.randrange(6))
            events = [_drawn(event, random) for event in (kind[:1] * bool(number % 8) + tuple(drawn))]
            stream = Stream(UUID(int=random.getrandbits(128)), number + 1, events)
            for name, of_table in projection.fold(stream).items():
                rows += digest_of(name.encode() + b"\t" + line for line in line_writer(tables[name]).lines(of_table))
    assert rows.rows > STREAMS / 2
    views = digest_of(f"{view.name}\t{view.select(tables)}".encode() for view in projection.views)
    return f"{projection.fingerprint[:16]} {views.hex[:16]} {rows.hex[:16]}"


def _drawn(kind: Any, random: Random) -> Any:
    hints = get_type_hints(kind)
    if kind is sales.OrderAmended:  # some of the facts are never taken back
        hints |= {"time": datetime, "customer_id": UUID}
    return kind(**{field.name: _value(hints[field.name], random) for field in fields(kind)})


def _value(kind: Any, random: Random) -> Any:
    if get_origin(kind) is Literal:
        return random.choice(get_args(kind))
    if isinstance(kind, UnionType):
        return _value(random.choice(get_args(kind)), random)
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], random) for _ in range(random.randrange(3)))
    if is_dataclass(kind):
        return _drawn(kind, random)
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
