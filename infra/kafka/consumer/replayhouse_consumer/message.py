"""A message as Kafka delivers it, and what it says if it is an event."""

from dataclasses import dataclass
from typing import Any

from replayhouse_consumer.inbox import Partition
from replayhouse_consumer.received import NotAnEvent, Received, received_of


@dataclass(frozen=True, slots=True)
class Message:
    """A record of a partition. `event` is None where it is no event of a relay; `fault` then says why."""

    partition: Partition
    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    event: Received | None
    fault: str = ""

    def header(self, name: str) -> str | None:
        """The text of a header, if there is one that is text."""
        text = dict(self.headers).get(name)
        return None if text is None else text.decode(errors="replace")


def message_of(partition: Partition, record: Any) -> Message:
    """The message of a record as kafka-python has it."""
    headers = tuple(record.headers)
    try:
        event, fault = received_of(record.key, record.value, headers), ""
    except NotAnEvent as error:
        event, fault = None, str(error)
    return Message(partition, record.offset, record.value, headers, event, fault)
