"""What each event of a stream changed in the rows that are folded from it: every value before and after."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.runtime.identity import SEALED
from replayhouse.projections.projection import PERSONAL, POSITION, Stream, key_width
from replayhouse.projections.warehouse import PROJECTIONS

Folded = dict[tuple[str, tuple[Any, ...]], tuple[Any, ...]]
"""Rows by table and primary key, in the order of the tables."""


class Change(NamedTuple):
    """A value that an event changed. `key` is the part of the row's key behind the stream's own id: a line's number."""

    table: str
    key: tuple[Any, ...]
    column: str
    old: Any
    new: Any
    is_personal: bool

    def sealed(self) -> "Change":
        """The same for those who may not see personal values."""
        if not self.is_personal:
            return self
        old, new = (None if value is None else SEALED for value in (self.old, self.new))
        return self._replace(old=old, new=new)


class Step(NamedTuple):
    """What an event did: `made` the first row of its stream, `removed` it, `changed` values, or nothing (`none`)."""

    what: str
    changes: tuple[Change, ...] = ()

    def sealed(self) -> "Step":
        """The same for those who may not see personal values."""
        return self._replace(changes=tuple(change.sealed() for change in self.changes))


def steps_of(context: str, stream: UUID, events: Sequence[DomainEvent], versions: Iterable[int]) -> dict[int, Step]:
    """What the events of these versions did, by version.

    `events` is the stream from its first event on, those that were rewound included; versions count from 1.
    """
    known: dict[int, Folded] = {}

    def after(version: int) -> Folded:
        if version not in known:
            known[version] = _folded(context, stream, events[:version])
        return known[version]

    return {version: _step(context, after(version - 1), after(version)) for version in versions}


def _folded(context: str, stream: UUID, events: Sequence[DomainEvent]) -> Folded:
    counting = effective(events)
    if not counting:
        return {}
    model = PROJECTIONS[context]
    rows = model.fold(Stream(stream, len(events), counting))
    return {
        (table.name, tuple(row[: key_width(table)])): tuple(row)
        for table in model.tables
        for row in rows.get(table.name, [])
    }


def _step(context: str, before: Folded, after: Folded) -> Step:
    if not before or not after:
        return Step("none" if before == after else "made" if after else "removed")
    tables = {table.name: table for table in PROJECTIONS[context].tables}
    found: list[Change] = []
    for (name, key), row in after.items():
        told = {(change.column, change.old, change.new) for change in found if not change.key}
        found += [
            change
            for change in _changes(tables[name], key, before.get((name, key), row), row)
            if (change.column, change.old, change.new) not in told
        ]
    return Step("changed", tuple(found)) if found else Step("none")


def _changes(table: Table, key: tuple[Any, ...], old: tuple[Any, ...], new: tuple[Any, ...]) -> list[Change]:
    return [
        Change(table.name, key[1:], column.name, was, now, bool(column.info.get(PERSONAL)))
        for column, was, now in zip(table.columns, old, new, strict=True)
        if was != now and column.name != POSITION
    ]
