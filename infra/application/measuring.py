"""What Prometheus is told of a warehouse, in figures: measured again and again, at little cost.

A scrape takes some milliseconds, however long the log is: what was counted before is not counted again. It reads on a
connection of its own, as of one moment, takes no lock that anybody waits for, and is given up after some seconds. It
starts no database and changes nothing: what is away is told as that.
"""

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import IsolationLevel, conninfo, sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.site import Site, errors_in_our_words
from replayhouse.infra.audit import verifications
from replayhouse.infra.backup.records import last_backup, last_drill
from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.event_store.tally import Tally
from replayhouse.infra.postgres.connection import Database, database_of
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.privacy import copies
from replayhouse.infra.privacy.access_counts import AccessCounts
from replayhouse.infra.publishing import relays
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.telemetry import metrics
from replayhouse.infra.telemetry.metrics import Metric, Reading

if TYPE_CHECKING:
    from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings

STATEMENT_SECONDS = 4
"""So long the database may work on one statement: who scrapes waits for ten seconds, mostly."""

CLICKHOUSE_SECONDS = 10.0
"""So often ClickHouse is asked at most."""

_CONNECT_SECONDS = 3
_NAME = "replayhouse metrics"

_PROJECTED = """
    SELECT context, position, extract(epoch FROM moved_at)::float8, extract(epoch FROM clock_timestamp())::float8,
        (SELECT count(*) FROM read_model.parked WHERE (parked.context, parked.revision) = (p.context, p.revision))
    FROM read_model.projection AS p
"""
_OLDEST = sql.SQL("""
    SELECT extract(epoch FROM clock_timestamp() - recorded_at)::float8 FROM event_store.commit
    WHERE last_position >= (SELECT min(notification_id) FROM event_store.{events} WHERE notification_id > {known})
    ORDER BY last_position
    LIMIT 1
""")
_LAST_LOAD = """
    SELECT completed_at, (outcome ->> 'score')::float8 FROM event_store.batch
    WHERE kind = 'load' AND status = 'completed' ORDER BY batch_seq DESC LIMIT 1
"""
_OPEN_LOADS = "SELECT count(*) FROM event_store.batch WHERE kind = 'load' AND status IN ('open', 'retracting')"


@dataclass(frozen=True)
class Measured:
    """What was found: `is_there` says whether the database told it; without it there is nothing else to tell."""

    is_there: bool
    readings: Sequence[Reading]

    def document(self) -> dict[str, Any]:
        """As JSON shows it: by the name of the metric, the values with their labels."""
        found: dict[str, Any] = {}
        for metric, labels, value in self.readings:
            told = {**dict(zip(metric.labels, labels, strict=True)), "value": value}
            found.setdefault(metric.name, []).append(told)
        return found


class Measuring:
    """Measures one warehouse. Any number of threads may ask; one connection at a time is at work for them."""

    def __init__(self, settings: Settings, clickhouse: "ClickHouseSettings | None" = None) -> None:
        self._settings = settings
        self._clickhouse = clickhouse
        self._shown_there: Mapping[str, int] | None = None
        self._asked_there = -math.inf
        self._tally = Tally()
        self._reads = AccessCounts()
        self._lock = threading.Lock()
        self._begun = 0.0
        self._found: Measured | None = None

    def now(self) -> Measured:
        """How the warehouse is; of several who ask while it is measured, those who came before it began are told it."""
        asked = time.monotonic()
        with self._lock:
            if self._found is None or self._begun < asked:
                self._begun = time.monotonic()
                self._found = self._measured()
            return self._found

    def _measured(self) -> Measured:
        try:
            with errors_in_our_words(), reached(self._settings).connect(_NAME) as conn:
                readings = [Reading(metrics.DATABASE_UP, (), 1), *self._of_the_warehouse(conn)]
        except (ReplayhouseError, psycopg.Error):  # pages, `status` and the log of the server say why
            return Measured(is_there=False, readings=[Reading(metrics.DATABASE_UP, (), 0)])
        return Measured(is_there=True, readings=readings)

    def _of_the_warehouse(self, conn: psycopg.Connection) -> Iterator[Reading]:
        conn.isolation_level, conn.read_only = IsolationLevel.REPEATABLE_READ, True
        head = read_head(conn).position
        if not self._tally.begin(conn, head):
            self._reads = AccessCounts()
        yield Reading(metrics.LOG_POSITION, (), head)
        yield from self._of_contexts(conn, head)
        yield from _of_loads(conn)
        yield from _of_the_verification(conn)
        yield from self._of_relays(conn, head)
        yield from self._of_clickhouse(conn, head)
        yield Reading(metrics.STALE_COPIES, (), len(copies.of_before_an_erasure(conn)))
        yield from _of_backups(conn)
        for labels, number in sorted(self._reads.now(conn).items()):
            yield Reading(metrics.PERSONAL_READS, labels, number)

    def _of_contexts(self, conn: psycopg.Connection, head: int) -> Iterator[Reading]:
        projected = {context: _Projected._make(told) for context, *told in conn.execute(_PROJECTED)}
        for context in CONTEXTS:
            tell = partial(_of, (context,))
            found = projected.get(context)
            lag = self._lag(conn, context, head, 0 if found is None else found.position)
            yield tell(metrics.EVENTS_APPENDED, lag.appended)
            yield tell(metrics.PROJECTION_LAG, lag.events)
            yield tell(metrics.PROJECTION_LAG_SECONDS, lag.seconds)
            if found is not None:
                yield tell(metrics.PROJECTION_PROGRESS, found.moved_at if lag.events else found.now)
                yield tell(metrics.PARKED_STREAMS, found.parked)

    def _of_relays(self, conn: psycopg.Connection, head: int) -> Iterator[Reading]:
        for relay in relays.standing(conn):
            context, _, kind = relay.name.partition(".")
            if context not in CONTEXTS or kind not in ("", "state"):
                continue  # a label is one that is known beforehand
            tell = partial(_of, (relay.name,))
            lag = self._lag(conn, context, head, relay.position)
            yield tell(metrics.RELAY_LAG, lag.events)
            yield tell(metrics.RELAY_LAG_SECONDS, lag.seconds)
            yield tell(metrics.RELAY_IS_SILENT, relay.is_silent)

    def _of_clickhouse(self, conn: psycopg.Connection, head: int) -> Iterator[Reading]:
        """It is not asked anew by each who scrapes, least of all while it is away: what is told may be seconds old."""
        if self._clickhouse is None:
            return
        if time.monotonic() >= self._asked_there + CLICKHOUSE_SECONDS:
            from replayhouse.infra.clickhouse.standing import positions

            try:
                self._shown_there = positions(conn, self._clickhouse)
            except ReplayhouseError:
                self._shown_there = None
            self._asked_there = time.monotonic()
        yield Reading(metrics.CLICKHOUSE_UP, (), self._shown_there is not None)
        for context, position in (self._shown_there or {}).items():
            yield Reading(metrics.CLICKHOUSE_LAG, (context,), self._lag(conn, context, head, position).events)

    def _lag(self, conn: psycopg.Connection, context: str, head: int, position: int) -> "_Lag":
        appended = self._tally.up_to(conn, context, head)
        behind = appended - self._tally.up_to(conn, context, min(position, head))
        query = _OLDEST.format(events=sql.Identifier(f"{context}_events"), known=sql.Literal(position))
        row = conn.execute(query).fetchone() if behind else None
        return _Lag(appended, behind, 0.0 if row is None else max(0.0, row[0]))


class _Projected(NamedTuple):
    """How far a read model is, when it came there and what time it is now (seconds since 1970), and what is parked."""

    position: int
    moved_at: float
    now: float
    parked: int


class _Lag(NamedTuple):
    """Of how many events of a context how many somebody has not taken yet, and the age of the oldest of these."""

    appended: int
    events: int
    seconds: float


def measuring(site: Site) -> Measuring:
    """What measures the warehouse of the site; it opens its own connections, and outlives the use case.

    Raises UsageError where the settings of ClickHouse make no sense.
    """
    clickhouse = site.clickhouse
    is_server = clickhouse.url is not None and not clickhouse.address.folder  # an engine without one is not shared
    return Measuring(site.settings, clickhouse if is_server else None)


def reached(settings: Settings) -> Database:
    """The database as it is: neither started, nor made, nor brought up to date. Raises Unreachable where it is away."""
    if settings.database_url is not None:
        database = database_of(settings.database_url, "REPLAYHOUSE_DATABASE_URL")
    else:
        server = EmbeddedServer(settings.home)
        if not (server.is_made() and server.is_running()):
            raise Unreachable(f"The embedded database in {server.data} is not running.")
        database = Database(server.url())
    given = conninfo.conninfo_to_dict(database.url)
    hurried = {"connect_timeout": min(int(given.get("connect_timeout") or _CONNECT_SECONDS), _CONNECT_SECONDS)}
    return Database(conninfo.make_conninfo(database.url, **hurried), STATEMENT_SECONDS)


def _of(labels: tuple[str, ...], metric: Metric, value: float) -> Reading:
    return Reading(metric, labels, value)


def _of_loads(conn: psycopg.Connection) -> Iterator[Reading]:
    row: tuple[datetime | None, float | None] | None = conn.execute(_LAST_LOAD).fetchone()
    completed_at, score = row or (None, None)
    if completed_at is not None:
        yield Reading(metrics.LAST_LOAD, (), completed_at.timestamp())
    if score is not None:
        yield Reading(metrics.LOAD_QUALITY, (), round(score / 100, 6))
    (opened,) = conn.execute(_OPEN_LOADS).fetchone() or (0,)
    yield Reading(metrics.OPEN_LOADS, (), opened)


def _of_the_verification(conn: psycopg.Connection) -> Iterator[Reading]:
    if (found := verifications.latest(conn)) is not None:
        yield Reading(metrics.LOG_VERIFIED, (), found.verified_at.timestamp())
        yield Reading(metrics.LOG_HELD, (), found.reason is None)


def _of_backups(conn: psycopg.Connection) -> Iterator[Reading]:
    if (backup := last_backup(conn)) is not None:
        yield Reading(metrics.LAST_BACKUP, (), backup.made_at.timestamp())
    if (drill := last_drill(conn)) is not None:
        yield Reading(metrics.LAST_DRILL, (), drill.drilled_at.timestamp())
        yield Reading(metrics.DRILL_SUCCEEDED, (), drill.found.failure is None)
