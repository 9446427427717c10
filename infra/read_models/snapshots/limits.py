"""How much of the log is seen where the warehouse is looked at as it was: limits, and the position that they come to.

It stands alone, so that who looks only at what stands imports nothing that folds.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg

from replayhouse.infra.read_models.windows import head_of
from replayhouse.infra.runtime.errors import UsageError

_POSITION_AS_OF = """
    SELECT last_position FROM event_store.commit WHERE recorded_at <= %s ORDER BY last_position DESC LIMIT 1
"""


@dataclass(frozen=True)
class Limits:
    """How much of the log is seen.

    `position`: events up to it. `as_of`, a recorded time with its zone: events of commits up to then. Of both the lower
    position counts; None: up to the head. `occurred_before`, local to Brazil: of those events that count, the ones that
    had happened by then. `source`: of the events those that tell of a source, by its name; None: of all.
    """

    position: int | None = None
    as_of: datetime | None = None
    occurred_before: datetime | None = None
    source: str | None = None

    def __bool__(self) -> bool:
        return self != Limits()


def position_of(conn: psycopg.Connection, limits: Limits) -> int:
    """Up to where the log is seen. Raises UsageError for a position beyond its head."""
    position = head_of(conn)
    if limits.position is not None:
        if limits.position > position:
            raise UsageError(f"The log has no position {limits.position:,}: its head is {position:,}.")
        position = limits.position
    if limits.as_of is not None:
        row = conn.execute(_POSITION_AS_OF, [limits.as_of]).fetchone()
        position = min(position, row[0] if row else 0)
    return position
