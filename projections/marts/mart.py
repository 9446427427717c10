"""What a mart is: a query over tables of several contexts, materialised in the schema `mart`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from replayhouse.projections.sql_files import read_sql_file


@dataclass(frozen=True)
class Mart:
    """A materialised view in the schema `mart`. In its query names have no schema: they are found where it is made.

    `column_comments` has a comment for each of its columns, in their order. The columns of `key` are unique together;
    by them rows are told apart when it is renewed. Of `personal` columns no statistics are kept.
    """

    name: str
    comment: str
    column_comments: Mapping[str, str]
    query: str
    key: tuple[str, ...]
    personal: tuple[str, ...] = ()


def read_mart(path: Path) -> Mart:
    """The mart of a file."""
    file = read_sql_file(path)
    head = file.head
    query = file.statements["query"].text
    return Mart(path.stem, head["comment"], head["columns"], query, tuple(head["key"]), tuple(head.get("personal", ())))
