"""From a batch of messages to handled events: all at once, one by one where that fails, past what nobody can handle."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from replayhouse_consumer.counts import Counts
from replayhouse_consumer.dead_letters import DeadLetters
from replayhouse_consumer.errors import ConsumerError, Poison, Stuck
from replayhouse_consumer.handling import Handling
from replayhouse_consumer.inbox import Move, Overtaken, Partition
from replayhouse_consumer.intake import is_passing
from replayhouse_consumer.message import Message
from replayhouse_consumer.telling import LOG, legible

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 30.0

T = TypeVar("T")


class Stopping(Exception):  # noqa: N818 - it is no error: the consumer was told to end while it waited
    """The consumer is to end; what is at hand is left for the next run."""


class Patience:
    """Waits between attempts, longer each time, until it is told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()

    def pause(self, attempt: int) -> None:
        """Waits after an attempt, counted from 1. Raises Stopping as soon as the consumer is to end."""
        if self.stopping.wait(min(SHORTEST_PAUSE_SECONDS * 2 ** min(attempt, 20), LONGEST_PAUSE_SECONDS)):
            raise Stopping

    def until_done(self, attempt: Callable[[], T], is_passing: Callable[[BaseException], bool]) -> T:
        """Tries as long as it fails with what passes. Raises Stopping, and anything else that the attempt raises."""
        for number in range(1, 2**31):
            try:
                return attempt()
            except Exception as error:
                if not is_passing(error):
                    raise
                LOG.warning("Waiting, to try again: %s", error)
            self.pause(number)
        raise Stopping


class Delivery:
    """Delivers messages to the handling, in order, and knows which offset comes next."""

    def __init__(
        self, handling: Handling, patience: Patience, tries: int, dead_letters: DeadLetters | None, counts: Counts
    ) -> None:
        self._handling = handling
        self._patience = patience
        self._tries = tries
        self._dead_letters = dead_letters
        self._counts = counts
        self.next: dict[Partition, int] = {}

    def deliver(self, messages: Sequence[Message]) -> None:
        """Handles messages, each partition's in order, from its next offset on.

        Raises Overtaken where another consumer was quicker, Stopping, and ConsumerError.
        """
        if all(message.event is not None for message in messages):
            try:
                return self._together(messages)
            except (Overtaken, Stopping, ConsumerError):
                raise
            except Exception as error:  # of a handler, whatever it is
                if len(messages) > 1:
                    LOG.info("A batch of %d messages failed, each is handled by itself: %s", len(messages), error)
        for message in messages:
            self._alone(message)
        return None

    def skip_to(self, offsets: dict[Partition, int]) -> None:
        """Moves past offsets at which there are no messages. Raises Overtaken and Stopping."""
        if offsets:
            self._moved([Move(partition, self.next[partition], to) for partition, to in offsets.items()], ())

    def _together(self, messages: Sequence[Message]) -> None:
        ends = {message.partition: message.offset + 1 for message in messages}
        self._moved([Move(partition, self.next[partition], end) for partition, end in ends.items()], messages)

    def _moved(self, moves: Sequence[Move], messages: Sequence[Message]) -> None:
        events = [message.event for message in messages if message.event is not None]
        self._count(self._with_inbox(lambda: self._handling.handle(moves, events)), moves)

    def _alone(self, message: Message) -> None:
        if message.event is None:
            return self._put_aside(message, message.fault, None)
        for attempt in range(1, self._tries + 1):
            try:
                return self._together([message])
            except (Overtaken, Stopping, ConsumerError):
                raise
            except Poison as error:
                return self._put_aside(message, str(error), error)
            except Exception as error:  # of a handler, whatever it is
                if attempt == self._tries:
                    return self._put_aside(message, f"{type(error).__name__}: {_first_line(error)}", error)
            self._patience.pause(attempt)
        return None

    def _put_aside(self, message: Message, reason: str, cause: Exception | None) -> None:
        told = message.type or "a message"
        place = f"{told} at offset {message.offset} of {message.partition.topic}, partition {message.partition.number}"
        letters = self._dead_letters
        if letters is None:
            raise Stuck(
                f"{place} cannot be handled: {reason}. Mend the handler, or give the consumer a topic for dead letters."
            ) from cause
        self._patience.until_done(lambda: letters.send(message, reason), is_passing)
        LOG.error("%s went to %s: %s", place, letters.topic, reason)
        move = Move(message.partition, self.next[message.partition], message.offset + 1)
        self._count(self._with_inbox(lambda: self._handling.put_aside(move, message.event, legible(reason))), [move])

    def _with_inbox(self, attempt: Callable[[], Counts]) -> Counts:
        return self._patience.until_done(attempt, self._handling.inbox.is_passing)

    def _count(self, counts: Counts, moves: Sequence[Move]) -> None:
        self._counts.add(counts)
        self.next.update((move.partition, move.to) for move in moves)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
