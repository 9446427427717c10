"""Where a log does not hold: what a verification finds, and in which words, wherever the log stands."""

from dataclasses import dataclass
from typing import NamedTuple

TWICE = "two events have this position"
REMOVED = "the event was removed"
NOT_FOLLOWING = "the commit that begins here does not follow from the one before"
ANOTHER_BATCH = "the commit that begins here names another batch than its events do"
REWRITTEN = "the log was rewritten, here or before: its chain up to here is not the one that the checkpoint signed"
VERSIONS_ARE_MISSING = "versions of its stream are missing before that of the event"
"""What is said of a gap in a stream: all hashes hold then, as it is looked for last."""

ONE_DIED = (
    "A process of the verification ended unexpectedly, perhaps for want of memory. Run it again, with "
    "REPLAYHOUSE_WORKERS=1."
)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first position that does not hold, and in what way."""

    position: int
    why: str


class BreakFound(Exception):  # noqa: N818 - not an error of this program: it carries the answer out of the loops
    """The first position that does not hold was found."""

    def __init__(self, position: int, why: str) -> None:
        self.broken = Broken(position, why)


class Anchor(NamedTuple):
    """What a checkpoint knows: the chain (32 bytes) up to a position."""

    position: int
    chain: bytes


def begins_at(position: int) -> str:
    """Of a commit that does not begin where it should."""
    return f"the next commit begins at position {position}"


def other_events(last: int) -> str:
    """Of a commit up to a position whose root is not the one of its events."""
    return f"the events from here to {last} are not those of their commit"


def cut_off(known: int) -> str:
    """Of a log that ends before a position that a checkpoint knows."""
    return f"the log was cut off here; the checkpoint knows it up to {known}"
