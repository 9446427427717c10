"""What a translation gives: events, each with its stream and the lines that caused it; and what it is held against."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from replayhouse.domain.kernel.each import joined, of_rows
from replayhouse.domain.kernel.events import DomainEvent


class Decision(NamedTuple):
    """An event to be appended to a stream of a context; `source` names the lines that caused it."""

    context: str
    stream_id: UUID
    event: DomainEvent
    source: str | None


class KnownStream(Protocol):
    """A stream as the log has it."""

    @property
    def last_version(self) -> int:
        """The version of its newest event, whether that counts or not."""

    @property
    def effective_events(self) -> Sequence[DomainEvent]:
        """The events that count, in order."""


class Known:
    """The streams that the log has of the families at hand; nothing of a stream that it does not have."""

    def __init__(self, streams: Mapping[str, Mapping[UUID, KnownStream]] | None = None) -> None:
        self._streams = streams or {}

    def with_streams_of(self, other: "Known") -> "Known":
        """What this one and another one know, together."""
        contexts = self._streams.keys() | other._streams.keys()
        return Known({name: {**self._streams.get(name, {}), **other._streams.get(name, {})} for name in contexts})

    def events(self, context: str, stream_id: UUID) -> Sequence[DomainEvent]:
        """The events that count of one stream, in order."""
        streams = self._streams.get(context)
        stream = streams.get(stream_id) if streams else None
        return stream.effective_events if stream is not None else ()

    def last_version(self, context: str, stream_id: UUID) -> int:
        """The version of a stream's newest event; 0 where there is none."""
        stream = self._streams.get(context, {}).get(stream_id)
        return stream.last_version if stream is not None else 0


@of_rows
def lines_of(file: str, lines: Sequence[int]) -> str:
    """How a source names lines of a file: `order_items:2210-2212,2215`; nothing for no lines."""
    if len(lines) == 1:
        return joined(file, ":", lines[0])
    told: list[object] = []
    runs: list[list[int]] = []
    for line in sorted(lines):
        after = line - runs[-1][-1] if runs else 2
        if after == 1:
            runs[-1][1:] = [line]
        elif after != 0:
            runs.append([line])
    for run in runs:
        told += ["," if told else ":", run[0], *(["-", run[1]] if len(run) > 1 else [])]
    return joined(file, *told) if told else ""


@of_rows
def source_of(*parts: str) -> str | None:
    """The source of an event, from what `lines_of` says of each file; None if no line caused it."""
    told: list[str] = []
    for part in parts:
        if part:
            told += [" ", part] if told else [part]
    return joined(*told) if told else None
