"""Folds on columns: whether they are wanted, and how it went. REPLAYHOUSE_COLUMNS=off turns them off.

The rows are the same, and take longer. What does it is `replayhouse.infra.columns`, which needs numpy.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from replayhouse.infra.runtime.errors import UsageError

VARIABLE = "REPLAYHOUSE_COLUMNS"


def are_wanted() -> bool:
    """Whether they are. Raises UsageError where the variable is neither on nor off."""
    said = os.environ.get(VARIABLE) or "on"
    if said not in ("on", "off"):
        raise UsageError(f"The setting {VARIABLE} makes no sense: it is on or off (got {said!r}).")
    return said == "on"


@dataclass(frozen=True)
class Counts:
    """How many streams were folded on columns, in how many runs, and how many were left to be folded one by one: of a
    shape that few have, with an event that is odd or cannot be read, or beyond what columns can do, with the first
    `error` of those.
    """

    streams: int = 0
    runs: int = 0
    few: int = 0
    odd: int = 0
    beyond: int = 0
    error: str = ""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.streams + other.streams,
            self.runs + other.runs,
            self.few + other.few,
            self.odd + other.odd,
            self.beyond + other.beyond,
            self.error or other.error,
        )

    def as_json(self) -> dict[str, int]:
        """The numbers by name. What an error says may be personal."""
        return {name: number for name, number in asdict(self).items() if name != "error"}


def described(error: Exception) -> str:
    """An error of columns in a line: its class alone, where what it says is a column, which has no text."""
    try:
        return f"{type(error).__name__}: {error}"
    except TypeError:
        return type(error).__name__


_noted: dict[str, Counts] = {}
"""Of this process, since somebody has taken it."""


def note(what: str, counts: Counts) -> None:
    """So it went with streams of a context, or with whatever else runs on columns; counts of the same add up."""
    _noted[what] = _noted.get(what, Counts()) + counts


def taken() -> Mapping[str, Counts]:
    """All that was noted in this process since this was asked the last time."""
    found = dict(_noted)
    _noted.clear()
    return found
