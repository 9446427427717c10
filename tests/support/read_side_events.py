"""Streams of arbitrary events for properties of the read side: any class of a stream, any order, any sensible values.

They hold what the domain would never decide, and so every subsequence of what it does decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st

from replayhouse.domain.customer import events as customer
from replayhouse.domain.fulfillment import events as fulfillment
from replayhouse.domain.kernel.events import DomainEvent, Rewound
from replayhouse.domain.marketplace import events as marketplace
from replayhouse.domain.quality import events as quality
from replayhouse.domain.sales import events as sales

TIMES = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: datetime(2016, 9, 1) + timedelta(seconds=seconds))
RECORDED = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
MONEY = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents).scaleb(-2))
IDS = st.integers(0, 9).map(lambda number: UUID(int=number))

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    datetime: TIMES,
    date: TIMES.map(datetime.date),
    Decimal: MONEY,
    UUID: IDS,
    int: st.integers(0, 900),
    float: st.floats(-90, 90),
    str: TEXTS,
    bool: st.booleans(),
    type(None): st.none(),
}

# Strategies are made once: making one takes longer than drawing from it.


@cache
def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation that the events have."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, UnionType):
        return st.one_of(*map(values_of, get_args(kind)))
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return st.lists(values_of(get_args(kind)[0]), max_size=3).map(tuple)
    return an_event(kind)


def an_event(kind: type[Any], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An event of a class, with the fields that are told drawn as told."""
    hints = _hints(kind)  # type: ignore[arg-type] # mypy does not see that classes can be hashed
    drawn = {f.name: values_of(hints[f.name]) for f in fields(kind) if f.name not in fixed}
    return st.builds(kind, **drawn, **{name: values for name, values in fixed.items() if name in hints})


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _of_module(module: Any, *kinds: str, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[list[DomainEvent]]:
    """Events of these classes; `fixed` says how to draw a field of all of them, or of one: `OrderPlaced__lines`."""
    classes = []
    for kind in kinds:
        of_kind = {name: values for name, values in fixed.items() if "__" not in name}
        of_kind |= {name.removeprefix(f"{kind}__"): values for name, values in fixed.items() if name.startswith(kind)}
        classes.append(an_event(getattr(module, kind), **of_kind))
    return st.lists(st.one_of(classes), max_size=6)


def _one_each(kind: type[Any], key: str) -> st.SearchStrategy[tuple[Any, ...]]:
    """Parts of an event, of which no two have the same key."""
    return st.lists(an_event(kind), max_size=3, unique_by=lambda part: getattr(part, key)).map(tuple)


KINDS: dict[str, tuple[str, Any]] = {
    "order": (
        "sales",
        lambda n: _of_module(
            sales,
            *[kind.__name__ for kind in sales.EVENTS],
            # which facts may be taken back depends on the fact: unit tests of the order do that
            OrderAmended__time=TIMES,
            OrderAmended__customer_id=IDS,
        ),
    ),
    "shipment": (
        "fulfillment",
        lambda n: _of_module(
            fulfillment, *[k.__name__ for k in fulfillment.EVENTS if k is not fulfillment.AreaSurveyed]
        ),
    ),
    "area": ("fulfillment", lambda n: _of_module(fulfillment, "AreaSurveyed", zip_prefix=st.just(f"{n:05}"))),
    "customer": (
        "customer",
        lambda n: _of_module(
            customer,
            *[kind.__name__ for kind in customer.EVENTS if not kind.__name__.startswith("Review")],
            alias=st.integers(0, 2).map(lambda alias: UUID(int=n * 10 + alias)),
        ),
    ),
    "review": (
        "customer",
        lambda n: _of_module(
            customer, "ReviewSubmitted", "ReviewRevised", review_id=st.just(UUID(int=n)), score=st.integers(1, 5)
        ),
    ),
    "product": (
        "marketplace",
        lambda n: _of_module(
            marketplace, "ProductListed", "ProductRecategorized", "ProductDescribed", "ProductRemeasured"
        ),
    ),
    "seller": ("marketplace", lambda n: _of_module(marketplace, "SellerRegistered", "SellerMoved", "RegionShown")),
    "category": ("marketplace", lambda n: _of_module(marketplace, "CategoryNamed", name=st.just(f"categoria {n}"))),
    "batch": (
        "quality",
        lambda n: _of_module(
            quality,
            *[kind.__name__ for kind in quality.EVENTS if kind.__name__.startswith("Batch")],
            opened_at=RECORDED,
            completed_at=RECORDED,
            score=st.integers(0, 10_000).map(lambda cents: Decimal(cents).scaleb(-2)),
            BatchOpened__files=_one_each(quality.ExtractFile, "file"),
            BatchAssessed__checks=_one_each(quality.CheckResult, "rule"),
        ),
    ),
    "row": ("quality", lambda n: _of_module(quality, "RowQuarantined", "RowReleased", "RowDiscarded")),
}
"""By kind of stream: its context, and the events of the stream with a number (which makes its natural keys)."""

_numbers: Iterator[int] = count(1)


def next_number() -> int:
    """A number that no stream had in this process."""
    return next(_numbers)


@cache
def _events(kind: str, number: int) -> st.SearchStrategy[list[DomainEvent]]:
    events: st.SearchStrategy[list[DomainEvent]] = KINDS[kind][1](number)
    return events


@st.composite
def a_stream(draw: st.DrawFn, kind: str, number: int) -> Sequence[DomainEvent]:
    """A stream of a kind, in which now and then a load is taken back."""
    events: list[DomainEvent] = []
    for step in draw(st.lists(st.booleans(), min_size=1, max_size=3)):
        events += draw(_events(kind, number))
        if step:
            events.append(Rewound(draw(TIMES), UUID(int=1), draw(st.integers(0, len(events)))))
    return events
