"""An event of the log as a message: CloudEvents 1.0 in the binary mode of its Kafka binding, and back.

The value is the event's state, the key the id of its stream in text, so that the events of one stream stay in order.
All else is in headers, whose values are text in UTF-8:

* `ce_specversion`, `content-type`: `1.0`, `application/json`
* `ce_id`: stream and version, `<stream>.<version>`; unique within `ce_source`
* `ce_source`: `/<prefix>/<context>`
* `ce_type`: the event's topic in the log, `sales.OrderPlaced.v1`
* `ce_subject`: the stream
* `ce_time`: when it happened, absent for timeless events. Business time, which the extracts tell as local time of
  Brazil without a zone, gets Brasilia's standard offset `-03:00` whatever the season: strip the offset to have the
  extract's time again. Recorded times (quality, Rewound) are UTC.
* `ce_position`: the event's position in the log, over all contexts
* `ce_streamversion`: its place in the stream, from 1, without gaps
* `ce_recordedtime`: when it was recorded, UTC, microseconds
* `ce_batch`: the load that brought it; absent where no load did
* `ce_lines`: the lines of the extract that caused it; absent where none did
* `ce_leaf`: the event's leaf in the hash chain, hexadecimal (infra/event_store/merkle.py says how it is made)
* `ce_personal`: `sealed` or `omitted`, what became of its personal fields; absent where none has a value
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import msgspec

from replayhouse.infra.runtime.errors import InputError

Headers = Sequence[tuple[str, bytes]]

BRASILIA = "-03:00"
"""What business times get as their offset."""

_MOST_SHOWN = 200
_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/json")


class Message(NamedTuple):
    """What is sent of an event."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class LoggedEvent(NamedTuple):
    """An event as the log has it. `personal` tells what became of its personal fields: None if none has a value."""

    context: str
    stream: UUID
    version: int
    topic: str
    state: bytes
    position: int
    batch_id: UUID | None
    lines: str | None
    leaf: bytes
    recorded_at: datetime
    personal: str | None = None


class _When(msgspec.Struct):
    occurred_at: str | None = None


_occurred_at = msgspec.json.Decoder(_When).decode


class Told(NamedTuple):
    """What headers say of an event, each as the text of its header; None where the header is left out."""

    stream: bytes
    version: int
    topic: bytes
    position: int
    recorded_at: bytes
    leaf: bytes
    occurred_at: str | None
    batch: bytes | None
    lines: bytes | None
    personal: bytes | None


def headers_of(told: Told, source: bytes) -> list[tuple[str, bytes]]:
    """The headers of an event; `source` is the encoded `names.source_of`."""
    stream, version, topic, position, recorded_at, leaf, occurred_at, batch, lines, personal = told
    headers = [
        _SPECVERSION,
        ("ce_id", b"%b.%d" % (stream, version)),
        ("ce_source", source),
        ("ce_type", topic),
        ("ce_subject", stream),
        ("ce_position", b"%d" % position),
        ("ce_streamversion", b"%d" % version),
        ("ce_recordedtime", recorded_at),
        ("ce_leaf", leaf),
        _CONTENT_TYPE,
    ]
    if occurred_at is not None:
        headers.append(("ce_time", time_of(occurred_at).encode()))
    if batch is not None:
        headers.append(("ce_batch", batch))
    if lines is not None:
        headers.append(("ce_lines", lines))
    if personal is not None:
        headers.append(("ce_personal", personal))
    return headers


def message_of(event: LoggedEvent, source: bytes) -> Message:
    """The message of an event; `source` is the encoded `names.source_of`."""
    stream = str(event.stream).encode()
    told = Told(
        stream,
        event.version,
        event.topic.encode(),
        event.position,
        in_utc(event.recorded_at),
        event.leaf.hex().encode(),
        occurred_at_of(event.state),
        None if event.batch_id is None else _id_of(event.batch_id),
        None if event.lines is None else event.lines.encode(),
        None if event.personal is None else event.personal.encode(),
    )
    return Message(stream, event.state, headers_of(told, source))


def occurred_at_of(state: bytes) -> str | None:
    """When an event happened, as its state says it; None where it is timeless."""
    return _occurred_at(state).occurred_at


# The events of a commit have their recorded time in common, those of a load its batch.


@lru_cache(maxsize=256)
def in_utc(at: datetime) -> bytes:
    """A recorded time as its header has it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()


@lru_cache(maxsize=256)
def _id_of(batch_id: UUID) -> bytes:
    return str(batch_id).encode()


def event_of(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> LoggedEvent:
    """The event of a message. Raises InputError, which says what is missing, for a message that is none of ours."""
    try:
        found = {name: text.decode() for name, text in headers if text is not None}
        if key is None or value is None:
            raise KeyError("key" if key is None else "value")
        batch = found.get("ce_batch")
        return LoggedEvent(
            context=found["ce_source"].rpartition("/")[2],
            stream=UUID(key.decode()),
            version=int(found["ce_streamversion"]),
            topic=found["ce_type"],
            state=value,
            position=int(found["ce_position"]),
            batch_id=None if batch is None else UUID(batch),
            lines=found.get("ce_lines"),
            leaf=bytes.fromhex(found["ce_leaf"]),
            recorded_at=datetime.fromisoformat(found["ce_recordedtime"]),
            personal=found.get("ce_personal"),
        )
    except KeyError as missing:
        raise InputError(f"The message has no {missing.args[0]}: it is no event of a relay.") from None
    except ValueError as error:
        raise InputError(f"A header of the message makes no sense: {str(error)[:_MOST_SHOWN]}.") from error


def time_of(occurred_at: str) -> str:
    """A time of an event's state as RFC 3339 has it: business times get Brasilia's offset, others keep theirs."""
    return occurred_at if occurred_at.endswith("Z") or occurred_at[-6:-5] in "+-" else occurred_at + BRASILIA
