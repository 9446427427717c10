"""The calendar of shared.dim_date, against the list of holidays in the rules and an Easter of our own."""

from datetime import date, datetime, timedelta

import pytest

from replayhouse.projections.dates import DateRow, date_rows, last_day, latest_day

FIXED_HOLIDAYS = {
    (1, 1): "Universal Fraternization Day",
    (4, 21): "Tiradentes' Day",
    (5, 1): "Worker's Day",
    (9, 7): "Independence Day",
    (10, 12): "Our Lady of Aparecida",
    (11, 2): "All Souls' Day",
    (11, 15): "Republic Proclamation Day",
    (12, 25): "Christmas Day",
}


def easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian computus (Meeus, Jones, Butcher)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    lunar = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - lunar + 15) % 30
    leaps, years = divmod(of_century, 4)
    weekday = (32 + 2 * rest + 2 * leaps - epact - years) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def holidays_of(year: int) -> dict[date, str]:
    """The national holidays by law of a year, as the rules list them (R17)."""
    expected = {date(year, month, day): name for (month, day), name in FIXED_HOLIDAYS.items()}
    expected[easter(year) - timedelta(days=2)] = "Good Friday"
    if year >= 2024:
        expected[date(year, 11, 20)] = "National Day of Zumbi and Black Awareness"
    return expected


@pytest.fixture(scope="module")
def calendar() -> dict[date, DateRow]:
    """2016 to 2030."""
    return {row.date: row for row in date_rows(date(2029, 6, 30))}


@pytest.mark.parametrize(
    ("year", "sunday"), [(2016, date(2016, 3, 27)), (2018, date(2018, 4, 1)), (2019, date(2019, 4, 21))]
)
def test_our_own_easter_is_right(year: int, sunday: date) -> None:
    assert easter(year) == sunday


@pytest.mark.parametrize("year", range(2016, 2031))
def test_the_holidays_of_a_year_are_the_national_ones_by_law_and_no_others(
    calendar: dict[date, DateRow], year: int
) -> None:
    shown = {row.date: row.holiday_name for row in calendar.values() if row.year == year and row.is_holiday}

    assert shown == holidays_of(year)
    assert len(shown) == (10 if year >= 2024 else 9)


def test_only_holidays_have_a_name(calendar: dict[date, DateRow]) -> None:
    assert all((row.holiday_name is not None) == row.is_holiday for row in calendar.values())


@pytest.mark.parametrize("day", [date(2018, 2, 13), date(2018, 5, 31), date(2023, 11, 20), date(2018, 4, 1)])
def test_carnival_corpus_christi_easter_and_the_early_days_of_black_awareness_are_no_holidays(
    calendar: dict[date, DateRow], day: date
) -> None:
    assert calendar[day].holiday_name is None


@pytest.mark.parametrize(
    ("latest", "ends"),
    [
        (None, date(2017, 12, 31)),
        (date(2016, 1, 1), date(2017, 12, 31)),
        (date(2018, 12, 31), date(2019, 12, 31)),
        (datetime(2018, 10, 17, 17, 30, 18), date(2019, 12, 31)),
        (date(2019, 1, 1), date(2020, 12, 31)),
    ],
)
def test_the_calendar_runs_from_2016_to_the_end_of_the_year_after_the_latest_time_without_gaps(
    latest: date | None, ends: date
) -> None:
    days = [row.date for row in date_rows(latest)]

    assert days == [date(2016, 1, 1) + timedelta(days=n) for n in range((ends - date(2016, 1, 1)).days + 1)]
    assert last_day(latest) == ends


def test_a_time_in_the_last_year_there_is_ends_the_calendar_with_it() -> None:
    assert last_day(date(9999, 5, 1)) == date(9999, 12, 31)


@pytest.mark.parametrize(
    ("opened_on", "latest"),
    [
        (date(2018, 3, 5), date(2020, 3, 5)),
        (date(2016, 2, 29), date(2018, 2, 28)),
        (date(2022, 2, 28), date(2024, 2, 28)),
        (date(2018, 12, 31), date(2020, 12, 31)),
        (date(9997, 3, 5), date(9999, 3, 5)),
        (date(9998, 3, 5), date(9999, 3, 5)),
        (date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_times_count_up_to_the_same_day_two_years_after_the_load(opened_on: date, latest: date) -> None:
    assert latest_day(opened_on) == latest


def test_a_row_holds_the_columns_of_the_star_schema_in_their_order() -> None:
    assert DateRow._fields == (
        "date_key", "date", "year", "quarter", "month", "month_name", "year_month", "week", "day_of_month",
        "day_of_week", "day_name", "is_weekend", "is_month_start", "is_month_end", "is_holiday", "holiday_name",
    )  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        (20160101, date(2016, 1, 1), 2016, 1, 1, "January", "2016-01", 53, 1,
         5, "Friday", False, True, False, True, "Universal Fraternization Day"),
        (20160229, date(2016, 2, 29), 2016, 1, 2, "February", "2016-02", 9, 29,
         1, "Monday", False, False, True, False, None),
        (20171124, date(2017, 11, 24), 2017, 4, 11, "November", "2017-11", 47, 24,
         5, "Friday", False, False, False, False, None),
        (20180331, date(2018, 3, 31), 2018, 1, 3, "March", "2018-03", 13, 31,
         6, "Saturday", True, False, True, False, None),
        (20181231, date(2018, 12, 31), 2018, 4, 12, "December", "2018-12", 1, 31,
         1, "Monday", False, False, True, False, None),
        (20190421, date(2019, 4, 21), 2019, 2, 4, "April", "2019-04", 16, 21,
         7, "Sunday", True, False, False, True, "Tiradentes' Day"),
    ],
    ids=lambda row: str(row[1]),
)  # fmt: skip
def test_a_day_is_described_by_the_rules(calendar: dict[date, DateRow], row: tuple[object, ...]) -> None:
    assert calendar[row[1]] == row  # type: ignore[index]  # the second value of each row is its date


def test_every_day_agrees_with_what_python_knows_of_it(calendar: dict[date, DateRow]) -> None:
    months: dict[str, int] = {}
    days: dict[str, int] = {}
    for day, row in calendar.items():
        tomorrow = day + timedelta(days=1)
        assert row.date_key == int(day.strftime("%Y%m%d"))
        assert (row.year, row.month, row.day_of_month) == (day.year, day.month, day.day)
        assert row.quarter == (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)[day.month - 1]
        assert (row.week, row.day_of_week) == (int(day.strftime("%V")), int(day.strftime("%u")))
        assert row.is_weekend == (day.weekday() in (5, 6))
        assert row.is_month_start == ((day - timedelta(days=1)).month != day.month)
        assert row.is_month_end == (tomorrow.month != day.month)
        assert months.setdefault(row.month_name, row.month) == row.month
        assert days.setdefault(row.day_name, row.day_of_week) == row.day_of_week

    assert " ".join(months) == ("January February March April May June July August September October November December")
    assert " ".join(sorted(days, key=days.__getitem__)) == "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"


def test_names_are_english_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(date_rows(None))
    for variable in ("LANGUAGE", "LC_ALL", "LANG"):
        monkeypatch.setenv(variable, "pt_BR")

    assert list(date_rows(None)) == before
