"""The calendar that the facts share. No stream makes it: it follows from the latest time in the fact tables (R15)."""

from sqlalchemy import MetaData, Table

from replayhouse.projections.columns import day, flag, integer, text

_SHARED = MetaData(schema="shared")

DIM_DATE = Table(
    "dim_date",
    _SHARED,
    integer("date_key", "the date as yyyymmdd", key=True),
    day("date", "the date"),
    integer("year", "year"),
    integer("quarter", "quarter, 1 to 4"),
    integer("month", "month, 1 to 12"),
    text("month_name", "English name of the month"),
    text("year_month", "year and month, as in 2017-11"),
    integer("week", "ISO week; it goes with the ISO year, which may be the one before or after"),
    integer("day_of_month", "day of the month"),
    integer("day_of_week", "1 Monday to 7 Sunday"),
    text("day_name", "English name of the day"),
    flag("is_weekend", "Saturday or Sunday"),
    flag("is_month_start", "first day of the month"),
    flag("is_month_end", "last day of the month"),
    flag("is_holiday", "a national holiday by law"),
    text("holiday_name", "English name of the holiday", null=True),
    comment="One row for each day from 2016-01-01 to the end of the year after the latest business time",
)
