"""Comparing two read models: which rows were added, removed and changed from one to the other."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import psycopg
from sqlalchemy import Table

from replayhouse.infra.application.rows_shown import note_rows
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.snapshots.diff import Comparison, TableOfTwo, is_there, one_moment, write_header
from replayhouse.infra.read_models.snapshots.diff_sources import two_sides
from replayhouse.infra.read_models.snapshots.moments import read
from replayhouse.infra.read_models.snapshots.side_by_side import each_of
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.files import writing

_COMMAND = "audit compare"


@dataclass(frozen=True)
class CompareReport:
    """What `compare` answers: how each table of both sides differs, and the tables that only one of them has."""

    a: str
    b: str
    tables: list[Comparison]
    missing: list[str]

    @property
    def is_equal(self) -> bool:
        """Whether no row of any table differs."""
        return all(one.is_equal for one in self.tables)

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "a": self.a,
            "b": self.b,
            "equal": self.is_equal,
            "tables": {one.table: one.document() for one in self.tables},
            "tables_of_one_side": self.missing,
        }


def compare(
    site: Site,
    a: str | int | datetime,
    b: str | int | datetime,
    tables: Iterable[str],
    *,
    limit: int,
    csv: Path | None,
    force: bool,
    with_position: bool,
    workers: int | None,
) -> CompareReport:
    """Compares two read models, of all tables of both or of some; a file takes every difference, if one is named.

    A position or a recorded time is made for the occasion, beside the live tables, and removed afterwards. Rows with
    personal columns are noted in the access log before they are told.
    """
    if limit < 0:
        raise UsageError(f"{limit} rows cannot be shown: name 0 or more.")
    wanted, processes = (read(a), read(b)), workers or site.settings.workers
    database = site.database
    with (
        _writing(csv, is_forced=force) as file,
        database.connect("replayhouse audit compare", autocommit=True) as conn,
    ):
        prepare(conn)
        sides = two_sides(database, conn, wanted, list(tables), processes, lambda doing: site.tell(doing, 0, 0))
        with sides as (old, new, known):
            both = [one for one in known if all(is_there(conn, side, *one) for side in (old, new))]
            missing = [f"{context}.{one.name}" for context, one in known if (context, one) not in both]
            if file is not None:
                write_header(file)

            def of_two(one: psycopg.Connection, context: str, table: Table) -> TableOfTwo:
                return TableOfTwo(one, old, new, context, table, with_position=with_position)

            with one_moment(conn, (old, new), both):
                found = each_of(
                    database,
                    conn,
                    (old, new),
                    both,
                    processes,
                    lambda *table: of_two(*table).compare(limit),
                    lambda done: site.tell("comparing", done, len(both)),
                )
                for one, table in zip(found, both, strict=True):
                    _note(site, one, f"from {wanted[0].text} to {wanted[1].text} changed", file is not None)
                    if file is not None and not one.is_equal:
                        of_two(conn, *table).write(file)
    return CompareReport(wanted[0].text, wanted[1].text, found, missing)


def _note(site: Site, found: Comparison, what: str, is_written: bool) -> None:
    """Notes the rows that are about to be told, or, where a file takes every difference, that anybody's may be."""
    if is_written and not found.is_equal:
        note_rows(site, _COMMAND, what, found.table, None)
    elif found.rows:
        note_rows(site, _COMMAND, what, found.table, (row.key.values() for row in found.rows))


@contextmanager
def _writing(path: Path | None, *, is_forced: bool) -> Iterator[IO[bytes] | None]:
    """A file that takes its name only when it is complete."""
    if path is None:
        yield None
        return
    with writing(path, replaces=is_forced) as file:
        yield file
