"""What new events of a stream do to its rows: fold it as it was and as it is, and compare."""

from collections.abc import Sequence
from typing import NamedTuple

from replayhouse.projections.projection import Projection, Row, Rows, Stream, key_width


class Difference(NamedTuple):
    """What to do to a table: rows to write, new or in the place of those with their key, and rows that are no more."""

    written: list[Row]
    gone: list[Row]


def difference(keys: int, before: Sequence[Row], after: list[Row]) -> Difference:
    """From the rows of a stream before to those after; the key of a row is its first `keys` values."""
    if not before:
        return Difference(after, [])
    former = {row[:keys]: row for row in before}
    written = [row for row in after if former.pop(row[:keys], None) != row]
    return Difference(written, list(former.values()))


def refold(projection: Projection, before: Stream | None, after: Stream) -> tuple[Rows, Rows]:
    """The rows of the stream before (None: there was no event yet) and after. Raises whatever the fold raises."""
    return ({} if before is None else projection.fold(before)), projection.fold(after)


def differences(projection: Projection, before: Rows, after: Rows) -> dict[str, Difference]:
    """For each table that the stream has rows in, before or after, what to do to it.

    Raises ValueError where there are rows of a table that the projection does not have.
    """
    projection.refuse_unknown_tables(before)
    projection.refuse_unknown_tables(after)
    return {
        table.name: difference(key_width(table), before.get(table.name, ()), after.get(table.name, []))
        for table in projection.tables
        if table.name in before or table.name in after
    }
