"""Warehouses to be lent to requests: each is used by one thread at a time, and there are no more than so many."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.application.measuring import Measuring
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.identity import Asked
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import Warn

STATEMENT_SECONDS = 30
"""So long the database may work on one statement of a request."""

MOST = 8
"""So many requests are at work at once; the others wait their turn."""

PATIENCE_SECONDS = 20.0


class Busy(Conflicting):
    """Too many requests are at work."""


class Warehouses:
    """A warehouse for each request that is at work.

    On behalf of others than owners, the database is reached by `login`; by default, as the settings say.
    """

    def __init__(self, settings: Settings, warn: Warn, most: int = MOST, login: Database | None = None) -> None:
        self.settings = settings
        self._warn = warn
        self._login = login
        self._free: queue.LifoQueue[Warehouse] = queue.LifoQueue()
        for _ in range(most):
            self._free.put(self._opened(warn))

    def _opened(self, warn: Warn) -> Warehouse:
        return Warehouse(
            self.settings,
            warn=warn,
            statement_seconds=STATEMENT_SECONDS,
            makes_moments=False,
            login=self._login,
        )

    def measuring(self) -> Measuring:
        """What measures the warehouse, whoever else is at work with those that are lent."""
        return self._opened(self._warn).measuring()

    @contextmanager
    def lend(self, asked: Asked | None = None) -> Iterator[Warehouse]:
        """One for the block, on whose behalf it is; of None, nobody knows. Raises Busy where none becomes free in time.

        What one use case had of the database is gone with its connections: nothing of it is left for who comes next.
        """
        try:
            warehouse = self._free.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise Busy("Too many questions are being answered at once. Try again in a moment.") from None
        try:
            with warehouse.on_behalf_of(asked):
                yield warehouse
        finally:
            self._free.put(warehouse)
