"""What each event of a stream did to a row: the stream is folded up to each event, and the rows are compared."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.projections.projection import POSITION, Row, Stream, key_width
from replayhouse.projections.warehouse import PROJECTIONS


class Effect(NamedTuple):
    """What an event did to the row: `made` it, `changed` these columns, `removed` it, or nothing (`none`)."""

    what: str
    columns: tuple[str, ...] = ()


def effects_on(
    context: str, table: Table, key: Sequence[Any], stream: UUID, events: Sequence[DomainEvent]
) -> list[Effect]:
    """The effect of each event of a stream, in order, on the row of a folded table with that key.

    `events` is the stream from its first event on, those that were rewound included.
    """
    fold, width, names = PROJECTIONS[context].fold, key_width(table), [column.name for column in table.columns]
    before: Row | None = None
    found = []
    for number in range(1, len(events) + 1):
        rows = fold(Stream(stream, number, effective(events[:number]))).get(table.name, [])
        after = next((row for row in rows if list(row[:width]) == list(key)), None)
        found.append(_effect(before, after, names))
        before = after
    return found


def _effect(before: Row | None, after: Row | None, names: Sequence[str]) -> Effect:
    if before is None or after is None:
        return Effect("none" if before is after else "made" if before is None else "removed")
    changed = tuple(
        name for name, old, new in zip(names, before, after, strict=True) if old != new and name != POSITION
    )
    return Effect("changed", changed) if changed else Effect("none")
