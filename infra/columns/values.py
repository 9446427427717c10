"""Values of many streams at once: a column stands where a fold expects one value. What it cannot do raises, never lies.

A fold is plain Python, and Python's own control flow needs one answer: `bool` of a comparison raises Split where the
streams disagree, and who runs the fold runs it again for each part of them (`runs.py`). None is never in a column:
which fields are null belongs to the shape of a stream. So `is None` tells the truth.

A column pretends to nothing else: `isinstance`, `str`, `len`, a comparison with a value of another kind, a number that
might leave 64 bits, all raise. The streams then go one by one.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Any, ClassVar, NoReturn, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt
from msgspec import convert

Array: TypeAlias = npt.NDArray[Any]


class Split(Exception):  # noqa: N818 - the name says what is to be done
    """The streams of a column disagree. `labels` has a number for each of them: equal ones agree."""

    def __init__(self, labels: Array) -> None:
        super().__init__("the streams disagree")
        self.labels = labels


class Column:
    """Values of one kind, one for each stream of a group: all of `source`, or those that stand in its `rows`."""

    __slots__ = ("_rows", "_source", "_values")
    plain: ClassVar[type[Any]]
    """What one of them is in Python."""

    def __init__(self, source: Array, rows: Array | None = None) -> None:
        self._source, self._rows = source, rows
        self._values: Array | None = source if rows is None else None

    @property
    def values(self) -> Array:
        """As numpy holds them."""
        if self._values is None:
            self._values = self._source[self._rows]
        return self._values

    def tolist(self) -> list[Any]:
        """As Python has them, one by one."""
        return self._listed()

    def _listed(self) -> list[Any]:
        return list(self.values.tolist())

    @staticmethod
    def row_by_row(function: Callable[..., Any], arguments: tuple[Any, ...]) -> "Column":
        """The texts or ids that a function makes of each row of its arguments: columns, lists of them, plain values.

        It is given ids as texts: it writes them into another one.
        """
        rows = next(len(column.values) for column in _flat(arguments) if issubclass(type(column), Column))
        made = [function(*row) for row in zip(*(_by_row(value, rows) for value in arguments), strict=True)]
        if type(made[0]) is UUID:
            return Uuids(np.array([str(one).encode() for one in made], "S36"))
        return Texts(np.array(made, object))

    def operand(self, other: object) -> Any:
        """What `other` is in an operation with these values: an array, or one value of the same kind.

        Raises TypeError where it is of another kind: Python would compare them by identity, and say that they differ.
        """
        if type(other) is type(self):
            return other.values
        return self.number(other)

    @classmethod
    def number(cls, plain: object) -> Any:
        """A plain value as numpy holds it. Raises TypeError for one of another kind."""
        if type(plain) is not cls.plain:
            raise TypeError(f"{cls.__name__} have nothing to do with {type(plain).__name__}")
        return cls._number(plain)

    @classmethod
    def _number(cls, plain: Any) -> Any:
        return plain

    def __eq__(self, other: object) -> "Bools | bool":  # type: ignore[override]  # an answer for each stream
        return False if other is None else Bools(self.values == self.operand(other))

    def __ne__(self, other: object) -> "Bools | bool":  # type: ignore[override]  # an answer for each stream
        return True if other is None else Bools(self.values != self.operand(other))

    def __lt__(self, other: object) -> "Bools":
        return Bools(self.values < self.operand(other))

    def __le__(self, other: object) -> "Bools":
        return Bools(self.values <= self.operand(other))

    def __gt__(self, other: object) -> "Bools":
        return Bools(self.values > self.operand(other))

    def __ge__(self, other: object) -> "Bools":
        return Bools(self.values >= self.operand(other))

    def __hash__(self) -> int:
        raise TypeError(f"{type(self).__name__} are no keys")

    def __bool__(self) -> bool:
        raise TypeError(f"{type(self).__name__} are neither true nor false")

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} are many values, and have no text and no type of their own")

    __str__ = __repr__ = __format__ = _refuse  # a text made of many values would stand in a row
    __class__ = property(_refuse)  # `isinstance` asks for it, once it has seen the type


class Bools(Column):
    """Answers."""

    __slots__ = ()
    plain = bool

    def __hash__(self) -> int:
        return hash(one_of(self.values))

    def __bool__(self) -> bool:
        values = self.values
        if values.all():
            return True
        if values.any():
            raise Split(values)
        return False


class Texts(Column):
    """Texts, as Python's own strings: what they are compared by is Python's, too."""

    __slots__ = ()
    plain = str

    @classmethod
    def _number(cls, plain: str) -> Array:
        return np.array(plain, object)  # numpy's own texts lose a NUL at their end

    def of_each(self, function: Callable[[str], str]) -> "Texts":
        """What a function of one text makes of them: it is asked once for each different one."""
        texts = self.values.tolist()
        made = {text: function(text) for text in set(texts)}
        return Texts(np.array([made[text] for text in texts], object))

    def __hash__(self) -> int:
        return hash(one_of(self.values))

    def __bool__(self) -> bool:
        return bool(Bools(self.values != ""))


class Uuids(Column):
    """Identifiers, as texts of 36 characters, which sort as their numbers do.

    As keys all of them have one hash, that of the zero UUID, and are told apart by comparing. An id that is no column
    has another, and would not be found among them: so a fold on columns must see none. It cannot: ids of events and of
    the stream are columns, UNKNOWN_ID is the zero UUID, and what makes an id of a text refuses columns.
    """

    __slots__ = ()
    plain = UUID
    HASH: ClassVar[int] = hash(UUID(int=0))

    def _listed(self) -> list[Any]:
        return list(convert(self.values.astype("U36").tolist(), list[UUID]))

    @classmethod
    def _number(cls, plain: UUID) -> bytes:
        return str(plain).encode()

    def __hash__(self) -> int:
        return self.HASH

    def __bool__(self) -> bool:
        return True


def _flat(arguments: tuple[Any, ...]) -> Iterator[Any]:
    for value in arguments:
        if type(value) is list:
            yield from value
        else:
            yield value


def _by_row(value: Any, rows: int) -> Iterable[Any]:
    """An argument in each row: a column has one value in each, a plain value is the same in all."""
    if type(value) is list:
        return map(list, zip(*(_by_row(item, rows) for item in value), strict=True)) if value else repeat([], rows)
    if issubclass(type(value), Uuids):
        return list(map(bytes.decode, value.values.tolist()))
    return value.tolist() if issubclass(type(value), Column) else repeat(value, rows)


def one_of(values: Array) -> Any:
    """The value that all of them are. Raises Split where they differ."""
    if (values == values[:1]).all():
        return values[0]
    raise Split(np.unique(values, return_inverse=True)[1])
