"""The golden rows of hard values, in PostgreSQL: what goes in as lines comes out as the same lines."""

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.copy_out import copied_lines
from replayhouse.infra.read_models.digests import table_digests
from replayhouse.infra.read_models.schema import Model, copy_into, copy_rows, create_schema, create_table, qualified
from replayhouse.projections.digest import digest_of
from replayhouse.projections.projection import Projection
from tests.support.hard_values import EXPECTED, HARD_VALUES, lines, rows

HARD = Model(Projection("hard", (HARD_VALUES,), lambda stream: {}, {}, version=1), "hard")


def made(conn: psycopg.Connection) -> None:
    create_schema(conn, "hard", "Hard values")
    create_table(conn, HARD_VALUES)


def test_the_lines_come_out_of_postgresql_as_they_went_in(conn: psycopg.Connection) -> None:
    made(conn)
    copy_into(conn, qualified(HARD_VALUES), b"".join(line + b"\n" for line in lines()))

    with conn.transaction():
        found = table_digests(conn, HARD)["hard_values"]
        stored = copied_lines(
            conn, sql.SQL("COPY (SELECT * FROM {} ORDER BY number) TO STDOUT").format(qualified(HARD_VALUES))
        )
        assert [bytes(line[:-1]) for line in stored] == lines()
    assert (found.rows, found.hex) == (EXPECTED.rows, EXPECTED.digest)


def test_the_rows_that_folds_make_are_in_postgresql_what_the_lines_are(conn: psycopg.Connection) -> None:
    made(conn)
    copy_rows(conn, HARD_VALUES, rows())

    with conn.transaction():
        assert table_digests(conn, HARD)["hard_values"].hex == EXPECTED.digest


def test_each_column_has_its_own_digest_in_postgresql(conn: psycopg.Connection) -> None:
    made(conn)
    copy_rows(conn, HARD_VALUES, rows())
    conn.execute("SET TimeZone = 'UTC'")

    for column, expected in EXPECTED.columns.items():
        copy = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(sql.Identifier(column), qualified(HARD_VALUES))
        assert digest_of(line[:-1] for line in copied_lines(conn, copy)).hex == expected, column
