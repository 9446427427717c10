"""The table quality.quarantine: the records that were kept apart, listed and copied out."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from replayhouse.infra.runtime.csv_cells import harmless
from replayhouse.infra.runtime.identity import SEALED

if TYPE_CHECKING:  # the command line imports RowStatus at its start, and no driver
    import psycopg

_WANTED = """
    FROM quality.quarantine
    WHERE (%(batch)s::uuid IS NULL OR batch_id = %(batch)s)
        AND (%(file)s::text IS NULL OR file = %(file)s)
        AND (%(rule)s::text IS NULL OR rule = %(rule)s)
        AND (%(status)s::text IS NULL OR status = %(status)s)
"""
_ROWS = f"""
    SELECT row_id AS row, batch_id AS batch, file, line, rule, reason,
        CASE WHEN text IS NULL OR %(reveals)s THEN text ELSE '{SEALED}' END, status
    {_WANTED}
    ORDER BY file COLLATE "C", line, row_id
    LIMIT %(limit)s OFFSET %(offset)s
"""
_TO_CSV = f"""
    COPY (
        SELECT row_id AS row, batch_id AS batch, file, line, rule, {harmless("reason")} AS reason,
            {harmless("text")} AS text, status
        {_WANTED}
        ORDER BY file COLLATE "C", line, row_id
        LIMIT %(limit)s OFFSET %(offset)s
    ) TO STDOUT (FORMAT csv, HEADER)
"""
_IDS = f'SELECT row_id {_WANTED} ORDER BY file COLLATE "C", line, row_id LIMIT %(limit)s OFFSET %(offset)s'
_NUMBER = f"SELECT count(*) {_WANTED}"


class RowStatus(StrEnum):
    """What became of a record that was kept apart; `all` for whatever."""

    QUARANTINED = "quarantined"
    RELEASED = "released"
    DISCARDED = "discarded"
    ALL = "all"


class Row(NamedTuple):
    """A record that was kept apart: its id, the load that was the first to do so, where it stood, and why.

    `text` is the record as it stood there, which may hold personal data; None once that was erased.
    """

    row: UUID
    batch: UUID
    file: str
    line: int
    rule: str
    reason: str
    text: str | None
    status: str

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return self._asdict()


class Wanted(NamedTuple):
    """Which rows are asked for: those of a load, a file, a rule, with a status; None for any.

    At most as many as `limit` says, after the first `offset` ones.
    """

    batch: UUID | None
    file: str | None
    rule: str | None
    status: RowStatus
    limit: int | None
    offset: int = 0

    @property
    def parameters(self) -> dict[str, object]:
        """Those of the queries."""
        return {**self._asdict(), "status": None if self.status is RowStatus.ALL else self.status.value}


def ids_of(connection: "psycopg.Connection", wanted: Wanted) -> list[UUID]:
    """The ids of the rows."""
    return [row_id for (row_id,) in connection.execute(_IDS.encode(), wanted.parameters)]


def rows_of(connection: "psycopg.Connection", wanted: Wanted, *, reveals: bool = True) -> list[Row]:
    """The rows, by file and line; their texts are sealed unless it `reveals`."""
    return [Row(*row) for row in connection.execute(_ROWS.encode(), {**wanted.parameters, "reveals": reveals})]


def number_of(connection: "psycopg.Connection", wanted: Wanted) -> int:
    """How many rows there are, whatever the limit."""
    [(found,)] = connection.execute(_NUMBER.encode(), wanted.parameters).fetchall()
    return int(found)


def csv_of(cursor: "psycopg.Cursor", wanted: Wanted) -> Iterator[bytes]:
    """The rows as CSV with a header, in blocks; afterwards the cursor knows how many they were."""
    with cursor.copy(_TO_CSV.encode(), wanted.parameters) as copy:
        yield from map(bytes, copy)
