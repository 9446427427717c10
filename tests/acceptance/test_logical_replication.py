"""A database whose every table is published, to be carried elsewhere by logical replication: all commands go on.

PostgreSQL refuses updates and deletes of a published table that has no primary key, whatever else is set up.
"""

import os
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from replayhouse.infra.audit.verify import Verified, verify
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.migrate import migrate
from tests.oracle.lines import a_customer, an_id, an_item, an_order
from tests.support.extracts import a_good_extract, adding, changed, replacing, write
from tests.support.homes import wait_until
from tests.support.in_process import Warehouse
from tests.support.own_servers import an_own_server

WITHOUT_A_KEY = """
    SELECT c.oid::regclass::text
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema$'
        AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
    ORDER BY 1
"""
COMPARED: tuple[LiteralString, ...] = (
    "SELECT * FROM event_store.head",
    "SELECT * FROM event_store.subject_key ORDER BY subject_id",
    "SELECT * FROM event_store.batch ORDER BY batch_seq",
    "SELECT * FROM event_store.batch_progress ORDER BY batch_id, unit, part",
    "SELECT * FROM event_store.row_fingerprint ORDER BY seq",
    "SELECT notification_id, leaf FROM event_store.log ORDER BY notification_id",
    "SELECT * FROM event_store.commit ORDER BY last_position",
)
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


def test_a_subscriber_gets_what_is_loaded_and_erased(tmp_path: Path) -> None:
    """The log and what stands beside it, rows that are updated included, between two databases of one server."""
    with an_own_server() as own:
        own.make()
        own.start(wal_level="logical", max_worker_processes="8")
        with own.database("postgres").connect(autocommit=True) as administrator:
            administrator.execute("CREATE DATABASE here")
            administrator.execute("CREATE DATABASE there")
        here, there = own.database("here"), own.database("there")
        socket = own.data if os.geteuid() else "/proc/self/cwd"  # a server of root's has another account than we
        warehouse = Warehouse(here, tmp_path / "home")
        warehouse.ingest(write(tmp_path / "first", FIRST))
        with here.connect(autocommit=True) as publisher, there.connect(autocommit=True) as subscriber:
            migrate(subscriber)
            subscriber.execute("TRUNCATE event_store.head, event_store.store, event_store.schema_version")
            publisher.execute("CREATE PUBLICATION log FOR TABLES IN SCHEMA event_store")
            publisher.execute("SELECT pg_create_logical_replication_slot('log', 'pgoutput')")
            subscriber.execute(
                sql.SQL(
                    "CREATE SUBSCRIPTION log CONNECTION {} PUBLICATION log WITH (create_slot = false, slot_name = log)"
                ).format(sql.Literal(f"dbname=here user=postgres host={socket}"))
            )
            warehouse.ingest(write(tmp_path / "second", SECOND))
            warehouse.json("customer", "erase", an_id(901), "--yes", *REASON)
            wanted = [publisher.execute(query).fetchall() for query in COMPARED]
            wait_until(lambda: [subscriber.execute(query).fetchall() for query in COMPARED] == wanted)
            assert isinstance(verify(subscriber), Verified)
            subscriber.execute("ALTER SUBSCRIPTION log DISABLE")
            subscriber.execute("ALTER SUBSCRIPTION log SET (slot_name = NONE)")
            subscriber.execute("DROP SUBSCRIPTION log")


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
