"""`replayhouse serve` as a program: how it starts, ends and fails, and what it does while the database is away."""

import http.client
import json
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]  # it ships no type information
import psycopg
import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse

from replayhouse.infra.application.api.warehouse import Warehouse as OneWarehouse
from replayhouse.infra.web import connection, faults, warehouses
from replayhouse.infra.web.guard import HEADERS
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.server import MOST_CONNECTIONS
from replayhouse.ingest.synthetic import generate
from tests.support.browser import serving
from tests.support.folders import quick_folder
from tests.support.homes import AS_INSTALLED, FORKED, Home, wait_until
from tests.support.in_process import Warehouse
from tests.support.prepared import furnish
from tests.support.served import served, serving_at
from tests.support.web import asking

LONGEST_S = 120.0
PAGE = "/questions/22"
BLOCKED = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
WAITING = """
    SELECT usename::text FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' ORDER BY 1
"""
LOCK = "LOCK TABLE read_model.answer IN ACCESS EXCLUSIVE MODE"


class Answer(NamedTuple):
    """What came back."""

    status: int
    text: str


def get(address: str, path: str, token: str | None = None) -> Answer:
    """Asks for a page, perhaps with a token."""
    host = address.removeprefix("http://").rstrip("/")
    asked = http.client.HTTPConnection(host, timeout=LONGEST_S)
    try:
        asked.request("GET", path, headers={} if token is None else {"authorization": f"Bearer {token}"})
        answer = asked.getresponse()
        return Answer(answer.status, answer.read().decode())
    finally:
        asked.close()


@pytest.fixture(scope="module")
def home(prepared: Path) -> Iterator[Home]:
    """A home with a small load, whose embedded server a test may stop and start."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        generate(folder / "extract", 60, 5, None, 1)
        home.warehouse().json("ingest", folder / "extract")
        yield home
        home.halt()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_serves_and_ends_after_what_it_is_answering(home: Home, how: signal.Signals) -> None:
    command = Home(home.path, AS_INSTALLED).start("serve", "--port", "0")
    address = serving_at(command)
    with ThreadPoolExecutor() as pool, home.connected() as conn:
        with conn.transaction():
            conn.execute(LOCK)
            asked = pool.submit(get, address, PAGE)
            wait_until(lambda: is_blocked(conn))
            command.kill(how)
            wait_until(lambda: refuses(address))
        assert asked.result().status == 200
        assert asked.result().text.rstrip().endswith("</html>")
    done = command.result()
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Serving {address} Ctrl-C ends it.\n"


def is_blocked(conn: psycopg.Connection) -> bool:
    """Whether somebody waits for a lock in this database."""
    row = conn.execute(BLOCKED).fetchone()
    return row is not None and row[0] > 0


def refuses(address: str) -> bool:
    """Whether nobody listens at an address any more."""
    host, _, port = address.removeprefix("http://").rstrip("/").partition(":")
    try:
        with socket.create_connection((host, int(port)), LONGEST_S):
            return False
    except ConnectionRefusedError:
        return True


def test_the_embedded_database_lets_a_login_of_its_own_read_for_those_who_ask(home: Home) -> None:
    tokens = {
        role: home.warehouse().json("token", "create", role, "--name", "ines", "--days", "1")["secret"]
        for role in ("analyst", "owner")
    }
    with served(home, "--auth", "token") as (_, address), home.connected() as conn:
        waiting = home.warehouse()
        with ThreadPoolExecutor() as pool:
            with conn.transaction():
                conn.execute("LOCK TABLE read_model.mart IN ACCESS EXCLUSIVE MODE")
                asked = [pool.submit(get, address, PAGE, token) for token in tokens.values()]
                wait_until(lambda: len(waiting.rows(WAITING)) == 2)
                users = waiting.rows(WAITING)
            assert [one.result().status for one in asked] == [200, 200]
        assert users == [("postgres",), ("replayhouse_web",)]
    with served(home, "--auth", "token") as (_, address):  # the login is there already
        assert get(address, PAGE, tokens["analyst"]).status == 200
    url = psycopg.conninfo.make_conninfo(home.server.url(), user="replayhouse_web")
    with psycopg.connect(url) as theirs, pytest.raises(psycopg.errors.InsufficientPrivilege):
        theirs.execute("SELECT FROM customer.dim_customer")


def test_a_port_that_somebody_has_is_told_of(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = home.run("serve", "--port", port)
    assert done.code == 2
    assert done.out == ""
    assert f"127.0.0.1 port {port} is not to be had" in done.err


def test_others_than_this_machine_are_let_in_by_nobody_who_does_not_know_them(home: Home) -> None:
    done = home.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert (done.code, done.out) == (2, "")
    assert "loopback only" in done.err


def test_while_the_database_is_away_pages_say_so_and_afterwards_all_is_well_again(home: Home) -> None:
    with served(home, REPLAYHOUSE_DATABASE_URL=home.server.url()) as (_, address):
        assert get(address, PAGE).status == 200
        assert get(address, "/readyz").status == 200
        home.server.stop()
        try:
            page, document, ready = (get(address, path) for path in (PAGE, f"/api{PAGE}", "/readyz"))
            assert (page.status, document.status, ready.status) == (503, 503, 503)
            assert list(json.loads(document.text)) == ["error"]
            assert json.loads(document.text)["error"].splitlines()[0][:40] in page.text
            assert json.loads(ready.text)["status"] == "not ready"
            assert get(address, "/healthz").status == 200
        finally:
            home.server.start()
        assert get(address, PAGE).status == 200
        assert get(address, "/readyz").status == 200


def whole(path: str) -> bytes:
    """A request, word for word."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


LONG = APIRouter()


@LONG.get("/terms/long")
def long(warehouse: Lent) -> StreamingResponse:
    """More than any buffer between here and there takes."""
    return StreamingResponse(iter(["x" * 1_000_000] * 20))


@contextmanager
def not_reading(address: str, said: bytes) -> Iterator[socket.socket]:
    """Somebody who has said something, and does not read the answer."""
    host, _, port = address.removeprefix("http://").rstrip("/").partition(":")
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(LONGEST_S)
        reader.connect((host, int(port)))
        reader.sendall(said)
        yield reader


def test_a_thousand_who_do_not_read_are_bounded_and_then_others_are_served(home: Home) -> None:
    with served(home) as (command, address):
        server = psutil.Process(command.pid)
        before = server.num_fds()
        with ExitStack() as readers:
            asked = whole("/static/echarts.common.min.js") * 20  # more than the buffers between here and there take
            connected = [readers.enter_context(not_reading(address, asked)) for _ in range(1000)]
            statuses = Counter(reader.recv(12) for reader in connected)
            # None is answered where all have come before the first asks.
            assert b"HTTP/1.1 503" in statuses
            assert set(statuses) <= {b"HTTP/1.1 200", b"HTTP/1.1 503"}
            wait_until(lambda: server.num_fds() <= before + 2 * MOST_CONNECTIONS)  # each with the file that it sends
        wait_until(lambda: get(address, "/healthz").status == 200)
        assert get(address, PAGE).status == 200


def test_who_does_not_read_holds_no_warehouse(
    loaded: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a few of them would keep all others from being answered."""
    monkeypatch.setattr(warehouses, "PATIENCE_SECONDS", 5.0)
    with serving(loaded.database, tmp_path, LONG) as address, ExitStack() as readers:
        for _ in range(warehouses.MOST):
            reader = readers.enter_context(not_reading(address, whole("/terms/long")))
            assert reader.recv(12) == b"HTTP/1.1 200"
        assert get(address, "/readyz").status == 200


@pytest.mark.parametrize("asked", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", whole("/terms/long")])
def test_who_does_nothing_with_a_connection_is_hung_up_on(
    loaded: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bytes
) -> None:
    """Who says nothing, who says half of what he wants, and who does not read."""
    gone, lost = threading.Event(), connection.Connection.connection_lost

    def note(self: connection.Connection, error: Exception | None) -> None:
        lost(self, error)
        gone.set()

    monkeypatch.setattr(connection, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(connection.Connection, "connection_lost", note)
    with serving(loaded.database, tmp_path, LONG) as address, not_reading(address, asked):
        assert gone.wait(LONGEST_S)


def test_a_statement_that_takes_too_long_is_ended(
    own: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouses, "STATEMENT_SECONDS", 1)
    with own.database.connect("replayhouse test") as conn, asking(own.database, tmp_path) as client:
        conn.execute(LOCK)
        page, document = client.get(PAGE), client.get(f"/api{PAGE}")
    assert (page.status_code, document.status_code) == (504, 504)
    assert document.json()["error"].splitlines()[0] in page.text


def test_what_nobody_expected_is_told_once_without_what_was_asked(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the value 4711")

    monkeypatch.setattr(OneWarehouse, "ask_beside", fail)
    answer = client.get(f"{PAGE}?at=4711")

    assert answer.status_code == 500
    assert "nobody expected" in answer.text
    assert HEADERS.items() <= dict(answer.headers).items()
    (told,) = (record.getMessage() for record in caplog.records if record.name == faults.LOG.name)
    assert told.startswith("GET /questions/{number} failed with RuntimeError")
    assert "test_serve.py" in told
    assert "4711" not in caplog.text
