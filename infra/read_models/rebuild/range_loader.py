"""What the processes of a rebuild do: fold a range of streams into a table's COPY lines, and finish a table.

A process has two connections: rows of events stream in through one while keys are looked up and rows are sent through
the other. Memory holds a few thousand events and rows, whatever the size of the log.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Table

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.copy_out import copied_at_once, copied_rows
from replayhouse.infra.postgres.planner import AMONG_MANY, IN_ORDER
from replayhouse.infra.read_models.column_rows import ColumnRows
from replayhouse.infra.read_models.copy_text import copy_data
from replayhouse.infra.read_models.folding import EVENTS_AT_ONCE, STAYS, Folding, Taken
from replayhouse.infra.read_models.rebuild.taken_over import TakeOver, take_over
from replayhouse.infra.read_models.schema import add_keys, copy_into, model_of, qualified
from replayhouse.infra.read_models.stream_reader import StoredRow, StoredStream, StreamReader
from replayhouse.infra.read_models.stream_source import COLUMNS, LOG, Source, unpacked
from replayhouse.infra.read_models.windows import Span, streams_touched
from replayhouse.infra.runtime import column_folds, gc_pause
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.projections.digest import Digest

if TYPE_CHECKING:
    from replayhouse.infra.columns.stored import StoredEvents
    from replayhouse.infra.sealed_log.reader import SealedLog

ROWS_A_COPY = 4_000

# A killed rebuild starts over: only the last commit, that of the swap, must wait for the disk.
NO_WAITING = "SET synchronous_commit = off; SET maintenance_work_mem = '128MB'; SET default_statistics_target = 30"
_RANGE = sql.SQL("""
    COPY (
        SELECT {columns} FROM {events}
        WHERE originator_id >= {low} AND originator_id <= {high} AND notification_id <= {position}
        ORDER BY originator_id, originator_version
    ) TO STDOUT (FORMAT binary)
""")
_RANGE_OF_TOUCHED = sql.SQL("""
    COPY (
        SELECT {columns} FROM {events}
        JOIN ({touched}) AS touched USING (originator_id)
        WHERE originator_id >= {low} AND originator_id <= {high} AND notification_id <= {position}
        ORDER BY originator_id, originator_version
    ) TO STDOUT (FORMAT binary)
""")
_STREAM_AT = sql.SQL("SELECT originator_id FROM {} WHERE notification_id = %s")


@dataclass(frozen=True)
class Range:
    """Streams from `low` to `high`, both included, up to a position, to be folded into the tables of a schema.

    With `occurred_before`, a local time, of their events only what had happened by then. With `touched`, only those of
    the streams that have an event in that span of the log: the rows of the others are taken over.
    """

    context: str
    schema: str
    low: UUID
    high: UUID
    position: int
    occurred_before: datetime | None = None
    source: Source = LOG
    touched: Span | None = None


@dataclass(frozen=True)
class Loaded:
    """What came of a range, or of rows taken over: the number of events, and the digest of the rows of each table.

    `counts` tells what of it was folded on columns.
    """

    events: int
    tables: dict[str, Digest]
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class Finish:
    """A table that is loaded: it gets its keys and statistics, and must have that many rows."""

    context: str
    schema: str
    table: str
    rows: int


Task = Range | TakeOver | Finish


class Loader:
    """A process' two connections, and what it does with them. Events come from where the log is `sealed`, if it is."""

    def __init__(self, database: Database, sealed: "SealedLog | None" = None) -> None:
        self._sealed = sealed
        self._events = database.connect("replayhouse rebuild", autocommit=True)
        self._rows = database.connect("replayhouse rebuild", autocommit=True)
        self._events.execute(IN_ORDER)
        self._rows.execute(NO_WAITING)
        self._readers: dict[Source, StreamReader] = {}

    def close(self) -> None:
        """Closes both."""
        self._events.close()
        self._rows.close()

    def do(self, task: Task) -> Loaded | None:
        """Whatever the task is; None where nothing was loaded."""
        if isinstance(task, Range):
            return self.load(task)
        if isinstance(task, TakeOver):
            return self.take_over(task)
        self.finish(task)
        return None

    def load(self, task: Range) -> Loaded:
        """Folds the streams of a range and sends their rows. Raises Unfoldable, which names the stream."""
        tables = model_of(task.context, task.schema).tables
        folding = Folding(task.context, task.occurred_before, partial(stream_at, self._rows, task), STAYS)
        # closing: an error leaves the connection usable
        with (
            span(Work.REBUILD_RANGE, context=task.context) as done,
            translated(),
            gc_pause.paused(),
            closing(self._taken(task, folding)) as taken,
        ):
            self._send(taken, tables)
            done.tell(events=folding.events)
        return Loaded(folding.events, folding.digests, folding.counts)

    def _taken(self, task: Range, folding: Folding) -> Generator[Taken | ColumnRows]:
        reader = self._readers.setdefault(task.source, StreamReader(task.source.keys_of(self._rows)))
        if column_folds.are_wanted():
            with closing(self._columns_of(task)) as read:
                yield from folding.fold_columns(read, reader, ROWS_A_COPY)
        else:
            with closing(self._events_of(task)) as events:
                yield from folding.fold_all(events, reader, ROWS_A_COPY)

    def _columns_of(self, task: Range) -> Generator["StoredEvents"]:
        if self._sealed is None or task.touched is not None:
            return columns_of(self._events, task)
        from replayhouse.infra.read_models.sealed_source import sealed_columns  # and with it Arrow

        return sealed_columns(self._sealed, task.context, task.low, task.high, task.position)

    def _events_of(self, task: Range) -> Generator[StoredRow]:
        if self._sealed is None or task.touched is not None:
            return events_of(self._events, task)
        from replayhouse.infra.read_models.sealed_source import sealed_rows  # and with it Arrow

        return sealed_rows(self._sealed, task.context, task.low, task.high, task.position)

    def _send(self, some: Iterable[Taken | ColumnRows], tables: Mapping[str, Table]) -> None:
        for taken in some:
            data = taken.data if isinstance(taken, ColumnRows) else _data_of(taken)
            copy_into(self._rows, qualified(tables[taken.table.name]), data)

    def take_over(self, task: TakeOver) -> Loaded:
        """Copies the rows of a live table of which the log tells nothing newer."""
        with translated():
            return Loaded(0, {task.table: take_over(self._rows, task)})

    def finish(self, task: Finish) -> None:
        """Completes a loaded table. Raises ReplayhouseError if rows are missing, or two have the same key."""
        with translated():
            finish_table(self._rows, task)


def _data_of(taken: Taken) -> bytes:
    return copy_data(taken.lines, [row[-1] for row in taken.rows])


def finish_table(conn: psycopg.Connection, task: Finish) -> None:
    """Gives a loaded table its primary key and statistics, and counts its rows. Raises as `Loader.finish`."""
    table = model_of(task.context, task.schema).tables[task.table]
    try:
        add_keys(conn, table)
    except psycopg.errors.UniqueViolation as error:
        raise ReplayhouseError(
            f"Two streams make the same row of {task.context}.{task.table}: {error.diag.message_detail}"
        ) from error
    conn.execute(sql.SQL("ANALYZE {}").format(qualified(table)))
    found = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(qualified(table))).fetchone()
    if found != (task.rows,):
        raise ReplayhouseError(f"{task.context}.{task.table} has {found} rows after loading {task.rows} of them")


def streams_of(conn: psycopg.Connection, reader: StreamReader, task: Range) -> Generator[list[StoredStream]]:
    """The streams of a range, some at a time.

    `conn`, whose session reads in the order of an index (IN_ORDER), can do nothing else meanwhile.
    """
    with closing(events_of(conn, task)) as events:
        yield from reader.read(events)


def events_of(conn: psycopg.Connection, task: Range) -> Generator[StoredRow]:
    """The events of a range, in the order of streams and versions; `conn` as for `streams_of`."""
    with _looked_for(conn, task), closing(copied_rows(conn, _statement(task))) as rows:
        yield from unpacked(rows)


def columns_of(conn: psycopg.Connection, task: Range) -> Generator["StoredEvents"]:
    """The same as columns, whole streams at once."""
    from replayhouse.infra.columns.stored import whole_streams  # and with it numpy

    with _looked_for(conn, task), closing(copied_at_once(conn, _statement(task), EVENTS_AT_ONCE)) as rows:
        yield from whole_streams(rows, EVENTS_AT_ONCE)


@contextmanager
def _looked_for(conn: psycopg.Connection, task: Range) -> Iterator[None]:
    """A transaction that looks for the events of a range in the way that suits them."""
    with conn.transaction():
        if task.touched is not None:
            conn.execute(AMONG_MANY)
        yield


def stream_at(conn: psycopg.Connection, task: Range, position: int) -> UUID:
    """The stream that has an event at a position, from which a row of a range was folded."""
    row = conn.execute(_STREAM_AT.format(task.source.events(task.context)), [position]).fetchone()
    assert row is not None  # the row was folded from it
    stream: UUID = row[0]
    return stream


def _statement(task: Range) -> sql.Composed:
    """What reads the events of a range, in order."""
    events = task.source.events(task.context)
    parts = {
        "columns": COLUMNS,
        "events": events,
        "low": sql.Literal(task.low),
        "high": sql.Literal(task.high),
        "position": sql.Literal(task.position),
    }
    if task.touched is None:
        return _RANGE.format(**parts)
    return _RANGE_OF_TOUCHED.format(**parts, touched=streams_touched(events, task.touched))


def ranges(
    context: str,
    schema: str,
    position: int,
    number: int,
    occurred_before: datetime | None = None,
    source: Source = LOG,
    touched: Span | None = None,
) -> Iterable[Range]:
    """The whole of a context cut into ranges of equal width, so that processes can share it."""
    width = 2**128 // number
    for place in range(number):
        last = 2**128 - 1 if place == number - 1 else (place + 1) * width - 1
        low, high = UUID(int=place * width), UUID(int=last)
        yield Range(context, schema, low, high, position, occurred_before, source, touched)
