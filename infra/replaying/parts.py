"""What a replay is cut into: ranges of streams of a context, each folded by itself, wherever that is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from replayhouse.infra.sealed_log.reader import SealedLog
from replayhouse.projections.warehouse import PROJECTIONS

EVENTS_A_PART = 50_000
"""About: so that a part is done within a second or two, and tables have files that are worth opening."""

MEMBERS = 0
"""The number of the task that writes the rows which no stream makes; parts are numbered from 1 on."""


@dataclass(frozen=True)
class Part:
    """The streams of a context from `low` to `high`, both included, up to a position of the log.

    With `occurred_before`, a local time, of their events only what had happened by then. `run` (8 hexadecimal digits)
    is that of the replay, `task` the number of the part in it, `attempt` how often it was begun before: by them its
    files are told apart from others. Can be sent to other processes.
    """

    context: str
    low: UUID
    high: UUID
    position: int
    occurred_before: datetime | None
    run: str
    task: int
    attempt: int = 0

    @property
    def file_name(self) -> str:
        """That of its file in the folder of each table."""
        return file_name(self.run, self.task, self.attempt)


def file_name(run: str, task: int, attempt: int = 0) -> str:
    """The name of what a task writes."""
    return f"part-{run}-{task:05d}-{attempt}.parquet"


def parts_of(
    log: SealedLog,
    contexts: Iterable[str],
    run: str,
    occurred_before: datetime | None = None,
    events_a_part: int = EVENTS_A_PART,
) -> list[Part]:
    """All that is to be folded of some contexts up to the position of a log; contexts without events have no part.

    Nor have those without business time, where that is a limit.
    """
    parts: list[Part] = []
    for context in contexts:
        if occurred_before is not None and not PROJECTIONS[context].has_business_time:
            continue
        for low, high in log.ranges(context, events_a_part):
            parts.append(Part(context, low, high, log.position, occurred_before, run, MEMBERS + 1 + len(parts)))
    return parts
