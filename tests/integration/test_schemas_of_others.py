"""A database in which somebody else has schemas of our names is refused before anything is written."""

import re
from pathlib import Path

import psycopg
import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.connection import Database, make_database, open_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.migrate import migrations
from replayhouse.infra.postgres.schemas import refuse_those_of_others
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.runtime.errors import WrongServer
from replayhouse.infra.runtime.settings import Settings
from tests.support.databases import a_database
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused

SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('event_store', 'read_model', 'customer')"


def test_nothing_is_written_where_others_have_our_names(server: EmbeddedServer, tmp_path: Path) -> None:
    with a_database(server) as database, database.connect(autocommit=True) as conn:
        conn.execute(
            "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int); CREATE SCHEMA mart; CREATE SCHEMA sales_r2"
        )
        warehouse = Warehouse(database, tmp_path / "home")
        extract = write(tmp_path / "extract", a_good_extract())
        told = warehouse.run("ingest", extract, "--json")
        refused(told, 2, "mart, sales, sales_r2", "Nothing was written", "REPLAYHOUSE_DATABASE_URL")
        assert conn.execute(SCHEMAS).fetchone() == (0,)
        refused(warehouse.run("db", "start", "--json"), 2, "mart, sales, sales_r2")

        conn.execute("ALTER SCHEMA sales RENAME TO shop; ALTER SCHEMA mart RENAME TO shop_mart; DROP SCHEMA sales_r2")
        assert warehouse.ingest(extract)["status"] == "completed"
        assert warehouse.rows("SELECT count(*) FROM shop.orders") == [(0,)]


@pytest.mark.parametrize("name", ["event_store", "publishing", "read_model", "quality"])
def test_whichever_name_it_is(server: EmbeddedServer, name: str) -> None:
    with a_database(server) as database, database.connect(autocommit=True) as conn:
        conn.execute(f"CREATE SCHEMA {name}".encode())
        with pytest.raises(WrongServer, match=f"needs: {name}"):
            make_database(Settings(database_url=database.url))
        assert conn.execute("SELECT to_regclass('event_store.head')").fetchone() == (None,)


def test_our_own_schemas_are_ours_whatever_stands_there(database: Database, conn: psycopg.Connection) -> None:
    catch_up(database)
    rebuild(database, ["sales"])
    refuse_those_of_others(conn)
    make_database(Settings(database_url=database.url))


def test_a_schema_that_has_the_name_of_the_next_revision_is_not_removed(
    database: Database, conn: psycopg.Connection
) -> None:
    catch_up(database)
    conn.execute("CREATE SCHEMA sales_r2; CREATE TABLE sales_r2.mine AS SELECT 1")
    with pytest.raises(WrongServer, match="sales_r2 that no rebuild has made"):
        rebuild(database, ["sales"])
    assert conn.execute("SELECT count(*) FROM sales_r2.mine").fetchone() == (1,)
    conn.execute("ALTER SCHEMA sales_r2 RENAME TO mine")
    assert rebuild(database, ["sales"])["sales"].revision == 2


def test_an_upgrade_leaves_alone_a_schema_that_has_the_name_of_a_new_one(
    database: Database, conn: psycopg.Connection
) -> None:
    catch_up(database)
    conn.execute("DROP SCHEMA masked, regional CASCADE")
    take_back_to(20, conn)
    conn.execute("CREATE SCHEMA masked; CREATE TABLE masked.orders AS SELECT 1 AS mine")
    with pytest.raises(WrongServer, match=r"needs: masked\."):
        make_database(Settings(database_url=database.url))
    assert conn.execute("SELECT mine FROM masked.orders").fetchone() == (1,)
    conn.execute("ALTER SCHEMA masked RENAME TO mine")
    make_database(Settings(database_url=database.url))
    catch_up(database)
    assert conn.execute("SELECT count(*) FROM masked.dim_customer").fetchone() == (1,)


def take_back_to(version: int, conn: psycopg.Connection) -> None:
    """As an earlier version left it: what the migrations after it have made is gone."""
    for migration in reversed(migrations()[version:]):
        for kind, name in re.findall(r"^CREATE (TABLE|VIEW) ([\w.]+)", migration.statements, re.MULTILINE):
            conn.execute(f"DROP {kind} IF EXISTS {name} CASCADE".encode())
        for function in re.findall(r"^CREATE FUNCTION ([\w.]+\([^)]*\))", migration.statements, re.MULTILINE):
            conn.execute(f"DROP FUNCTION IF EXISTS {function} CASCADE".encode())
        for index, schema in re.findall(r"^CREATE INDEX (\w+) ON (\w+)\.", migration.statements, re.MULTILINE):
            conn.execute(f"DROP INDEX IF EXISTS {schema}.{index}".encode())
        for table, column in re.findall(r"^ALTER TABLE ([\w.]+) ADD COLUMN (\w+)", migration.statements, re.MULTILINE):
            conn.execute(f"ALTER TABLE IF EXISTS {table} DROP COLUMN IF EXISTS {column}".encode())
    conn.execute("DELETE FROM event_store.schema_version WHERE version > %s", [version])


def test_a_log_whose_read_models_could_never_be_made_is_told_so(database: Database, conn: psycopg.Connection) -> None:
    """As an earlier version left it, which looked too late."""
    for schema in (*CONTEXTS, "shared", "mart", "masked", "regional"):
        conn.execute(f"DROP SCHEMA {schema} CASCADE".encode())
    conn.execute("DELETE FROM read_model.projection; DELETE FROM read_model.revision; CREATE SCHEMA sales")
    open_database(Settings(database_url=database.url))  # to make a backup
    with pytest.raises(WrongServer, match="needs: sales"):
        prepare(conn)
    with pytest.raises(WrongServer, match="needs: sales"):
        make_database(Settings(database_url=database.url))
