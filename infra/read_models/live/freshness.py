"""Marts that are kept fresh while the log is followed: made anew a minute after the last time, if something is new.

A thread with a connection of its own does it. Making them takes seconds, in which events are to be shown in the tables
as ever; and it must not wait for a pause in the events. Any number of followers may do so: one at a time makes them.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.read_models.marts import Unmakeable
from replayhouse.infra.read_models.rebuild.renewal import are_due, renew_marts
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError
from replayhouse.infra.runtime.telling import Warn

MARTS_SECONDS = 60.0
"""Marts are made anew so often at most, while the log goes on."""

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_TOLD_AT = 2
_MAY_BE = """
    SELECT NOT EXISTS (
        SELECT FROM read_model.mart WHERE made_at > clock_timestamp() - make_interval(secs => %s)
    ) AND EXISTS (SELECT FROM read_model.projection)
"""


@contextmanager
def kept_fresh(database: Database, warn: Warn) -> Iterator[None]:
    """While the block runs; `warn` is told where marts cannot be made, once for each reason."""
    keeper = _Keeper(database, warn)
    thread = threading.Thread(target=keeper.run, name="marts")
    thread.start()
    try:
        yield
    finally:
        keeper.stop.set()
        while thread.is_alive():
            keeper.cancel()
            thread.join(0.2)


class _Keeper:
    """Looks each second whether marts are due, until `stop` is set."""

    def __init__(self, database: Database, warn: Warn) -> None:
        self.stop = threading.Event()
        self._database = database
        self._warn = warn
        self._reasons: Counter[str] = Counter()
        self._conn: psycopg.Connection | None = None

    def run(self) -> None:
        while not self.stop.is_set():
            with (
                suppress(ReplayhouseError),  # the server is away, as whoever follows tells
                self._database.connect("replayhouse marts", autocommit=True) as self._conn,
                translated(),
            ):
                self._keep(self._conn)
            self.stop.wait(_LOOK_SECONDS)

    def cancel(self) -> None:
        """Ends what is being made."""
        conn = self._conn
        if conn is not None and not conn.closed:
            with suppress(psycopg.Error):
                conn.cancel_safe(timeout=1.0)

    def _keep(self, conn: psycopg.Connection) -> None:
        while not self.stop.wait(_LOOK_SECONDS):
            if conn.execute(_MAY_BE, [MARTS_SECONDS]).fetchone() != (True,) or not are_due(conn):
                continue
            try:
                renew_marts(conn)
                self._reasons.clear()
            except (Conflicting, Unmakeable) as error:
                self._tell(str(error))
                self.stop.wait(_RETRY_SECONDS)

    def _tell(self, why: str) -> None:
        """Tells what holds for longer: once, the second time."""
        self._reasons[why] += 1
        if self._reasons[why] == _TOLD_AT and not self.stop.is_set():
            self._warn(f"The marts stay as they were. {why}")
