"""What is hashed when rows are sent is what PostgreSQL gives back when they are read."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import MetaData, Table

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.copy_text import LineWriter
from replayhouse.infra.read_models.digests import digests, table_digests
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.schema import Model, copy_rows, create_table
from replayhouse.projections import columns
from replayhouse.projections.digest import digest_of
from replayhouse.projections.links import comment_of
from replayhouse.projections.warehouse import PROJECTIONS

TABLE = Table(
    "everything",
    MetaData(schema="public"),
    columns.uuid("a", "-", key=True),
    columns.text("b", "-", null=True),
    columns.integer("c", "-", null=True),
    columns.bigint("d", "-"),
    columns.money("e", "-", null=True),
    columns.numeric("f", "-", 8, null=True),
    columns.moment("g", "-", null=True),
    columns.recorded("h", "-", null=True),
    columns.day("i", "-", null=True),
    columns.degrees("j", "-"),
    columns.flag("k", "-", null=True),
    columns.position(),
    comment="One column of each kind",
)


def or_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


def decimals(precision: int) -> st.SearchStrategy[Decimal]:
    largest = Decimal(10) ** (precision - 2) - 1
    return st.decimals(-largest, largest, places=2) | st.decimals(-largest, largest, allow_nan=False, places=4)


ROWS = st.lists(
    st.tuples(
        st.uuids(),
        or_null(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
        or_null(st.integers(-(2**31), 2**31 - 1)),
        st.integers(-(2**63), 2**63 - 1),
        or_null(decimals(12)),
        or_null(decimals(8)),
        or_null(st.datetimes()),
        or_null(st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC))),
        or_null(st.dates(date(1, 1, 1))),
        or_null(st.floats(-999_999_999_999_999, 999_999_999_999_999)),
        or_null(st.booleans()),
        st.integers(0, 2**62),
    ),
    max_size=5,
    unique_by=lambda row: row[0],
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_postgresql_copies_out_the_lines_that_were_hashed(
    conn: psycopg.Connection, rows: list[tuple[Any, ...]]
) -> None:
    if conn.execute("SELECT to_regclass('public.everything')").fetchone() == (None,):
        create_table(conn, TABLE)
        conn.execute("SET TimeZone = 'UTC'")
    conn.execute("TRUNCATE public.everything")
    copy_rows(conn, TABLE, rows)
    with (
        conn.cursor() as cursor,
        cursor.copy("COPY (SELECT a,b,c,d,e,f,g,h,i,j,k FROM public.everything) TO STDOUT") as copy,
    ):
        stored = [bytes(line).removesuffix(b"\n") for line in copy]
    assert sorted(stored) == sorted(LineWriter(TABLE).lines(rows))


@pytest.mark.parametrize("context", PROJECTIONS)
def test_tables_have_the_declared_columns_keys_and_comments(conn: psycopg.Connection, context: str) -> None:
    prepare(conn)
    for table in PROJECTIONS[context].tables:
        found = conn.execute(
            """
            SELECT attname, attnotnull, col_description(attrelid, attnum)
            FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum
            """,
            [f"{context}.{table.name}"],
        ).fetchall()
        assert found == [(column.name, not column.nullable, comment_of(column)) for column in table.columns]
        keys = conn.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'",
            [f"{context}.{table.name}"],
        ).fetchall()
        assert keys == [(f"PRIMARY KEY ({', '.join(column.name for column in table.primary_key.columns)})",)]


def test_every_relation_and_column_of_the_star_schema_has_a_comment(conn: psycopg.Connection) -> None:
    prepare(conn)
    silent = conn.execute(
        """
        SELECT a.attrelid::regclass::text, a.attname
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'v') AND a.attnum > 0
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL
               OR obj_description(n.oid) IS NULL)
        """,
        [[*PROJECTIONS, "shared", "read_model"]],
    ).fetchall()
    assert silent == []


def test_readers_may_read_every_table(conn: psycopg.Connection) -> None:
    prepare(conn)
    conn.execute("SET ROLE replayhouse_reader")
    for schema in (*PROJECTIONS, "shared", "read_model"):
        names = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'v')", [schema]
        )
        for (name,) in names.fetchall():
            conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))


def test_the_digest_of_an_empty_warehouse_is_that_of_its_unknown_members(database: Database) -> None:
    found = digests(database)
    for context, projection in PROJECTIONS.items():
        for table in projection.tables:
            unknown = projection.unknown_members.get(table.name, [])
            assert found[context].tables[table.name] == digest_of(LineWriter(table).lines(unknown))


def test_a_digest_does_not_depend_on_the_settings_of_the_session(conn: psycopg.Connection) -> None:
    prepare(conn)
    model = Model(PROJECTIONS["quality"], "quality")
    opened = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    row = (UUID(int=1), "a", "open", opened, None, 1, 2, 3, Decimal("99.50"), 4)
    copy_rows(conn, model.tables["batch"], [row])
    conn.execute("SET TimeZone = 'America/Sao_Paulo'; SET DateStyle = 'German'; SET extra_float_digits = -5")
    with conn.transaction():
        found = table_digests(conn, model)
    assert found["batch"] == digest_of(LineWriter(model.tables["batch"]).lines([row]))
