"""A stand-in for ClickHouse's server: it takes requests by HTTP, as the client library makes them, and hands them to
the engine (chDB). It is no server: who asks, one at a time, is asked for one password, and nothing is packed.
"""

import base64
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD = "ana", "sesame"
REFUSED = 516
_INSERT = re.compile(rb"(INSERT INTO .*?) FORMAT (\w+)\s*\Z", re.DOTALL)
_CODE = re.compile(r"Code: (\d+)")
_TRANSPORT = ("query", "query_id", "database", "session_id", "default_format", "compress", "wait_end_of_query")


class StandIn(HTTPServer):
    """Listens on a port of this machine. `requests` are the statements that came in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.engine: Any = import_module("chdb").connect(str(folder))  # it stands in an environment of its own
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """As the setting has it."""
        return f"clickhouse://{USER}@127.0.0.1:{self.server_port}/replayhouse"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        given = dict(parse_qsl(urlsplit(self.path).query))
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self._answer(403, b"Code: 516. DB::Exception: ana: Authentication failed", REFUSED)
            return
        query, data = (given["query"].encode(), body) if "query" in given else (body, b"")
        try:
            self._answer(200, self._run(query, data, given))
        except RuntimeError as error:
            code = _CODE.search(str(error))
            self._answer(500, str(error).encode(), int(code[1]) if code else 1_000)

    def _run(self, query: bytes, data: bytes, given: dict[str, str]) -> bytes:
        self.server.requests.append(query.decode(errors="replace"))
        for name, value in given.items():
            if not name.startswith("param_") and name not in _TRANSPORT:
                self.server.engine.query(f"SET {name} = '{value}'")
        parameters = {name.removeprefix("param_"): of for name, of in given.items() if name.startswith("param_")}
        if (insert := _INSERT.match(query)) is None:
            done = self.server.engine.query(query.decode(), "TabSeparated", params=parameters)
            return bytes(done.bytes() or b"")
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            into, form = insert[1].decode(), insert[2].decode()
            self.server.engine.query(f"{into} FROM INFILE '{file.name}' FORMAT {form}")
        return b""

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().strip(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes, code: int | None = None) -> None:
        self.send_response(status)
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library has it
        """Says nothing."""


@contextmanager
def standing_in(folder: Path) -> Iterator[StandIn]:
    """The stand-in, at work in a thread."""
    server = StandIn(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.engine.close()
