"""Runs of events as bytes: what one batch brought of one stream, which an inbox in SQLite keeps in one row."""

from collections.abc import Sequence

from replayhouse_consumer.received import Received


def packed(run: Sequence[Received]) -> bytes:
    """Each event's type, position, time of recording, mark and size in a line, and then its value as it came."""
    parts: list[bytes] = []
    for _, _, _, name, position, recorded_at, value, handed in run:
        parts += f"{name}\t{position}\t{recorded_at}\t{handed:d}\t{len(value)}\n".encode(), value
    return b"".join(parts)


def unpacked(context: str, stream: bytes, last: int, run: bytes) -> list[Received]:
    """The events of a run, of which the last one's version is given."""
    parts = []
    at = 0
    while at < len(run):
        begins = run.index(b"\n", at) + 1
        name, position, recorded_at, handed, size = run[at:begins].decode().split("\t")
        at = begins + int(size)
        parts.append((name, int(position), recorded_at, run[begins:at], handed == "1"))
    first = last - len(parts) + 1
    return [Received(context, stream, version, *part) for version, part in enumerate(parts, first)]
