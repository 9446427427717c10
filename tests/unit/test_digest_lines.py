"""The lines that are hashed and sent: PostgreSQL's COPY text, column by column (what PostgreSQL itself says of this
stands in tests/integration/test_projection_lines.py)."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table

from replayhouse.infra.read_models.copy_text import DoesNotFit, LineWriter, copy_data
from replayhouse.projections.columns import (
    bigint,
    day,
    degrees,
    flag,
    integer,
    moment,
    money,
    position,
    recorded,
    text,
    uuid,
)


def written(column: Column[object], *values: object) -> list[bytes]:
    """The values of a table with that one column, each in a row."""
    table = Table("t", MetaData(), column, position())
    return LineWriter(table).lines([(value, 0) for value in values])


def test_a_row_is_its_columns_with_tabs_between_and_without_position() -> None:
    table = Table("t", MetaData(), uuid("a", ""), text("b", "", null=True), flag("c", ""), position())
    assert LineWriter(table).lines([(UUID(int=10), None, True, 99), (UUID(int=11), "x", False, 100)]) == [
        b"00000000-0000-0000-0000-00000000000a\t\\N\tt",
        b"00000000-0000-0000-0000-00000000000b\tx\tf",
    ]


def test_what_is_sent_is_each_line_with_its_position() -> None:
    assert copy_data([b"a\tb", b"c\td"], [7, 8]) == b"a\tb\t7\nc\td\t8\n"


def test_no_rows_are_no_lines() -> None:
    assert written(text("a", "")) == []


def test_amounts_stand_at_their_declared_scale() -> None:
    amounts = (Decimal("1.5"), Decimal("-0.01"), None, Decimal("1E+3"), Decimal("0"), Decimal("-0.00"))
    assert written(money("a", "", null=True), *amounts) == [b"1.50", b"-0.01", b"\\N", b"1000.00", b"0.00", b"0.00"]


def test_amounts_at_their_scale_already_take_the_quick_way_to_the_same() -> None:
    assert written(money("a", "", null=True), Decimal("1.50"), None, Decimal("9999999999.99")) == [
        b"1.50",
        b"\\N",
        b"9999999999.99",
    ]


def test_floats_are_as_short_as_postgresql_writes_them() -> None:
    floats = (-23.0, -23.55, 1e-5, 0.0001, -0.0, 5e-324, 999999999999999.0, None)
    shown = [b"-23", b"-23.55", b"1e-05", b"0.0001", b"-0", b"5e-324", b"999999999999999", b"\\N"]
    assert written(degrees("a", ""), *floats) == shown


def test_texts_are_escaped_as_in_copy() -> None:
    assert written(text("a", "", null=True), "a\\b\t\n\r\b\f\vz", None, "ç´") == [
        b"a\\\\b\\t\\n\\r\\b\\f\\vz",
        b"\\N",
        "ç´".encode(),
    ]


def test_the_text_that_looks_like_null_is_not_null() -> None:
    assert written(text("a", ""), "\\N") == [b"\\\\N"]


def test_times_have_no_t_and_no_zeros_behind() -> None:
    noon = datetime(2018, 1, 8, 12, 0, 0)
    assert written(moment("a", "", null=True), noon, None) == [b"2018-01-08 12:00:00", b"\\N"]
    assert written(moment("a", ""), noon.replace(microsecond=120_000), noon) == [
        b"2018-01-08 12:00:00.12",
        b"2018-01-08 12:00:00",
    ]


def test_recorded_times_are_in_utc() -> None:
    brazil = timezone(timedelta(hours=-3))
    assert written(recorded("a", ""), datetime(2026, 3, 1, 12, tzinfo=brazil), datetime(2026, 3, 1, tzinfo=UTC)) == [
        b"2026-03-01 15:00:00+00",
        b"2026-03-01 00:00:00+00",
    ]


def test_dates_and_numbers() -> None:
    assert written(day("a", "", null=True), date(2018, 1, 8), None) == [b"2018-01-08", b"\\N"]
    assert written(integer("a", "", null=True), -5, None, 2**31 - 1) == [b"-5", b"\\N", b"2147483647"]
    assert written(bigint("a", ""), 2**63 - 1) == [b"9223372036854775807"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (integer("a", ""), 2**31),
        (integer("a", ""), -(2**31) - 1),
        (money("a", ""), Decimal("10000000000.00")),
        (money("a", ""), Decimal("9999999999.995")),
        (text("a", ""), "a\0b"),
        (degrees("a", ""), 1e15),
        (degrees("a", ""), float("nan")),
    ],
)
def test_what_a_column_cannot_hold_is_refused_and_named(column: Column[object], value: object) -> None:
    with pytest.raises(DoesNotFit, match=r"t\.a cannot hold"):
        written(column, value)


def test_what_is_told_of_a_text_that_does_not_fit_is_not_the_text() -> None:
    """It may be personal, and the errors of parked streams stand in a table."""
    with pytest.raises(DoesNotFit, match="a text with a NUL") as refused:
        written(text("a", "", personal=True), "atrasou\0")
    assert "atrasou" not in str(refused.value)
