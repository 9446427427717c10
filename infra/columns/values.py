"""Values of many streams at once: a column stands where a fold expects one value. What it cannot do raises, never lies.

A fold is plain Python, and Python's own control flow needs one answer: `bool` of a comparison raises Split where the
streams disagree, and who runs the fold runs it again for each part of them (`runs.py`). None is never in a column:
which fields are null belongs to the shape of a stream. So `is None` tells the truth.

A column pretends to nothing else: `isinstance`, `str`, `len`, a comparison with a value of another kind, a number that
might leave 64 bits, all raise. The streams then go one by one.
"""

from collections.abc import Callable, Sequence
from hashlib import sha1
from typing import Any, ClassVar, NoReturn, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import convert

Array: TypeAlias = npt.NDArray[Any]


class Split(Exception):  # noqa: N818 - the name says what is to be done
    """The streams of a column disagree. `labels` has a number for each of them: equal ones agree."""

    def __init__(self, labels: Array) -> None:
        super().__init__("the streams disagree")
        self.labels = labels


class Many:
    """What stands for many values: it has no text, type or attribute of one of them, and asking for that raises."""

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} are many values, and have no text and no type of their own")

    __str__ = __repr__ = __format__ = _refuse  # a text made of many values would stand in a row
    __class__ = property(_refuse)  # `isinstance` asks for it, once it has seen the type

    def __getattr__(self, name: str) -> NoReturn:
        """Not AttributeError, which `hasattr` and `getattr` with a default would take for an answer."""
        if name.startswith("__"):  # of Python's own protocols: libraries ask for them, and do without
            raise AttributeError(name)
        raise TypeError(f"{type(self).__name__} have no {name}")


class Column(Many):
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

    def as_text(self) -> pa.Array:
        """As they are written."""
        raise TypeError(f"{type(self).__name__} are written in more than one way")

    @staticmethod
    def joined(parts: Sequence[Any]) -> "Texts":
        """Texts put together, row by row, of columns and of what is the same in all of them."""
        written = [part.as_text() if issubclass(type(part), Column) else pa.scalar(str(part)) for part in parts]
        return Texts.of(pc.binary_join_element_wise(*written, ""))

    @staticmethod
    def of_rows(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        """What a function makes of columns, lists of them and plain values: it is run for each part of rows that agree.

        Raises Split where it makes texts of some, and none of others.
        """
        try:
            return function(*arguments)
        except Split as split:
            labels = split.labels
        texts = np.empty(len(labels), object)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            made = Column.of_rows(function, [_at(value, rows) for value in arguments])
            if made is None:
                raise Split(labels)
            texts[rows] = made.values if issubclass(type(made), Texts) else made
        return Texts(texts)

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
    """Texts, as Python's own strings: what they are compared by is Python's, too.

    Those that were put together are held by Arrow until one of them is looked at: most are only written.
    """

    __slots__ = ("_arrow",)
    plain = str

    def __init__(self, source: Array, rows: Array | None = None, arrow: pa.Array = None) -> None:
        super().__init__(source, rows)
        self._arrow = arrow

    @classmethod
    def of(cls, arrow: pa.Array) -> "Texts":
        """Texts that Arrow holds."""
        made = cls(_UNSEEN, arrow=arrow)
        made._values = None
        return made

    @property
    def values(self) -> Array:
        """As numpy holds them."""
        if self._values is None and self._arrow is not None:
            self._values = np.array(self._arrow.to_pylist(), object)
        return super().values

    def as_text(self) -> pa.Array:
        """As they are."""
        if self._arrow is None:
            self._arrow = pa.array(self.values, pa.string())
        return self._arrow

    def named_in(self, namespace: UUID) -> "Uuids":
        """The UUIDv5 of each name."""
        started = sha1(namespace.bytes, usedforsecurity=False).copy
        digests = []
        for name in self.as_text().cast(pa.binary()).to_pylist():
            hashed = started()
            hashed.update(name)
            digests.append(hashed.digest())
        numbers = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 20)[:, :16].copy()
        numbers[:, 6] = numbers[:, 6] & 0x0F | 0x50
        numbers[:, 8] = numbers[:, 8] & 0x3F | 0x80
        return Uuids(_id_texts(numbers))

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
        texts = self.as_text()
        lengths = np.frombuffer(pc.binary_length(texts).buffers()[1], np.int32)  # Arrow may know no numpy
        return bool(Bools(lengths[: len(texts)] != 0))


class Uuids(Column):
    """Identifiers, as texts of 36 characters, which sort as their numbers do.

    As keys all of them have one hash, that of the zero UUID, and are told apart by comparing. An id that is no column
    has another, and would not be found among them: so a fold on columns must see none. It cannot: ids of events and of
    the stream are columns, UNKNOWN_ID is the zero UUID, and what makes an id of a text refuses columns.
    """

    __slots__ = ()
    plain = UUID
    HASH: ClassVar[int] = hash(UUID(int=0))

    def as_text(self) -> pa.Array:
        """As they are written."""
        return fixed_texts(self.values, pa.string())

    def _listed(self) -> list[Any]:
        return list(convert(self.values.astype("U36").tolist(), list[UUID]))

    @classmethod
    def _number(cls, plain: UUID) -> bytes:
        return str(plain).encode()

    def __hash__(self) -> int:
        return self.HASH

    def __bool__(self) -> bool:
        return True


_UNSEEN: Array = np.empty(0, object)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_ID_LENGTH = 36
_DIGITS = np.delete(np.arange(_ID_LENGTH), [8, 13, 18, 23])
"""Where digits stand in an id that is a text; between them are hyphens."""


def _at(value: Any, rows: Array) -> Any:
    """An argument in some rows: of a column those, a plain value as it is."""
    if type(value) is list:
        return [_at(item, rows) for item in value]
    return type(value)(value.values, rows) if issubclass(type(value), Column) else value


def fixed_texts(texts: Array, kind: pa.DataType) -> pa.Array:
    """Texts that are all as long, as numpy has them (`S36`), without looking at each."""
    width = texts.dtype.itemsize
    offsets = np.arange(0, width * (len(texts) + 1), width, dtype=np.int32)
    whole = pa.py_buffer(np.ascontiguousarray(texts))
    return pa.Array.from_buffers(kind, len(texts), [None, pa.py_buffer(offsets), whole])


def _id_texts(numbers: Array) -> Array:
    """Ids as texts; `numbers` are rows of 16 bytes."""
    texts = np.full((len(numbers), 36), ord("-"), np.uint8)
    texts[:, _DIGITS[::2]] = _HEX[numbers >> 4]
    texts[:, _DIGITS[1::2]] = _HEX[numbers & 15]
    return texts.view("S36").ravel()


def id_bytes(texts: Array) -> list[bytes]:
    """Ids that are texts of 36 characters, as 16 bytes each."""
    digits = np.ascontiguousarray(texts).view(np.uint8).reshape(-1, _ID_LENGTH)[:, _DIGITS]
    whole = bytes.fromhex(digits.tobytes().decode())
    return [whole[begin : begin + 16] for begin in range(0, len(whole), 16)]


def one_of(values: Array) -> Any:
    """The value that all of them are. Raises Split where they differ."""
    if (values == values[:1]).all():
        return values[0]
    raise Split(np.unique(values, return_inverse=True)[1])
