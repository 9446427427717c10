"""Which tables belong together: the columns that hold the key of a row of another table.

Declared once, at the column. The foreign keys and comments of the database, the data dictionary and the diagram of the
star schema are made from it.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Column, Table


class Link(NamedTuple):
    """Where a column leads: to the row of `schema.table` whose `column`, the key there, has the same value.

    It is kept in the column's `info`, under this class. `is_certain` where the same stream makes both rows. Any other
    may be missing: the source names what it does not list, and each context is as far as it is.
    """

    schema: str
    table: str
    column: str
    is_certain: bool

    @property
    def address(self) -> str:
        """The column with its table and schema."""
        return f"{self.schema}.{self.table}.{self.column}"


def link_of(of: str | None, to: str | None) -> Link | None:
    """The link to the row that this one is part of, or to one that may be missing; both are addresses of columns."""
    address = of or to
    if address is None:
        return None
    schema, table, column = address.split(".")
    return Link(schema, table, column, is_certain=of is not None)


def links(table: Table) -> list[tuple[Column[Any], Link]]:
    """The columns of a table that lead elsewhere, each with its link."""
    return [(column, link) for column in table.columns if (link := column.info.get(Link))]


def links_within(tables: Iterable[Table]) -> list[tuple[Column[Any], Link]]:
    """The links among these tables, which stand in one schema."""
    known = {(table.schema, table.name) for table in tables}
    return [found for table in tables for found in links(table) if (found[1].schema, found[1].table) in known]


def comment_of(column: Column[Any]) -> str:
    """What a column means and where it leads, in the words that the database keeps."""
    link = column.info.get(Link)
    if link is None:
        return str(column.comment)
    missing = "" if link.is_certain else ", which may be missing"
    return f"{column.comment} (key of {link.schema}.{link.table}{missing})"
