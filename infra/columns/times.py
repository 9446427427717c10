"""Columns of times and dates, as the calendar of the years 1 to 9999 has them: business time is local, without zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from replayhouse.infra.columns.numbers import Ints
from replayhouse.infra.columns.values import Array, Bools, Column

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
"""Microseconds of a second, and of a day."""

_EPOCH, _EPOCH_DAY = datetime(1970, 1, 1), date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = ((day - _EPOCH_DAY).days for day in (date.min, date.max))
_LAST_YEAR = 9_999
_LARGEST_TIME = 2**60  # microseconds; year 9999 is 2^58, a duration of all years less than twice as much


class _Dated(Column):
    """What has a calendar date."""

    __slots__ = ()

    @property
    def _days(self) -> Array:
        """Days since 1970."""
        raise NotImplementedError  # Moments and Days have them

    @property
    def year(self) -> Ints:
        """As a date has it."""
        return Ints(self._days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + _EPOCH.year, most=_LAST_YEAR)

    @property
    def month(self) -> Ints:
        """From 1 to 12."""
        return self._part("M", "Y")

    @property
    def day(self) -> Ints:
        """Of the month, from 1 on."""
        return self._part("D", "M")

    def _part(self, unit: str, within: str) -> Ints:
        dates = self._days.astype("M8[D]")
        begun = dates.astype(f"M8[{within}]").astype(f"M8[{unit}]")
        return Ints((dates.astype(f"M8[{unit}]") - begun).astype(np.int64) + 1, most=31)

    def toordinal(self) -> Ints:
        """The number of the day, that of 1 January of year 1 being 1."""
        return Ints(self._days + _EPOCH.toordinal(), most=_LARGEST_TIME // DAY_US)

    def __bool__(self) -> bool:
        return True


class Moments(_Dated):
    """Local times, as microseconds since 1970."""

    __slots__ = ()
    plain = datetime

    def _listed(self) -> list[Any]:
        return [_EPOCH + timedelta(microseconds=value) for value in self.values.tolist()]

    @classmethod
    def _number(cls, plain: datetime) -> int:
        if plain.tzinfo is not None:
            raise TypeError("local times have nothing to do with a zone")
        return since_epoch(plain)

    @property
    def _days(self) -> Array:
        return self.values // DAY_US

    def date(self) -> "Days":
        """The day of each."""
        return Days(self._days)

    def __sub__(self, other: object) -> "Durations":
        return Durations(self.values - self.operand(other))

    def __rsub__(self, other: object) -> "Durations":
        return Durations(self.operand(other) - self.values)


class Instants(Column):
    """Recorded times, in UTC, as microseconds since 1970: they are compared with each other, and no more."""

    __slots__ = ()
    plain = datetime

    def _listed(self) -> list[Any]:
        return [(_EPOCH + timedelta(microseconds=value)).replace(tzinfo=UTC) for value in self.values.tolist()]

    @classmethod
    def _number(cls, plain: datetime) -> int:
        if plain.tzinfo is None:
            raise TypeError("recorded times have nothing to do with local ones")
        return since_epoch(plain.astimezone(UTC).replace(tzinfo=None))

    def __bool__(self) -> bool:
        return True


class Durations(Column):
    """What lies between two times or two days, as microseconds."""

    __slots__ = ()
    plain = timedelta

    def _listed(self) -> list[Any]:
        return [timedelta(microseconds=value) for value in self.values.tolist()]

    @classmethod
    def _number(cls, plain: timedelta) -> int:
        return plain // timedelta(microseconds=1)

    @property
    def days(self) -> Ints:
        """Whole days, rounded down."""
        return Ints(self.values // DAY_US, most=_LARGEST_TIME // DAY_US)

    @property
    def seconds(self) -> Ints:
        """Whole seconds beside the days, rounded down."""
        return Ints(self.values % DAY_US // SECOND_US, most=86_400)

    def __bool__(self) -> bool:
        return bool(Bools(self.values != 0))


class Days(_Dated):
    """Calendar dates, as days since 1970."""

    __slots__ = ()
    plain = date

    def _listed(self) -> list[Any]:
        return [_EPOCH_DAY + timedelta(value) for value in self.values.tolist()]

    @classmethod
    def _number(cls, plain: date) -> int:
        return plain.toordinal() - _EPOCH_DAY.toordinal()

    @property
    def _days(self) -> Array:
        return self.values

    def __add__(self, other: object) -> "Days":
        if type(other) is not timedelta:
            raise TypeError("days are moved by a duration")
        moved = self.values + other.days
        if moved.min(initial=0) < _FIRST_DAY or moved.max(initial=0) > _LAST_DAY:
            raise OverflowError("a day beyond the calendar")
        return Days(moved)

    def __sub__(self, other: object) -> Durations:
        return Durations((self.values - self.operand(other)) * DAY_US)

    def __rsub__(self, other: object) -> Durations:
        return Durations((self.operand(other) - self.values) * DAY_US)


def since_epoch(time: datetime) -> int:
    """Microseconds since 1970 of a local time."""
    return (time - _EPOCH) // timedelta(microseconds=1)
