"""Orders that are placed while something else goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])


class Orders:
    """Orders of a test's log."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._log = Log(conn)
        self._placed = 0

    def place(self, count: int) -> int:
        """Places some more; the position of the last event."""
        ids = [an_id((self._placed + n + 1) << 100) for n in range(count)]
        self._placed += count
        return self._log.append_all("sales", dict.fromkeys(ids, PLACED))


@contextmanager
def being_placed(database: Database, orders: Orders) -> Iterator[None]:
    """Orders are placed, a few at a time, while the block runs."""
    stop = threading.Event()

    def place() -> None:
        while not stop.wait(0.1):
            orders.place(3)

    thread = threading.Thread(target=place)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
