"""The embedded server: started by whoever comes first, shared, durable, and harmless to the folders around it."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from replayhouse.infra.audit.verify import Verified, verify
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres import os_account, pg_tools, session
from replayhouse.infra.postgres.connection import Database, open_database
from replayhouse.infra.postgres.embedded import EmbeddedServer, Role
from replayhouse.infra.runtime.errors import Conflicting, Unreachable, UsageError
from replayhouse.infra.runtime.settings import Settings
from tests.support.prepared import furnish
from tests.support.recorded_events import order

START = """
import sys
from pathlib import Path
from replayhouse.infra.postgres.embedded import EmbeddedServer, Role
EmbeddedServer(Path(sys.argv[1])).start()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home in a private folder that nobody but us can search, as /root is."""
    with TemporaryDirectory(prefix="replayhouse-") as parent:
        home = Path(parent) / "home"
        yield home
        if home.exists():
            EmbeddedServer(home).stop()


@pytest.fixture
def made(home: Path, prepared: Path) -> Path:
    """The same, with a database that was made before; its server does not run."""
    furnish(home, prepared)
    return home


def process_of(server: EmbeddedServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def free_port() -> int:
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_of(conn: psycopg.Connection, *names: str) -> list[str]:
    query = "SELECT current_setting(name) FROM unnest(%s::text[]) WITH ORDINALITY AS n (name, i) ORDER BY i"
    return [value for (value,) in conn.execute(query, [list(names)])]


def test_a_server_for_the_asking_without_harm_to_the_folders_above(home: Path) -> None:
    above = [(parent, stat.S_IMODE(parent.stat().st_mode)) for parent in home.parents]
    server = EmbeddedServer(home)
    assert not server.is_running()
    server.start()
    assert server.is_running()

    assert [(parent, stat.S_IMODE(parent.stat().st_mode)) for parent in home.parents] == above
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    with psycopg.connect(server.url()) as conn:
        assert settings_of(conn, "fsync", "synchronous_commit", "full_page_writes") == ["on", "on", "on"]
        assert settings_of(conn, "listen_addresses", "unix_socket_permissions") == ["", "0700"]
        assert settings_of(conn, "server_encoding", "TimeZone", "data_checksums") == ["UTF8", "UTC", "on"]
        collations = "SELECT datcollate, datctype, datlocale FROM pg_database WHERE datname = current_database()"
        assert conn.execute(collations).fetchone() == ("C.UTF-8", "C.UTF-8", "C.UTF-8")
        assert conn.execute("SELECT 'Ä' < 'ä', 'Z' < 'a', lower('ÃÉ')").fetchone() == (True, True, "ãé")


def test_it_outlives_the_command_that_started_it_and_its_process_group(made: Path) -> None:
    command = subprocess.Popen([sys.executable, "-c", START, str(made)], start_new_session=True)
    assert command.wait(timeout=60) == 0
    try:
        os.killpg(command.pid, signal.SIGKILL)
    except ProcessLookupError:
        gone = True  # nobody is left in the group, so the server is not
    else:
        gone = False
    assert gone
    assert EmbeddedServer(made).is_running()


def test_commands_that_start_it_at_once_share_it(home: Path) -> None:
    servers = [EmbeddedServer(home) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(EmbeddedServer.start, servers))
    assert len({process_of(server) for server in servers}) == 1
    with psycopg.connect(servers[0].url()) as conn:
        assert conn.execute("SELECT current_database()").fetchone() == ("replayhouse",)


def test_what_was_committed_survives_a_kill_and_the_next_start(made: Path) -> None:
    settings = Settings(home=made)
    store = EventStore()
    server = EmbeddedServer(made)
    with open_database(settings).connect(autocommit=True) as conn:
        head = store.append(conn, [order(uuid4(), 1)], None)
        os.kill(process_of(server), signal.SIGKILL)
    with open_database(settings).connect(autocommit=True) as conn:
        assert verify(conn) == Verified(1, head.chain)
        assert store.append(conn, [order(uuid4(), 1)], None).position == 2


def test_a_process_id_that_another_program_has_now_does_not_prevent_the_start(made: Path) -> None:
    server = EmbeddedServer(made)
    server.start()
    left_behind = (server.data / "postmaster.pid").read_text()
    assert server.stop()
    lines = left_behind.splitlines()
    (server.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    assert not server.is_running()
    server.start()
    assert process_of(server) != os.getpid()


def test_a_start_that_was_killed_half_way_is_begun_anew(home: Path) -> None:
    (home / "postgres.unfinished" / "base").mkdir(parents=True)
    server = EmbeddedServer(home)
    server.start()
    assert server.is_running()
    assert not (home / "postgres.unfinished").exists()


def test_stopping_ends_it_and_is_no_error_when_it_is_not_there(made: Path) -> None:
    server = EmbeddedServer(made)
    assert not server.stop()
    server.start()
    assert server.stop()
    assert not server.is_running()
    with pytest.raises(Unreachable, match="not running"):
        server.url()


def test_a_home_with_a_long_path_has_a_socket_all_the_same(home: Path, prepared: Path) -> None:
    deep = home / ("x" * 100)
    furnish(deep, prepared)
    server = EmbeddedServer(deep)
    try:
        server.start()
        with psycopg.connect(server.url()) as conn:
            folder = Path(conn.info.host)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        server.stop()
    folder.rmdir()


def test_over_tcp_only_the_reader_is_let_in_by_password_and_can_only_read(made: Path) -> None:
    open_database(Settings(home=made))
    server = EmbeddedServer(made)
    port = free_port()
    server.listen(port)
    server.listen(port)  # already so: nothing to do
    url = server.url("reader")
    parts = urlsplit(url)
    assert (parts.hostname, parts.port) == ("127.0.0.1", port)

    with psycopg.connect(url, autocommit=True) as conn:
        assert conn.execute("SELECT count(*) FROM event_store.log").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT * FROM event_store.subject_key")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("CREATE TEMP TABLE t ()")
        with pytest.raises(Conflicting, match="in use"):
            server.listen(free_port())
    for refused in (url.replace(str(parts.password), "guessed"), url.replace(str(parts.username), "postgres")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(refused)
        with pytest.raises(Unreachable):
            open_database(Settings(database_url=refused))
    assert server.url("reader") == url, "the password stays the same"
    with psycopg.connect(url, autocommit=True) as conn:  # a reader who locks all others out
        conn.execute("SET default_transaction_read_only = off")
        conn.execute("ALTER ROLE CURRENT_USER SET statement_timeout = '1ms'")
        conn.execute("ALTER ROLE CURRENT_USER PASSWORD 'another'")
    with psycopg.connect(server.url("reader"), autocommit=True) as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("0",)
    kept = made / "reader_password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text("")  # as a full disk has left it
    anew = server.url("reader")
    assert anew != url
    with psycopg.connect(anew) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    assert (server.url("reader"), stat.S_IMODE(kept.stat().st_mode)) == (anew, 0o600)
    with psycopg.connect(server.url()) as conn:
        assert conn.execute("SELECT count(*) FROM event_store.commit").fetchone() == (0,)

    assert server.stop()
    server.start()
    assert server.url("reader") == anew, "a restart changes nothing for BI tools"
    assert server.stop()
    with socket(AF_INET, SOCK_STREAM) as other:  # a program that came first
        other.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        server.start()
        assert "host=" in server.url("reader")
    server.listen(0)
    assert server.stop()
    server.start()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_port_that_another_program_has_does_not_cost_the_running_server(made: Path) -> None:
    server = EmbeddedServer(made)
    server.start()
    with socket(AF_INET, SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Conflicting, match="another port"):
            server.listen(other.getsockname()[1])
    assert server.is_running()


def test_a_port_is_a_port(home: Path) -> None:
    with pytest.raises(UsageError, match="65535"):
        EmbeddedServer(home).listen(70_000)


def test_a_home_that_cannot_be_made_is_said_plainly(home: Path) -> None:
    home.write_text("a file, not a folder")
    try:
        with pytest.raises(UsageError, match="REPLAYHOUSE_HOME"):
            EmbeddedServer(home / "below").start()
    finally:
        home.unlink()


def test_client_programs_of_the_same_version_are_at_hand(server: EmbeddedServer) -> None:
    told = subprocess.run(
        [str(server.program("psql")), server.url(), "-AXtc", "SELECT 1 + 1"], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "2"


def test_programs_in_a_private_folder_are_copied_to_where_another_user_can_run_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As root with an environment under /root, the server's user could not even find the programs."""
    with TemporaryDirectory(prefix="replayhouse-") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(os_account, "_SHARED_PROGRAMS", Path(folder) / "shared")
        user = os_account.server_account(Path(folder) / "nothing yet")
        before = os_account.packaged_programs().stat()
        copied = os_account._shared_copy(os_account.packaged_programs(), user)

        assert copied.is_relative_to(folder)
        assert os_account._may_run(copied / "postgres", user)
        assert os_account._may_run(copied / "initdb", user)
        assert os_account._shared_copy(os_account.packaged_programs(), user) == copied, "once is enough"
        assert os_account.packaged_programs().stat().st_mode == before.st_mode


# --- whatever stands in the environment --------------------------------------------------------------------------

ELSEWHERE = {
    "PGSERVICE": "prod",
    "PGSERVICEFILE": "/nowhere",
    "PGHOST": "prod.example",
    "PGHOSTADDR": "127.0.0.9",
    "PGPORT": "1",
    "PGUSER": "nobody",
    "PGDATABASE": "nothing",
    "PGPASSWORD": "wrong",
    "PGPASSFILE": "/nowhere",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGREQUIREPEER": "nobody",
    "PGTARGETSESSIONATTRS": "standby",
    "PGLOADBALANCEHOSTS": "nonsense",
    "PGSSLMODE": "verify-full",
    "PGSSLNEGOTIATION": "direct",
    "PGSSLMINPROTOCOLVERSION": "nonsense",
    "PGMINPROTOCOLVERSION": "nonsense",
    "PGGSSENCMODE": "require",
    "PGCHANNELBINDING": "require",
    "PGOPTIONS": "-c nonsense=on",
    "PGDATESTYLE": "nonsense",
    "PGTZ": "nonsense",
    "PGCLIENTENCODING": "nonsense",
    "PGCONNECT_TIMEOUT": "nonsense",
}
"""Each of them alone would keep us out, or most."""

ROLES: tuple[Role, ...] = ("administrator", "reader")
NO_URL_CAN_OVERRULE = {
    "PGMINPROTOCOLVERSION",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGDATESTYLE",
    "PGTZ",
    "PGCLIENTENCODING",
    "PGCONNECT_TIMEOUT",
}


@pytest.mark.parametrize("name", [*ELSEWHERE, None])
def test_it_is_reached_whatever_the_environment_says(
    name: str | None, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ELSEWHERE if name is None else [name]:
        monkeypatch.setenv(variable, ELSEWHERE[variable])
    found = EmbeddedServer(server.home)
    assert found.is_running()
    with Database(found.url()).connect() as conn:
        assert conn.execute("SELECT current_database()").fetchone() == ("replayhouse",)
    shown = subprocess.run(
        [str(found.program("psql")), "-AXtc", "SELECT 1 + 1"],
        env=pg_tools.environment(found.url()),
        capture_output=True,
    )
    assert shown.stdout == b"2\n", shown.stderr


def test_its_url_serves_other_programs_of_the_same_shell(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_forgotten", set())
    assert session.for_other_programs("postgresql://a@b/c") == "postgresql://a@b/c"
    environment = os.environ | {name: ELSEWHERE[name] for name in ELSEWHERE if name not in NO_URL_CAN_OVERRULE}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    server = EmbeddedServer(made)
    server.start()
    for role in ROLES:
        url = session.for_other_programs(server.url(role))
        psql = [str(server.program("psql")), url, "-AXtc", "SELECT 1 + 1"]
        assert subprocess.run(psql, env=environment, capture_output=True, check=True).stdout == b"2\n"


def test_no_second_one_is_started_beside_one_that_does_not_answer(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedServer(made)
    server.start()
    socket_of_it = server.data / ".s.PGSQL.5432"
    socket_of_it.rename(server.data / "hidden")
    monkeypatch.setattr("replayhouse.infra.postgres.embedded._LONGEST_HANDOVER_SECONDS", 0)
    monkeypatch.setattr(EmbeddedServer, "_launch", lambda *_: pytest.fail("a second server was started"))
    with pytest.raises(Unreachable, match="is there, but does not answer"):
        server.start()
    (server.data / "hidden").rename(socket_of_it)
    server.start()
    assert server.is_running()
