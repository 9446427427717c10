"""Why a consumer ends, as one tree; and Poison, which a handler raises.

ConsumerError
├── Misuse        it was put together in a way that makes no sense, or a handler did what it must not
├── Refused       the brokers do not let it in, or do not have the topics
├── Hole          events are missing: what comes next is no longer, or not, on the topic
├── OtherTopic    the topic is not the one that was read so far
├── UnknownEvent  of a type or version that it was told to stop at, or cannot do without
└── Stuck         a message that cannot be handled, and nowhere to put it

Each message is one or two plain sentences: what is wrong, where, what to do. Whatever is passing (brokers away, a
database that restarts) is no error here: the consumer waits and tries again.
"""

# ruff: noqa: N818 - the names say what is the matter; "Error" behind each would add nothing

from replayhouse_consumer.telling import legible


class ConsumerError(Exception):
    """Why a consumer cannot go on. Nothing is half done: whatever was not handled is read again by the next run."""

    def __init__(self, *message: object) -> None:
        super().__init__(*(legible(str(part)) for part in message))


class Misuse(ConsumerError):
    """The consumer was put together in a way that makes no sense, or a handler did what it must not."""


class Refused(ConsumerError):
    """The brokers do not let the consumer in, or do not have its topics."""


class Hole(ConsumerError):
    """Events are missing between the last one handled and the next one that can be had."""


class OtherTopic(ConsumerError):
    """The topic is not the one that was read so far: it was deleted and made again, or cut off."""


class UnknownEvent(ConsumerError):
    """An event of a type or version that this kit has no class for, where that must not be passed over."""


class Stuck(ConsumerError):
    """A message that cannot be handled. Its cause is what the handler raised."""


class Poison(Exception):
    """Raised by a handler: this event can never be handled, so do not try again. The text is the reason given."""
