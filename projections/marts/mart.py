"""What a mart is: a query over tables of several contexts, as a view or, where that takes too long, materialised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import CompoundSelect, FromClause, Select, TextualSelect, column, text

from replayhouse.projections.sql_files import read_sql_file

Tables = Mapping[str, FromClause]
"""The star schema by live names: `sales.fact_order`, `marketplace.dim_product`, `shared.dim_date`, `mart.<earlier>`."""


@dataclass(frozen=True)
class Mart:
    """A view in the schema `mart`. `select` builds it on the tables it is given, wherever they stand.

    `column_comments` has a comment for each of its columns. A materialised mart shows the facts as of when it was made
    or last refreshed; the columns of `key` are unique then, and it can be refreshed while it is read.
    """

    name: str
    comment: str
    column_comments: Mapping[str, str]
    select: Callable[[Tables], Select[Any] | CompoundSelect[Any] | TextualSelect]
    materialised: bool = False
    key: tuple[str, ...] = ()


def read_mart(path: Path) -> Mart:
    """The materialised mart of a file, in whose query names have no schema: they are found where the tables stand."""
    file = read_sql_file(path)
    comments: Mapping[str, str] = file.head["columns"]
    query = text(file.statements["query"].text).columns(*map(column, comments))
    return Mart(path.stem, file.head["comment"], comments, lambda _tables: query, True, tuple(file.head["key"]))
