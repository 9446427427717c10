"""The records that were kept apart, listed or written to a file, as the table quality.quarantine has them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.quality.rules import RULE
from replayhouse.infra.application.access import asking, noted
from replayhouse.infra.application.prepared import prepared
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.names import NamedLoad, all_loads, known_load_named
from replayhouse.infra.read_models.quarantine import Row, RowStatus, Wanted, csv_of, ids_of, number_of, rows_of
from replayhouse.infra.read_models.versions import refuse_others
from replayhouse.infra.runtime.errors import Forbidden, Unknown, UsageError
from replayhouse.infra.runtime.files import writing
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.sources.lineage import real_names
from replayhouse.infra.staging.files import FILES

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Filter(NamedTuple):
    """Which rows are asked for, as people say it: a load by id or name, a file, a rule, a status.

    At most as many as `limit` says, after the first `offset` ones.
    """

    batch: str | None
    file: str | None
    rule: str | None
    status: str
    limit: int | None
    offset: int = 0


class Quarantine(NamedTuple):
    """The rows that were asked for, by file and line; `number` is how many there are, whatever the limit.

    `loads` are all that there are, the oldest first. `real_files` are the names of files of another shape, by load and
    kind of record.
    """

    rows: list[Row]
    number: int
    loads: list[NamedLoad]
    real_files: Mapping[UUID, Mapping[str, str]]

    def real_file(self, row: Row) -> str | None:
        """The name of the file of another shape in which a row stands; None of one in the file itself."""
        return self.real_files.get(row.batch, {}).get(row.file)

    def place(self, row: Row) -> str:
        """File and line of a row."""
        return f"{self.real_file(row) or row.file}:{row.line}"

    def document(self) -> list[dict[str, Any]]:
        """As JSON shows it: the list of the rows."""
        return [
            {**row.document(), **({"real_file": real} if (real := self.real_file(row)) is not None else {})}
            for row in self.rows
        ]


def quarantine(site: Site, asked: Filter, *, with_texts: bool = True) -> Quarantine:
    """The rows as a list. Texts that may be shown are noted in the access log first; others are sealed.

    Raises UsageError for a load, a file, a rule or a status that there is not.
    """
    with _wanted(site, asked) as (connection, wanted, loads):
        reveals = with_texts and _noted(site, connection, wanted)
        rows = rows_of(connection, wanted, reveals=reveals)
        real = real_names(connection, {row.batch for row in rows})
        return Quarantine(rows, number_of(connection, wanted), loads, real)


def write_quarantine(site: Site, path: Path, asked: Filter, *, replaces: bool) -> int:
    """Writes the rows to a CSV file that only its owner may read; returns how many they are.

    Raises what `quarantine` does, UsageError where there is such a file and it is not to be replaced, and Forbidden
    where whoever asks may not see the texts.
    """
    with (
        _wanted(site, asked) as (connection, wanted, _),
        writing(path, replaces=replaces) as file,
        connection.cursor() as cursor,
    ):
        if not _noted(site, connection, wanted):
            raise Forbidden("Who may not see the texts of quarantined records is given no file of them.")
        for block in csv_of(cursor, wanted):
            file.write(block)
        return cursor.rowcount


def _noted(site: Site, connection: psycopg.Connection, wanted: Wanted) -> bool:
    """Whether whoever asks may see the texts of the rows that this snapshot has; these are noted then."""
    rows = ids_of(connection, wanted)
    told = f"texts of {count(len(rows), 'quarantined record')}"
    return noted(site, "quality quarantine", told, rows, is_record=True) if rows else asking(site).by.sees_records


@contextmanager
def _wanted(site: Site, asked: Filter) -> Iterator[tuple[psycopg.Connection, Wanted, list[NamedLoad]]]:
    """The database as of one moment, what to ask it for, and the loads that there are."""
    with site.as_reader.connect("replayhouse quality", autocommit=True) as connection:
        prepared(site, connection)
        refuse_others(connection, ["quality"])
        batch_id = known_load_named(connection, asked.batch) if asked.batch is not None else None
        if asked.file is not None and asked.file not in FILES:
            raise Unknown(f"There is no file '{asked.file}': it is one of {', '.join(FILES)}.")
        if asked.rule is not None and asked.rule not in RULE:
            raise Unknown(f"There is no rule '{asked.rule}': replayhouse quality report shows them all.")
        if asked.status not in list(RowStatus):
            raise UsageError(f"There is no status '{asked.status}': it is one of {', '.join(RowStatus)}.")
        if asked.limit is not None and asked.limit < 0:
            raise UsageError(f"A limit is a number of rows, and {asked.limit} is none.")
        if asked.offset < 0:
            raise UsageError(f"An offset is a number of rows, and {asked.offset} is none.")
        limit = None if asked.limit is None else min(asked.limit, sys.maxsize)
        offset = min(asked.offset, sys.maxsize)
        with connection.transaction():
            connection.execute(_SNAPSHOT)
            loads = all_loads(connection)
            if asking(site).by.sees_records:  # the texts of others are sealed by the query
                site.narrow(connection)
            rows = Wanted(batch_id, asked.file, asked.rule, RowStatus(asked.status), limit, offset)
            yield connection, rows, loads
