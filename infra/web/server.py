"""Serving: the application on an address, until it is told to end."""

import logging
import socket
from collections.abc import Callable

import uvicorn

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import Warn
from replayhouse.infra.web.app import create_app
from replayhouse.infra.web.warehouses import Warehouses

MOST_CONNECTIONS = 200
"""Whoever comes while so many are open is told to come again."""

_FAREWELL_SECONDS = 10
_KEEP_ALIVE_SECONDS = 15


def serve(settings: Settings, host: str, port: int, warn: Warn, listening: Callable[[str], None]) -> None:
    """Serves the warehouse of the settings, on loopback; `listening` is told the address once it can be asked.

    Ends on SIGINT or SIGTERM, once what is being answered is answered. Raises what opening the warehouse raises, and
    UsageError where the address is not to be had.
    """
    warehouses = Warehouses(settings, warn)
    with warehouses.lend() as warehouse:
        warehouse.glance()
    listener = _listener(host, port)
    logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler())
    config = uvicorn.Config(
        create_app(warehouses),
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_FAREWELL_SECONDS,
    )
    with listener:
        listening(_address(listener))
        uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    try:
        (family, kind, _, _, place), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{host} is no address of this machine: {error}.") from error
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(place)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(f"{host} port {port} is not to be had: {error.strerror}. Name another with --port.") from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{'[' + host + ']' if ':' in host else host}:{port}/"
