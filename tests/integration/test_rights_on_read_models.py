"""What somebody may do with the live read models stays what it is, whatever is swapped in; nothing else comes back."""

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import fill, rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
ANALYST, CLERK = (f"{name}_{os.getpid()}" for name in ("analyst", "Clerk of the house"))

GIVEN = """
    GRANT USAGE ON SCHEMA sales, marketplace TO {analyst}, {clerk};
    GRANT SELECT ON sales.fact_order TO {analyst} WITH GRANT OPTION;
    GRANT SELECT (order_id, amount), UPDATE (method) ON sales.fact_payment TO {clerk};
    GRANT SELECT (order_id) ON sales.fact_payment TO {analyst};
    GRANT SELECT ON marketplace.dim_product TO PUBLIC;
    REVOKE SELECT ON sales.fact_order_item FROM replayhouse_reader;
    REVOKE USAGE ON SCHEMA quality FROM replayhouse_reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO {analyst};
    CREATE POLICY paid_ones ON sales.fact_order FOR SELECT TO {analyst}
        USING (is_paid AND order_id IN (SELECT order_id FROM sales.fact_payment));
    ALTER TABLE sales.fact_order ENABLE ROW LEVEL SECURITY;
    CREATE VIEW mart.mine AS SELECT * FROM sales.fact_order;
    CREATE MATERIALIZED VIEW mart.counted AS SELECT date_key, count(*) AS orders FROM sales.fact_order GROUP BY 1;
    REVOKE SELECT ON mart.mine, mart.counted FROM replayhouse_reader;
    GRANT SELECT (orders) ON mart.counted TO {clerk}
"""
TOLD = """
    SELECT n.nspname::text, c.relname::text,
        (SELECT array_agg(split_part(a::text, '/', 1) ORDER BY a::text) FROM unnest(c.relacl) AS a),
        (SELECT array_agg(attname || ' ' || attacl::text ORDER BY attname) FROM pg_attribute WHERE attrelid = c.oid
            AND attacl IS NOT NULL),
        c.relrowsecurity
    FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
    WHERE n.nspname IN ('sales', 'fulfillment', 'customer', 'marketplace', 'quality', 'shared', 'mart')
        AND c.relkind IN ('r', 'v', 'm')
    UNION ALL
    SELECT nspname::text, NULL, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(nspacl) AS a), NULL, NULL
    FROM pg_namespace
    WHERE nspname IN ('sales', 'fulfillment', 'customer', 'marketplace', 'quality', 'shared', 'mart')
    UNION ALL
    SELECT defaclnamespace::regnamespace::text, defaclobjtype::text, defaclacl::text[], NULL, NULL
    FROM pg_default_acl WHERE defaclnamespace::regnamespace::text = 'sales'
    UNION ALL
    SELECT schemaname::text, policyname::text, ARRAY[qual, with_check], roles::text[], NULL FROM pg_policies
    WHERE schemaname = 'sales'
    ORDER BY 1, 2
"""


@pytest.fixture
def given(conn: psycopg.Connection, database: Database) -> Iterator[Callable[[], list[tuple[object, ...]]]]:
    """Three orders shown, and rights given to an analyst and a clerk; tells what everybody may."""
    Log(conn).append_all("sales", {an_id(n << 110): PLACED for n in range(1, 4)})
    catch_up(database)
    roles = {"analyst": sql.Identifier(ANALYST), "clerk": sql.Identifier(CLERK)}
    conn.execute(sql.SQL("CREATE ROLE {analyst} LOGIN; CREATE ROLE {clerk}").format(**roles))
    conn.execute(sql.SQL(GIVEN).format(**roles))
    with conn.transaction():
        conn.execute(sql.SQL("SET LOCAL ROLE {analyst}; GRANT SELECT ON sales.fact_order TO {clerk}").format(**roles))
    try:
        yield lambda: conn.execute(TOLD).fetchall()
    finally:
        conn.execute(sql.SQL("DROP OWNED BY {analyst}, {clerk} CASCADE").format(**roles))
        conn.execute(sql.SQL("DROP ROLE {analyst}, {clerk}").format(**roles))


def test_all_that_was_given_stays_and_what_was_revoked_does_not_come_back(
    database: Database, conn: psycopg.Connection, given: Callable[[], list[tuple[object, ...]]]
) -> None:
    before = given()
    assert f"{ANALYST}=r*" in str(before)
    assert "orders {" in str(before)
    for swap in (
        lambda: rebuild(database),
        lambda: revert(database, "sales", to=1),
    ):
        swap()
        assert given() == before
    may = "SELECT has_table_privilege(%s, 'sales.fact_order', 'SELECT'), has_schema_privilege(%s, 'sales', 'USAGE')"
    for role in (ANALYST, CLERK):
        assert conn.execute(may, [role, role]).fetchone() == (True, True)
    with conn.transaction():
        conn.execute(sql.SQL("UPDATE sales.fact_order SET is_paid = false WHERE order_id = {}").format(an_id(1 << 110)))
        conn.execute(sql.SQL("SET LOCAL row_security = on; SET LOCAL ROLE {}").format(sql.Identifier(ANALYST)))
        assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (2,)

    conn.execute(sql.SQL("REVOKE ALL ON sales.fact_order FROM {} CASCADE").format(sql.Identifier(ANALYST)))
    conn.execute("DROP POLICY paid_ones ON sales.fact_order; ALTER TABLE sales.fact_order DISABLE ROW LEVEL SECURITY")
    before = given()
    revert(database, "sales")
    assert given() == before


def test_what_was_given_on_empty_tables_stays_when_they_are_filled(
    database: Database, conn: psycopg.Connection
) -> None:
    catch_up(database)
    conn.execute("GRANT SELECT (amount) ON sales.fact_payment TO PUBLIC")
    conn.execute("REVOKE ALL ON ALL TABLES IN SCHEMA customer FROM replayhouse_reader")
    before = conn.execute(TOLD).fetchall()
    conn.execute("UPDATE read_model.projection SET position = 0")
    fill(database, ["sales", "customer"])
    assert conn.execute(TOLD).fetchall() == before
