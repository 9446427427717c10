"""The calendar: one row a day, with the national holidays of Brazil (R15 to R17). No stream makes it.

Names are English whatever the locale of the process, hence written out here.
"""

import datetime
from calendar import monthrange
from collections.abc import Iterator
from typing import NamedTuple

FIRST_DAY = datetime.date(2016, 1, 1)
YEARS_AHEAD = 2

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class DateRow(NamedTuple):
    """One day, in the order of the columns of shared.dim_date. `week` is ISO's, `day_of_week` 1 on Monday."""

    date_key: int
    date: datetime.date
    year: int
    quarter: int
    month: int
    month_name: str
    year_month: str
    week: int
    day_of_month: int
    day_of_week: int
    day_name: str
    is_weekend: bool
    is_month_start: bool
    is_month_end: bool
    is_holiday: bool
    holiday_name: str | None


def last_day(latest: datetime.date | None) -> datetime.date:
    """The day the calendar ends on: 31 December of the year after `latest` (R15).

    `latest` is the latest business time in the fact tables that counts, a date or a datetime; None while there is none,
    which makes 2016 and 2017. While this day stays the same, so do the rows.
    """
    year = (FIRST_DAY if latest is None else latest).year + 1
    return datetime.date(min(year, datetime.MAXYEAR), 12, 31)


def latest_day(opened_on: datetime.date) -> datetime.date:
    """The last day whose times count for the calendar (R15), by the day on which the newest load was opened: later ones
    are a slip, or stand for nothing.
    """
    year = min(opened_on.year + YEARS_AHEAD, datetime.MAXYEAR)
    return opened_on.replace(year=year, day=min(opened_on.day, monthrange(year, opened_on.month)[1]))


def date_rows(latest: datetime.date | None) -> Iterator[DateRow]:
    """Each day from 2016-01-01 to last_day(latest), in order."""
    last = last_day(latest)
    names = _holidays(last.year)
    for ordinal in range(FIRST_DAY.toordinal(), last.toordinal() + 1):
        day = datetime.date.fromordinal(ordinal)
        yield _row(day, names.get(day))


def _holidays(last_year: int) -> dict[datetime.date, str]:
    """The national holidays by law from 2016 to the end of a year (R17), by their English names.

    The package is imported here because that takes a third of a second, which only the making of a calendar should
    cost. It knows holidays up to 2100. Without `language` its names follow the locale of the process.
    """
    from holidays import country_holidays

    return dict(country_holidays("BR", language="en_US", years=range(FIRST_DAY.year, last_year + 1)))


def _row(day: datetime.date, holiday_name: str | None) -> DateRow:
    year, month, day_of_month = day.year, day.month, day.day
    _, week, day_of_week = day.isocalendar()
    return DateRow(
        date_key=year * 10_000 + month * 100 + day_of_month,
        date=day,
        year=year,
        quarter=(month + 2) // 3,
        month=month,
        month_name=MONTHS[month - 1],
        year_month=f"{year:04}-{month:02}",
        week=week,
        day_of_month=day_of_month,
        day_of_week=day_of_week,
        day_name=DAYS[day_of_week - 1],
        is_weekend=day_of_week > 5,
        is_month_start=day_of_month == 1,
        is_month_end=day_of_month == monthrange(year, month)[1],
        is_holiday=holiday_name is not None,
        holiday_name=holiday_name,
    )
