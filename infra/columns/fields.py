"""Columns made of events, field by field.

What a column cannot hold exactly makes an event *odd*: a time with a zone, an amount with three decimals, a number
beyond 2^48, a list of more than 24. Streams with an odd event go one by one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from itertools import chain
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import numpy as np

from replayhouse.infra.columns.held import Held, Leaf, Lists, Nullable, Records, Words
from replayhouse.infra.columns.numbers import Amounts, Floats, Ints
from replayhouse.infra.columns.times import Days, Moments, since_epoch
from replayhouse.infra.columns.values import Array, Bools, Column, Texts, Uuids

LARGEST_NUMBER = 2**48

_json = msgspec.json.Encoder().encode

Hold: TypeAlias = Callable[[Sequence[Any]], Held]
"""Holds values of a type."""


class Unheld(TypeError):  # noqa: N818 - the name says what is the matter
    """A type of field that no column is made of: events that have one go one by one."""


@cache
def holder_of(hint: Any) -> Hold:
    """What holds values of a type, as the fields of events are annotated. Raises Unheld."""
    if get_origin(hint) is Literal:
        return _words
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        item = holder_of(get_args(hint)[0])
        return lambda lists: Lists(np.array(list(map(len, lists)), np.int64), item(list(chain.from_iterable(lists))))
    if isinstance(hint, UnionType):
        (known,) = set(get_args(hint)) - {NoneType}
        hold = holder_of(known)
        return lambda values: Nullable(
            np.array([value is None for value in values], bool), hold([value for value in values if value is not None])
        )
    if is_dataclass(hint):
        return partial(events_as_columns, hint)
    if hint not in _LEAVES:
        raise Unheld(f"no column is made of {hint!r}")
    column, made = _LEAVES[hint]
    return lambda values: Leaf(column, *made(values))


def events_as_columns(event_type: Any, events: Sequence[Any]) -> Records:
    """Events of one class, or what they are made of, as columns. Raises Unheld."""
    hints = get_type_hints(event_type)
    of_fields = [
        (field.name, holder_of(hints[field.name])(list(map(attrgetter(field.name), events))))
        for field in fields(event_type)
    ]
    return Records(event_type, of_fields, len(events))


def _words(words: Sequence[str]) -> Held:
    number: dict[str, int] = {}
    kinds = np.array([number.setdefault(word, len(number)) for word in words], np.int64)
    return Words(list(number), kinds)


# --- arrays of plain values -------------------------------------------------------------------------------------

_Made: TypeAlias = tuple[Array, Array | None]
_LeafOf: TypeAlias = tuple[type[Column], Callable[[Sequence[Any]], _Made]]

_AMOUNT = rb'"-?\d{1,12}\.\d\d"'
_AMOUNTS = re.compile(rb"\[(?:%b,)*%b\]" % (_AMOUNT, _AMOUNT))
_TIME_WIDTH, _DAY_WIDTH, _ID_WIDTH = 22, 13, 39  # of a value as JSON, with the comma behind it


def _ids(values: Sequence[UUID]) -> _Made:
    return _fixed(_json(values), _ID_WIDTH, len(values)), None


def _texts(values: Sequence[str]) -> _Made:
    return np.array(values, object), None


def _flags(values: Sequence[bool]) -> _Made:
    return np.array(values, bool), None


def _floats(values: Sequence[float]) -> _Made:
    return np.array(values, np.float64), None


def _numbers(values: Sequence[int]) -> _Made:
    largest = LARGEST_NUMBER
    if max(values, default=0) <= largest and min(values, default=0) >= -largest:
        return np.array(values, np.int64), None
    odd = [abs(value) > largest for value in values]
    return np.array([0 if is_odd else value for value, is_odd in zip(values, odd, strict=True)]), np.array(odd)


def _amounts(values: Sequence[Decimal]) -> _Made:
    written = _json(values)
    if not values or _AMOUNTS.fullmatch(written):
        return np.fromstring(written[1:-1].translate(None, b'".'), np.int64, sep=","), None
    odd = np.zeros(len(values), bool)
    hundredths = np.zeros(len(values), np.int64)
    for place, value in enumerate(values):
        scaled = value.scaleb(2) if value.is_finite() and abs(value) < LARGEST_NUMBER else None
        if scaled is None or int(scaled) != scaled or Decimal(int(scaled)).scaleb(-2) != value:
            odd[place] = True
        else:
            hundredths[place] = int(scaled)
    return hundredths, odd


def _times(values: Sequence[datetime]) -> _Made:
    written = _json(values)
    if len(written) == _TIME_WIDTH * len(values) + 1:  # the shortest form: without a fraction, without a zone
        return _fixed(written, _TIME_WIDTH, len(values)).astype("M8[s]").astype("M8[us]").astype(np.int64), None
    odd = np.array([value.tzinfo is not None for value in values])
    since = [0 if is_odd else since_epoch(value) for value, is_odd in zip(values, odd, strict=True)]
    return np.array(since, np.int64), odd if odd.any() else None


def _days(values: Sequence[date]) -> _Made:
    return _fixed(_json(values), _DAY_WIDTH, len(values)).astype("M8[D]").astype(np.int64), None


def _fixed(written: bytes, width: int, number: int) -> Array:
    """The texts in a JSON array of texts of one width."""
    if number == 0:
        return np.array([], f"S{width - 3}")
    cells = np.frombuffer(written, np.uint8)[1:].reshape(number, width)
    return np.ascontiguousarray(cells[:, 1 : width - 2]).view(f"S{width - 3}").ravel()


_LEAVES: dict[Any, _LeafOf] = {
    UUID: (Uuids, _ids),
    str: (Texts, _texts),
    int: (Ints, _numbers),
    float: (Floats, _floats),
    bool: (Bools, _flags),
    Decimal: (Amounts, _amounts),
    datetime: (Moments, _times),
    date: (Days, _days),
}
"""By type of field: its kind of column, and what makes an array of plain values, and tells those that are odd."""
