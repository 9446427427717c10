"""What the database itself guards: nothing recorded changes, readers read only, the schema fits the program."""

import re
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.rows import scalar_row

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres import connection
from replayhouse.infra.postgres.connection import Database, make_database, open_database, translated
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.postgres.migrate import migrate, migrations, schema_version
from replayhouse.infra.runtime.errors import Conflicting, Unreachable, UsageError, WrongServer
from replayhouse.infra.runtime.settings import Settings
from tests.support.recorded_events import order, registered

APPEND_ONLY = [*(f"{context}_events" for context in CONTEXTS), "commit"]
STORE = EventStore()
IN_EVENT_STORE = "relnamespace = 'event_store'::regnamespace"


def scalars(conn: psycopg.Connection, query: str) -> list[object]:
    return list(conn.cursor(row_factory=scalar_row).execute(query.encode()).fetchall())


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET batch_id = NULL", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_was_recorded_cannot_be_changed(conn: psycopg.Connection, table: str, statement: str) -> None:
    """Not by a superuser either, and not in a session that leaves ordinary triggers out."""
    STORE.append(conn, [order(uuid4(), 1), registered(uuid4())], uuid4())
    change = sql.SQL(statement).format(sql.Identifier("event_store", table))
    for role in ("origin", "replica"):
        conn.execute(sql.SQL("SET session_replication_role = {}").format(role))
        with pytest.raises(errors.RestrictViolation, match=f"event_store.{table} is append-only") as refusal:
            conn.execute(change)
        assert "loading a corrected extract" in (refusal.value.diag.message_hint or "")


def test_each_context_has_its_table_its_trigger_and_its_part_in_the_log(conn: psycopg.Connection) -> None:
    """What a migration lacks for a context of the list, or the list for one of a migration, is named here.

    Else `audit verify` would take the difference for tampering.
    """
    tables = (
        f"SELECT relname::text FROM pg_class WHERE {IN_EVENT_STORE} AND relkind = 'r' AND relname LIKE '%\\_events'"
    )
    guarded = f"""
        SELECT relname::text FROM pg_class JOIN pg_trigger ON tgrelid = pg_class.oid
        WHERE {IN_EVENT_STORE} AND tgname = 'append_only' AND tgenabled = 'A' AND relname LIKE '%\\_events'
    """
    [query] = scalars(conn, "SELECT pg_get_viewdef('event_store.log'::regclass)")
    shown = re.findall(r"SELECT '(\w+)'::text AS context,.*?FROM event_store\.(\w+)_events", str(query), re.DOTALL)
    for found in (tables, guarded):
        assert {str(name).removesuffix("_events") for name in scalars(conn, found)} == {*CONTEXTS}
    assert shown == [(context, context) for context in CONTEXTS]


def test_a_key_can_be_destroyed_but_not_replaced_or_removed(conn: psycopg.Connection) -> None:
    STORE.append(conn, [registered(uuid4())], None)
    with pytest.raises(errors.RestrictViolation, match="destroyed"):
        conn.execute("UPDATE event_store.subject_key SET key = 'another'")
    with pytest.raises(errors.RestrictViolation, match="append-only") as removal:
        conn.execute("DELETE FROM event_store.subject_key")
    assert "destroyed by setting it to null" in (removal.value.diag.message_hint or "")
    conn.execute("UPDATE event_store.subject_key SET key = NULL")
    with pytest.raises(errors.RestrictViolation, match="destroyed"):
        conn.execute("UPDATE event_store.subject_key SET key = 'again'")


def test_there_is_one_head(conn: psycopg.Connection) -> None:
    with pytest.raises(errors.UniqueViolation):
        conn.execute("INSERT INTO event_store.head SELECT * FROM event_store.head")


def test_the_reader_reads_everything_but_keys_and_writes_nothing(conn: psycopg.Connection) -> None:
    STORE.append(conn, [order(uuid4(), 1), registered(uuid4())], None)
    conn.execute("CREATE SCHEMA to_come")
    conn.execute("CREATE TABLE to_come.fact AS SELECT 1 AS one")
    conn.execute("SET ROLE replayhouse_reader")

    assert scalars(conn, "SELECT count(*) FROM event_store.log") == [2]
    assert scalars(conn, "SELECT one FROM to_come.fact") == [1]
    for refused in (
        "SELECT * FROM event_store.subject_key",
        "INSERT INTO event_store.sales_events SELECT * FROM event_store.sales_events",
        "UPDATE event_store.head SET position = 0",
        "INSERT INTO to_come.fact VALUES (2)",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(refused.encode())


def test_the_writer_appends_and_can_do_no_more(conn: psycopg.Connection) -> None:
    conn.execute("SET ROLE replayhouse_writer")
    stream = uuid4()
    STORE.append(conn, [order(stream, 1), registered(uuid4())], None)
    assert stream in STORE.streams(conn, "sales", [stream])
    for refused in (
        "DELETE FROM event_store.sales_events",
        "UPDATE event_store.commit SET batch_id = NULL",
        "UPDATE event_store.subject_key SET key = NULL",
        "ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only",
        "INSERT INTO event_store.schema_version (version, name) VALUES (99, 'x')",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(refused.encode())


def test_the_schema_belongs_to_the_owner_role(conn: psycopg.Connection) -> None:
    owners = scalars(
        conn,
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
        " WHERE relnamespace = 'event_store'::regnamespace AND relkind IN ('r', 'v')",
    )
    assert owners == ["replayhouse_owner"]


def test_a_user_who_may_not_make_roles_gets_the_schema_without_them(server: EmbeddedServer) -> None:
    administrator = server.url()
    with psycopg.connect(administrator.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        conn.execute("CREATE ROLE tenant LOGIN")
        conn.execute("CREATE DATABASE tenancy OWNER tenant")
        try:
            database = Database(administrator.replace("/replayhouse?", "/tenancy?").replace("//postgres@", "//tenant@"))
            opened = make_database(Settings(database_url=database.url))
            with opened.connect(autocommit=True) as own:
                assert STORE.append(own, [registered(uuid4())], None).position == 1
        finally:
            conn.execute("DROP DATABASE tenancy WITH (FORCE)")
            conn.execute("DROP ROLE tenant")


def test_every_table_and_column_says_what_it_is(conn: psycopg.Connection) -> None:
    silent = scalars(
        conn,
        """
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM pg_class AS c
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'event_store'::regnamespace AND c.relkind IN ('r', 'v')
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
        """,
    )
    assert silent == []


def test_migrations_that_ran_do_not_run_again(conn: psycopg.Connection) -> None:
    assert schema_version(conn) == len(migrations())
    assert migrate(conn) == 0


def test_a_schema_newer_than_the_program_is_refused(database: Database, conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO event_store.schema_version (version, name) VALUES (9999, 'from the future')")
    with pytest.raises(WrongServer, match="9999"):
        open_database(Settings(database_url=database.url))


def test_a_server_that_is_too_old_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SERVER", 99)
    with pytest.raises(WrongServer, match="99 or newer"):
        open_database(Settings(database_url=database.url))


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/nowhere", "postgresql://nobody@/nowhere?host=/nonexistent"]
)
def test_a_server_that_does_not_answer_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        open_database(Settings(database_url=url))


def test_a_url_that_is_none_is_a_wrong_setting_and_is_not_repeated() -> None:
    with pytest.raises(UsageError, match="REPLAYHOUSE_DATABASE_URL") as refused:
        open_database(Settings(database_url="host = sesame and no url"))
    assert "sesame" not in str(refused.value)


def test_what_is_said_of_a_database_holds_no_password() -> None:
    secret = Database("postgresql://me:sesame@127.0.0.1:1/sales?connect_timeout=1")
    assert secret.place == "sales on 127.0.0.1"
    with pytest.raises(Unreachable) as refused:
        secret.connect()
    assert "sesame" not in str(refused.value)
    assert "sesame" not in repr(secret)
    assert "sesame" not in repr(Settings(database_url=secret.url))


def test_waiting_for_a_lock_has_an_end(database: Database, conn: psycopg.Connection) -> None:
    with database.connect() as other:
        other.execute("LOCK TABLE event_store.head")
        conn.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Conflicting), translated():
            conn.execute("SELECT * FROM event_store.head")


def test_one_command_of_a_kind_at_a_time(database: Database, conn: psycopg.Connection) -> None:
    with database.connect("replayhouse ingest", autocommit=True) as other:
        holder = rf"replayhouse ingest \(server process {other.info.backend_pid}"
        with exclusive(other, "ingest"):
            with exclusive(conn, "rebuild"):
                pass  # another kind of command
            with pytest.raises(Conflicting, match=holder), exclusive(conn, "ingest", wait=0.1):
                pytest.fail("two commands hold the same lock")
        with exclusive(conn, "ingest", wait=0.1):
            pass


def test_the_lock_of_a_client_that_died_is_free_again(database: Database, conn: psycopg.Connection) -> None:
    died = database.connect("replayhouse ingest", autocommit=True)
    held = exclusive(died, "ingest")
    held.__enter__()
    conn.execute("SELECT pg_terminate_backend(%s)", [died.info.backend_pid])
    with exclusive(conn, "ingest", wait=60):
        with pytest.raises(Unreachable):
            EventStore().head(died)
        held.__exit__(None, None, None)  # nothing is left to release, and nothing goes wrong
