"""Who may read may not write, and stops nobody: not in a session that is switched to writing either."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database, make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.postgres.migrate import make_roles
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.settings import Settings
from tests.support.databases import a_database
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

WRITABLE = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; SET default_transaction_read_only = off"
HELD = "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
WRITING = (
    "CREATE TEMPORARY TABLE mine (a int)",
    "CREATE TABLE public.mine (a int)",
    "CREATE TABLE mart.mine (a int)",
    "CREATE SCHEMA mine",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_creat(-1)",
    "SELECT lo_import('/etc/hostname')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_lock_shared(1, 2)",
    "SELECT pg_advisory_xact_lock(hashtextextended('replayhouse:calendar', 0))",
    "SELECT pg_logical_emit_message(false, 'x', 'y')",
    "SELECT * FROM event_store.head FOR SHARE",
    "BEGIN; LOCK TABLE event_store.lock IN ROW SHARE MODE",
    "BEGIN; LOCK TABLE event_store.schema_version IN ROW EXCLUSIVE MODE",
    "UPDATE event_store.lock SET pid = pg_backend_pid()",
    "COMMENT ON SCHEMA event_store IS 'mine'",
)


@pytest.fixture
def reader(server: EmbeddedServer, database: Database) -> Iterator[psycopg.Connection]:
    """The reader of the embedded server, in a session that it has switched to writing."""
    with database.connect(autocommit=True) as administrator:
        make_roles(administrator)  # rights on a database are not copied with it
    with psycopg.connect(server.url("reader"), autocommit=True) as found:
        assert found.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    name = database.url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server.url("reader").replace("/replayhouse?", f"/{name}?"), autocommit=True) as found:
        found.execute(WRITABLE)
        yield found


@pytest.mark.parametrize("statement", WRITING)
def test_the_reader_of_the_embedded_server_finds_nothing_to_write(reader: psycopg.Connection, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        reader.execute(statement.encode())


def test_the_reader_reaches_no_other_database_of_the_server(server: EmbeddedServer) -> None:
    rules = (server.data / "pg_hba.conf").read_text().splitlines()
    assert [line.split()[1] for line in rules if line.startswith("host")] == ["replayhouse"]


@pytest.fixture
def owned(server: EmbeddedServer) -> Iterator[Database]:
    """A warehouse in a database whose owner is no superuser, on a server that leaves everybody what PostgreSQL does."""
    with psycopg.connect(server.url(), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE tenant LOGIN")
        superuser.execute("GRANT replayhouse_owner, replayhouse_writer, replayhouse_reader TO tenant WITH ADMIN TRUE")
        try:
            with a_database(server) as bare:
                name = sql.Identifier(str(conninfo_to_dict(bare.url)["dbname"]))
                superuser.execute(sql.SQL("ALTER DATABASE {} OWNER TO tenant").format(name))
                yield make_database(Settings(database_url=bare.url.replace("//postgres@", "//tenant@")))
        finally:
            superuser.execute("DROP ROLE tenant")


@pytest.fixture
def outside_reader(owned: Database, server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A reader there, in a session that is switched to writing."""
    server.url("reader")  # makes the role
    with psycopg.connect(owned.url.replace("//tenant@", "//replayhouse_bi@"), autocommit=True) as found:
        found.execute(WRITABLE)
        yield found


def test_on_a_server_of_ones_own_readers_have_no_tables_of_their_own(outside_reader: psycopg.Connection) -> None:
    for statement in ("CREATE TEMPORARY TABLE mine (a int)", "CREATE TABLE mine (a int)", "CREATE SCHEMA mine"):
        with pytest.raises(errors.InsufficientPrivilege):
            outside_reader.execute(statement.encode())


def test_a_reader_who_may_lock_takes_no_lock_that_a_command_waits_for(
    owned: Database, outside_reader: psycopg.Connection
) -> None:
    """Though the numbers of advisory locks are there for all to see while they are held."""
    seen: set[int] = set()
    with owned.connect(autocommit=True) as one, owned.connect(autocommit=True) as two:
        for name in ("ingest", "rebuild", "ingest"):
            with exclusive(one, name, wait=0):
                seen |= {key for (key,) in outside_reader.execute(HELD).fetchall()}
                with pytest.raises(Conflicting), exclusive(two, name, wait=0):
                    pytest.fail("two commands hold the same lock")
            for key in seen:
                assert outside_reader.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone() == (True,)
        assert len(seen) == 3, "a number is used once"
        outside_reader.execute("SELECT pg_advisory_lock(hashtextextended('replayhouse:calendar', 0))")
        outside_reader.execute("BEGIN; LOCK TABLE event_store.lock, event_store.head IN ACCESS SHARE MODE")
        Log(one).append_all("sales", {an_id(1): observe(NEW_ORDER, None, a_header(), [a_line()], [a_payment()])})
        with exclusive(one, "ingest", wait=0):
            assert catch_up(owned)["sales"] > 0
