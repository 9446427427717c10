"""An owner of the database who may not make roles is told what is missing, and goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from replayhouse.infra.application.api.warehouse import Warehouse as Opened
from replayhouse.infra.postgres.connection import Database, make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.roles import Lacking
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.settings import Settings
from tests.support.databases import a_database
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse

OWNER = "shop owner"
MAY = """
    SELECT has_schema_privilege('replayhouse_reader', 'event_store', 'USAGE'),
        has_table_privilege('replayhouse_reader', 'event_store.head', 'SELECT'),
        has_schema_privilege('replayhouse_reader', 'sales', 'USAGE'),
        has_table_privilege('replayhouse_reader', 'sales.fact_order', 'SELECT'),
        has_table_privilege('replayhouse_reader', 'event_store.subject_key', 'SELECT')
"""
MAY_BY_HAND = """
    SELECT has_table_privilege('analyst', 'sales.fact_order', 'SELECT'),
        has_schema_privilege('analyst', 'shared', 'USAGE'), has_schema_privilege('analyst', 'event_store', 'USAGE')
"""


@pytest.fixture
def owned(server: EmbeddedServer) -> Iterator[tuple[psycopg.Connection, Database]]:
    """A database of its own owner, who may log in and make schemas, and nothing else; and an administrator there."""
    with a_database(server) as database, database.connect(autocommit=True) as administrator:
        name, owner = sql.Identifier(administrator.info.dbname), sql.Identifier(OWNER)
        administrator.execute(sql.SQL("CREATE ROLE {} LOGIN").format(owner))
        administrator.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, owner))
        try:
            yield administrator, Database(psycopg.conninfo.make_conninfo(database.url, user=OWNER))
        finally:
            administrator.execute(sql.SQL("REASSIGN OWNED BY {0} TO CURRENT_USER; DROP OWNED BY {0}").format(owner))
            administrator.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(name))
            administrator.execute(sql.SQL("DROP ROLE {}").format(owner))


def test_an_owner_who_may_not_make_roles_loads_and_is_told_the_recipe_which_works(
    owned: tuple[psycopg.Connection, Database], tmp_path: Path
) -> None:
    administrator, database = owned
    warehouse = Warehouse(database, tmp_path / "home")
    done = warehouse.run("ingest", write(tmp_path / "extract", a_good_extract()), "--json")
    assert (done.code, done.document["status"]) == (0, "completed"), done
    assert f"The database user {OWNER} may not make roles" in done.err
    recipe = [line.strip() for line in done.err.splitlines() if line.strip().startswith(("CREATE ROLE", "GRANT "))]
    assert recipe[0] == f'GRANT replayhouse_owner TO "{OWNER}";'  # the roles are there, of another database
    assert [line.split(" ON ")[0] for line in recipe[1:]] == ["GRANT USAGE", "GRANT SELECT"]
    assert warehouse.run("status").err == "", "it is told once"
    assert recipe[0] in warehouse.run("db", "start").err

    administrator.execute("CREATE ROLE analyst")
    try:
        told = warehouse.run("db", "grant", "analyst", "analyst")
        assert (told.code, recipe[0] in told.err) == (2, True), "nobody is given what is not there"
        for grant in recipe[1:]:
            administrator.execute(grant.encode())
        administrator.execute(recipe[0].encode())
        assert warehouse.run("db", "start").err == ""
        assert administrator.execute(MAY).fetchone() == (True, True, True, True, False)
        warehouse.json("rebuild")
        assert administrator.execute(MAY).fetchone() == (True, True, True, True, False)
        assert administrator.execute(MAY_BY_HAND).fetchone() == (True, True, False)

        told = warehouse.run("db", "grant", "auditor", "analyst")
        assert (told.code, "may not give or take replayhouse_auditor" in told.err) == (2, True)
        assert told.err.splitlines()[-1] == 'GRANT "replayhouse_auditor" TO "analyst";'
        administrator.execute(told.err.splitlines()[-1].encode())
        assert "had the role auditor already" in warehouse.run("db", "grant", "auditor", "analyst").out
        assert "may not give" in warehouse.run("db", "revoke", "auditor", "analyst").err
    finally:
        administrator.execute("DROP OWNED BY analyst; DROP ROLE analyst")


def test_missing_roles_are_made_first() -> None:
    told = Lacking(("replayhouse_owner", "replayhouse_reader"), "me", "shop", False).recipe
    assert [line.strip() for line in told.splitlines() if line.startswith("    ")][:4] == [
        'CREATE ROLE "replayhouse_owner";',
        'CREATE ROLE "replayhouse_reader";',
        'GRANT replayhouse_owner TO "me";',
        'GRANT CREATE ON DATABASE "shop" TO "me" WITH GRANT OPTION;',
    ]


def test_a_server_asks_for_what_it_takes_to_act_as_roles(
    owned: tuple[psycopg.Connection, Database], tmp_path: Path
) -> None:
    administrator, database = owned
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.run("ingest", write(tmp_path / "extract", a_good_extract()))
    told = warehouse.run("serve", "--auth", "token", "--port", "0")
    assert (told.code, told.out) == (2, "")
    assert "roles are missing" in told.err.splitlines()[0]
    administrator.execute(f'GRANT replayhouse_owner TO "{OWNER}"'.encode())

    told = warehouse.run("serve", "--auth", "token", "--port", "0")
    assert (told.code, told.out) == (2, "")
    assert f"The database user {OWNER} may not act as the roles of those who ask" in told.err
    recipe = told.err.splitlines()[-1].strip()
    assert recipe.startswith('GRANT "replayhouse_reader", ')
    administrator.execute(recipe.encode())
    own = Opened(Settings(home=tmp_path / "home", database_url=database.url))
    assert own.login_for_askers() == database
    with replace(database, role="replayhouse_analyst").connect(autocommit=True) as conn:
        assert conn.execute("SELECT count(*) > 0 FROM masked.dim_customer").fetchone() == (True,)
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute("SELECT FROM customer.dim_customer")


def test_a_server_lets_its_login_act_as_roles_where_it_may(database: Database, tmp_path: Path) -> None:
    with database.connect(autocommit=True) as conn:
        conn.execute("CREATE ROLE asker_to_be LOGIN NOINHERIT")
    try:
        url = psycopg.conninfo.make_conninfo(database.url, user="asker_to_be")
        login = Opened(Settings(home=tmp_path, database_url=database.url)).login_for_askers(url)
        with login.connect(autocommit=True) as conn, pytest.raises(errors.InsufficientPrivilege):
            conn.execute("SELECT FROM event_store.log")
        with replace(login, role="replayhouse_auditor").connect(autocommit=True) as conn:
            assert conn.execute("SELECT count(*) FROM event_store.log").fetchone() == (0,)
    finally:
        with database.connect(autocommit=True) as conn:
            conn.execute("DROP OWNED BY asker_to_be; DROP ROLE asker_to_be")


def test_a_login_of_another_warehouse_is_refused(database: Database, server: EmbeddedServer, tmp_path: Path) -> None:
    with a_database(server) as other:
        make_database(Settings(home=tmp_path, database_url=other.url))
        with pytest.raises(UsageError, match="another log"):
            Opened(Settings(home=tmp_path, database_url=database.url)).login_for_askers(other.url)


def test_what_is_no_url_of_a_login_is_named(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="REPLAYHOUSE_WEB_DATABASE_URL is not a libpq URL"):
        Opened(Settings(home=tmp_path, database_url=database.url)).login_for_askers("nonsense")
