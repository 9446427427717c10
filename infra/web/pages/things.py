"""One thing: an order, a customer, a shipment, a review, a seller or a product; its events and its row."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.application.thing import HAPPENED, LEARNT, NEIGHBOURS, Thing, ThingEvent, ThingRow
from replayhouse.infra.audit.history import ERASED
from replayhouse.infra.audit.kinds import OF_COLUMN, HistoryKind
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.staging.files import PERSONAL_FILES
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import cell, page, short
from replayhouse.infra.web.pages.places import PLACES, place_of
from replayhouse.infra.web.pages.words import is_correction, name_of, row_name, title_of
from replayhouse.infra.web.wanted import Chosen, Wanted

router = APIRouter()

EVENTS = 50
"""So many events stand on a page."""

From = Annotated[int, Query(alias="from", ge=0, le=10_000_000, description="Events before the first on the page")]
OrdersFrom = Annotated[int, Query(alias="orders", ge=0, le=100_000_000, description="Orders before the first named")]
Order = Annotated[str, Query(alias="order", max_length=20, description="learnt or happened")]

_LATER = {LEARNT: "Learnt later than the moment that is shown.", HAPPENED: "Happened later than the moment shown."}


class Value(NamedTuple):
    """A value as it is shown, and where it leads."""

    text: str
    address: str | None = None
    title: str | None = None


class Did(NamedTuple):
    """A value that an event changed; `old` is None where there was none."""

    name: str
    old: str | None
    new: str


class Line(NamedTuple):
    """A line of a file: in full where it is told first (`text`), else a reference. `why` it cannot be read."""

    ref: str
    anchor: str
    text: str | None
    why: str | None


class Item(NamedTuple):
    """An event as it stands on the page."""

    day: str
    time: str
    title: str
    is_correction: bool
    is_rewound: bool
    later: str | None
    load: Value | None
    position: int
    fields: list[tuple[str, list[list[tuple[str, Value]]]]]
    did: list[Did]
    effect: str
    lines: list[Line]


def personal(value: str) -> str:
    """What is shown of a personal value: the one place through which all of them pass."""
    return value


def _view(kind: HistoryKind) -> Any:
    def view(
        request: Request,
        warehouse: Lent,
        wanted: Chosen,
        key: str,
        order: Order = LEARNT,
        first: From = 0,
        orders: OrdersFrom = 0,
    ) -> HTMLResponse:
        found = warehouse.thing(
            kind,
            key,
            at=wanted.at,
            occurred_before=wanted.by,
            order=order,
            limit=EVENTS,
            offset=first,
            orders_from=orders,
        )
        tables = tables_of(found, wanted)
        path, given = place_of(kind, found.key), {} if order == LEARNT else {"order": order}
        told = page(
            request,
            warehouse,
            wanted,
            "thing.html",
            title=f"{kind.capitalize()} {short(found.key)}",
            thing=found,
            path=path,
            lede=lede_of(found),
            order=order,
            items=items_of(found, wanted),
            main=tables[0] if tables else TableShown("", []),
            beside=tables[1:],
            chips=chips_of(found, wanted),
            pages=pages_of(first, EVENTS, found.total, lambda at: wanted.link(path, **given | {"from": at})),
            order_pages=pages_of(orders, NEIGHBOURS, found.orders_found, lambda at: wanted.link(path, orders=at)),
            newest=max((one.event.position for one in found.events), default=None),
        )
        told.headers["cache-control"] = "no-store"
        return told

    return view


for _kind in set(PLACES) - {HistoryKind.BATCH}:
    router.add_api_route(f"/{PLACES[_kind]}/{{key}}", _view(_kind), methods=["GET"])


def lede_of(found: Thing) -> str:
    """How many events from how many loads, and that somebody was erased."""
    loads = {one.event.batch_id for one in found.events if one.event.batch_id is not None}
    told = f"{count(found.total, 'event')}"
    if found.total <= EVENTS and loads:
        told += f" from {count(len(loads), 'load')}"
    told += ". Each names the lines of the files that made it."
    if not found.rows:
        told += " As of this moment nothing is known of it, or nothing counts."
    return told


def items_of(found: Thing, wanted: Wanted) -> list[Item]:
    """The events as they stand on the page."""
    told: set[str] = set()
    return [_item(one, wanted, told) for one in found.events]


def _item(one: ThingEvent, wanted: Wanted, told: set[str]) -> Item:
    event = one.event
    day, time = _moment(event.occurred_at)
    load = None
    if event.batch_id is not None:
        load = Value(
            event.batch_name or short(event.batch_id), wanted.link(place_of(HistoryKind.BATCH, event.batch_id))
        )
    return Item(
        day,
        time,
        title_of(event.name),
        is_correction(event.name),
        event.is_rewound,
        None if one.later is None else _LATER[one.later],
        load,
        event.position,
        [
            (name_of(name), _entries(name, value, wanted, is_personal=name in one.personal))
            for name, value in event.facts.items()
            if value not in (None, [], ())
        ],
        [] if event.is_rewound else _did(one),
        {"made": "Made the row", "removed": "Removed the row"}.get(one.step.what, ""),
        _lines(one, told),
    )


def _moment(at: datetime | None) -> tuple[str, str]:
    if at is None:
        return "timeless", ""
    zone = "" if at.tzinfo is None else " UTC"
    return f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}{zone}"


def _entries(name: str, value: object, wanted: Wanted, *, is_personal: bool) -> list[list[tuple[str, Value]]]:
    """The values of a field: of a list of records, a list of named values each."""
    several = value if isinstance(value, list | tuple) else [value]
    return [
        [(name_of(inner), value_of(inner, one, wanted)) for inner, one in entry.items()]
        if isinstance(entry, Mapping)
        else [("", value_of(name, entry, wanted, is_personal=is_personal))]
        for entry in several
    ]


def value_of(name: str, value: object, wanted: Wanted, *, is_personal: bool = False) -> Value:
    """A value of a field or column of this name: an id leads to its thing."""
    if is_personal and value not in (None, ERASED):
        return Value(personal(str(value)))
    key = _id(value)
    if key is None:
        text = _at(value) if isinstance(value, str) else str(value) if name.endswith("_key") else cell(value)
        return Value(text)
    if not key.int:
        return Value("nobody known", None, str(key))
    kind = OF_COLUMN.get(name)
    return Value(short(key), None if kind is None else wanted.link(place_of(kind, key)), key.hex)


def _id(value: object) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) and len(value) == len(str(UUID(int=0))) else None
    except ValueError:
        return None


def _at(text: str) -> str:
    """A time as JSON has it, as people read it."""
    try:
        return cell(datetime.fromisoformat(text)) if "T" in text[10:11] else text
    except ValueError:
        return text


def _did(one: ThingEvent) -> list[Did]:
    found = []
    for change in one.step.changes:
        name = name_of(change.column)
        if change.key:
            name = f"{row_name(change.table, change.key)}: {name}"
        old, new = (None if value is None else _plain(change.column, value) for value in (change.old, change.new))
        if change.is_personal:
            old, new = (None if value is None else personal(value) for value in (old, new))
        found.append(Did(name, old, cell(None) if new is None else new))
    return found


def _plain(column: str, value: object) -> str:
    if isinstance(value, UUID):
        return short(value)
    return str(value) if column.endswith("_key") else cell(value)


def _lines(one: ThingEvent, told: set[str]) -> list[Line]:
    """The lines that an event names; `told` are the anchors of those that stand on the page already."""
    found = []
    for quoted in one.quoted:
        if quoted.status != "found":
            found.append(Line(f"{quoted.name}:{quoted.lines}", "", None, quoted.said))
            continue
        for number, text in quoted.texts:
            anchor = f"line-{short(one.event.batch_id)}-{quoted.file}-{number}"
            shown = None if anchor in told else personal(text) if quoted.file in PERSONAL_FILES else text
            told.add(anchor)
            found.append(Line(f"{quoted.name}:{number}", anchor, shown, None))
        if quoted.left_out:
            found.append(Line(quoted.name, "", None, f"{count(quoted.left_out, 'line')} more"))
    return found


class TableShown(NamedTuple):
    """The rows of one table, each as names and values."""

    name: str
    rows: list[list[tuple[str, Value]]]


def tables_of(found: Thing, wanted: Wanted) -> list[TableShown]:
    """The rows of the thing as of the moment, table by table."""
    tables: dict[str, list[list[tuple[str, Value]]]] = {}
    for row in found.rows:
        tables.setdefault(row.table, []).append(_cells(row, wanted, is_erased=found.is_erased))
    return [TableShown(name, rows) for name, rows in tables.items()]


def _cells(row: ThingRow, wanted: Wanted, *, is_erased: bool) -> list[tuple[str, Value]]:
    return [
        (
            name_of(name),
            Value(ERASED)
            if is_erased and name in row.personal
            else value_of(name, value, wanted, is_personal=name in row.personal),
        )
        for name, value in row.row.items()
        if name != "position"
    ]


def chips_of(found: Thing, wanted: Wanted) -> list[Value]:
    """The neighbours, by kind."""
    return [
        Value(f"{kind.capitalize()} {short(key)}", wanted.link(place_of(kind, key)), key.hex)
        for kind, key in found.neighbours
    ]


class Pages(NamedTuple):
    """Which part of a list is shown, and where the parts before and after it are."""

    says: str
    before: str | None
    after: str | None


def pages_of(first: int, size: int, total: int, address: Callable[[int | None], str]) -> Pages | None:
    """The parts of a list of which `size` are shown from `first` on; None where all are."""
    if first == 0 and total <= size:
        return None
    last = min(first + size, total)
    says = f"{first + 1:,} to {last:,} of {total:,}" if first < total else f"are {total:,} in all"
    before, after = max(first - size, 0) or None, last if first < last < total else None
    return Pages(says, address(before) if first else None, None if after is None else address(after))
