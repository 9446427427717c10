"""One thing as people look at it: its events with what each changed, its row, and what it has to do with."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.kernel.events import DomainEvent, Rewound, effective
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.infra.application.access import noted
from replayhouse.infra.application.history import key_of, kind_named, may_be_told, with_keys
from replayhouse.infra.application.seen import Seen, seen_at
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit import neighbours
from replayhouse.infra.audit.history import HistoricEvent, history_of, subjects_of
from replayhouse.infra.audit.kinds import PERSONAL, STREAMS, TOLD_WITH_PEOPLE, HistoryKind
from replayhouse.infra.audit.lineage.sources import Quoted, Sources
from replayhouse.infra.audit.lineage.steps import Step, steps_of
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.store import EventStore, Stream
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.identity import SEALED
from replayhouse.projections import projection
from replayhouse.projections.business_time import fold_of, happened_before
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.warehouse import PROJECTIONS

LINES = 20
"""So many lines of a file are quoted for one event."""

NEIGHBOURS = 20
"""So many orders of a person, a seller or a product are named at once."""

LEARNT, HAPPENED = "learnt", "happened"
"""The orders of events: as the log has them, and by business time; and what came later than a moment."""

_KIND_OF = {
    "customer_id": HistoryKind.CUSTOMER,
    "order_id": HistoryKind.ORDER,
    "seller_id": HistoryKind.SELLER,
    "product_id": HistoryKind.PRODUCT,
}
"""Which kind of thing a column of a row names."""

_BRASILIA = timezone(timedelta(hours=-3))
_NO_ORDERS = neighbours.Orders([], 0)
_OF_ORDERS = (HistoryKind.CUSTOMER, HistoryKind.SELLER, HistoryKind.PRODUCT)


class ThingEvent(NamedTuple):
    """An event of a thing: what it did to the rows, the lines that it names, and which of its facts are personal.

    `later` tells that the moment does not see it: it was `learnt` later, or `happened` later; None where it does.
    """

    event: HistoricEvent
    personal: frozenset[str]
    step: Step
    quoted: list[Quoted]
    later: str | None

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            **self.event.document(),
            "effect": self.step.what,
            "changes": [
                {"table": one.table, "key": one.key, "column": one.column, "old": one.old, "new": one.new}
                for one in self.step.changes
            ],
            "lines": [quoted.document() for quoted in self.quoted],
            "later": self.later,
        }


class ThingRow(NamedTuple):
    """A row that the thing's stream is folded into, as of the moment. `personal` are columns with personal values."""

    table: str
    row: dict[str, Any]
    personal: frozenset[str]

    def sealed(self) -> "ThingRow":
        """The same for those who may not see personal values."""
        hidden = {name: SEALED for name in self.personal if self.row[name] is not None}
        return self._replace(row=self.row | hidden)


class Neighbour(NamedTuple):
    """Another thing that this one has to do with."""

    kind: HistoryKind
    key: UUID


@dataclass(frozen=True)
class Thing:
    """A thing as of a moment. `total` counts all its events, of which `events` are those from `offset` on.

    `rows` are those that its streams are folded into, table by table. `orders_found` counts the orders that a person, a
    seller or a product has by what is known now; `neighbours` names some of them. `is_erased` tells that personal
    fields cannot be read any more.
    """

    kind: HistoryKind
    key: UUID
    seen: Seen
    events: list[ThingEvent]
    total: int
    offset: int
    rows: list[ThingRow]
    neighbours: list[Neighbour]
    orders_found: int
    is_erased: bool

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "kind": self.kind,
            "id": self.key,
            "position": self.seen.position,
            "occurred_before": self.seen.occurred_before,
            "erased": self.is_erased,
            "rows": [{"table": row.table, "row": row.row} for row in self.rows],
            "neighbours": [{"kind": kind, "id": key} for kind, key in self.neighbours],
            "total": self.total,
            "offset": self.offset,
            "events": [event.document() for event in self.events],
        }


def thing(
    site: Site,
    kind: str,
    key: str,
    at: str | int | None,
    occurred_before: str | None,
    *,
    order: str = LEARNT,
    limit: int = 50,
    offset: int = 0,
    orders_from: int = 0,
) -> Thing:
    """The thing whose id, or the first digits of it, is `key`: `limit` of its events, in the order learnt or happened.

    What is shown in clear is noted in the access log first; to those who may not see it, it stays sealed.
    `orders_from` skips so many of the orders that it has. Raises UsageError and Unknown as `history` does, and
    UsageError for what is no moment or no such order.
    """
    of = kind_named(kind)
    if order not in (LEARNT, HAPPENED):
        raise UsageError(f"Events stand in the order {LEARNT} or {HAPPENED}, not '{order}'.")
    with site.as_reader.connect("replayhouse thing", autocommit=True) as conn, ExitStack() as stack:
        seen = seen_at(conn, at, occurred_before)
        wanted = key_of(conn, of, key)
        subjects = {wanted, *subjects_of(conn, of, wanted)}
        reveals = of in TOLD_WITH_PEOPLE and noted(
            site, "things", f"the {of} {wanted}", subjects, is_record=of is HistoryKind.ROW
        )
        # Rows are folded from what people told, and sealed then: which of them changed is told to all.
        folding = with_keys(site, conn, stack) if of in PERSONAL else conn
        told = history_of(folding if reveals and may_be_told(site) else conn, of, wanted, reveals=reveals)
        context = STREAMS[of].context
        streams = EventStore().streams(folding, context, {event.stream for event in told})
        looks = {stream_id: _Look(context, stream, told, seen) for stream_id, stream in streams.items()}
        events = _events(conn, looks, _in_order(told, order)[offset : offset + limit], reveals)
        rows = [row if reveals else row.sealed() for look in looks.values() for row in look.rows()]
        has_orders = of in _OF_ORDERS
        orders = neighbours.orders_of(conn, of, wanted, NEIGHBOURS, orders_from) if has_orders else _NO_ORDERS
        near = _neighbours(conn, of, wanted, rows, orders.ids)
    is_erased = any(look.is_erased for look in looks.values())
    return Thing(of, wanted, seen, events, len(told), offset, rows, near, orders.found, is_erased)


class _Look:
    """What a moment sees of one stream."""

    def __init__(self, context: str, stream: Stream, told: Sequence[HistoricEvent], seen: Seen) -> None:
        self.context = context
        self.stream = stream
        self._events = stream.events
        self._told = [event for event in told if event.stream == stream.stream_id]
        self._before = seen.occurred_before
        self._learnt = sum(event.position <= seen.position for event in self._told)
        self._counting = effective(self._events[: self._learnt])
        self._counts = set(map(id, self._counting))
        self._happened = set(map(id, _happened(context, self._counting, self._before)))

    @property
    def is_erased(self) -> bool:
        """Whether personal fields of an event had a value that nobody can read any more."""
        return any(
            event.facts.get(name) is not None and getattr(clear, name) is None
            for event, clear in zip(self._told, self._events, strict=True)
            for name in personal_fields(type(clear))
        )

    def personal(self, version: int) -> frozenset[str]:
        """The names of an event's personal facts."""
        return frozenset(personal_fields(type(self._events[version - 1])))

    def marked(self, told: HistoricEvent) -> HistoricEvent:
        """An event, rewound or not as the moment has it."""
        if told.version > self._learnt:
            return told
        event = self._events[told.version - 1]
        return told._replace(is_rewound=id(event) not in self._counts and not isinstance(event, Rewound))

    def later(self, version: int) -> str | None:
        """Why the moment does not see an event."""
        if version > self._learnt:
            return LEARNT
        event = self._events[version - 1]
        return HAPPENED if id(event) in self._counts and id(event) not in self._happened else None

    def rows(self) -> list[ThingRow]:
        """The rows as of the moment, table by table."""
        if not self._learnt or not self._counting:
            return []
        model = PROJECTIONS[self.context]
        position = self._told[self._learnt - 1].position
        rows = fold_of(model, self._before)(projection.Stream(self.stream.stream_id, position, self._counting))
        return [
            ThingRow(
                f"{self.context}.{table.name}",
                dict(zip(table.columns.keys(), row, strict=True)),
                frozenset(personal_columns(table)),
            )
            for table in model.tables
            for row in rows.get(table.name, [])
        ]


def _happened(context: str, counting: Sequence[DomainEvent], before: datetime | None) -> Sequence[DomainEvent]:
    """What had happened before a local time; where a context has no business time, what was recorded before it."""
    if before is None:
        return counting
    if PROJECTIONS[context].has_business_time:
        return happened_before(counting, before)
    return [event for event in counting if _local(getattr(event, "occurred_at", None)) < before]


def _in_order(told: Sequence[HistoricEvent], order: str) -> list[HistoricEvent]:
    """By position; or timeless ones first, then by business time. Recorded times are told in Brazil's."""
    if order == LEARNT:
        return sorted(told, key=lambda event: event.position)
    return sorted(told, key=lambda event: (_local(event.occurred_at), event.position))


def _local(at: datetime | None) -> datetime:
    if at is None:
        return datetime.min
    return at if at.tzinfo is None else at.astimezone(_BRASILIA).replace(tzinfo=None)


def _events(
    conn: psycopg.Connection, looks: Mapping[UUID, "_Look"], shown: Sequence[HistoricEvent], reveals: bool
) -> list[ThingEvent]:
    sources = Sources(conn, [(event.batch_id, event.source) for event in shown], LINES)
    steps = {
        stream_id: steps_of(
            look.context, stream_id, look.stream.events, [e.version for e in shown if e.stream == stream_id]
        )
        for stream_id, look in looks.items()
    }
    return [
        ThingEvent(
            looks[event.stream].marked(event),
            looks[event.stream].personal(event.version),
            steps[event.stream][event.version] if reveals else steps[event.stream][event.version].sealed(),
            sources.quote(event.batch_id, event.source, reveals=reveals),
            looks[event.stream].later(event.version),
        )
        for event in shown
    ]


def _neighbours(
    conn: psycopg.Connection, kind: HistoryKind, key: UUID, rows: Sequence[ThingRow], orders: Sequence[UUID]
) -> list[Neighbour]:
    """What the rows name, each once; the unknown members are nothing that one can look at."""
    found = [
        Neighbour(_KIND_OF[column], value)
        for row in rows
        for column, value in row.row.items()
        if column in _KIND_OF and value != UNKNOWN_ID
    ]
    found += [Neighbour(HistoryKind.ORDER, order) for order in orders]
    if kind is HistoryKind.ORDER:
        found.append(Neighbour(HistoryKind.SHIPMENT, key))
    if kind in (HistoryKind.ORDER, HistoryKind.SHIPMENT):
        reviews = neighbours.reviews_of(conn, key, NEIGHBOURS)
        found += [Neighbour(HistoryKind.REVIEW, review) for review in reviews]
    return [one for one in dict.fromkeys(found) if one != (kind, key)]
