"""How far a relay is: a record beside the messages, written in their transaction, and where it may go on from there.

A relay goes on only where topic, record and log tell of the same history. Whatever else it finds it refuses, and says
what to do: an exact copy that starts from a guess is none.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from replayhouse.infra.publishing.message import LoggedEvent, event_of
from replayhouse.infra.publishing.names import positions_topic
from replayhouse.infra.publishing.ports import Cluster, Found, History, LogEntry, Outgoing, Publication, TopicFacts
from replayhouse.infra.runtime.errors import InputError, ReplayhouseError, UsageError


class MissingTopics(UsageError):  # noqa: N818 - as all of our tree are named
    """Topics that are to be published on are not there."""

    def __init__(self, names: Sequence[str], cluster: Cluster) -> None:
        told = (
            f"is no topic {names[0]}" if len(names) == 1 else f"are no topics {', '.join(names[:-1])} and {names[-1]}"
        )
        super().__init__(f"There {told}: make what is missing with {cluster.advice.make_topics}.")


class Position(msgspec.Struct, frozen=True, omit_defaults=False):
    """What the record says, as JSON.

    `position` is that of the newest event published, 0 before the first; `leaf` and `chain` (hexadecimal) are the leaf
    of that event, and the hash chain at the commit that brought it: they prove that a log is the one, or goes on from
    it. `store` is the chain of the log's first commit. `partitions` and `topic_id` are those of the topic. Of rows
    `fold_version` is that of the fold that made them; records from before it was kept are of the first.
    """

    position: int
    leaf: str | None
    partitions: int
    store: str | None
    chain: str | None = None
    topic_id: UUID | None = None
    fold_version: int | None = None


class Published(Protocol):
    """What a position is kept of: a relay by its name, its context and topic, and of rows the version of their fold."""

    name: str
    context: str
    topic: str
    fold_version: int | None


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Position)


def record_of(prefix: str, relay: str, position: Position) -> Outgoing:
    """The position's record, to be published with the messages that it speaks of."""
    return Outgoing(positions_topic(prefix), relay.encode(), _encode(position), [])


def read_position(cluster: Cluster, prefix: str, relay: str) -> Position | None:
    """The relay's record; None if it has none. Its producer must have started before: then nobody else writes it.

    Raises Unreachable, and InputError if the record is none of ours.
    """
    topic = positions_topic(prefix)
    found = cluster.last_of_key(topic, relay.encode())
    if found is None or found.value is None:
        return None
    try:
        return _decoder.decode(found.value)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InputError(
            f"The position of the relay {relay} on {topic} makes no sense: {error}. Take it anew from what the topic "
            f"of the events holds: replayhouse publish {relay} --recover."
        ) from error


def position_at(
    position: int, standing: LogEntry, facts: TopicFacts, store: str, fold_version: int | None = None
) -> Position:
    """The record's content for an event that stands in the log; `store` is the chain of its first commit."""
    leaf, chain = standing.leaf.hex(), standing.chain.hex()
    return Position(position, leaf, facts.partitions, store, chain, facts.topic_id, fold_version)


class Beginning:
    """Where the relay of a context's events starts, on topics that are there."""

    def __init__(self, cluster: Cluster, publication: Publication, channel: Published, history: History) -> None:
        self._cluster = cluster
        self._prefix = publication.prefix
        self._relay = channel.name
        self._context = channel.context
        self._fold_version = channel.fold_version
        self._topic = channel.topic
        self._history = history

    def facts(self) -> TopicFacts:
        """The topic of the events as it is. Raises UsageError if it or the one of positions is not there."""
        wanted = (self._topic, positions_topic(self._prefix))
        found = self._cluster.facts(wanted)
        if missing := [topic for topic in wanted if topic not in found]:
            raise MissingTopics(missing, self._cluster)
        return found[self._topic]

    def find(self, facts: TopicFacts) -> Position:
        """The position to go on from. Raises UsageError and ReplayhouseError for what does not fit together."""
        known = read_position(self._cluster, self._prefix, self._relay)
        newest = self._newest(facts)
        if known is None:
            if newest is not None:
                raise UsageError(
                    f"{self._topic} holds events up to position {newest.position:,}, but the relay's own position is "
                    f"missing on {positions_topic(self._prefix)}. {self._recover()}"
                )
            return Position(0, None, facts.partitions, None, None, facts.topic_id)
        self.refuse_changed(known, facts)
        self._refuse_other_topic(known, newest, facts)
        self._refuse_other_log(known)
        return known

    def recover(self, facts: TopicFacts) -> Position:
        """The position by what the topic holds: transactions are all or none, so its newest event is the last one.

        Raises ReplayhouseError where that event is not the one that the log has at its position.
        """
        newest = self._newest(facts)
        if newest is None:
            if self._cluster.has_lost_messages(self._topic, facts.partitions):
                raise ReplayhouseError(
                    f"{self._topic} is empty because its events have reached the end of their retention: nobody can "
                    f"tell from it how far the relay was. {self._start_anew()}"
                )
            return Position(0, None, facts.partitions, None, None, facts.topic_id)
        standing = self._history.standing(newest.position)
        if standing is None or (standing.leaf, standing.recorded_at) != (newest.leaf, newest.recorded_at):
            raise ReplayhouseError(f"{self._ahead(newest.position)} {self._start_anew()}")
        store = self._history.store() or b""
        return position_at(newest.position, standing, facts, store.hex())

    def refuse_changed(self, known: Position, facts: TopicFacts) -> None:
        """Raises UsageError if the topic is not the one that was published to: other partitions, or made again."""
        if known.partitions != facts.partitions:
            raise UsageError(
                f"{self._topic} has {facts.partitions} partitions, and had {known.partitions} when its events were "
                "published: events of one stream would no longer be in order, for their key has another partition "
                f"now. {self._start_anew()}"
            )
        if known.topic_id is not None and known.topic_id != facts.topic_id:
            raise UsageError(
                f"{self._topic} was deleted and made again since it was published to up to position "
                f"{known.position:,}. {self._recover()}"
            )

    def _newest(self, facts: TopicFacts) -> LoggedEvent | None:
        found = self._cluster.last_messages(self._topic, facts.partitions)
        return max(map(self._event, found), key=lambda event: event.position, default=None)

    def _event(self, message: Found) -> LoggedEvent:
        try:
            return event_of(message.key, message.value, message.headers)
        except InputError as error:
            raise InputError(
                f"The newest message of {self._topic}, partition {message.partition}, is not the relay's, so somebody "
                f"else has written there. {error} {self._start_anew()}"
            ) from error

    def _refuse_other_topic(self, known: Position, newest: LoggedEvent | None, facts: TopicFacts) -> None:
        """The newest event must be the one at the position, unless retention took it away."""
        shown = 0 if newest is None else newest.position
        if shown == known.position:
            return
        if shown < known.position and self._cluster.has_lost_messages(self._topic, facts.partitions):
            return
        raise UsageError(
            f"{self._topic} {f'holds events up to position {shown:,}' if shown else 'is empty'}, and the relay has "
            f"published up to {known.position:,}: the topic, or the one of positions, was deleted and made again, or "
            f"somebody else has written there. {self._recover()}"
        )

    def _refuse_other_log(self, known: Position) -> None:
        if known.position == 0:
            return
        store = self._history.store()
        if store is None or store.hex() != known.store:
            raise ReplayhouseError(
                f"{self._topic} holds events of another log: this store is a different one, though it has the same "
                f"prefix. {self._start_anew()}"
            )
        standing = self._history.standing(known.position)
        is_same = standing is not None and standing.leaf.hex() == known.leaf
        if standing is None or not is_same or known.chain not in (None, standing.chain.hex()):
            raise ReplayhouseError(f"{self._ahead(known.position)} {self._start_anew()}")

    def _ahead(self, position: int) -> str:
        head = self._history.head()
        what = f"the log ends at {head:,}" if position > head else "the log has another event there"
        return (
            f"{self._topic} holds events up to position {position:,}, and {what}: the store was restored from an older "
            "backup, or lost its newest events otherwise."
        )

    def _recover(self) -> str:
        return (
            f"To go on after what the topic holds: replayhouse publish {self._context} --recover. An empty topic is "
            "filled from the beginning."
        )

    def _start_anew(self) -> str:
        return (
            "What was published cannot be taken back. Restore a store that has those events, or publish everything "
            f"anew under another {self._cluster.advice.prefix} and let the consumers move there."
        )


class BeginningOfRows(Beginning):
    """Where the relay of a context's rows starts.

    An empty topic can be filled from the beginning at any time. Of one that holds rows nobody could tell which of them
    are gone since, so there the position must be known.
    """

    def find(self, facts: TopicFacts) -> Position:
        """The position to go on from. Raises UsageError and ReplayhouseError for what does not fit together."""
        known = read_position(self._cluster, self._prefix, self._relay)
        if known is None:
            if self._cluster.last_messages(self._topic, facts.partitions):
                raise UsageError(
                    f"{self._topic} holds rows, but the relay's own position is missing on "
                    f"{positions_topic(self._prefix)}. {self._start_anew()}"
                )
            return Position(0, None, facts.partitions, None, None, facts.topic_id)
        self.refuse_changed(known, facts)
        self._refuse_other_log(known)
        if known.position and (known.fold_version or 1) != self._fold_version:
            raise UsageError(
                f"{self._topic} holds rows as another version of this program folds them: going on would mix the two. "
                f"{self._start_anew()}"
            )
        return known

    def recover(self, facts: TopicFacts) -> Position:
        """From the beginning into an empty topic; else the position as it is known."""
        if self._cluster.last_messages(self._topic, facts.partitions):
            return self.find(facts)
        return Position(0, None, facts.partitions, None, None, facts.topic_id)

    def _start_anew(self) -> str:
        return (
            f"Delete the topic, make it again with {self._cluster.advice.make_topics}, and publish its rows anew: "
            f"replayhouse publish {self._context} --recover."
        )
