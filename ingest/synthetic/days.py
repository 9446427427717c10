"""When people buy: from September 2016 to October 2018, more every month, on workdays, in the afternoon and evening."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from replayhouse.ingest.synthetic.draws import Weighted, fraction

FIRST_DAY = date(2016, 9, 4)
LAST_DAY = date(2018, 10, 17)
BLACK_FRIDAY = date(2017, 11, 24)

# In hundreds of orders. The source has next to nothing in its first months and its last two.
_MONTHS = {
    (2016, 9): 0.04, (2016, 10): 3.2, (2016, 11): 0.01, (2016, 12): 0.01,
    (2017, 1): 8.0, (2017, 2): 17.8, (2017, 3): 26.8, (2017, 4): 24.0, (2017, 5): 37.0, (2017, 6): 32.5,
    (2017, 7): 40.3, (2017, 8): 43.3, (2017, 9): 42.8, (2017, 10): 46.3, (2017, 11): 67.0, (2017, 12): 56.7,
    (2018, 1): 72.7, (2018, 2): 67.3, (2018, 3): 72.1, (2018, 4): 69.4, (2018, 5): 68.7, (2018, 6): 61.7,
    (2018, 7): 62.9, (2018, 8): 65.1, (2018, 9): 0.16, (2018, 10): 0.04,
}  # fmt: skip
_WEEKDAYS = (1.14, 1.13, 1.09, 1.04, 0.99, 0.76, 0.84)
_HOURS = (24, 12, 5, 3, 2, 2, 5, 12, 30, 48, 62, 66, 60, 65, 66, 65, 67, 62, 58, 60, 62, 62, 58, 41)


@lru_cache(maxsize=1)
def _days() -> Weighted[date]:
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    weights = {day: _MONTHS[day.year, day.month] * _WEEKDAYS[day.weekday()] for day in days}
    weights[BLACK_FRIDAY] *= 5
    return Weighted(weights.items())


_HOUR_OF_DAY = Weighted(enumerate(_HOURS))


def moment(bits: int) -> datetime:
    """When an order is placed, by a number of 128 bits."""
    return on_day(_days().at(fraction(bits, 0)), bits)


def on_day(day: date, bits: int) -> datetime:
    """The same on a given day."""
    second = int(fraction(bits, 2) * 3600)
    return datetime(day.year, day.month, day.day, _HOUR_OF_DAY.at(fraction(bits, 1)), second // 60, second % 60)
