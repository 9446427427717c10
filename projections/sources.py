"""Which files of an extract tell what a table shows: declared at the table, for people who ask where a value is from.

By way of the events, that is: a fold never sees a file. Values that have no column of their own there are derived.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Column, Table


class Source(NamedTuple):
    """The files by their short names, and of the columns called otherwise than there the field: `orders.shipped_at`."""

    files: tuple[str, ...]
    fields: Mapping[str, str]


def from_files(*files: str, **fields: str) -> dict[type[Source], Source]:
    """The `info` of a table: a column is called like its field, in the first file that has one, or is in `fields`."""
    return {Source: Source(files, fields)}


def files_of(table: Table) -> tuple[str, ...]:
    """The files that tell of a table; none where no file does."""
    source: Source | None = table.info.get(Source)
    return source.files if source else ()


def candidates_of(column: Column[object]) -> list[tuple[str, str]]:
    """File and name of each field that a column may be from, the nearest first."""
    source: Source | None = column.table.info.get(Source)
    if source is None:
        return []
    if named := source.fields.get(column.name):
        file, _, field = named.partition(".")
        return [(file, field)]
    return [(file, column.name) for file in source.files]
