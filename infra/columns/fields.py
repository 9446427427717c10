"""Events of one class as columns: each field of all of them, and what of it belongs to the shape of a stream.

To the shape belong: which fields are null, how long lists are, and words of a few (`Literal`), which are never columns.
What a column cannot hold exactly makes an event *odd*: a time with a zone, an amount with three decimals, a number
beyond 2^48, a list of more than 24. Streams with an odd event go one by one.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import numpy as np

from replayhouse.infra.columns.numbers import Amounts, Floats, Ints
from replayhouse.infra.columns.times import Days, Moments, since_epoch
from replayhouse.infra.columns.values import Array, Bools, Column, Texts, Uuids

LARGEST_NUMBER = 2**48
LONGEST_LIST = 24

_json = msgspec.json.Encoder().encode


class Held(ABC):
    """The values of a field of many events, or of something in it.

    `kinds` has a number for each: equal ones have the same nulls, lengths and words, so they can be one column. `odd`
    tells those that no column can hold; None where there are none.
    """

    kinds: Array
    odd: Array | None = None

    @abstractmethod
    def at(self, rows: Array) -> Any:
        """The values in these rows, of one kind and not odd, as what a fold sees in their place."""


Hold: TypeAlias = Callable[[Sequence[Any]], Held]
"""Holds values of a type."""


class Unheld(TypeError):  # noqa: N818 - the name says what is the matter
    """A type of field that no column is made of: events that have one go one by one."""


@cache
def holder_of(hint: Any) -> Hold:
    """What holds values of a type, as the fields of events are annotated. Raises Unheld."""
    if get_origin(hint) is Literal:
        return _Words
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        item = holder_of(get_args(hint)[0])
        return lambda lists: _Lists(lists, item)
    if isinstance(hint, UnionType):
        (known,) = set(get_args(hint)) - {NoneType}
        leaf = _leaf_of(known)
        return lambda values: _Nullable(values, leaf)
    if is_dataclass(hint):
        return lambda records: _Records(hint, records)  # type: ignore[arg-type]  # a class, not an instance of one
    leaf = _leaf_of(hint)
    return lambda values: _Leaf(values, leaf)


def events_as_columns(event_type: type[Any], events: Sequence[Any]) -> Held:
    """Events of one class as columns. Raises Unheld."""
    return _Records(event_type, events)


# --- what fields hold -------------------------------------------------------------------------------------------


class _Leaf(Held):
    def __init__(self, values: Sequence[Any], leaf: "_LeafOf") -> None:
        self._column, made = leaf
        self._source, self.odd = made(values)
        self.kinds = np.zeros(len(values), np.int64)

    def at(self, rows: Array) -> Any:
        return self._column(self._source, rows)


class _Nullable(Held):
    def __init__(self, values: Sequence[Any], leaf: "_LeafOf") -> None:
        self._column, made = leaf
        self._nulls = np.array([value is None for value in values], bool)
        self._place = np.cumsum(~self._nulls) - 1  # of a value among those that are known
        self._source, odd = made([value for value in values if value is not None])
        self.kinds = self._nulls.astype(np.int64)
        if odd is not None:
            self.odd = np.zeros(len(values), bool)
            self.odd[~self._nulls] = odd

    def at(self, rows: Array) -> Any:
        return None if self._nulls[rows[0]] else self._column(self._source, self._place[rows])


class _Words(Held):
    """Words of a few: a fold sees the word itself."""

    def __init__(self, words: Sequence[str]) -> None:
        number: dict[str, int] = {}
        self.kinds = np.array([number.setdefault(word, len(number)) for word in words], np.int64)
        self._words = list(number)

    def at(self, rows: Array) -> Any:
        return self._words[self.kinds[rows[0]]]


class _Records(Held):
    """Dataclasses, field by field: events, or what they are made of."""

    def __init__(self, kind: type[Any], records: Sequence[Any]) -> None:
        self._kind, hints = kind, get_type_hints(kind)
        self._fields: list[tuple[str, Held]] = []
        self.kinds = np.zeros(len(records), np.int64)
        for field in fields(kind):
            held = holder_of(hints[field.name])(list(map(attrgetter(field.name), records)))
            self._fields.append((field.name, held))
            self.kinds = together(self.kinds, held.kinds)
            self.odd = _either(self.odd, held.odd)

    def at(self, rows: Array) -> Any:
        record = object.__new__(self._kind)
        for name, held in self._fields:
            object.__setattr__(record, name, held.at(rows))
        return record


class _Lists(Held):
    """Tuples: the items of all of them in one, and where each begins."""

    def __init__(self, lists: Sequence[tuple[Any, ...]], item: Hold) -> None:
        self._lengths = np.array(list(map(len, lists)), np.int64)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._items = item(list(chain.from_iterable(lists)))
        self.kinds = self._lengths
        for number in range(min(LONGEST_LIST, int(self._lengths.max(initial=0)))):
            of_item = np.zeros(len(lists), np.int64)
            has = self._lengths > number
            of_item[has] = self._items.kinds[self._starts[has] + number]
            self.kinds = together(self.kinds, of_item)
        if (self._lengths > LONGEST_LIST).any():
            self.odd = self._lengths > LONGEST_LIST
        if self._items.odd is not None:
            whose = np.repeat(np.arange(len(lists)), self._lengths)
            has_odd = np.zeros(len(lists), bool)
            has_odd[whose[self._items.odd]] = True
            self.odd = _either(self.odd, has_odd)

    def at(self, rows: Array) -> Any:
        starts = self._starts[rows]
        return tuple(self._items.at(starts + number) for number in range(int(self._lengths[rows[0]])))


def together(one: Array, other: Array) -> Array:
    """Numbers of which two are equal where both of these are."""
    if not other.any():
        return one
    if not one.any():
        return other
    one, other = (np.unique(kinds, return_inverse=True)[1] for kinds in (one, other))
    return one * (int(other.max(initial=0)) + 1) + other


def _either(one: Array | None, other: Array | None) -> Array | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


# --- arrays of plain values -------------------------------------------------------------------------------------

_Made: TypeAlias = tuple[Array, Array | None]
_LeafOf: TypeAlias = tuple[type[Column], Callable[[Sequence[Any]], _Made]]

_AMOUNT = rb'"-?\d{1,12}\.\d\d"'
_AMOUNTS = re.compile(rb"\[(?:%b,)*%b\]" % (_AMOUNT, _AMOUNT))
_TIME_WIDTH, _DAY_WIDTH, _ID_WIDTH = 22, 13, 39  # of a value as JSON, with the comma behind it


def _leaf_of(hint: Any) -> _LeafOf:
    if hint not in _LEAVES:
        raise Unheld(f"no column is made of {hint!r}")
    return _LEAVES[hint]


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
