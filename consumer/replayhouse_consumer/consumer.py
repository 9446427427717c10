"""The consumer: subscribes to contexts, and hands their events to handlers, each exactly once."""

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from kafka.errors import KafkaConfigurationError, KafkaError

from replayhouse_consumer.counts import Counts
from replayhouse_consumer.dead_letters import DeadLetters
from replayhouse_consumer.delivery import Delivery, Patience, Stopping, T
from replayhouse_consumer.errors import ConsumerError, Misuse, Refused
from replayhouse_consumer.event import Event
from replayhouse_consumer.events import EVENTS
from replayhouse_consumer.handlers import H, Handlers, S
from replayhouse_consumer.handling import Handling
from replayhouse_consumer.inbox import Inbox, Overtaken, Parked
from replayhouse_consumer.intake import Intake, for_other_clients, is_passing, topic_ids
from replayhouse_consumer.opening import open_inbox
from replayhouse_consumer.telling import LOG


class Consumer:
    """A member of a group of consumers.

    `bootstrap`: brokers as `host:port`. `group`: its name; its members share the work, and an inbox.
    `contexts`: whose topics to read (`<prefix>.<context>.events.v1`).
    `inbox`: a SQLite file, or a `postgresql://` URL, where the handlers' tables are too. `tables`: SQL that makes those
    if they are not there, run at each start.
    `dead_letters`: True or the name of a topic where messages go that cannot be handled; otherwise they end the run.
    `on_unknown`: whether an event of an unknown type or version is passed over and counted, or ends the run.
    `tries`: how often a handler is given an event before it counts as one that cannot be handled.
    `batch`: the most messages that are handled in one transaction.
    `kafka`: further keyword arguments of kafka-python's KafkaConsumer, such as security_protocol and sasl_mechanism.
    """

    def __init__(
        self,
        bootstrap: str | Sequence[str],
        *,
        group: str,
        contexts: Collection[str],
        inbox: str | Path,
        tables: str = "",
        prefix: str = "replayhouse",
        dead_letters: bool | str = False,
        on_unknown: Literal["skip", "stop"] = "skip",
        tries: int = 3,
        batch: int = 500,
        kafka: Mapping[str, Any] | None = None,
        events: Mapping[str, type[Event]] = EVENTS,
    ) -> None:
        if isinstance(contexts, str) or not contexts:
            raise Misuse("contexts is a list of one or more, such as ['sales'].")
        if tries < 1 or batch < 1:
            raise Misuse("tries and batch are 1 or more.")
        self.counts = Counts()
        self._group, self._prefix = group, prefix
        self._contexts = tuple(contexts)
        self._topics = [f"{prefix}.{context}.events.v1" for context in contexts]
        self._inbox, self._tables = inbox, tables
        self._dead_letters = f"{prefix}.{group}.dead.v1" if dead_letters is True else dead_letters or None
        self._on_unknown: Literal["skip", "stop"] = on_unknown
        self._tries, self._batch = tries, batch
        self._client = {"bootstrap_servers": bootstrap, "client_id": f"replayhouse-consumer-{group}", **(kafka or {})}
        self._handlers = Handlers(events)
        self._patience = Patience()

    def stream(self, context: str) -> Callable[[S], S]:
        """Decorates `def changed(stream: Stream, db) -> None`, called once a batch for each stream that it touched.

        The way to keep a read model right: derive the rows of the stream from `stream.events`, and write those.
        """
        return self._handlers.stream(context)

    def on(self, event_type: type[Event], *, ignore_rewinds: bool = False) -> Callable[[H], H]:
        """Decorates `def handler(event, db) -> None`, called once for each event of a class, in order of its stream.

        Where a load can take such events back, `taken_back` must be given too, or `ignore_rewinds=True`.
        """
        return self._handlers.on(event_type, ignore_rewinds)

    def taken_back(self, event_type: type[Event]) -> Callable[[H], H]:
        """Decorates `def handler(event, db) -> None`, called once for each event that was handed to `on` and that a
        Rewound takes back, newest first.
        """
        return self._handlers.taken_back(event_type)

    def run(self, *, to_end: bool = False) -> Counts:
        """Consumes until SIGTERM, SIGINT or `stop()`; or, `to_end`, what was there when it began.

        While brokers or the inbox's database are away it waits, with growing pauses. Raises ConsumerError where it
        cannot go on; whatever was not handled by then is read again by the next run. One thread at a time.
        """
        self._handlers.check(self._contexts)
        with self._signals(), self._opened() as inbox:
            letters = self._letters()
            delivery = Delivery(self._handling(inbox), self._patience, self._tries, letters, self.counts)
            try:
                with closing(self._patiently(self._connected)) as intake:
                    self._consume(intake, delivery, inbox, to_end)
            except Stopping:
                LOG.info("Told to stop.")
            finally:
                if letters is not None:
                    letters.close()
        return self.counts

    def stop(self) -> None:
        """Ends `run` once the batch at hand is handled; from another thread, or from a handler. It runs no more."""
        self._patience.stopping.set()

    def parked(self) -> list[Parked]:
        """The streams that are parked: after an event that could not be handled, theirs are kept and not handed out."""
        with self._opened() as inbox:
            return inbox.all_parked()

    def retry_parked(self) -> list[Parked]:
        """Hands out what was kept of parked streams. Those that fail again stay parked, and are returned."""
        self._handlers.check(self._contexts)
        with self._opened() as inbox:
            handling = self._handling(inbox)
            for parked in inbox.all_parked():
                try:
                    handling.retry(parked)
                except ConsumerError:
                    raise
                except Exception as error:  # of a handler, whatever it is
                    if inbox.is_passing(error):
                        raise
                    LOG.error("Stream %s (%s) stays parked: %s", parked.stream, parked.context, error)
            return inbox.all_parked()

    def _consume(self, intake: Intake, delivery: Delivery, inbox: Inbox, to_end: bool) -> None:
        while not self._patience.stopping.is_set():
            try:
                offsets = self._patiently(partial(intake.settle, inbox), inbox)
                if offsets is not None:
                    delivery.next = offsets
                messages = self._patiently(intake.poll)
                if messages:
                    delivery.deliver(messages)
                if not messages or (to_end and len(messages) < self._batch):
                    delivery.skip_to(intake.beyond(delivery.next))
                del messages  # before the next are made
            except Overtaken:
                LOG.info("Another consumer of the group has handled what was at hand; going on from the inbox.")
                intake.hold()
                continue
            intake.tell(delivery.next)
            if to_end and intake.is_at_end(delivery.next):
                break
        intake.tell(delivery.next, at_once=True)

    def _connected(self) -> Intake:
        topic_ids([*self._topics, *([self._dead_letters] if self._dead_letters else [])], self._client)
        return Intake(self._group, self._topics, self._batch, self._client)

    def _letters(self) -> DeadLetters | None:
        if self._dead_letters is None:
            return None
        return DeadLetters(self._dead_letters, self._group, self._handlers.known, for_other_clients(self._client))

    def _handling(self, inbox: Inbox) -> Handling:
        return Handling(inbox, self._handlers, self._on_unknown)

    @contextmanager
    def _opened(self) -> Iterator[Inbox]:
        with closing(open_inbox(self._inbox, self._group, self._prefix)) as inbox:
            if self._tables:
                inbox.make_tables(self._tables)
            yield inbox

    def _patiently(self, attempt: Callable[[], T], inbox: Inbox | None = None) -> T:
        def passes(error: BaseException) -> bool:
            return is_passing(error) or (inbox is not None and inbox.is_passing(error))

        try:
            return self._patience.until_done(attempt, passes)
        except KafkaConfigurationError as error:
            raise Misuse(f"kafka-python does not take its settings: {error}.") from error
        except KafkaError as error:
            raise Refused(f"The brokers do not let the consumer go on: {error}.") from error

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the run cleanly, where this is the main thread: others may not listen to signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_signal: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
