"""Values of a field of many events, or of the events themselves, held as columns.

To the shape of a stream belong: which fields are null, how long lists are, and words of a few (`Literal`), which are
never columns.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from replayhouse.infra.columns.times import Instants, Moments
from replayhouse.infra.columns.values import Array, Column

LONGEST_LIST = 24


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


class Leaf(Held):
    """Values of which a column is made."""

    def __init__(self, column: type[Column], source: Array, odd: Array | None = None) -> None:
        self._column, self._source, self.odd = column, source, odd
        self.kinds = np.zeros(len(source), np.int64)

    def at(self, rows: Array) -> Any:
        """A column."""
        return self._column(self._source, rows)

    def tolist(self, rows: Array) -> list[Any]:
        """The values in these rows, as Python has them."""
        return self._column(self._source, rows).tolist()


class Times(Held):
    """Times as microseconds since 1970: local ones, and recorded ones, which have a zone."""

    def __init__(self, source: Array, have_zone: Array) -> None:
        self._source = source
        self.kinds = have_zone.astype(np.int64)

    def at(self, rows: Array) -> Any:
        """A column."""
        return (Instants if self.kinds[rows[0]] else Moments)(self._source, rows)


class Nullable(Held):
    """The same, where some are null: those that are not, in order, are held by themselves."""

    def __init__(self, nulls: Array, known: Held) -> None:
        self._nulls, self._known = nulls, known
        self._place = np.cumsum(~nulls) - 1  # of a value among those that are known
        self.kinds = np.zeros(len(nulls), np.int64)
        self.kinds[~nulls] = known.kinds + 1
        if known.odd is not None:
            self.odd = np.zeros(len(nulls), bool)
            self.odd[~nulls] = known.odd

    def at(self, rows: Array) -> Any:
        """None, or a column."""
        return None if self._nulls[rows[0]] else self._known.at(self._place[rows])

    def tolist(self, rows: Array) -> list[Any]:
        """The values in these rows, as Python has them."""
        nulls = self._nulls[rows]
        assert isinstance(self._known, Leaf), "of values only"
        known = iter(self._known.tolist(self._place[rows[~nulls]]))
        return [None if is_null else next(known) for is_null in nulls.tolist()]


class Words(Held):
    """Words of a few, by their numbers."""

    def __init__(self, words: Sequence[str], kinds: Array) -> None:
        self._words, self.kinds = words, kinds

    def at(self, rows: Array) -> Any:
        """The word itself."""
        return self._words[self.kinds[rows[0]]]


class Records(Held):
    """Dataclasses, field by field: events, or what they are made of."""

    def __init__(self, kind: type[Any], fields: Sequence[tuple[str, Held]], number: int) -> None:
        self.kind, self.fields = kind, dict(fields)
        self.kinds = np.zeros(number, np.int64)
        for held in self.fields.values():
            self.kinds = together(self.kinds, held.kinds)
            self.odd = either(self.odd, held.odd)

    def at(self, rows: Array) -> Any:
        """One of them, whose fields are columns."""
        record = object.__new__(self.kind)
        for name, held in self.fields.items():
            object.__setattr__(record, name, held.at(rows))
        return record


class Lists(Held):
    """Tuples: how long they are, and the items of all of them, one after the other."""

    def __init__(self, lengths: Array, items: Held) -> None:
        self._lengths, self._items = lengths, items
        self._starts = np.cumsum(lengths) - lengths
        self.kinds = lengths
        for number in range(min(LONGEST_LIST, int(lengths.max(initial=0)))):
            of_item = np.zeros(len(lengths), np.int64)
            has = lengths > number
            of_item[has] = items.kinds[self._starts[has] + number]
            self.kinds = together(self.kinds, of_item)
        if (lengths > LONGEST_LIST).any():
            self.odd = lengths > LONGEST_LIST
        if items.odd is not None:
            has_odd = np.zeros(len(lengths), bool)
            has_odd[np.repeat(np.arange(len(lengths)), lengths)[items.odd]] = True
            self.odd = either(self.odd, has_odd)

    def at(self, rows: Array) -> Any:
        """A tuple of columns."""
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


def either(one: Array | None, other: Array | None) -> Array | None:
    """What is true of one or of the other; None is true of nothing."""
    if one is None or other is None:
        return other if one is None else one
    return one | other
