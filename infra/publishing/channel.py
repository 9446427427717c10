"""What a relay publishes on which topic: the events of a context, or what has become of its rows."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import NamedTuple, Protocol

import psycopg

from replayhouse.infra.publishing.log_messages import LogMessages
from replayhouse.infra.publishing.log_reader import ContextLog
from replayhouse.infra.publishing.names import events_topic, source_of, state_topic
from replayhouse.infra.publishing.personal import PersonalFields
from replayhouse.infra.publishing.ports import Cluster, History, LogEntry, Outgoing, Publication
from replayhouse.infra.publishing.position import Beginning, BeginningOfRows
from replayhouse.infra.publishing.state import State
from replayhouse.projections.warehouse import PROJECTIONS

Tell = Callable[[str], None]
"""Takes what a person should know."""


class Bounds(NamedTuple):
    """How many events of the log a transaction takes at most, and, but for the last of them, how many bytes.

    `window` is how many events are taken at once: of about that many are the transactions of one call.
    """

    events: int
    bytes: int
    window: int


class Transaction(NamedTuple):
    """Messages that go together, how many events of the log they are of, and where the last of these stands."""

    messages: list[Outgoing]
    events: int
    position: int
    standing: LogEntry


class Channel(Protocol):
    """What one relay publishes. Its `name` is that of the relay; rows have the `fold_version` of their context."""

    name: str
    context: str
    topic: str
    fold_version: int | None

    def beginning(self, cluster: Cluster, history: History) -> Beginning:
        """Where its relay starts."""

    def transactions(
        self, conn: psycopg.Connection, log: ContextLog, after: int, end: int, bounds: Bounds, tell: Tell
    ) -> Generator[Transaction]:
        """The next ones after a position up to `end`. Close it where it is left before its end."""


def channels_of(publication: Publication, contexts: Iterable[str]) -> list[Channel]:
    """The events of each context, and the rows of those that the setting `state` names. Raises UsageError."""
    channels: list[Channel] = []
    for context in contexts:
        channels.append(Events(publication, context))
        if context in publication.with_state:
            channels.append(Rows(publication, context))
    return channels


class Events:
    """The events of a context, each a message."""

    def __init__(self, publication: Publication, context: str) -> None:
        self._publication = publication
        self.name = self.context = context
        self.fold_version: int | None = None
        self.topic = events_topic(publication.prefix, context)
        source = source_of(publication.prefix, context).encode()
        self._messages = LogMessages(context, self.topic, source, PersonalFields(publication.personal))

    def beginning(self, cluster: Cluster, history: History) -> Beginning:
        """After the newest event that the topic holds."""
        return Beginning(cluster, self._publication, self, history)

    def transactions(
        self, conn: psycopg.Connection, log: ContextLog, after: int, end: int, bounds: Bounds, tell: Tell
    ) -> Generator[Transaction]:
        """So many events and bytes in each."""
        blocks = self._messages.blocks(conn, after, end, bounds.window, bounds.events, bounds.bytes)
        with closing(blocks):
            for messages, position, standing in blocks:
                yield Transaction(messages, len(messages), position, standing)


class Rows:
    """The rows of a context's tables, each a message whenever it changes."""

    def __init__(self, publication: Publication, context: str) -> None:
        self._publication = publication
        self.name = f"{context}.state"
        self.context = context
        self.topic = state_topic(publication.prefix, context)
        self.fold_version: int | None = PROJECTIONS[context].version

    def beginning(self, cluster: Cluster, history: History) -> Beginning:
        """By what the relay has written down, or with an empty topic."""
        return BeginningOfRows(cluster, self._publication, self, history)

    def transactions(
        self, conn: psycopg.Connection, log: ContextLog, after: int, end: int, bounds: Bounds, tell: Tell
    ) -> Generator[Transaction]:
        """What a window of the log has made of the rows in each."""
        events = 0
        for window in State(conn, self.context, tell).windows(after, end, bounds.events):
            standing = log.standing(window.position)
            assert standing is not None  # the window ends with that event
            messages = [Outgoing(self.topic, key, value, []) for key, value in window.changes]
            yield Transaction(messages, window.events, window.position, standing)
            events += window.events
            if events >= bounds.window:
                return
