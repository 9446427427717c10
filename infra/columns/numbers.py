"""Columns of numbers: whole ones, exact amounts, and those with a fraction."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from replayhouse.infra.columns.values import Array, Bools, Column, Many, one_of

LARGEST = 2**62
"""No whole number of a column may be larger: the next sum of two of them still fits into 64 bits."""

_CENT = Decimal("0.01")


class _Whole(Column):
    """Whole numbers: `most` is how large one of them is at most, so that no sum or product leaves 64 bits unseen."""

    __slots__ = ("_most",)

    def __init__(self, source: Array, rows: Array | None = None, most: int | None = None) -> None:
        super().__init__(source, rows)
        if most is not None and most > LARGEST:
            raise OverflowError("numbers of a column must fit into 64 bits")
        self._most = most

    @property
    def most(self) -> int:
        """No number of these is larger, whatever its sign."""
        if self._most is None:
            self._most = int(np.abs(self.values).max(initial=0))
        return self._most

    def sized(self, other: object) -> tuple[Any, int]:
        """An operand, and how large it is at most."""
        value = self.operand(other)
        return (value, other.most) if isinstance(other, _Whole) else (value, abs(value))

    def __bool__(self) -> bool:
        return bool(Bools(self.values != 0))


class Ints(_Whole):
    """Whole numbers."""

    __slots__ = ()
    plain = int

    def as_text(self) -> pa.Array:
        """As they are written."""
        return pa.array(self.values, pa.int64()).cast(pa.string())

    def __hash__(self) -> int:
        return hash(one_of(self.values))

    def __add__(self, other: object) -> "Ints":
        value, most = self.sized(other)
        return Ints(self.values + value, most=_fitting(self.most + most))

    __radd__ = __add__

    def __sub__(self, other: object) -> "Ints":
        value, most = self.sized(other)
        return Ints(self.values - value, most=_fitting(self.most + most))

    def __rsub__(self, other: object) -> "Ints":
        return -self + other

    def __mul__(self, other: object) -> "Ints | Amounts":
        if type(other) is Decimal:
            cents = _cents(other)
            return Amounts(self.values * cents, most=_fitting(self.most * abs(cents)))
        value, most = self.sized(other)
        return Ints(self.values * value, most=_fitting(self.most * most))

    __rmul__ = __mul__

    def __floordiv__(self, other: object) -> "Ints":
        return Ints(self.values // _divisor(other), most=self.most + 1)

    def __mod__(self, other: object) -> "Ints":
        return Ints(self.values % _divisor(other), most=_divisor(other))

    def __neg__(self) -> "Ints":
        return Ints(-self.values, most=self.most)

    def __abs__(self) -> "Ints":
        return Ints(np.abs(self.values), most=self.most)


class Amounts(_Whole):
    """Exact numbers with two decimals, as hundredths. What would need a third raises."""

    __slots__ = ()
    plain = Decimal

    def _listed(self) -> list[Any]:
        return [Decimal(value).scaleb(-2) for value in self.values.tolist()]

    @classmethod
    def _number(cls, plain: Decimal) -> int:
        return _cents(plain)

    def operand(self, other: object) -> Any:
        """As of any column; whole numbers are amounts, too."""
        return other * 100 if type(other) is int else super().operand(other)

    def __add__(self, other: object) -> "Amounts":
        value, most = self.sized(other)
        return Amounts(self.values + value, most=_fitting(self.most + most))

    __radd__ = __add__

    def __sub__(self, other: object) -> "Amounts":
        value, most = self.sized(other)
        return Amounts(self.values - value, most=_fitting(self.most + most))

    def __rsub__(self, other: object) -> "Amounts":
        return -self + other

    def __neg__(self) -> "Amounts":
        return Amounts(-self.values, most=self.most)

    def __truediv__(self, other: object) -> "Quotients":
        return Quotients(self, _divisor(other))


class Quotients(Many):
    """Amounts divided by a whole number, before they are rounded: that is all one can do with them."""

    __slots__ = ("_by", "_of")

    def __init__(self, of: Amounts, by: int) -> None:
        self._of, self._by = of, by

    __eq__ = __ne__ = __hash__ = __bool__ = Many._refuse

    def quantize(self, step: Decimal, rounding: str) -> Amounts:
        """To the cent, half away from zero."""
        if (step, rounding) != (_CENT, ROUND_HALF_UP):
            raise TypeError("quotients are rounded to the cent, half away from zero")
        values, by = self._of.values, self._by
        _fitting(2 * self._of.most + by)
        rounded = (2 * np.abs(values) + by) // (2 * by)
        return Amounts(np.where(values < 0, -rounded, rounded), most=self._of.most)


class Floats(Column):
    """Numbers with a fraction: they are compared and shown, and no more."""

    __slots__ = ()
    plain = float

    def __bool__(self) -> bool:
        return bool(Bools(self.values != 0))


def _fitting(most: int) -> int:
    """The same. Raises OverflowError before an operation on numbers that may leave 64 bits."""
    if most > LARGEST:
        raise OverflowError("numbers of a column must fit into 64 bits")
    return most


def _divisor(plain: object) -> int:
    if type(plain) is not int or not 0 < plain <= LARGEST:
        raise TypeError("columns are divided by a whole number above zero")
    return plain


def _cents(plain: Decimal) -> int:
    """Hundredths. Raises TypeError for what has more than two decimals, ValueError for what is no number."""
    hundredths = int(plain.scaleb(2))
    if Decimal(hundredths).scaleb(-2) != plain:
        raise TypeError("an amount with more than two decimals")
    return hundredths
