"""A database whose every table is published, to be carried elsewhere by logical replication: all commands go on.

PostgreSQL refuses updates and deletes of a published table that has no primary key, whatever else is set up.
"""

from pathlib import Path

import psycopg

from infra.postgres.connection import Database
from tests.acceptance.extracts import a_good_extract, adding, changed, replacing, write
from tests.acceptance.in_process import Warehouse
from tests.databases import conn, database, server
from tests.oracle.lines import a_customer, an_id, an_item, an_order

__all__ = ["conn", "database", "server"]

WITHOUT_A_KEY = """
    SELECT c.oid::regclass::text
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema$'
        AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
    ORDER BY 1
"""
REASON = ("--reason", "because")
FIRST = changed(a_good_extract(), order_items=adding(an_item(1, 3, "12.505", "1.00"), an_item(2, 3, "12.505", "1.00")))
SECOND = changed(
    FIRST,
    customers=adding(a_customer(106, 905)),
    orders=adding(an_order(6, placed="2019-06-01 10:00:00", approved="2019-06-01 10:30:00")),
    sellers=replacing("04001", "04002"),
)


def test_every_command_works_on_a_database_whose_tables_are_all_published(
    database: Database, conn: psycopg.Connection, tmp_path: Path
) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    conn.execute("CREATE PUBLICATION everything FOR ALL TABLES")

    warehouse.ingest(write(tmp_path / "first", FIRST))
    released, discarded = (row["row"] for row in warehouse.json("quality", "quarantine"))
    second = warehouse.ingest(write(tmp_path / "second", SECOND))
    warehouse.json("retract", second["batch"], *REASON)
    warehouse.json("quality", "release", released, "--text", an_item(1, 3, "12.50", "1.00"))
    warehouse.json("quality", "discard", discarded, *REASON)
    warehouse.json("rebuild")
    warehouse.json("rebuild", "--into", "before")
    warehouse.json("rebuild", "--into", "before")
    warehouse.json("customer", "erase", "--yes", an_id(901), *REASON)
    warehouse.json("revert", "customer")
    third = changed(SECOND, order_payments=replacing("900.00", "901.00"))
    assert warehouse.ingest(write(tmp_path / "third", third))["events"]["sales"] > 0
    warehouse.json("project")

    assert warehouse.rows(WITHOUT_A_KEY) == []
    live = warehouse.digests()
    rebuilt = warehouse.rebuilt_digests()
    assert {context: rebuilt[context] for context in live} == live


def test_appending_writes_the_head_in_its_page_and_no_index(conn: psycopg.Connection) -> None:
    """Its key is a constant: an update that changed its key would leave an entry of the index behind each time."""
    with conn.transaction():
        for _ in range(20):
            conn.execute("UPDATE event_store.head SET position = position + 1, recorded_at = clock_timestamp()")
        counted = conn.execute(
            "SELECT pg_stat_get_xact_tuples_updated(c), pg_stat_get_xact_tuples_hot_updated(c)"
            " FROM CAST('event_store.head'::regclass AS oid) AS c"
        ).fetchone()
    assert counted == (20, 20)
