"""Ctrl-C in a query of DuckDB, which may keep the interpreter from hearing of it until the query has ended.

The signal leaves its number in a pipe at once; a thread that waits there ends the queries in its place.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_INTERRUPTED = "Query interrupted"  # how DuckDB's binding tells of a signal that it has seen in a query

_connections: "WeakSet[DuckDBPyConnection]" = WeakSet()
_unread: list[int] = []
"""The pipe of signals, while no thread waits there: there is one as soon as there is a connection."""


def listen() -> None:
    """From now on Ctrl-C ends the queries on connections that are `interruptible`. Called by the main thread."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    _unread[:] = [reads]


def interruptible(connection: "DuckDBPyConnection") -> "DuckDBPyConnection":
    """The connection, whose queries Ctrl-C ends."""
    _connections.add(connection)
    if _unread:
        threading.Thread(target=_end_queries, args=(_unread.pop(),), daemon=True).start()
    return connection


@contextmanager
def heard() -> Iterator[None]:
    """Ctrl-C inside the block is a KeyboardInterrupt, also where DuckDB hears of it first, which has its own error."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


def _end_queries(reads: int) -> None:
    while signals := os.read(reads, 64):
        if signal.SIGINT in signals:
            for connection in tuple(_connections):
                with suppress(Exception):  # it was closed
                    connection.interrupt()


os.register_at_fork(after_in_child=_unread.clear)  # it is the parent that hears of signals there
