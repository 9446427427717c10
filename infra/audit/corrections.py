"""Corrections: events by which a later extract takes back what an earlier one told, with what was believed before.

What follows from a correction elsewhere (a shipment planned again, a purchase amended) is none of its own. Personal
fields stay sealed: that one was corrected is told, not what stood there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.customer.events import AliasAmended, AliasLinked, CustomerRegistered, ReviewRevised
from replayhouse.domain.kernel.events import DomainEvent, Rewound, effective
from replayhouse.domain.sales.events import (
    Line,
    OrderAmended,
    OrderApproved,
    OrderCompleted,
    OrderLineAdded,
    OrderLineAmended,
    OrderPlaced,
    OrderShipped,
    PaymentAmended,
    PaymentReceived,
)
from replayhouse.infra.audit.growth import CORRECTING, MOST, Growth
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.audit.lineage.sources import cited_by
from replayhouse.infra.event_store.serialization.mapper import mapper_of_our_events
from replayhouse.infra.event_store.serialization.personal import personal_fields

_STREAMS_AT = """
    SELECT DISTINCT originator_id FROM event_store.{events} WHERE notification_id = ANY(%s) ORDER BY originator_id
"""
_STREAMS = """
    SELECT e.originator_id, e.notification_id, e.topic, e.state, e.source, b.name
    FROM event_store.{events} AS e LEFT JOIN event_store.batch AS b USING (batch_id)
    WHERE e.originator_id = ANY(%s) AND e.notification_id <= %s
    ORDER BY e.originator_id, e.originator_version
"""


class Told(NamedTuple):
    """Lines of extracts that told something: the load, and the lines by file, as in `order_items:1042`."""

    load: str | None
    lines: tuple[str, ...]


class Change(NamedTuple):
    """What was corrected, and its value before and after; of personal fields neither is told."""

    what: str
    before: Any
    after: Any
    is_personal: bool


class Correction(NamedTuple):
    """A correction: the thing that it is about, what it changed, and the lines that told so before and now."""

    position: int
    event: str
    kind: HistoryKind
    key: UUID
    changes: tuple[Change, ...]
    was_told: Told
    is_told: Told

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "position": self.position,
            "event": self.event,
            "kind": self.kind,
            "id": self.key.hex,
            "changes": [change._asdict() for change in self.changes],
            "was_told": self.was_told._asdict(),
            "is_told": self.is_told._asdict(),
        }


class _Stored(NamedTuple):
    stream: UUID
    position: int
    topic: str
    state: bytes
    source: str | None
    load: str | None


def corrections(conn: psycopg.Connection, growth: Growth) -> list[Correction]:
    """The first of the corrections that a part of the log has: of orders first, MOST at most."""
    places = [(context, at) for context in CORRECTING for at in growth.corrections.get(context, [])][:MOST]
    found: list[Correction] = []
    for context in dict.fromkeys(context for context, _ in places):
        shown = [at for of, at in places if of == context]
        query = sql.SQL(_STREAMS_AT).format(events=sql.Identifier(f"{context}_events"))
        streams = [stream for (stream,) in conn.execute(query, [shown]).fetchall()]
        found += sorted(_in_streams(conn, context, streams, set(shown)), key=lambda one: one.position)
    return found


def _in_streams(
    conn: psycopg.Connection, context: str, streams: Sequence[UUID], shown: set[int]
) -> Iterator[Correction]:
    query = sql.SQL(_STREAMS).format(events=sql.Identifier(f"{context}_events"))
    with conn.cursor(binary=True) as cursor:
        rows = [_Stored(*row) for row in cursor.execute(query, [streams, max(shown)])]
    for stream in streams:
        yield from _in_stream([row for row in rows if row.stream == stream], shown)


def _in_stream(rows: Sequence[_Stored], shown: set[int]) -> Iterator[Correction]:
    mapper = mapper_of_our_events()
    events = [mapper.decode(row.topic, row.state) for row in rows]
    for place, (row, event) in enumerate(zip(rows, events, strict=True)):
        if row.position in shown:
            counting = {id(one) for one in effective(events[:place])}
            before = [pair for pair in zip(rows[:place], events[:place], strict=True) if id(pair[1]) in counting]
            yield _correction(row, event, before)


def _correction(row: _Stored, event: DomainEvent, before: Sequence[tuple[_Stored, DomainEvent]]) -> Correction:
    believed: dict[str, tuple[Any, _Stored]] = {}
    for earlier, told in before:
        believed |= {what: (value, earlier) for what, value in _told_by(told).items()}
    changes, tellers = [], []
    for what, value in _told_by(event).items():
        was, teller = believed.get(what, (None, None))
        if was != value:
            changes.append(Change(what, was, value, is_personal=False))
        if teller is not None:
            tellers.append((was == value, teller))
    if not changes:
        changes = [Change(_in_words(" or ".join(personal_fields(type(event)))), None, None, is_personal=True)]
    teller = min(tellers, key=lambda one: one[0])[1] if tellers else before[-1][0]
    kind, key = _thing(row, event)
    return Correction(
        row.position, row.topic.split(".")[1], kind, key, tuple(changes), _lines(teller, row), _lines(row, row)
    )


def _told_by(event: DomainEvent) -> dict[str, Any]:
    """What an event tells of its thing that a later one may correct, in words; nothing personal."""
    match event:
        case OrderPlaced(customer_id=customer, placed_at=placed, promised_by=promised, lines=lines):
            header = {"customer": customer, "time of placing": placed, "promised day": promised}
            return header | {what: value for line in lines for what, value in _told_of(line).items()}
        case OrderLineAdded(line=line) | OrderLineAmended(line=line):
            return _told_of(line)
        case OrderAmended(what=what):
            return {_FACTS[what]: event.customer_id if what == "customer_id" else event.time}
        case PaymentReceived(payment_no=no) | PaymentAmended(payment_no=no):
            told = {"amount": event.amount, "method": event.method, "installments": event.installments}
            return {f"{name} of payment {no}": value for name, value in told.items()}
        case OrderApproved():
            return {_FACTS["approved_at"]: event.approved_at}
        case OrderShipped():
            return {_FACTS["shipped_at"]: event.shipped_at}
        case OrderCompleted():
            return {_FACTS["completed_at"]: event.completed_at}
        case CustomerRegistered(alias=alias) | AliasLinked(alias=alias) | AliasAmended(alias=alias):
            short = alias.hex[:8]
            return {f"state of alias {short}": event.state, f"order's time of alias {short}": event.placed_at}
        case Rewound():
            return {}
    hidden = {"occurred_at", *personal_fields(type(event))}
    return {_in_words(name): getattr(event, name) for name in _names(event) if name not in hidden}


_FACTS = {
    "customer_id": "customer",
    "placed_at": "time of placing",
    "promised_by": "promised day",
    "approved_at": "time of approval",
    "shipped_at": "time of shipping",
    "completed_at": "time of delivery",
}
"""The facts of an order's header, in words."""


def _told_of(line: Line) -> dict[str, Any]:
    told = {
        "price": line.price,
        "freight": line.freight,
        "product": line.product_id,
        "seller": line.seller_id,
        "day to ship by": line.ship_by,
    }
    return {f"{name} of line {line.item_no}": value for name, value in told.items()}


def _names(event: DomainEvent) -> list[str]:
    return [field.name for field in fields(event)]  # type: ignore[arg-type]  # every event is a dataclass


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def _thing(row: _Stored, event: DomainEvent) -> tuple[HistoryKind, UUID]:
    """What the correction is about: a review is known by the id that it has in the source."""
    if isinstance(event, ReviewRevised):
        return HistoryKind.REVIEW, event.review_id
    context, name, _ = row.topic.split(".")
    in_marketplace = HistoryKind.SELLER if name.startswith("Seller") else HistoryKind.PRODUCT
    kinds = {"sales": HistoryKind.ORDER, "customer": HistoryKind.CUSTOMER, "marketplace": in_marketplace}
    return kinds[context], row.stream


def _lines(teller: _Stored, correcting: _Stored) -> Told:
    """The lines that an event cites, of the files that the correction cites: the others told something else."""
    files = {cited.file for cited in cited_by(correcting.source)}
    return Told(teller.load, tuple(f"{one.file}:{one.told}" for one in cited_by(teller.source) if one.file in files))
