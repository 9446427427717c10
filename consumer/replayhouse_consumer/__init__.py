"""Consumes the events of a replayhouse warehouse from Kafka: typed, each handled exactly once, rewinds done for you."""

from replayhouse_consumer.consumer import Consumer
from replayhouse_consumer.counts import Counts
from replayhouse_consumer.errors import (
    ConsumerError,
    Hole,
    Misuse,
    OtherTopic,
    Poison,
    Refused,
    Stuck,
    UnknownEvent,
)
from replayhouse_consumer.event import Envelope, Event, Sealed
from replayhouse_consumer.handlers import Stream

__all__ = [
    "Consumer",
    "ConsumerError",
    "Counts",
    "Envelope",
    "Event",
    "Hole",
    "Misuse",
    "OtherTopic",
    "Poison",
    "Refused",
    "Sealed",
    "Stream",
    "Stuck",
    "UnknownEvent",
]
