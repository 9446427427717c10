"""What the processes of a rebuild do: fold a range of streams into a table's COPY lines, and finish a table.

A process has two connections: rows of events stream in through one while keys are looked up and rows are sent through
the other. Memory holds a few thousand events and rows, whatever the size of the log.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Table

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.planner import AMONG_MANY, IN_ORDER
from replayhouse.infra.read_models.copy_text import DoesNotFit, copy_data
from replayhouse.infra.read_models.rebuild.taken_over import TakeOver, take_over
from replayhouse.infra.read_models.schema import Model, add_key, copy_into, line_writer, model_of, qualified
from replayhouse.infra.read_models.stream_reader import (
    COLUMNS,
    LOG,
    Source,
    StoredStream,
    StreamReader,
    described,
    rows_of,
)
from replayhouse.infra.read_models.windows import Span, streams_touched
from replayhouse.infra.runtime import gc_pause
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.business_time import fold_of
from replayhouse.projections.digest import NOTHING, Digest, digest_of
from replayhouse.projections.projection import Fold, Row, Rows
from replayhouse.projections.warehouse import PROJECTIONS

ROWS_A_COPY = 4_000

# A killed rebuild starts over: only the last commit, that of the swap, must wait for the disk.
_NO_WAITING = "SET synchronous_commit = off; SET maintenance_work_mem = '128MB'; SET default_statistics_target = 30"
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


class Unfoldable(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """A stream cannot be folded, which ends a rebuild."""


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
    """What came of a range, or of rows taken over: the number of events, and the digest of the rows of each table."""

    events: int
    tables: dict[str, Digest]


@dataclass(frozen=True)
class Finish:
    """A table that is loaded: it gets its primary key and statistics, and must have that many rows."""

    context: str
    schema: str
    table: str
    rows: int


class Loader:
    """A process' two connections, and what it does with them."""

    def __init__(self, database: Database) -> None:
        self._events = database.connect("replayhouse rebuild", autocommit=True)
        self._rows = database.connect("replayhouse rebuild", autocommit=True)
        self._events.execute(IN_ORDER)
        self._rows.execute(_NO_WAITING)
        self._readers: dict[Source, StreamReader] = {}

    def close(self) -> None:
        """Closes both."""
        self._events.close()
        self._rows.close()

    def load(self, task: Range) -> Loaded:
        """Folds the streams of a range and sends their rows. Raises Unfoldable, which names the stream."""
        fold = fold_of(PROJECTIONS[task.context], task.occurred_before)
        model = model_of(task.context, task.schema)
        events, waiting = 0, _Waiting(self._rows, model, task.source)
        reader = self._readers.setdefault(task.source, StreamReader(task.source.keys_of(self._rows)))
        with translated(), gc_pause.paused(), self._events.transaction():
            if task.touched is not None:
                self._events.execute(AMONG_MANY)
            with closing(rows_of(self._events, _statement(task))) as rows:  # an error leaves the connection usable
                for streams in reader.read(rows):
                    for stream in streams:
                        events += len(stream.positions)
                        _fold(task.context, stream, fold, waiting)
                    waiting.send(ROWS_A_COPY)
            waiting.send(1)
        return Loaded(events, waiting.sent)

    def take_over(self, task: TakeOver) -> Loaded:
        """Copies the rows of a live table of which the log tells nothing newer."""
        with translated():
            return Loaded(0, {task.table: take_over(self._rows, task)})

    def finish(self, task: Finish) -> None:
        """Completes a loaded table. Raises ReplayhouseError if rows are missing, or two have the same key."""
        table = model_of(task.context, task.schema).tables[task.table]
        with translated():
            try:
                add_key(self._rows, table)
            except psycopg.errors.UniqueViolation as error:
                raise ReplayhouseError(
                    f"Two streams make the same row of {task.context}.{task.table}: {error.diag.message_detail}"
                ) from error
            self._rows.execute(sql.SQL("ANALYZE {}").format(qualified(table)))
            found = self._rows.execute(sql.SQL("SELECT count(*) FROM {}").format(qualified(table))).fetchone()
        if found != (task.rows,):
            raise ReplayhouseError(f"{task.context}.{task.table} has {found} rows after loading {task.rows} of them")


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


class _Waiting:
    """Rows that wait to be sent, by table, and the digests of those that were."""

    def __init__(self, conn: psycopg.Connection, model: Model, source: Source) -> None:
        self._conn = conn
        self._model = model
        self._source = source
        self._rows: Rows = {name: [] for name in model.tables}
        self.sent: dict[str, Digest] = dict.fromkeys(model.tables, NOTHING)

    def add(self, rows: Rows) -> None:
        self._model.projection.refuse_unknown_tables(rows)
        for name, of_table in rows.items():
            self._rows[name] += of_table

    def send(self, least: int) -> None:
        """Sends the rows of the tables for which that many wait at least."""
        for name, rows in self._rows.items():
            if len(rows) >= least:
                lines = self._lines(self._model.projection_table(name), rows)
                self.sent[name] += digest_of(lines)
                copy_into(self._conn, qualified(self._model.tables[name]), copy_data(lines, [row[-1] for row in rows]))
                rows.clear()

    def _lines(self, table: Table, rows: list[Row]) -> list[bytes]:
        writer = line_writer(table)
        try:
            return writer.lines(rows)
        except DoesNotFit:
            for row in rows:
                try:
                    writer.lines([row])
                except DoesNotFit as error:
                    context = self._model.projection.context
                    stream = _stream_at(self._conn, self._source.events(context), row[-1])
                    raise unfoldable(context, stream, described(error)) from error
            raise


def _fold(context: str, stream: StoredStream, fold: Fold, waiting: _Waiting) -> None:
    try:
        if stream.error is not None:
            raise stream.error
        waiting.add(fold(stream.effective()))
    except Exception as error:
        raise unfoldable(context, stream.stream_id, described(error)) from error


def unfoldable(context: str, stream: UUID, error: str) -> Unfoldable:
    """The error of a rebuild that met a stream it cannot fold."""
    return Unfoldable(
        f"The stream {stream} of {context} cannot be folded: {error}. The live read model stays as it was."
    )


def _stream_at(conn: psycopg.Connection, events: sql.Identifier, position: int) -> UUID:
    row = conn.execute(_STREAM_AT.format(events), [position]).fetchone()
    assert row is not None  # the row was folded from it
    stream: UUID = row[0]
    return stream


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
