"""Links between tables stand in the database: as foreign keys that are not enforced, and in the comments of columns."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from replayhouse.domain.fulfillment.events import ShipmentPlanned
from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.contracts.dictionary import dictionary_page
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.migrate import migrate
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.live.refilling import refill
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.read_models.versions import spoil
from replayhouse.projections.links import comment_of, links_within
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.own_servers import VERSION_16, an_own_server
from tests.support.read_side import MONDAY, PROMISED, Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
TO_NOWHERE = ShipmentPlanned(
    occurred_at=MONDAY,
    order_id=an_id(1),
    customer_id=an_id(9),
    placed_at=MONDAY,
    promised_by=PROMISED,
    origin_zip=None,
    origins=(),
    destination_zip="99999",
)
"""A delivery to a zip prefix that nobody has surveyed."""

FOREIGN_KEYS = """
    SELECT format('%%s.%%s', here.relname, a.attname),
        format('%%s.%%s.%%s', there.relnamespace::regnamespace, there.relname, b.attname)
    FROM pg_constraint AS k
    JOIN pg_class AS here ON here.oid = k.conrelid
    JOIN pg_class AS there ON there.oid = k.confrelid
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND ARRAY[a.attnum] = k.conkey
    JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND ARRAY[b.attnum] = k.confkey
    WHERE k.contype = 'f' AND here.relnamespace = to_regnamespace(%s)
"""
TRIGGERS = "SELECT count(*) FROM pg_trigger AS t JOIN pg_constraint AS k ON k.oid = t.tgconstraint AND k.contype = 'f'"
COMMENT = (
    "SELECT col_description(%s::regclass, attnum) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s"
)


def declared(context: str, schema: str) -> dict[str, str]:
    return {
        f"{column.table.name}.{column.name}": f"{schema}.{link.table}.{link.column}"
        for column, link in links_within(PROJECTIONS[context].tables)
    }


def standing(conn: psycopg.Connection, schema: str) -> dict[str, str]:
    return dict(conn.execute(FOREIGN_KEYS, [schema]).fetchall())


@pytest.fixture
def log(conn: psycopg.Connection, database: Database) -> Log:
    """An order, and a delivery that leads to no row of geography; shown."""
    log = Log(conn)
    log.append("sales", an_id(1), PLACED)
    log.append("fulfillment", an_id(1), [TO_NOWHERE])
    catch_up(database)
    return log


@pytest.mark.parametrize("context", PROJECTIONS)
def test_all_tables_are_linked_from_the_first_revision_on_and_after_a_rebuild(
    context: str, database: Database, conn: psycopg.Connection, log: Log
) -> None:
    assert declared(context, context)
    assert standing(conn, context) == declared(context, context)
    rebuild(database)
    assert standing(conn, context) == declared(context, context)
    assert standing(conn, f"{context}_r1") == declared(context, f"{context}_r1"), "those of the kept one stay there"


def test_links_go_along_with_a_revert_and_with_what_an_upgrade_fills_anew(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    rebuild(database, ["sales"])
    revert(database, "sales")
    assert standing(conn, "sales") == declared("sales", "sales")
    spoil(conn, "fulfillment")
    refill(database)
    assert standing(conn, "fulfillment") == declared("fulfillment", "fulfillment")


def test_what_stands_under_a_prefix_is_linked_within_itself(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    rebuild_into(database, "then")
    for context in PROJECTIONS:
        assert standing(conn, f"then_{context}") == declared(context, f"then_{context}")


def test_a_row_that_leads_nowhere_is_written_and_nothing_is_checked(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    query = "SELECT destination_zip, state FROM fulfillment.fact_delivery LEFT JOIN fulfillment.dim_geography"
    found = conn.execute(f"{query} ON zip_prefix = destination_zip").fetchall()
    assert found == [("99999", None)]
    rebuild(database)
    assert conn.execute(f"{query} ON zip_prefix = destination_zip").fetchall() == found
    assert conn.execute(TRIGGERS).fetchone() == (0,)
    assert conn.execute("SELECT DISTINCT conenforced FROM pg_constraint WHERE contype = 'f'").fetchall() == [(False,)]


def test_the_queries_of_the_dictionary_find_the_state_of_a_delivery_or_null(conn: psycopg.Connection, log: Log) -> None:
    by_zip, by_address = re.findall(r"^```sql\n(.*?)^```$", dictionary_page(), re.MULTILINE | re.DOTALL)
    assert conn.execute(by_zip).fetchall() == [(None, 1, None)]
    assert conn.execute(by_address).fetchall() == [(an_id(1), None)]
    conn.execute(
        """
        INSERT INTO fulfillment.dim_geography VALUES ('99999', 'x', 'RS', 'South', 0, 0, 1, 1);
        INSERT INTO customer.address_history
        SELECT customer_id, seq, zip, 'x', state, placed_at + hours * interval '1 hour', 1
        FROM fulfillment.fact_delivery,
            (VALUES (1, '99999', 'SP', -2), (2, '99999', 'RJ', -1), (3, '11111', 'BA', -1), (4, '99999', 'AM', 1))
                AS address (seq, zip, state, hours)
        """
    )
    assert conn.execute(by_zip).fetchall() == [("RS", 1, None)]
    assert conn.execute(by_address).fetchall() == [(an_id(1), "RJ")], "of those of one moment that of the delivery"


@pytest.fixture
def older() -> Iterator[Database]:
    """A warehouse on PostgreSQL 16, which has no foreign keys that are not enforced."""
    with an_own_server(VERSION_16) as own:
        own.make()
        own.start()
        with psycopg.connect(own.database("postgres").url, autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE warehouse"))
        yield own.database("warehouse")


def test_an_older_server_tells_links_in_comments_alone(older: Database) -> None:
    with older.connect("test", autocommit=True) as conn:
        migrate(conn)
        prepare(conn)
        assert [standing(conn, context) for context in PROJECTIONS] == [{}] * len(PROJECTIONS)
    rebuild(older)
    with older.connect("test", autocommit=True) as conn:
        for context, projection in PROJECTIONS.items():
            assert standing(conn, context) == {}
            for column, link in links_within(projection.tables):
                table = f"{context}.{column.table.name}"
                [(comment,)] = conn.execute(COMMENT, [table, table, column.name]).fetchall()
                assert comment == comment_of(column)
                assert f"(key of {link.schema}.{link.table}" in comment
