"""The lineage of a row: from a table of the star schema to the events and the lines of extracts that made it."""

from collections.abc import Sequence
from pathlib import Path

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.lineage.marts import MartLineage, find_mart_row, marts
from replayhouse.infra.audit.lineage.rows import declared_tables
from replayhouse.infra.audit.lineage.trace import RowLineage, trace_row
from replayhouse.infra.runtime.errors import Unknown, UsageError


def lineage(
    site: Site, table: str, key: Sequence[object], limit: int, instead: Path | None
) -> RowLineage | MartLineage:
    """What made the row with that primary key, value by value; of a mart, the rows behind those with these values.

    `limit` lines of a file, and rows behind a mart's, are told at most; `instead` is where the extract is now, if not
    where it was loaded from. Raises UsageError where there is no such table, row or extract.
    """
    if limit < 1:
        raise UsageError(f"The limit is {limit:,}: it must be 1 or more.")
    if instead is not None and not instead.exists():
        raise UsageError(f"{instead} does not exist.")
    values = [str(value) for value in key]
    with site.database.connect("replayhouse audit lineage", autocommit=True) as connection:
        name = _with_schema(table, [*declared_tables(), *marts(connection)])
        if name not in declared_tables():
            return find_mart_row(connection, name, values, limit)
        return trace_row(connection, name, values, limit, instead)


def _with_schema(table: str, known: Sequence[str]) -> str:
    """The name of a table with its schema, which may be left out where one schema has it. Raises UsageError."""
    meant = [name for name in known if table in (name, name.partition(".")[2])]
    if not meant:
        raise Unknown(f"There is no table {table} whose rows can be traced; there are {', '.join(known)}.")
    if len(meant) > 1:
        raise UsageError(f"There are {' and '.join(meant)}: say which.")
    return meant[0]
