"""Serving: the application on an address, until it is told to end."""

import logging
import signal
import socket
from collections.abc import Callable
from contextlib import closing

import uvicorn
from fastapi import FastAPI

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import Warn
from replayhouse.infra.telemetry.happenings import Happening, happened, is_anybody_listening
from replayhouse.infra.web.app import LOOPBACK_NAMES, create_app
from replayhouse.infra.web.auth import door
from replayhouse.infra.web.auth.ways import Way
from replayhouse.infra.web.connection import Connection
from replayhouse.infra.web.faults import LOG
from replayhouse.infra.web.tracing import each_by_itself
from replayhouse.infra.web.warehouses import Warehouses

MOST_CONNECTIONS = 200
"""Whoever comes while so many are open is told to come again."""

_FAREWELL_SECONDS = 10
_KEEP_ALIVE_SECONDS = 15


def serve(
    settings: Settings,
    host: str,
    port: int,
    warn: Warn,
    listening: Callable[[str], None],
    *,
    hosts: tuple[str, ...] = LOOPBACK_NAMES,
    way: Callable[[Warehouses], Way] | None = None,
    database_url: str | None = None,
) -> None:
    """Serves the warehouse of the settings; `listening` is told the address once it can be asked.

    `hosts` are the names under which it may be asked, `way` makes what finds out who asks (see create_app). Without
    one it is the owner; else the database is reached on behalf of others by `database_url`, see `login_for_askers`.
    Ends on SIGINT or SIGTERM, once what is being answered is answered. Raises what opening the warehouse raises, and
    UsageError where the address is not to be had.
    """
    login = None if way is None else Warehouse(settings, warn=warn).login_for_askers(database_url)
    warehouses = Warehouses(settings, warn, login=login)
    with warehouses.lend() as warehouse:
        warehouse.glance()
    listener = _listener(host, port)
    for log, level in (
        (LOG, logging.ERROR),
        (logging.getLogger("uvicorn.error"), logging.ERROR),
        (door.LOG, logging.INFO),
    ):
        if is_anybody_listening():  # what these logs say are happenings of their own, or become such
            log.propagate = log is not door.LOG
        else:
            log.addHandler(_Telling(warn, level))
            log.propagate = False
    app = create_app(warehouses, hosts, way(warehouses) if way is not None else None)
    server = uvicorn.Server(configured(app))
    for number in (signal.SIGINT, signal.SIGTERM):  # before anybody is told that it can be ended
        signal.signal(number, server.handle_exit)
    with listener, closing(app.state.jobs):
        listening(_address(listener))
        happened(Happening.SERVER_LISTENING, address=_address(listener))
        with each_by_itself():
            server.run(sockets=[listener])


def configured(app: FastAPI) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        app,
        http=Connection,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,  # or whoever is on this machine could say which address he comes from
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_FAREWELL_SECONDS,
    )


class _Telling(logging.Handler):
    """Passes on the words of a log, without what they are about: that may tell of a request."""

    def __init__(self, warn: Warn, level: int) -> None:
        super().__init__(level)
        self._warn = warn

    def emit(self, record: logging.LogRecord) -> None:
        """Passes on one message."""
        self._warn(record.getMessage())


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
