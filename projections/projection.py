"""What a projection is: tables of one context, and the pure function that folds a stream into their rows.

A read-model row is a function of one stream. Rebuilding, following the log, looking back in time and taking a load
back are all the same fold over a longer, shorter or filtered stream.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Table

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.projections.fingerprint import fingerprint_of, shapes_of

POSITION = "position"
"""The last column of every folded table: the notification id of the newest event of the stream (R13)."""

PERSONAL = "personal"
"""Whether a column shows personal fields of events, in its `info`."""

CALENDAR = "calendar"
"""Whether the calendar reaches as far as the times of a column, in its `info`."""

INDEXED = "indexed"
"""Whether rows are looked up by a column alone, in its `info`: it has an index besides those of the primary key."""

WORDS = "words"
"""All values that a column may have, in its `info`; none where they are not known beforehand."""

Row = tuple[Any, ...]
"""The values of one row, in the order of the table's columns, `position` last; a fold makes it by `row_maker`."""

Rows = dict[str, list[Row]]
"""Rows by name of their table; a table without rows may be missing."""


def row_maker(table: Table) -> Callable[..., Row]:
    """What makes a row of a table of its values by name, as a named tuple.

    It raises TypeError where a column is missing, or there is none of a name. Called for each row of a rebuild: this is
    the class' own constructor, bound, which takes half the time of calling the class.
    """
    kind: type[Any] = namedtuple(table.name, table.columns.keys())  # type: ignore[misc]  # mypy wants them written out
    make: Callable[..., Row] = kind.__new__.__get__(kind)
    return make


class Stream(NamedTuple):
    """What a fold sees of a stream: the events that count, in order, and how far it was read.

    `position` is the notification id of the newest event that was read, whether it counts (a Rewound does not) or not.
    """

    stream_id: UUID
    position: int
    events: Sequence[DomainEvent]


Fold = Callable[[Stream], Rows]
"""Total on any subsequence of a stream; no clock, no randomness, no set order, no locale."""

FoldAsOf = Callable[[Stream, date], Rows]
"""A fold of what had happened by a day, in business time: what loads evaluate is evaluated as of that day instead."""


@dataclass(frozen=True)
class View:
    """A view inside a context's schema. `select` builds it on the tables it is given, whatever schema they stand in.

    `column_comments` has a comment for each of its columns.
    """

    name: str
    comment: str
    column_comments: Mapping[str, str]
    select: Callable[[Mapping[str, Table]], Select[Any]]


@dataclass(frozen=True)
class Projection:
    """The read model of one context.

    `tables` stand in the order of the star schema, each with its `position` last. `unknown_members` are the rows that
    no stream makes (R14); they have position 0. `fold_as_of` takes the place of `fold` where one looks back in business
    time; None where that makes no difference. A context whose times are recorded times only has no business time, and
    no rows there but the unknown members. `version` is the number in `replayhouse.projections.versions`.
    """

    context: str
    tables: tuple[Table, ...]
    fold: Fold
    unknown_members: Rows
    views: tuple[View, ...] = ()
    fold_as_of: FoldAsOf | None = None
    has_business_time: bool = True
    version: int = field(kw_only=True)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(table.name for table in self.tables)

    def refuse_unknown_tables(self, rows: Rows) -> None:
        """Raises ValueError where a fold has made rows of a table that the projection does not have."""
        if not rows.keys() <= self._names:
            raise ValueError(f"{self.context} has no table {', '.join(sorted(rows.keys() - self._names))}")

    @cached_property
    def fingerprint(self) -> str:
        """That of the tables as they are declared."""
        return fingerprint_of(shapes_of(self.tables))


def key_width(table: Table) -> int:
    """How many columns form the primary key; they stand first in every table."""
    return len(table.primary_key.columns)


def personal_columns(table: Table) -> list[str]:
    """The columns that show personal fields of events, which nobody sees without keys."""
    return [column.name for column in table.columns if column.info.get(PERSONAL)]


def indexed_columns(table: Table) -> list[str]:
    """The columns by which rows are looked up besides the primary key."""
    return [column.name for column in table.columns if column.info.get(INDEXED)]


def calendar_columns(table: Table) -> tuple[str, ...]:
    """The columns with times as far as which the calendar reaches (R15)."""
    return tuple(column.name for column in table.columns if column.info.get(CALENDAR))


def columns_without_position(table: Table) -> list[str]:
    """The columns that a digest covers, in contract order."""
    return [column.name for column in table.columns if column.name != POSITION]
