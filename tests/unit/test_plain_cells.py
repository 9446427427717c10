"""Cells of a raw file made plain: times and numbers as they were meant, nothing where a word says so."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.infra.sources.document import ColumnType, Source
from replayhouse.infra.sources.plain_cells import WAREHOUSE_ZONE, plain_cell, trimmed_cell
from replayhouse.infra.sources.typed_cells import PLAIN

FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y",
    "%m-%d-%y %I:%M %p",
    "%d.%b.%Y %H:%M",
    "%Y%m%d %H%M%S",
    "%B %d, %Y",
    "%d/%m/%Y %H:%M:%S.%f",
)
HERE = {"name": "shop", "zone": WAREHOUSE_ZONE}
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda moment: moment.replace(microsecond=0))


IN_MEMORY = duckdb.connect(config={"threads": 1, "memory_limit": "64MB"})
"""Of all tests: it holds nothing, and to open one takes longer than any of them."""


def plain(cell: str | None, kind: ColumnType, **source: object) -> str | None:
    expression = plain_cell("cell", kind, Source.model_validate({**HERE, **source}))
    query = f"SELECT {expression} FROM (SELECT {trimmed_cell('$cell::VARCHAR', kind)} AS cell)"
    found = IN_MEMORY.execute(query, {"cell": cell}).fetchone()
    assert found is not None
    return None if found[0] is None else str(found[0])


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=15, deadline=None)
@given(moment=MOMENTS, blank=st.sampled_from(["", " ", "\t", "\u00a0"]))
def test_a_time_that_a_format_fits_is_the_one_that_python_reads(form: str, moment: datetime, blank: str) -> None:
    cell = moment.strftime(form)
    assert plain(f"{blank}{cell}{blank}", "time", times=[form]) == f"{datetime.strptime(cell, form):%Y-%m-%d %H:%M:%S}"


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(FORMATS),
    cell=st.from_regex(r"[0-3]?\d[/.-][01]?\d[/.-]\d{2,4}( [0-2]?\d:[0-6]\d(:[0-6]\d)?)?", fullmatch=True),
)
def test_no_time_is_made_of_what_python_does_not_read(form: str, cell: str) -> None:
    try:
        expected = f"{datetime.strptime(cell, form):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        expected = cell.strip()
    assert plain(cell, "time", times=[form]) == expected


def test_the_first_format_that_fits_counts_and_iso_comes_last() -> None:
    times = ["%d/%m/%Y", "%m/%d/%Y"]
    assert plain("03/04/2018", "time", times=times) == "2018-04-03 00:00:00"
    assert plain("03/14/2018", "time", times=times) == "2018-03-14 00:00:00"
    assert plain("2018-03-14", "time", times=times) == "2018-03-14 00:00:00"
    assert plain("14/14/2018", "time", times=times) == "14/14/2018"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2018-03-14T10:20:30", "2018-03-14 10:20:30"),
        ("2018-03-14 10:20", "2018-03-14 10:20:00"),
        ("2018-03-14 10:20:30.987654321", "2018-03-14 10:20:30"),
        ("2018-03-14T10:20:30Z", "2018-03-14 07:20:30"),
        ("2018-03-14 10:20:30 -0300", "2018-03-14 10:20:30"),
        ("2018-01-14T10:20:30+05:30", "2018-01-14 02:50:30"),
        ("2018-03-14 10:20:30 UTC", "2018-03-14 07:20:30"),
        ("2018-02-30 10:20:30", "2018-02-30 10:20:30"),
        ("2018-03-14 24:00:00", "2018-03-14 24:00:00"),
        ("2018-03-14T10:20:30+25:00", "2018-03-14T10:20:30+25:00"),
        ("2018-03-14Z", "2018-03-14Z"),
        ("14/03/2018", "14/03/2018"),
        ("14/03/2018 10:20 +0000", "2018-03-14 07:20:00"),
    ],
)
def test_iso_8601_is_always_read_and_an_offset_counts(cell: str, expected: str) -> None:
    assert plain(cell, "time", times=["%d/%m/%Y %H:%M %z"]) == expected


@settings(max_examples=60, deadline=None)
@given(moment=MOMENTS.filter(lambda moment: moment.year > 1971), minutes=st.integers(-14 * 60 + 1, 14 * 60 - 1))
def test_a_time_with_an_offset_is_local_to_the_warehouse(moment: datetime, minutes: int) -> None:
    zone = timedelta(minutes=minutes)
    expected = (moment - zone).replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(WAREHOUSE_ZONE))
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    assert plain(f"{moment.isoformat()}{offset}", "time") == f"{expected:%Y-%m-%d %H:%M:%S}"


def test_times_of_another_zone_are_local_to_the_warehouse_and_days_stay_days() -> None:
    lisbon = {"zone": "Europe/Lisbon", "times": ["%d/%m/%Y %H:%M", "%d/%m/%Y"]}
    assert plain("14/07/2018 10:00", "time", **lisbon) == "2018-07-14 06:00:00"
    assert plain("2018-07-14T10:00", "time", **lisbon) == "2018-07-14 06:00:00"
    assert plain("2018-07-14T10:00Z", "time", **lisbon) == "2018-07-14 07:00:00"
    assert plain("14/07/2018", "time", **lisbon) == plain("2018-07-14", "time", **lisbon) == "2018-07-14 00:00:00"


@settings(max_examples=40, deadline=None)
@given(
    number=st.decimals(-(10**12), 10**12, places=2),
    marks=st.sampled_from([(".", None), (",", None), (",", "."), (".", ","), (",", " "), (".", "'"), (",", "\u202f")]),
    kind=st.sampled_from(["money", "whole"]),
)
def test_a_number_is_the_same_however_it_is_marked(
    number: Decimal, marks: tuple[str, str | None], kind: ColumnType
) -> None:
    decimal, thousands = marks
    written = f"{number:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands or "")
    ungrouped = f"{number:.2f}".replace(".", decimal)
    for cell in (written, ungrouped):
        assert plain(f" {cell} ", kind, decimal=decimal, thousands=thousands) == f"{number:.2f}"


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        ("94.9", "money", "94.9"),
        ("1.234", "money", "1234"),
        ("1.23", "money", "1.23"),
        ("1.2345", "money", "1.2345"),
        ("+5,10", "money", "5.10"),
        ("R$ 5,10", "money", "R$ 5,10"),
        ("1,234,56", "money", "1,234,56"),
        ("5,", "money", "5,"),
        ("-23,5473", "degrees", "-23.5473"),
        ("-23.547", "degrees", "-23.547"),
        ("1,5e-5", "degrees", "1.5e-5"),
        ("12.000", "whole", "12000"),
        ("  ", "money", None),
        ("", "text", None),
        (None, "text", None),
        ("NULL", "text", None),
        (" n/a ", "money", None),
        (" n/a ", "text", " n/a "),
        ("null", "text", "null"),
        ("it's", "text", "it's"),
        ("  a  ", "text", "  a  "),
        (PLAIN + "1.234", "money", "1.234"),
        (PLAIN + "1.234", "text", "1.234"),
        (PLAIN + "2018-04-03 10:00:00", "time", "2018-04-03 10:00:00"),
    ],
)
def test_cells_of_a_source_with_decimal_commas(cell: str | None, kind: ColumnType, expected: str | None) -> None:
    assert (
        plain(cell, kind, decimal=",", thousands=".", nothing=["NULL", "n/a", "it''s"], times=["%Y-%d-%m"]) == expected
    )
