"""Events read back from Kafka as any read_committed consumer sees them, up to the ends that were found at the start.

Whoever reads asks for the next message of a partition, or for all of them by position; what other partitions have
brought meanwhile waits, and a partition that has brought enough is paused: memory stays bounded whatever the topics
hold. An end may lie behind the mark of a transaction, which no message reaches: the consumer's position does.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import heapify, heapreplace
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from replayhouse.infra.kafka.clients import kafka_python_config
from replayhouse.infra.kafka.connectivity import reach
from replayhouse.infra.kafka.errors import translated_kafka
from replayhouse.infra.kafka.records import read_within_bounds
from replayhouse.infra.publishing.message import Headers
from replayhouse.infra.publishing.names import events_topic
from replayhouse.infra.runtime.errors import InputError, Unreachable, UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

_ANSWER_MS = 30_000
_STALLED_SECONDS = 30.0
_MARK_SECONDS = 2.0
_POLL_MS = 50  # what a poll waits for in vain where nothing is left but the mark of a transaction
_FOLLOW_POLL_MS = 250
# All that has come is taken at once: of a partition that is paused while some of its records were handed out and some
# were not, kafka-python 3.0.12 may never hand out the rest. So what is fetched at once must be little.
_MESSAGES_A_POLL = 2**31 - 1
_FETCHED_BYTES, _FETCHED_BYTES_A_PARTITION = 4 * 2**20, 2**18
_MOST_BYTES = 16 * 2**20  # of what waits, over all partitions
_LEAST_BYTES_A_PARTITION, _MOST_BYTES_A_PARTITION = 64 * 2**10, 2**20
_TOO_LARGE = 2**63
_BYTES_BESIDE_VALUE = 500  # about what key and headers take

Place = tuple[str, int]
"""A partition: its context and its number."""


class Received(NamedTuple):
    """A message as it stands on the topic of a context."""

    context: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def where(self) -> str:
        """For people: `sales, partition 3, offset 1041`."""
        return f"{self.context}, partition {self.partition}, offset {self.offset}"

    @property
    def position(self) -> int:
        """Its event's position in the log. Raises InputError for a message that tells none."""
        for name, value in self.headers:
            if name == "ce_position":
                try:
                    position = int(value)
                except (ValueError, TypeError):  # of a header that is null
                    break
                if 0 < position < _TOO_LARGE:
                    return position
        raise InputError(f"A message ({self.where}) tells no position in the log: it is no event of a relay.")


@contextmanager
def reading(kafka: KafkaSettings, bootstrap: str, contexts: Iterable[str]) -> Iterator["Topics"]:
    """The topics of some contexts, read from their beginning to the ends that they have now, while the block runs.

    Raises UsageError where a topic does not exist, Unreachable where Kafka does not answer, here or in the block.
    """
    reach(kafka, bootstrap)
    read_within_bounds()
    with translated_kafka(bootstrap, kafka):
        consumer = KafkaConsumer(
            **kafka_python_config(kafka, bootstrap),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_poll_records=_MESSAGES_A_POLL,
            fetch_max_bytes=_FETCHED_BYTES,
            max_partition_fetch_bytes=_FETCHED_BYTES_A_PARTITION,
        )
        try:
            yield Topics(consumer, kafka.prefix, tuple(contexts))
        finally:
            consumer.close()


class Topics:
    """The topics of some contexts: how many partitions they have, from where to where they are read, what they hold.

    `begins` and `ends` are offsets: of the first message that is kept, and of what comes after the last one that was
    committed when reading began. An open transaction hides what stands behind its beginning.
    """

    def __init__(self, consumer: KafkaConsumer, prefix: str, contexts: Sequence[str]) -> None:
        self._consumer = consumer
        self._topics = {events_topic(prefix, context): context for context in contexts}
        self.partitions = {context: self._number_of(topic) for topic, context in self._topics.items()}
        self._taken = {
            (context, number): TopicPartition(topic, number)
            for topic, context in self._topics.items()
            for number in range(self.partitions[context])
        }
        consumer.assign(list(self._taken.values()))
        begins = consumer.beginning_offsets(list(self._taken.values()), timeout_ms=_ANSWER_MS)
        ends = consumer.end_offsets(list(self._taken.values()), timeout_ms=_ANSWER_MS)
        self.begins: dict[Place, int] = {place: begins[taken] for place, taken in self._taken.items()}
        self.ends: dict[Place, int] = {place: ends[taken] for place, taken in self._taken.items()}
        self._enough = max(
            _LEAST_BYTES_A_PARTITION, min(_MOST_BYTES_A_PARTITION, _MOST_BYTES // max(1, len(self._taken)))
        )
        self.start()

    def _number_of(self, topic: str) -> int:
        found = self._consumer.partitions_for_topic(topic)
        if not found:
            raise UsageError(
                f"There is no topic {topic}: 'replayhouse kafka topics --apply' makes it, 'replayhouse publish' fills "
                "it. If it has another name, REPLAYHOUSE_KAFKA_PREFIX is not that of whoever publishes."
            )
        return len(found)

    def start(self, at: Mapping[Place, int] | None = None) -> None:
        """Reads from these offsets on, by place; from the beginning where none is told. What was waiting is dropped."""
        self._waiting: dict[Place, deque[Received]] = {place: deque() for place in self._taken}
        self._bytes = dict.fromkeys(self._taken, 0)
        self._unfinished = set[Place]()
        self._paused = set[Place]()
        for place, taken in self._taken.items():
            offset = max(self.begins[place], (at or {}).get(place, 0))
            self._consumer.seek(taken, offset)
            self._consumer.resume(taken)
            if offset < self.ends[place]:
                self._unfinished.add(place)
            else:
                self._pause(place)

    def head(self, place: Place) -> Received | None:
        """The next message of a partition, which stays; None at its end. Waits for it, not for ever (Unreachable)."""
        waiting = self._waiting[place]
        if not waiting and place in self._unfinished:
            self._fill(place)
        return waiting[0] if waiting else None

    def take(self, place: Place) -> Received:
        """The message that `head` gave, which goes."""
        message = self._waiting[place].popleft()
        self._bytes[place] -= _size_of(message)
        return message

    def waiting(self, place: Place) -> Iterable[Received]:
        """What has come of a partition and was not taken, in its order; more may follow."""
        return self._waiting[place]

    def messages(self) -> Iterator[list[Received]]:
        """All messages, some at a time: those of a partition in their order, partitions as they come."""
        while self._unfinished or any(self._waiting.values()):
            for place, waiting in self._waiting.items():
                if waiting:
                    yield list(waiting)
                    waiting.clear()
                    self._bytes[place] = 0
            if self._unfinished:
                self._fill(None)

    def by_position(self) -> Iterator[Received]:
        """All messages of all partitions, merged by the positions of their events.

        What tells no position comes right after the message before it.
        """
        heads = [(self._position_at(place, 0), place) for place in self._taken if self.head(place) is not None]
        heapify(heads)
        while heads:
            position, place = heads[0]
            yield self.take(place)
            if self.head(place) is not None:
                heapreplace(heads, (self._position_at(place, position), place))
            else:
                heads[0] = heads[-1]
                heads.pop()
                heapify(heads)

    def last(self, number: int) -> list[Received]:
        """The newest messages of all partitions together, at most so many, by position."""
        every = [message for of_place in self._tails(number).values() for message in _with_positions(of_place)]
        return [message for _, message in sorted(every, key=lambda known: known[0])][-number:]

    def newest(self) -> dict[str, int]:
        """The highest position that each context's topic holds; 0 where it holds none."""
        found = dict.fromkeys(self.partitions, 0)
        for (context, _), tail in self._tails(1).items():
            found[context] = max([found[context], *(position for position, _ in _with_positions(tail))])
        return found

    def _tails(self, number: int) -> dict[Place, deque[Received]]:
        """The last messages of each partition, so many at most."""
        step = max(64, 2 * number)
        while True:
            starts = {place: max(self.begins[place], end - step) for place, end in self.ends.items()}
            self.start(starts)
            found: dict[Place, deque[Received]] = {place: deque(maxlen=number) for place in self._taken}
            for some in self.messages():
                found[some[0].context, some[0].partition].extend(some)
            if all(len(found[place]) == number or starts[place] == self.begins[place] for place in found):
                return found
            step *= 4  # marks of transactions, and messages that were never committed, are counted by offsets too

    def has_more(self, place: Place) -> bool:
        """Whether a partition that was read to its end has a later one by now, up to which it is read then.

        A transaction is committed on one partition after the other: where the mark of one may be on its way, it is
        waited for a little.
        """
        taken = self._taken[place]
        deadline = time.monotonic() + _MARK_SECONDS
        while True:
            end = self._consumer.end_offsets([taken], timeout_ms=_ANSWER_MS)[taken]
            if end > self.ends[place]:
                self.ends[place] = end
                self._unfinished.add(place)
                return True
            highest = self._consumer.highwater(taken)
            if (highest is not None and highest <= end) or time.monotonic() > deadline:
                return False
            time.sleep(_POLL_MS / 1000)

    def newer(self, is_enough: Callable[[], bool]) -> Iterator[list[Received]]:
        """What comes after the ends, some at a time, by position within these, until it is enough; waits for ever."""
        self._consumer.resume(*self._taken.values())
        for place, taken in self._taken.items():
            self._consumer.seek(taken, self.ends[place])
        while not is_enough():
            found = [
                _received(self._topics[taken.topic], record)
                for taken, records in self._consumer.poll(timeout_ms=_FOLLOW_POLL_MS).items()
                for record in records
            ]
            yield sorted(found, key=partial(_position_or, 0))

    def _position_at(self, place: Place, before: int) -> int:
        return _position_or(before, self._waiting[place][0])

    def _fill(self, wanted: Place | None) -> None:
        """Waits until something has come of a partition, or of any, or its end is reached. Raises Unreachable."""
        deadline = time.monotonic() + _STALLED_SECONDS
        for place in [place for place in self._paused & self._unfinished if 2 * self._bytes[place] <= self._enough]:
            self._paused.discard(place)
            self._consumer.resume(self._taken[place])
        while True:
            left = len(self._unfinished)
            came = self._poll()
            if came or len(self._unfinished) < left:
                deadline = time.monotonic() + _STALLED_SECONDS
                if wanted is None or self._waiting[wanted] or wanted not in self._unfinished:
                    return
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"Kafka has sent nothing for {_STALLED_SECONDS:.0f} s, though there is more to read: "
                    "see whether all its brokers are well."
                )

    def _poll(self) -> bool:
        """Takes in what has come, if anything did, and notices which partitions are at their end."""
        found = self._consumer.poll(timeout_ms=_POLL_MS)
        for taken, records in found.items():
            context = self._topics[taken.topic]
            place = context, taken.partition
            end, waiting = self.ends[place], self._waiting[place]
            size = 0
            for record in records:
                if record.offset < end:
                    message = _received(context, record)
                    waiting.append(message)
                    size += _size_of(message)
            self._bytes[place] += size
            if self._bytes[place] >= self._enough:
                self._pause(place)
        for place in tuple(self._unfinished):
            if self._consumer.position(self._taken[place], timeout_ms=_ANSWER_MS) >= self.ends[place]:
                self._unfinished.discard(place)
                self._pause(place)
        return bool(found)

    def _pause(self, place: Place) -> None:
        self._paused.add(place)
        self._consumer.pause(self._taken[place])


def _received(context: str, record: Any) -> Received:
    return Received(context, record.partition, record.offset, record.key, record.value, record.headers)


def _size_of(message: Received) -> int:
    return _BYTES_BESIDE_VALUE + (0 if message.value is None else len(message.value))


def _position_or(before: int, message: Received) -> int:
    try:
        return message.position
    except InputError:
        return before


def _with_positions(messages: Iterable[Received]) -> Iterator[tuple[int, Received]]:
    position = 0
    for message in messages:
        position = _position_or(position, message)
        yield position, message
