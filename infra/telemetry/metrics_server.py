"""A small server for Prometheus, of commands that stay and serve nothing else: `/metrics` on loopback, in a thread."""

import io
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.telling import Warn

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")
_PATIENCE_SECONDS = 20.0
_TEXT = "text/plain; charset=utf-8"
_LOOK_SECONDS = 0.1


@contextmanager
def answering(port: int, text: Callable[[], bytes], content_type: str, warn: Warn) -> Iterator[str]:
    """Answers with the text, made anew for each who asks, while the block runs; gives the address.

    `port` 0 is any that is free. `warn` takes what nobody expected. Raises UsageError where the port is not to be had.
    """
    try:
        server = _Server((_HOST, port), _Handler)
    except OSError as error:
        raise UsageError(
            f"{_HOST} port {port} is not to be had: {error.strerror}. Name another with --metrics-port."
        ) from error
    server.set_app(_app(text, content_type, warn))
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK_SECONDS,), name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{_HOST}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _app(
    text: Callable[[], bytes], content_type: str, warn: Warn
) -> "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]":
    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, kind, body = "200 OK", content_type, b""
        name = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
        if name.casefold() not in _NAMES:  # no page of another site reaches it by a name of its own (DNS rebinding)
            status, kind, body = "421 Misdirected Request", _TEXT, b"This server is not asked under that name.\n"
        elif environ["PATH_INFO"] != "/metrics" or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, kind, body = "404 Not Found", _TEXT, b"There is /metrics, to be read.\n"
        else:
            try:
                body = text()
            except Exception as error:
                warn(f"/metrics failed with {type(error).__name__}, which nobody expected.")
                status, kind, body = "500 Internal Server Error", _TEXT, b"Something went wrong that nobody expected.\n"
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body if environ["REQUEST_METHOD"] != "HEAD" else b""]

    return app


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Each who asks is answered in a thread of their own, for which nobody waits at the end."""

    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self) -> None:
        """As WSGIServer does it, without asking anybody how this machine is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment] # of IPv4 they are these
        self.setup_environ()

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Whoever asked has gone: there is nothing to tell."""


class _Handler(WSGIRequestHandler):
    """One request; none is written down."""

    timeout = _PATIENCE_SECONDS

    def get_stderr(self) -> Any:
        """Nothing is told there."""
        return io.StringIO()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the class above calls it
        """Nothing is told."""
