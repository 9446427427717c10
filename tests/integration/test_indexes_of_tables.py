"""Rows are looked up by indexes wherever tables are made: in all revisions, under prefixes, after a revert."""

from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.audit.neighbours import orders_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.live.refilling import refill
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.read_models.versions import is_current, spoil
from replayhouse.projections.projection import indexed_columns
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

INDEXES = """
    SELECT c.relname || '.' || a.attname
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indrelid
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] AND i.indnkeyatts = 1
    WHERE NOT i.indisprimary AND i.indisvalid AND c.relnamespace = to_regnamespace(%s)
"""
DECLARED = {f"{table.name}.{column}" for table in PROJECTIONS["sales"].tables for column in indexed_columns(table)}
DROP = """
    DROP INDEX sales.fact_order_customer_id_idx, sales.fact_order_item_product_id_idx,
        sales.fact_order_item_seller_id_idx
"""


def standing(conn: psycopg.Connection, schema: str) -> set[str]:
    return {name for (name,) in conn.execute(INDEXES, [schema])}


@pytest.fixture
def log(conn: psycopg.Connection, database: Database) -> Log:
    """An order; shown."""
    log = Log(conn)
    log.append("sales", an_id(1), observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()]))
    catch_up(database)
    return log


def test_they_stand_from_the_first_revision_on_after_a_rebuild_and_under_a_prefix(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    assert standing(conn, "sales") == DECLARED != set()
    rebuild(database)
    rebuild_into(database, "then")
    assert [standing(conn, schema) for schema in ("sales", "sales_r1", "then_sales")] == [DECLARED] * 3


def test_tables_of_an_earlier_program_are_as_good_without_and_get_them_when_they_are_made_or_swapped_in_again(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    conn.execute(DROP)
    assert is_current(conn, "sales")
    assert [orders_of(conn, kind, key, 5, 0).found for kind, key in _those_behind(conn)] == [1, 1, 1]
    rebuild(database, ["sales"])
    assert (standing(conn, "sales"), standing(conn, "sales_r1")) == (DECLARED, set())
    revert(database, "sales")
    assert standing(conn, "sales") == DECLARED
    conn.execute(DROP)
    spoil(conn, "sales")
    refill(database)
    assert standing(conn, "sales") == DECLARED


def _those_behind(conn: psycopg.Connection) -> list[tuple[HistoryKind, UUID]]:
    [row] = conn.execute("SELECT customer_id, seller_id, product_id FROM sales.fact_order_item").fetchall()
    return list(zip((HistoryKind.CUSTOMER, HistoryKind.SELLER, HistoryKind.PRODUCT), row, strict=True))
