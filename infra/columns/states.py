"""States of events read as columns, without an event in between: the JSON that the mapper writes, and no other.

The mapper writes a state in one way: without blanks, its fields in their order, ids in small letters, times and amounts
in a form of fixed digits. That is read here byte for byte, for all states of a topic at once. A state that is not
exactly so, whatever the matter is, is not read: its stream goes one by one, and msgspec says what it is worth.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import numpy as np

from replayhouse.infra.columns.fields import Unheld
from replayhouse.infra.columns.held import LONGEST_LIST, Held, Leaf, Lists, Nullable, Records, Times, Words
from replayhouse.infra.columns.numbers import Amounts, Ints
from replayhouse.infra.columns.stored import PADDING
from replayhouse.infra.columns.times import SECOND_US, Days
from replayhouse.infra.columns.values import Array, Bools, Texts, Uuids

_MOST_DIGITS = 14  # of a number, or of an amount in hundredths
_ID = str(UUID(int=0)).replace("0", "h").encode()
_DAY = b"dddd-dd-dd"
_TIME = b"dddd-dd-ddTdd:dd:dd"
_FRACTION = b"dddddd"


def _signs(digit: str, digits: bytes) -> bytes:
    """Of each byte the sign that stands for it in a pattern: one for all digits, itself for others."""
    signs = bytearray(range(256))
    signs[ord(digit)] = 0
    for each in digits:
        signs[each] = ord(digit)
    return bytes(signs)


_HEXADECIMAL, _DECIMAL = _signs("h", b"0123456789abcdef"), _signs("d", b"0123456789")


class Read(NamedTuple):
    """Values that were read, where the next sign stands, and which of them could be read."""

    held: Held
    end: Array
    is_good: Array


class States:
    """A text in which states stand, with PADDING behind them."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.data = np.frombuffer(text, np.uint8)
        self.nowhere = len(text) - len(PADDING)

    def windows(self, at: Array, width: int) -> Array:
        """So many bytes from each of these places on."""
        every = np.ndarray((len(self.text) - width + 1,), f"S{width}", self.text, strides=(1,))
        return np.asarray(every[at])

    def has(self, at: Array, wanted: bytes) -> Array:
        """Where these bytes stand."""
        return np.asarray(self.windows(at, len(wanted)) == wanted)

    def fitting(self, at: Array, pattern: bytes, signs: bytes) -> tuple[Array, Array]:
        """As many bytes as a pattern has, and where they fit."""
        found = self.windows(at, len(pattern))
        return found, np.frombuffer(found.tobytes().translate(signs), found.dtype) == pattern

    def placed(self, at: Array, is_good: Array) -> Array:
        """The same places, where all was good so far: elsewhere nothing will be found."""
        return at if is_good.all() else np.where(is_good, at, self.nowhere)


Reader: TypeAlias = Callable[[States, Array], Read]


class _Value(NamedTuple):
    """What reads values of a type: between quotes, if they stand in `quotes`, or with whatever stands around them."""

    read: Reader
    quotes: bytes = b""

    def with_quotes(self) -> Reader:
        """What reads them with their quotes, if they have any."""
        if not self.quotes:
            return self.read

        def read(states: States, at: Array) -> Read:
            is_good = states.has(at, self.quotes)
            held, end, is_read = self.read(states, at + len(self.quotes))
            return Read(held, end + len(self.quotes), is_good & is_read & states.has(end, self.quotes))

        return read


def read_states(event_type: type[Any], states: States, starts: Array, ends: Array) -> tuple[Records, Array]:
    """The events of a class as columns, and which states could be read: the others are of no value.

    The states stand from the places in `starts` on, and before those in `ends`.

    Personal fields are sealed. Raises Unheld where the class has a field of a type that is not read here.
    """
    held, end, is_good = _value_of(cast(Any, event_type)).read(states, starts)
    assert isinstance(held, Records)
    return held, is_good & (end == ends)


@cache
def _value_of(hint: Any) -> _Value:
    if get_origin(hint) is Literal:
        return _Value(_words_reader(get_args(hint)))
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        return _Value(_lists_reader(_value_of(get_args(hint)[0]).with_quotes()))
    if isinstance(hint, UnionType):
        (known,) = set(get_args(hint)) - {NoneType}
        return _Value(_nullable_reader(_value_of(known).with_quotes()))
    if is_dataclass(hint):
        return _Value(_record_reader(cast(Any, hint)))
    if hint not in _VALUES:
        raise Unheld(f"no {hint!r} is read")
    return _VALUES[hint]


# --- what is made of others -------------------------------------------------------------------------------------


@cache
def _record_reader(kind: Any) -> Reader:
    """What stands between two values, quotes and all, is the same in all records, and looked for at once."""
    hints = get_type_hints(kind)
    before, parts = b"{", list[tuple[bytes, str, Reader]]()
    for field in fields(kind):
        value = _value_of(hints[field.name])
        parts.append((before + f'"{field.name}":'.encode() + value.quotes, field.name, value.read))
        before = value.quotes + b","
    last = before.removesuffix(b",") + b"}"

    def read(states: States, at: Array) -> Read:
        is_good = np.ones(len(at), bool)
        held: list[tuple[str, Held]] = []
        for label, name, read_part in parts:
            is_good &= states.has(at, label)
            of_part, end, is_read = read_part(states, states.placed(at + len(label), is_good))
            held.append((name, of_part))
            is_good &= is_read
            at = states.placed(end, is_good)
        is_good &= states.has(at, last)
        return Read(Records(kind, held, len(at)), states.placed(at + len(last), is_good), is_good)

    return read


def _nullable_reader(read_known: Reader) -> Reader:
    def read(states: States, at: Array) -> Read:
        nulls = states.has(at, b"null")
        held, end, is_known = read_known(states, at[~nulls])
        ends, is_good = at + len(b"null"), nulls.copy()
        ends[~nulls], is_good[~nulls] = end, is_known
        return Read(Nullable(nulls, held), ends, is_good)

    return read


def _words_reader(words: Sequence[str]) -> Reader:
    written = [f'"{word}"'.encode() for word in words]

    def read(states: States, at: Array) -> Read:
        kinds, ends, is_good = np.zeros(len(at), np.int64), at, np.zeros(len(at), bool)
        for number, word in enumerate(written):
            is_word = states.has(at, word)
            kinds[is_word] = number
            ends = np.where(is_word, at + len(word), ends)
            is_good |= is_word
        return Read(Words(words, kinds), ends, is_good)

    return read


def _lists_reader(read_item: Reader) -> Reader:
    """Items are looked for one by one in all lists, and then read once more, all of them together."""

    def read(states: States, at: Array) -> Read:
        is_good = states.has(at, b"[")
        is_empty = states.has(at, b"[]")
        ends = np.where(is_empty, at + 2, at + 1)
        lengths = np.zeros(len(at), np.int64)
        begun: list[tuple[Array, Array]] = []
        open_lists = np.flatnonzero(is_good & ~is_empty)
        while len(open_lists):
            places = ends[open_lists]
            begun.append((open_lists, places))
            _, after, is_item = read_item(states, places)
            lengths[open_lists] += 1
            goes_on = is_item & states.has(after, b",") & (lengths[open_lists] < LONGEST_LIST)
            is_good[open_lists] = goes_on | (is_item & states.has(after, b"]"))
            ends[open_lists] = after + 1
            open_lists = open_lists[goes_on]
        lengths[~is_good] = 0
        items = np.concatenate([places[is_good[lists]] for lists, places in begun] or [np.array([], np.int64)])
        held, _, _ = read_item(states, np.sort(items))  # they stand one list behind the other
        return Read(Lists(lengths, held), ends, is_good)

    return read


# --- plain values -----------------------------------------------------------------------------------------------


def _ids(states: States, at: Array) -> Read:
    ids, is_good = states.fitting(at, _ID, _HEXADECIMAL)
    return Read(Leaf(Uuids, ids), at + len(_ID), is_good)


def _times(states: States, at: Array) -> Read:
    texts, is_good = states.fitting(at, _TIME, _DECIMAL)
    seconds, is_time = _moments(texts, is_good, "s")
    micros, ends = seconds * SECOND_US, at + len(_TIME)
    has_fraction = is_time & states.has(ends, b".")
    if has_fraction.any():
        fractions, is_fraction = states.fitting(ends[has_fraction] + 1, _FRACTION, _DECIMAL)
        micros[has_fraction] += np.where(is_fraction, fractions, b"0").astype(np.int64)
        is_time[has_fraction] = is_fraction
        ends = np.where(has_fraction, ends + 7, ends)
    have_zone = states.has(ends, b"Z")
    return Read(Times(micros, have_zone), np.where(have_zone, ends + 1, ends), is_time)


def _days(states: States, at: Array) -> Read:
    texts, is_good = states.fitting(at, _DAY, _DECIMAL)
    days, is_day = _moments(texts, is_good, "D")
    return Read(Leaf(Days, days), at + len(_DAY), is_day)


def _moments(texts: Array, is_good: Array, unit: str) -> tuple[Array, Array]:
    """Texts of digits as seconds or days since 1970, and which of them the calendar has."""
    first = b"0001-01-01T00:00:00" if unit == "s" else b"0001-01-01"
    is_good = is_good & (texts >= first)
    known = np.where(is_good, texts, np.array(first, texts.dtype))
    try:
        return known.astype(f"M8[{unit}]").astype(np.int64), is_good
    except ValueError:  # there is no such day, or time
        for place, text in enumerate(known.tolist()):
            try:
                np.array([text]).astype(f"M8[{unit}]")
            except ValueError:
                known[place], is_good[place] = first, False
        return known.astype(f"M8[{unit}]").astype(np.int64), is_good


def _flags(states: States, at: Array) -> Read:
    is_true, is_false = states.has(at, b"true"), states.has(at, b"false")
    return Read(Leaf(Bools, is_true), np.where(is_true, at + 4, at + 5), is_true | is_false)


def _numbers(states: States, at: Array) -> Read:
    is_negative = states.data[at] == ord("-")
    first = at + is_negative
    numbers, end = _digits(states, first)
    is_good = (end > first) & (end - first <= _MOST_DIGITS)
    is_good &= (states.data[first] != ord("0")) | ((end - first == 1) & ~is_negative)
    return Read(Leaf(Ints, np.where(is_negative, -numbers, numbers)), end, is_good)


def _amounts(states: States, at: Array) -> Read:
    is_negative = states.data[at] == ord("-")
    first = at + is_negative
    whole, point = _digits(states, first)
    cents, end = _digits(states, point + 1)
    is_good = states.has(point, b".") & (point > first) & (point - first <= _MOST_DIGITS - 2) & (end - point == 3)
    amounts = np.where(is_good, whole * 100 + cents, 0)
    return Read(Leaf(Amounts, np.where(is_negative, -amounts, amounts)), end, is_good)


def _digits(states: States, at: Array) -> tuple[Array, Array]:
    """The number that the digits from here on make, and where they end, or at the latest one digit too late."""
    number, end = np.zeros(len(at), np.int64), at.copy()
    for _ in range(_MOST_DIGITS + 1):
        digit = states.data[end] - np.uint8(ord("0"))
        is_digit = digit < 10
        if not is_digit.any():
            break
        number = np.where(is_digit, number * 10 + digit, number)
        end += is_digit
    return number, end


def _texts(states: States, at: Array) -> Read:
    """Texts without a sign that is written otherwise than it is."""
    text, find = states.text, states.text.find
    stops = np.array([find(b'"', begin) for begin in at.tolist()], np.int64)
    is_good = (stops >= 0) & (stops < states.nowhere)
    ends = np.where(is_good, stops, states.nowhere)
    begins = np.where(is_good, at, ends)
    written = [text[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
    if _STRANGE.search(b"".join(written)):
        is_good &= np.array([_STRANGE.search(one) is None for one in written], bool)
    try:
        texts = [one.decode() for one in written]
    except UnicodeDecodeError:
        texts = list(map(_decoded, written))
        is_good &= np.array([one is not _UNREADABLE for one in texts], bool)
    return Read(Leaf(Texts, np.array(texts, object)), ends, is_good)


_STRANGE = re.compile(rb"[\x00-\x1f\\]")
_UNREADABLE = str(b"no text of UTF-8")  # made anew, so that no text of a state is the same object


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return _UNREADABLE


_VALUES: dict[Any, _Value] = {
    UUID: _Value(_ids, b'"'),
    str: _Value(_texts, b'"'),
    int: _Value(_numbers),
    bool: _Value(_flags),
    Decimal: _Value(_amounts, b'"'),
    datetime: _Value(_times, b'"'),
    date: _Value(_days, b'"'),
}
"""By type of field. Coordinates are not among them: there are many ways to write one."""
