"""A message as Kafka delivers it, and what it says if it is an event."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from replayhouse_consumer.inbox import Partition
from replayhouse_consumer.received import NotAnEvent, Received, received_of

LONGEST_SHOWN = 500
"""So many bytes are shown of a header of a message that is no event."""

Headers = Sequence[tuple[str, bytes | None]]


class Message(NamedTuple):
    """A record of a partition. `event` is None where it is no event of a relay; `fault` then says why.

    Headers are kept of the latter only: what they say is in the event, and they take most of a record's memory.
    """

    partition: Partition
    offset: int
    value: bytes | None
    event: Received | None
    fault: str = ""
    headers: Headers = ()

    @property
    def type(self) -> str | None:
        """The CloudEvents type, if it has one."""
        return self._header("ce_type") if self.event is None else self.event.type

    @property
    def id(self) -> str | None:
        """The CloudEvents id, if it has one."""
        return self._header("ce_id") if self.event is None else self.event.id

    def _header(self, name: str) -> str | None:
        text = dict(self.headers).get(name)
        return None if text is None else text[:LONGEST_SHOWN].decode(errors="replace")


def messages_of(partition: Partition, records: Iterable[Any]) -> list[Message]:
    """The messages of records as kafka-python has them."""
    messages = []
    for record in records:
        try:
            event = received_of(record.key, record.value, record.headers)
            message = Message(partition, record.offset, record.value, event)
        except NotAnEvent as error:
            message = Message(partition, record.offset, record.value, None, str(error), record.headers)
        messages.append(message)
    return messages
