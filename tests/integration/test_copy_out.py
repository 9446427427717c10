"""Rows of COPY come as the driver gives them, and the connection is good for more however their reading ends."""

from contextlib import closing

import psycopg
import pytest

from replayhouse.infra.postgres.binary_copy import HEADER, TRAILER
from replayhouse.infra.postgres.copy_out import copied_at_once, copied_lines, copied_rows

ROWS = "COPY (SELECT n, repeat('x', n %% 1000) FROM generate_series(1, %s) AS n) TO STDOUT (FORMAT binary)"


@pytest.mark.parametrize("number", [0, 1, 2, 20_000])
def test_rows_are_those_of_the_driver(conn: psycopg.Connection, number: int) -> None:
    with conn.cursor().copy(ROWS.encode(), [number]) as copy:
        expected = b"".join(map(bytes, copy))
    found = list(copied_rows(conn, ROWS.encode(), [number]))
    assert HEADER + b"".join(found) + TRAILER == expected
    assert len(found) == number


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 20_000])
def test_rows_come_many_at_once(conn: psycopg.Connection, number: int) -> None:
    query = ROWS.replace("%%", "%").replace("%s", str(number)).encode()
    found = list(copied_at_once(conn, query, 100))
    assert [bytes(row) for rows in found for row in rows] == list(copied_rows(conn, query))
    assert {len(rows) for rows in found[:-1]} <= {100}
    assert all(found)


@pytest.mark.parametrize("number", [0, 1, 20_000])
def test_lines_are_those_of_the_rows(conn: psycopg.Connection, number: int) -> None:
    found = list(copied_lines(conn, b"COPY (SELECT n, NULL FROM generate_series(1, %s) AS n) TO STDOUT", [number]))
    assert found == [b"%d\t\\N\n" % n for n in range(1, number + 1)]


def test_what_goes_wrong_on_the_way_is_raised(conn: psycopg.Connection) -> None:
    failing = b"COPY (SELECT 1 / (20000 - n) FROM generate_series(1, 30000) AS n) TO STDOUT (FORMAT binary)"
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(copied_rows(conn, failing))
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(copied_at_once(conn, failing, 100))
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_reading_may_end_before_the_last_row(conn: psycopg.Connection) -> None:
    with closing(copied_rows(conn, ROWS.encode(), [100_000])) as rows:
        assert len(next(rows)) > 0
    with closing(copied_at_once(conn, ROWS.replace("%%", "%").replace("%s", "100000").encode(), 100)) as some:
        assert len(next(some)) == 100
    assert conn.execute("SELECT 1").fetchone() == (1,)
