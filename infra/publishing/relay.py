"""A relay: what the log holds goes to a topic, in order, nothing twice and nothing left out.

Each transaction takes some events together with the position of the last one. Whatever goes wrong, its outcome is
unknown: the producer is thrown away, and a new one starts from the position that it finds. So killing the relay, the
brokers or the database at any moment costs nothing but time.
"""

import threading
import time
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.store import CHANNEL
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.publishing import relays
from replayhouse.infra.publishing.channel import Bounds, Channel, Tell
from replayhouse.infra.publishing.log_reader import ContextLog
from replayhouse.infra.publishing.names import positions_topic, transactional_id
from replayhouse.infra.publishing.ports import Cluster, Fenced, Publication, Refused, TopicFacts, TransactionalProducer
from replayhouse.infra.publishing.position import Position, position_at, record_of
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError, Unreachable
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Work, span

EVENTS_A_TRANSACTION = 1_000
BYTES_A_TRANSACTION = 8_000_000
EVENTS_A_WINDOW = 20_000
"""So many events at most come by one query; between two of them it is told how far the relay is."""

POLL_SECONDS = 1.0
"""So often it is looked whether anything is new, though nobody said so."""

PATIENCE_SECONDS = 30.0
"""So long a service that is away is waited for, where the relay is not to stay."""

CHECK_SECONDS = 60.0
"""So often the topic is looked at, and a relay without work finds out whether another one has taken over."""

_TELL_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0

_LISTEN = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))


@dataclass(frozen=True)
class Order:
    """What a relay is to do: to stay and follow the log, to take its position from what the topic holds."""

    follow: bool = False
    recover: bool = False


class TakenOver(Conflicting):
    """Another relay publishes the same events now."""


class Relay:
    """Publishes what one channel brings until it is done or `stop` is set. `events` and `position`: how far it is."""

    def __init__(
        self,
        channel: Channel,
        database: Database,
        cluster: Cluster,
        publication: Publication,
        order: Order,
        stop: threading.Event,
        tell: Tell,
    ) -> None:
        self.name = channel.name
        self.channel = channel
        self.prefix = publication.prefix
        self.cluster = cluster
        self.order = order
        self.stop = stop
        self.session = uuid4()
        self.events = 0
        self.position = 0
        self.is_recovered = False
        self.until: int | None = None
        self._database = database
        self._tell = tell

    def run(self) -> None:
        """Publishes. Where a service is away, waits for it with growing pauses.

        Raises Unreachable where it stays away and the relay is not to follow, Refused where the brokers do not let it
        in; TakenOver once another relay publishes; UsageError, InputError and ReplayhouseError for what a person must
        decide.
        """
        pause, away_since, is_first = _FIRST_PAUSE_SECONDS, None, True
        while not self.stop.is_set():
            done = self.events
            try:
                with self._database.connect(f"replayhouse publish {self.name}", autocommit=True) as conn:
                    self._take_turn(conn, is_first)
                return
            except TakenOver:
                happened(Happening.RELAY_FENCED, relay=self.name, position=self.position)
                raise
            except Refused:
                raise
            except Fenced:  # by another relay, which the next turn finds out; or the brokers had waited too long
                is_first = False
            except (Unreachable, Conflicting) as error:  # Conflicting: a lock of the database was not to be had
                is_first = False
                now = time.monotonic()
                if self.events > done or away_since is None:
                    pause, away_since = _FIRST_PAUSE_SECONDS, now
                    happened(Happening.RELAY_WAITING, relay=self.name, error=type(error).__name__)
                    self._tell(f"{self.name}: {error} Waiting.")
                if not self.order.follow and now - away_since > PATIENCE_SECONDS:
                    raise
                self.stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _take_turn(self, conn: psycopg.Connection, is_first: bool) -> None:
        """One connection and one producer, until all is done or something goes wrong; then the table says what."""
        with translated():
            if is_first:
                relays.claim(conn, self.name, self.session)
            elif not relays.is_claimed(conn, self.name, self.session):
                raise TakenOver(
                    f"Another relay publishes {self.name} now: this one has ended. Events are published once all "
                    "the same; let one relay run for each context."
                )
            try:
                _Turn(self, conn).run()
            except ReplayhouseError as error:
                waits = isinstance(error, Unreachable | Conflicting) and not isinstance(error, Refused | TakenOver)
                with suppress(psycopg.Error):  # where that is away too, nobody can be told
                    self.tell_state(conn, "waiting" if waits else "refused", str(error))
                raise
            self.tell_state(conn, "ended")
            happened(Happening.RELAY_ENDED, relay=self.name, position=self.position, events=self.events)

    def tell_state(self, conn: psycopg.Connection, state: str, error: str | None = None) -> None:
        """Says in the database how the relay is."""
        position = self.position or None
        relays.tell_state(conn, self.name, self.session, state, position=position, error=error)


class _Turn:
    """What one producer publishes."""

    def __init__(self, relay: Relay, conn: psycopg.Connection) -> None:
        self._relay = relay
        self._conn = conn
        self._channel = relay.channel
        self._log = ContextLog(conn, relay.channel.context)
        self._beginning = relay.channel.beginning(relay.cluster, self._log)
        self._checked_at = self._told_at = time.monotonic()

    def run(self) -> None:
        relay = self._relay
        self._conn.execute(_LISTEN)
        facts = self._beginning.facts()
        producer = relay.cluster.producer(transactional_id(relay.prefix, relay.name))
        with closing(producer):
            producer.start()
            self._end_hanging(facts)
            position = self._find(producer, facts)
            relay.position = position.position
            if relay.until is None and not relay.order.follow:
                relay.until = self._log.head()
            relay.tell_state(self._conn, "publishing")
            happened(Happening.RELAY_OPENED, relay=relay.name, position=position.position)
            self._publish(producer, facts, position)

    def _end_hanging(self, facts: TopicFacts) -> None:
        """Readers, this relay first, would wait for ever for a transaction that the brokers have forgotten."""
        relay = self._relay
        topics = {self._channel.topic: facts.partitions, positions_topic(relay.prefix): 1}
        if relay.cluster.end_hanging(transactional_id(relay.prefix, relay.name), topics):
            relay._tell(f"{relay.name}: ended a transaction that the brokers had left open for good.")

    def _find(self, producer: TransactionalProducer, facts: TopicFacts) -> Position:
        """Where to go on. A position that was recovered is written down before anything is published."""
        relay = self._relay
        if not relay.order.recover or relay.is_recovered:
            return self._beginning.find(facts)
        position = self._beginning.recover(facts)
        producer.publish([record_of(relay.prefix, relay.name, position)])
        relay.is_recovered = True
        relay._tell(
            f"{relay.name}: goes on after position {position.position:,}, the last one on {self._channel.topic}."
        )
        return position

    def _publish(self, producer: TransactionalProducer, facts: TopicFacts, position: Position) -> None:
        relay = self._relay
        while not relay.stop.is_set():
            end = self._log.head() if relay.until is None else relay.until
            begun = time.monotonic()
            with span(Work.PUBLISHING, relay=relay.name) if not relay.order.follow else nullcontext():
                published, position = self._publish_window(producer, facts, position, end)
            if published:
                seconds, reached = time.monotonic() - begun, position.position
                happened(
                    Happening.RELAY_PUBLISHED, relay=relay.name, position=reached, events=published, seconds=seconds
                )
            if published >= EVENTS_A_WINDOW:
                self._tell("publishing")
                continue
            if not relay.order.follow:
                return
            self._tell("following", is_new=published > 0)
            if time.monotonic() > self._checked_at + CHECK_SECONDS:
                self._check(producer, position)
            for _ in self._conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

    def _publish_window(
        self, producer: TransactionalProducer, facts: TopicFacts, position: Position, end: int
    ) -> tuple[int, Position]:
        """Publishes the next events, as many as a window has; how many they were, and the position after them."""
        relay, published = self._relay, 0
        store = position.store or (self._log.store() or b"").hex()
        after, bounds = position.position, Bounds(EVENTS_A_TRANSACTION, BYTES_A_TRANSACTION, EVENTS_A_WINDOW)
        with closing(
            self._channel.transactions(self._conn, self._log, after, end, bounds, relay._tell)
        ) as transactions:
            for transaction in transactions:
                version = self._channel.fold_version
                position = position_at(transaction.position, transaction.standing, facts, store, version)
                record = record_of(relay.prefix, relay.name, position)
                producer.publish([*transaction.messages, record])
                relay.position = position.position
                relay.events += transaction.events
                published += transaction.events
                if relay.stop.is_set():
                    break
        return published, position

    def _check(self, producer: TransactionalProducer, position: Position) -> None:
        """Whether the topic is still the one that was published to, and this relay still the one that publishes."""
        self._checked_at = time.monotonic()
        facts = self._beginning.facts()
        if position.position:
            self._beginning.refuse_changed(position, facts)
            producer.publish([record_of(self._relay.prefix, self._relay.name, position)])

    def _tell(self, state: str, *, is_new: bool = True) -> None:
        now = time.monotonic()
        if is_new or now > self._told_at + _TELL_SECONDS:
            self._told_at = now
            self._relay.tell_state(self._conn, state)
