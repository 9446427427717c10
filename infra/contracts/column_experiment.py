"""Which fields of events each column of the star schema follows from, found by experiment.

Streams are drawn by chance and folded. Then one field of one event is given another value, or one event is left out,
and the stream is folded again: the columns that have moved follow from that. What is found this way is so, for it was
seen; that nothing is missed is a matter of how many streams are drawn, and a test draws others.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints
from uuid import UUID

from replayhouse.domain.contexts import CONTEXTS, Context
from replayhouse.domain.customer import events as customer
from replayhouse.domain.fulfillment import events as fulfillment
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.marketplace import events as marketplace
from replayhouse.domain.quality import events as quality
from replayhouse.domain.sales import events as sales
from replayhouse.infra.openlineage.columns import POSITION_OF_STREAM, STREAM, event_name, field_name
from replayhouse.projections.projection import Row, Rows, Stream, key_width
from replayhouse.projections.warehouse import PROJECTIONS

STREAMS = 8
"""So many are drawn of a kind of stream with one event; of one with several, times their number squared."""

_FEWEST = 40
_EVENTS = 8
_WORDS = {"zip_prefix": ("01001", "40010"), "city": ("São Paulo", "Salvador"), "state": ("SP", "BA")}
_OTHER_WORDS = ("one", "two", "three", "four", "five")
_KINDS = 3
_DRAWS = 20
_MOSTLY = 2

_BEGIN_WITH: Mapping[type[DomainEvent], str] = {
    sales.OrderPlaced: "Order|Payment",
    fulfillment.ShipmentPlanned: "Shipment|Delivery",
    fulfillment.AreaSurveyed: "Area",
    customer.CustomerRegistered: "Customer|Alias|Purchase|Segment|Region",
    customer.ReviewSubmitted: "Review",
    marketplace.ProductListed: "Product",
    marketplace.SellerRegistered: "Seller|Region",
    marketplace.CategoryNamed: "Category",
    quality.BatchOpened: "Batch",
    quality.RowQuarantined: "Row",
}
"""By the event that most streams of a kind begin with: how the names of the events in them begin."""


@dataclass
class Found:
    """What moves a column: fields, those whose value it has, those of which it has another; and events by being there.

    A field with no value tells nothing of which of both it is.
    """

    fields: Counter[str] = field(default_factory=Counter)
    alike: Counter[str] = field(default_factory=Counter)
    unlike: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def copied(self) -> set[str]:
        """The fields whose value stands in the column; now and then they change which row is shown, too."""
        return {one for one in self.fields if self.alike[one] > _MOSTLY * self.unlike[one]}

    @property
    def happened(self) -> set[str]:
        """The events that move it only by being there, where nothing is copied into it."""
        told = {".".join(one.split(".")[:2]) for one in self.fields}
        return set() if self.copied else self.events.keys() - told


class _Kind(NamedTuple):
    """A kind of stream: its context, and the events in it, that which it begins with first."""

    context: str
    events: tuple[type[DomainEvent], ...]


class _Change(NamedTuple):
    """A stream in which one thing is otherwise: the name of that, and the value that it has now, if it is a field's."""

    name: str
    events: Sequence[DomainEvent]
    value: Any
    is_field: bool = True


def experiment(streams: int = STREAMS, seed: str = "") -> dict[str, dict[str, Found]]:
    """What each column of each folded table follows from, by the name of the table with its schema."""
    found: dict[str, dict[str, Found]] = {
        f"{context}.{table.name}": {column.name: Found() for column in table.columns}
        for context in CONTEXTS
        for table in PROJECTIONS[context].tables
    }
    for kind in kinds():
        for number in range(max(_FEWEST, streams * len(kind.events) ** 2)):
            _try(kind, Random(f"{seed} {kind.events[0].__name__} {number}"), found)
    for name, columns in found.items():
        _settle(columns, _keys_of(name))
    return found


def _settle(columns: Mapping[str, Found], keys: Collection[str]) -> None:
    """Leaves out what says nothing: lists beside their parts, and what tells which row is meant beside its key."""
    naming = {one for key in keys for one in columns[key].copied}
    for name, column in columns.items():
        parts = tuple(column.fields)
        beside = naming - column.copied if name not in keys else set()
        for one in parts:
            if one in beside or any(other.startswith(f"{one}.") for other in parts):
                del column.fields[one]


def _keys_of(name: str) -> list[str]:
    context, _, called = name.partition(".")
    table = next(one for one in PROJECTIONS[context].tables if one.name == called)
    return [column.name for column in table.primary_key.columns]


def kinds() -> list[_Kind]:
    """All kinds of streams. Every event is in one."""
    return [
        _Kind(context.value, (first, *(one for one in context.events if one is not first and _is_in(one, names))))
        for context in Context
        for first, names in _BEGIN_WITH.items()
        if first in context.events
    ]


def _is_in(event: type[DomainEvent], names: str) -> bool:
    return event.__name__.startswith(tuple(names.split("|")))


def _try(kind: _Kind, random: Random, found: Mapping[str, Mapping[str, Found]]) -> None:
    """One stream, and everything that may be otherwise in it."""
    few = random.sample(kind.events, min(_KINDS, len(kind.events)))  # so that they have to do with one another
    others = (random.choice(few) for _ in range(random.randrange(_EVENTS)))
    events = [_drawn(one, random) for one in (kind.events[0], *others)]
    stream, position = UUID(int=random.randrange(1, 9)), random.randrange(1, 9)
    fold = PROJECTIONS[kind.context].fold
    before = fold(Stream(stream, position, events))
    for change in _changes(kind.context, events, random):
        _compare(kind.context, before, fold(Stream(stream, position, change.events)), change, found)
    for name, value, other in (
        (STREAM, UUID(int=10), Stream(UUID(int=10), position, events)),
        (POSITION_OF_STREAM, 10, Stream(stream, 10, events)),
    ):
        _compare(kind.context, before, fold(other), _Change(f"{kind.context}.{name}", events, value), found)


def _changes(context: str, events: Sequence[DomainEvent], random: Random) -> Iterator[_Change]:
    for number, event in enumerate(events):
        name = type(event).__name__
        yield _Change(event_name(context, name), [*events[:number], *events[number + 1 :]], None, is_field=False)
        for path, changed, value in _changed(event, random, ""):
            yield _Change(field_name(context, name, path), [*events[:number], changed, *events[number + 1 :]], value)


def _changed(shape: Any, random: Random, within: str) -> Iterator[tuple[str, Any, Any]]:
    """Path of a field, the shape with another value in it, and that value; lists also with one part less."""
    for one in fields(shape):
        kind, value, path = _hints(type(shape))[one.name], getattr(shape, one.name), f"{within}{one.name}"
        parts: Sequence[Any] = value if isinstance(value, tuple) else [value]
        if parts and is_dataclass(parts[0]):
            number = random.randrange(len(parts))
            for inner, changed, its_value in _changed(parts[number], random, f"{path}."):
                whole = (*parts[:number], changed, *parts[number + 1 :]) if isinstance(value, tuple) else changed
                yield inner, replace(shape, **{one.name: whole}), its_value
            if not isinstance(value, tuple):
                continue
        other = next(
            (drawn for drawn in (_value(kind, one.name, random) for _ in range(_DRAWS)) if drawn != value), value
        )
        yield path, replace(shape, **{one.name: other}), other


def _compare(
    context: str, before: Rows, after: Rows, change: _Change, found: Mapping[str, Mapping[str, Found]]
) -> None:
    """Notes which columns have moved, of rows that are there before and after."""
    for table in PROJECTIONS[context].tables:
        columns = found[f"{context}.{table.name}"]
        for old, new in _pairs(before.get(table.name, []), after.get(table.name, []), key_width(table)):
            for column, was, now in zip(columns.values(), old, new, strict=True):
                if was == now:
                    continue
                if not change.is_field:
                    column.events[change.name] += 1
                    continue
                column.fields[change.name] += 1
                if change.value is not None:
                    (column.alike if now == change.value else column.unlike)[change.name] += 1


def _pairs(before: Sequence[Row], after: Sequence[Row], width: int) -> Iterator[tuple[Row, Row]]:
    """The rows of a table with the same keys, or the one of which only the key has moved.

    Where rows have come or gone, others may have taken their keys: nothing is compared then.
    """
    old, new = ({row[:width]: row for row in rows} for rows in (before, after))
    gone, come = old.keys() - new.keys(), new.keys() - old.keys()
    if len(old) < len(before) or len(new) < len(after):  # the domain decides nothing that has two rows with one key
        return
    if not gone and not come:
        yield from ((old[key], new[key]) for key in old)
    elif len(gone) == len(come) == 1:
        yield old[gone.pop()], new[come.pop()]


# --- values ---------------------------------------------------------------------------------------------------------


def _drawn(kind: type[Any], random: Random) -> Any:
    return kind(**{name: _value(hint, name, random) for name, hint in _hints(kind).items()})


def _hints(kind: type[Any]) -> dict[str, Any]:
    return _types_of(kind)  # type: ignore[arg-type] # mypy does not see that classes can be hashed


@cache
def _types_of(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    if kind is sales.OrderAmended:  # some of the facts are never taken back
        hints |= {"time": datetime, "customer_id": UUID}
    return {one.name: hints[one.name] for one in fields(kind)}


def _value(kind: Any, name: str, random: Random) -> Any:
    if get_origin(kind) is Literal:
        return random.choice(get_args(kind))
    if isinstance(kind, UnionType):
        is_none = random.random() < 0.2
        return None if is_none else _value(next(one for one in get_args(kind) if one is not NoneType), name, random)
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], name, random) for _ in range(random.randrange(4)))
    if is_dataclass(kind):
        assert isinstance(kind, type)  # and no instance of one
        return _drawn(kind, random)
    return random.choice(_WORDS.get(name, _OTHER_WORDS)) if kind is str else _PLAIN[kind](random)


_PLAIN: Mapping[Any, Any] = {
    datetime: lambda random: datetime(2017, 1, 1) + timedelta(seconds=random.randrange(400 * 86_400)),
    date: lambda random: date(2017, 1, 1) + timedelta(days=random.randrange(400)),
    Decimal: lambda random: Decimal(random.choice((0, 500, 1_000, 2_000, 3_999))).scaleb(-2),
    UUID: lambda random: UUID(int=random.randrange(1, 5)),
    int: lambda random: random.randrange(1, 6),
    float: lambda random: random.randrange(-5_000, 5_000) / 64,
    bool: lambda random: random.random() < 0.5,
}
