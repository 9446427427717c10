"""Following the log into ClickHouse without end: any number of processes, of which one at a time is at work.

Whichever of the two databases goes away is waited for, however long it takes; that is told once. Who is at work holds a
lock for as long as its session lives, so that another takes over when it dies.
"""

import threading
import time
from collections.abc import Collection
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.clickhouse.filling import Filler
from replayhouse.infra.clickhouse.projector import Keeper
from replayhouse.infra.clickhouse.server import Server, connected
from replayhouse.infra.clickhouse.session import lock_of
from replayhouse.infra.event_store.store import CHANNEL
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.locks import try_acquire
from replayhouse.infra.read_models.rebuild.workers import Parts
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
from replayhouse.infra.runtime.errors import Conflicting, Unreachable
from replayhouse.infra.runtime.telling import Warn

POLL_SECONDS = 1.0
"""So often at most rows are written, and it is looked whether anything is new though nobody said so."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 15.0

_LISTEN = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))


class Follower:
    """One process that keeps contexts in ClickHouse up with the log until `stop` is set.

    `tell` takes what a person should know; `news` takes whether it is this process that is at work. `events` counts
    what was projected, by context.
    """

    def __init__(
        self,
        database: Database,
        settings: ClickHouseSettings,
        contexts: Collection[str],
        stop: threading.Event,
        tell: Warn,
        news: Warn,
        *,
        workers: int,
        parts: Parts,
    ) -> None:
        self._database = database
        self._settings = settings
        self._address = settings.address
        self._contexts = contexts
        self._stop = stop
        self._tell = tell
        self._news = news
        self._workers = workers
        self._parts = parts
        self._told_away = False
        self._told_waiting = False
        self._told_parked: set[UUID] = set()
        self.events = dict.fromkeys(contexts, 0)

    def run(self, *, retry_parked: bool = False) -> None:
        """Follows until it is told to stop. Raises as `Keeper` does; Unreachable only if the log was never there."""
        with self._database.connect("replayhouse project --follow"):
            pass  # it was there
        pause, retries = _FIRST_PAUSE_SECONDS, retry_parked
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                with self._database.connect("replayhouse project --follow", autocommit=True) as conn, translated():
                    if self._is_at_work(conn):
                        with connected(self._settings) as server:
                            self._follow(conn, server, retries)
                        retries = False
            except Unreachable as error:
                if time.monotonic() - begun > _LONGEST_PAUSE_SECONDS:  # it was there for a while
                    pause = _FIRST_PAUSE_SECONDS
                self._tell_away(error)
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            except Conflicting:  # somebody held what it needed: the next round does it
                self._stop.wait(POLL_SECONDS)

    def _is_at_work(self, conn: psycopg.Connection) -> bool:
        """Whether this process has the lock now, for which it waits until it is told to stop."""
        while not self._stop.is_set():
            if try_acquire(conn, lock_of(self._address)):
                self._told_waiting = False
                return True
            if not self._told_waiting:
                self._told_waiting = True
                self._news(f"another process keeps {self._address.place} up with the log: waiting to take over")
            self._stop.wait(POLL_SECONDS)
        return False

    def _follow(self, conn: psycopg.Connection, server: Server, retry_parked: bool) -> None:
        """As long as both connections live."""
        filler = Filler(self._database, conn, self._settings, server, self._workers, self._parts)
        keeper = Keeper(conn, server, filler, self._contexts)
        conn.execute(_LISTEN)
        self._catch_up(keeper, retry_parked=retry_parked)
        self._told_away = False
        self._news(f"following the log into {self._address.place}")
        while not self._stop.wait(POLL_SECONDS):
            for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass
            if not self._stop.is_set() and keeper.is_behind():
                self._catch_up(keeper)

    def _catch_up(self, keeper: Keeper, *, retry_parked: bool = False) -> None:
        for context, done in keeper.catch_up(retry_parked=retry_parked).items():
            self.events[context] += done
        parked = {
            UUID(stream): f"The stream {stream} of {context} cannot be folded, and keeps its rows: {told.error}."
            for context in self._contexts
            for stream, told in keeper.known[context].parked.items()
        }
        for stream in parked.keys() - self._told_parked:
            self._tell(parked[stream])
        self._told_parked = set(parked)

    def _tell_away(self, error: Unreachable) -> None:
        if not self._told_away:
            self._told_away = True
            self._tell(f"{error} Waiting for it.")
