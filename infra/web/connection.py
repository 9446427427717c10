"""A connection to the server, which hangs up on who keeps it open and does nothing with it.

There is room for so many connections only (see server.py), so each is looked at from time to time.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_SECONDS = 20.0
"""Who in this time neither ends a request nor takes anything of an answer is hung up on."""


class Connection(H11Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Somebody has come."""
        super().connection_made(transport)
        self._seen: tuple[object, int] | None = None
        self._next_look = self.loop.call_later(PATIENCE_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody has gone."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Hangs up where the other side is awaited, and nothing has changed since the last look."""
        waiting = self.transport.get_write_buffer_size()
        seen = (self.cycle, waiting)
        is_at_work = self.cycle is not None and not self.cycle.response_complete
        if seen == self._seen and (waiting or not is_at_work):
            self.transport.abort()
            return
        self._seen = seen
        self._next_look = self.loop.call_later(PATIENCE_SECONDS, self._look)
