"""What is told of a mapping's query that failed quotes no cell, whatever DuckDB says of it."""

import duckdb
import pytest

from replayhouse.infra.sources.failures import failed_cast, line_in_query, without_cells


@pytest.mark.parametrize(
    ("expression", "cell", "secret"),
    [
        ("x::INTEGER", "ana\nbia", "ana"),
        ("strptime(x, '%Y')", "ana\nbia", "ana"),
        ("x::DATE", "it's ana", "ana"),
        ("(x::BIGINT)::INTEGER", "12345678901", "12345678901"),
        ("x::INTEGER * x::INTEGER", "1234567890", "1234567890"),
        ("(x::DOUBLE)::DECIMAL(4, 2)", "1234567890", "1234567890"),
        ("regexp_matches('a', x || '(')", "ana@example.com", "ana"),
        ("date_part(x, DATE '2020-01-01')", "ana", "ana"),
    ],
)
def test_no_cell_is_told_of_a_query_that_failed(expression: str, cell: str, secret: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as raised:
        connection.execute(f"SELECT {expression} FROM unnest([?, '1']) AS t(x)", [cell]).fetchall()
    assert secret in str(raised.value)
    assert secret not in without_cells(raised.value, {"x"})


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("x::INTEGER", "in the column 'x' that is no whole number:"),
        ("x::DECIMAL(10, 2)", "in the column 'x' that is no number:"),
        ("CAST(x AS DATE)", "in the column 'x' that is no date:"),
        ("x::TIMESTAMP", "in the column 'x' that is no time:"),
        ("(x || '1')::UUID", "meets a cell that is no UUID:"),
    ],
)
def test_a_cast_that_failed_is_told_in_words_and_with_its_line(expression: str, what: str) -> None:
    query = f"SELECT * FROM (\nSELECT 1,\n{expression}\nFROM unnest([?]) AS t(x)\n)"
    with duckdb.connect() as connection, pytest.raises(duckdb.ConversionException) as raised:
        connection.execute(query, ["ana"]).fetchall()
    told = failed_cast(raised.value, {"x"})
    assert what in told
    assert "ana" not in told
    assert line_in_query(raised.value) == 2


def test_the_column_that_was_cast_and_the_type_are_told() -> None:
    error = duckdb.ConversionException(
        "Conversion Error: Could not convert string 'a' to INT32 when casting from source column Zip\n\nLINE 1: SELECT"
    )
    assert without_cells(error, {"Zip"}) == (
        "Conversion Error: Could not convert string (not quoted) to INT32 when casting from source column Zip"
    )
    assert without_cells(error, {"City"}) == "Conversion Error: Could not convert string (not quoted) to INT32"
