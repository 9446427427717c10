"""What a pooler does with the settings that a client sends as it connects: refuses them, or keeps them to itself."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

from psycopg.conninfo import conninfo_to_dict

from replayhouse.infra.postgres.connection import Database

REFUSAL = "unsupported startup parameter: options"
_PROTOCOL_3 = 3
_CHUNK = 2**16


class _Pooler(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, server: str, handed_on: Callable[[dict[bytes, bytes]], dict[bytes, bytes] | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.server = server
        self.handed_on = handed_on


class _Session(BaseRequestHandler):
    request: socket.socket
    server: _Pooler

    def handle(self) -> None:
        while True:
            length, protocol = struct.unpack("!II", self._read(8))
            body = self._read(length - 8)
            if protocol >> 16 == _PROTOCOL_3:
                break
            self.request.sendall(b"N")  # neither TLS nor GSS
        told = body.rstrip(b"\0").split(b"\0")
        sent = self.server.handed_on(dict(zip(told[::2], told[1::2], strict=True)))
        if sent is None:
            fields = b"".join(
                kind + text + b"\0" for kind, text in ((b"S", b"FATAL"), (b"V", b"FATAL"), (b"C", b"08P01"))
            )
            message = fields + b"M" + REFUSAL.encode() + b"\0\0"
            self.request.sendall(b"E" + struct.pack("!I", len(message) + 4) + message)
            return
        with socket.socket(socket.AF_UNIX) as behind:
            behind.connect(self.server.server)
            packet = b"".join(name + b"\0" + value + b"\0" for name, value in sent.items()) + b"\0"
            behind.sendall(struct.pack("!II", len(packet) + 8, protocol) + packet)
            answers = threading.Thread(target=_pass_on, args=(behind, self.request), daemon=True)
            answers.start()
            _pass_on(self.request, behind)
            answers.join()

    def _read(self, length: int) -> bytes:
        read = b""
        while len(read) < length:
            chunk = self.request.recv(length - len(read))
            if not chunk:
                raise ConnectionError("the client has gone")
            read += chunk
        return read


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def pooled(database: Database, *, is_refusing: bool) -> Iterator[Database]:
    """The database behind a pooler that refuses `options`, or passes over them."""
    place = conninfo_to_dict(database.url)
    socket_path = str(Path(str(place["host"])) / f".s.PGSQL.{place.get('port', 5432)}")

    def handed_on(sent: dict[bytes, bytes]) -> dict[bytes, bytes] | None:
        if is_refusing and b"options" in sent:
            return None
        return {name: value for name, value in sent.items() if name != b"options"}

    with _Pooler(socket_path, handed_on) as pooler:
        thread = threading.Thread(target=pooler.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            port = pooler.server_address[1]
            yield Database(f"postgresql://{place['user']}@127.0.0.1:{port}/{place['dbname']}?sslmode=disable")
        finally:
            pooler.shutdown()
            thread.join()
