"""Following the log without end: any number of processes, of which one at a time owns a context, until told to stop.

Who owns a context holds an advisory lock for as long as its session lives, so that another takes over when it dies.
That only spares work: an event counts exactly once whoever projects it, for rows and position are one transaction.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.event_store.store import CHANNEL
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.locks import release, try_acquire
from replayhouse.infra.read_models import versions
from replayhouse.infra.read_models.live.freshness import kept_fresh
from replayhouse.infra.read_models.live.projector import Projector, catch_up
from replayhouse.infra.read_models.versions import OtherVersion
from replayhouse.infra.runtime.errors import Conflicting, Unreachable

POLL_SECONDS = 1.0
"""The safety net: so often it is looked whether anything is new, or a context has no owner, though nobody said so."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0

# What is lost in a crash with the rows is the position that says they are there: they are folded again.
_SESSION = "SET synchronous_commit = off"
_LISTEN = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))
_WAITING = sql.SQL("""
    SELECT EXISTS (
        SELECT FROM event_store.{events}
        WHERE notification_id > (SELECT position FROM read_model.projection WHERE context = {context})
    )
""")

Tell = Callable[[str], None]
"""Takes a sentence for a person."""


class Watch:
    """One process that follows the log for some contexts until `stop` is set.

    `tell` takes what a person should know; `news` takes which contexts it is that this process follows.
    """

    def __init__(
        self,
        database: Database,
        contexts: Iterable[str],
        stop: threading.Event,
        tell: Tell,
        news: Tell | None = None,
    ) -> None:
        self._database = database
        self._contexts = tuple(contexts)
        self._stop = stop
        self._tell = tell
        self._news = news or tell
        self.events = dict.fromkeys(self._contexts, 0)
        self.stopped: dict[str, NewerVersion | OtherVersion] = {}

    def run(self, *, retry_parked: bool = False, workers: int | None = None) -> None:
        """Follows until it is told to stop, or what a newer program has made leaves nothing to follow.

        Tables that an earlier program has made are filled anew first. Where the database goes away, waits for it with
        growing pauses: it is not started from here. Marts are made anew a minute after the last time. Raises
        Unreachable only if it was never there.
        """
        with self._database.connect("replayhouse project --follow"):
            pass  # it was there
        with kept_fresh(self._database, self._tell):
            self._follow(retry_parked, workers)

    def _follow(self, retry_parked: bool, workers: int | None) -> None:
        is_caught_up, pause = False, _FIRST_PAUSE_SECONDS
        while not self._is_over():
            begun = time.monotonic()
            try:
                if not is_caught_up:
                    self._catch_up(retry_parked, workers)
                    is_caught_up = True
                with self._database.connect("replayhouse project --follow", autocommit=True) as conn, translated():
                    _Session(self, conn).run()
            except Unreachable as error:
                if time.monotonic() - begun > _LONGEST_PAUSE_SECONDS:  # it was there for a while
                    pause = _FIRST_PAUSE_SECONDS
                self._tell(f"{error} Waiting for it.")
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            except OtherVersion:  # of an earlier program: perhaps another command fills the tables anew right now
                self._fill_anew(workers)
                self._stop.wait(_FIRST_PAUSE_SECONDS)
            except Conflicting:  # somebody held what it needed: the next round does it
                self._stop.wait(_FIRST_PAUSE_SECONDS)
            else:
                pause = _FIRST_PAUSE_SECONDS

    def _catch_up(self, retry_parked: bool, workers: int | None) -> None:
        with suppress(NewerVersion, OtherVersion, Conflicting):  # met again later, by its context alone
            done = catch_up(self._database, self._contexts, retry_parked=retry_parked, workers=workers)
            for context, events in done.items():
                self.events[context] = self.events.get(context, 0) + events

    def _fill_anew(self, workers: int | None) -> None:
        """Gives up the contexts that it cannot fill because the log has events of a newer program."""
        try:
            catch_up(self._database, self._contexts, workers=workers)
        except NewerVersion as error:
            with self._database.connect("replayhouse project --follow", autocommit=True) as conn, translated():
                left = [context for context in versions.earlier(conn) if context in self._contexts]
            self.stopped.update(dict.fromkeys(left, error))
            self._tell(str(error))
        except (OtherVersion, Conflicting):
            pass  # met again later, by its context alone

    def _is_over(self) -> bool:
        return self._stop.is_set() or len(self.stopped) == len(self._contexts)


class _Session:
    """One connection, which owns contexts while it lives."""

    def __init__(self, watch: Watch, conn: psycopg.Connection) -> None:
        self._watch = watch
        self._conn = conn
        self._owned: dict[str, Projector] = {}
        self._all_looked_at = 0.0

    def run(self) -> None:
        self._conn.execute(_SESSION)
        self._conn.execute(_LISTEN)
        while not self._watch._is_over():
            is_time = time.monotonic() >= self._all_looked_at + POLL_SECONDS
            if is_time:
                self._all_looked_at = time.monotonic()
                self._take_what_nobody_owns()
            for context in list(self._owned):
                if is_time or self._has_waiting(context):
                    self._project(context)
            for _ in self._conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

    def _take_what_nobody_owns(self) -> None:
        for context in self._watch._contexts:
            free = context not in self._owned and context not in self._watch.stopped
            if free and try_acquire(self._conn, f"project {context}"):
                self._owned[context] = Projector(self._conn, context)
                self._watch._news(f"following the log for {context}")

    def _has_waiting(self, context: str) -> bool:
        query = _WAITING.format(events=sql.Identifier(f"{context}_events"), context=sql.Literal(context))
        return self._conn.execute(query).fetchone() == (True,)

    def _project(self, context: str) -> None:
        try:
            self._watch.events[context] += self._owned[context].keep_up()
        except (NewerVersion, OtherVersion) as error:
            if isinstance(error, OtherVersion) and not error.is_newer:
                raise
            self._watch.stopped[context] = error
            del self._owned[context]
            release(self._conn, f"project {context}")  # a process of a newer program may take it
            self._watch._tell(str(error))
