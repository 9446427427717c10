"""Ctrl-C in a query of DuckDB, which may keep the interpreter from hearing of it until the query has ended.

The signal leaves its number in a pipe at once; a thread that waits there ends the queries in its place.
"""

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_connections: "WeakSet[DuckDBPyConnection]" = WeakSet()


def listen() -> None:
    """From now on Ctrl-C ends the queries on connections that are `interruptible`. Called by the main thread."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    threading.Thread(target=_end_queries, args=(reads,), daemon=True).start()


def interruptible(connection: "DuckDBPyConnection") -> "DuckDBPyConnection":
    """The connection, whose queries Ctrl-C ends."""
    _connections.add(connection)
    return connection


def _end_queries(reads: int) -> None:
    while signals := os.read(reads, 64):
        if signal.SIGINT in signals:
            for connection in tuple(_connections):
                with suppress(Exception):  # it was closed
                    connection.interrupt()
