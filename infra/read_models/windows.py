"""Folding what new events touched: the streams of a window of events, as they were and as they are.

Only the rows of a fold are ever written, so it does not matter how often it is done, or to which revision's tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.keys import read_keys
from replayhouse.infra.postgres.copy_out import copied_rows
from replayhouse.infra.postgres.planner import BY_INDEX
from replayhouse.infra.read_models import checkpoints
from replayhouse.infra.read_models.copy_text import DoesNotFit
from replayhouse.infra.read_models.schema import Model
from replayhouse.infra.read_models.stream_reader import StoredStream, StreamReader, described
from replayhouse.infra.read_models.stream_source import COLUMNS, LOG, Source, unpacked
from replayhouse.infra.read_models.upsert import TableLines, encode, write
from replayhouse.infra.runtime import gc_pause
from replayhouse.projections.projection import Rows
from replayhouse.projections.replay import differences, refold

EVENTS_A_WINDOW = 20_000

_COUNT = sql.SQL("SELECT count(*) FROM {} WHERE %s::bigint IS NULL OR notification_id <= %s")
_HEAD = "SELECT position FROM event_store.head"
_WINDOW_END = sql.SQL("""
    SELECT count(*), max(notification_id)
    FROM (
        SELECT notification_id FROM {events}
        WHERE notification_id > %s AND notification_id <= %s
        ORDER BY notification_id LIMIT %s
    ) AS window_of_events
""")
_IN_SPAN = sql.SQL("""
    SELECT DISTINCT originator_id FROM {events} WHERE notification_id > {after} AND notification_id <= {up_to}
""")
_COUNT_TOUCHED = sql.SQL("""
    SELECT count(*) FROM {events} JOIN ({touched}) AS touched USING (originator_id) WHERE notification_id <= {position}
""")
# Each touched stream is looked up by its key; the planner, who knows nothing of the window, might read all streams.
_TOUCHED = sql.SQL("""
    COPY (
        SELECT {columns}
        FROM {events}
        JOIN (
            SELECT originator_id FROM {events}
            WHERE notification_id > {known} AND notification_id <= {end}
            UNION
            SELECT originator_id FROM read_model.parked JOIN read_model.projection USING (context, revision)
            WHERE {retry} AND context = {context}
        ) AS touched USING (originator_id)
        WHERE notification_id <= {end}
        ORDER BY originator_id, originator_version
    ) TO STDOUT (FORMAT binary)
""")


class Span(NamedTuple):
    """The events after one position, up to another one."""

    after: int
    up_to: int


class Folded(NamedTuple):
    """A stream's rows as the tables show them (those of position `known`) and as they are to be (of `position`)."""

    before: Rows
    after: Rows
    known: int
    position: int


@dataclass
class Window:
    """What became of the streams that the events of a window touched."""

    folded: dict[UUID, Folded] = field(default_factory=dict)
    parked: list[checkpoints.Parked] = field(default_factory=list)

    def park(self, stream: UUID, known: int, position: int, error: Exception) -> None:
        """The stream's rows stay those of position `known`."""
        self.parked.append(checkpoints.Parked(stream, known, position, described(error)))


def head_of(conn: psycopg.Connection) -> int:
    """The position of the newest event; everything up to it is visible from now on."""
    row = conn.execute(_HEAD).fetchone()
    assert row is not None  # the head is always one row
    return int(row[0])


def events_of(conn: psycopg.Connection, context: str, up_to: int | None = None, source: Source = LOG) -> int:
    """How many events the context has, up to a position or all."""
    row = conn.execute(_COUNT.format(source.events(context)), [up_to, up_to]).fetchone()
    assert row is not None  # counts always give a row
    return int(row[0])


def window_after(conn: psycopg.Connection, context: str, known: int, head: int, most: int) -> tuple[int, int]:
    """How many events a context has after a position, so many at most, and the position of the last of them.

    `known` where there is none up to `head`.
    """
    row = conn.execute(_WINDOW_END.format(events=LOG.events(context)), [known, head, most]).fetchone()
    events, last = row or (0, None)
    return events, (known if last is None else last)


def streams_touched(events: sql.Composable, span: Span) -> sql.Composed:
    """The query for `originator_id` of the streams that have an event in a span, each once."""
    return _IN_SPAN.format(events=events, after=sql.Literal(span.after), up_to=sql.Literal(span.up_to))


def events_touched(conn: psycopg.Connection, context: str, position: int, span: Span) -> int:
    """How many events up to a position the streams have that have one in a span."""
    events = LOG.events(context)
    parts = {"events": events, "touched": streams_touched(events, span), "position": sql.Literal(position)}
    row = conn.execute(_COUNT_TOUCHED.format(**parts)).fetchone()
    assert row is not None  # counts always give a row
    return int(row[0])


def touched(
    conn: psycopg.Connection,
    reader: StreamReader,
    context: str,
    known: int,
    end: int,
    *,
    retry_parked: bool = False,
) -> Iterator[list[StoredStream]]:
    """The streams that have events after the position `known` up to `end`, some at a time, with all up to `end`.

    Within a transaction, which it tells how to look for them. With those that are parked, if they are to be retried.
    """
    conn.execute(BY_INDEX)
    statement = _TOUCHED.format(
        columns=COLUMNS,
        events=LOG.events(context),
        known=sql.Literal(known),
        end=sql.Literal(end),
        retry=sql.Literal(retry_parked),
        context=sql.Literal(context),
    )
    yield from reader.read(unpacked(list(copied_rows(conn, statement))))


class Follower:
    """Folds what new events touched and writes it to the tables of one revision, live or being built."""

    def __init__(self, conn: psycopg.Connection, model: Model) -> None:
        self._conn = conn
        self._model = model
        self._reader = StreamReader(partial(read_keys, conn))

    def window_after(self, known: int, head: int) -> tuple[int, int]:
        """How many events the next window after a position has, and the position it ends at, `head` at most."""
        events, last = window_after(self._conn, self._model.projection.context, known, head, EVENTS_A_WINDOW)
        return events, (last if events == EVENTS_A_WINDOW else head)

    def follow(self, known: int, end: int, parked: Mapping[UUID, int], *, retry_parked: bool = False) -> Window:
        """Writes, within a transaction, what the streams touched after the position `known` up to `end` have become.

        The tables show all streams as of `known`, but those that are parked as of theirs. What cannot be folded, or
        does not fit into the tables, is left as it is, and told.
        """
        window, lines = fold_touched(
            self._conn, self._reader, self._model, known, end, parked, retry_parked=retry_parked
        )
        write(self._conn, self._model, lines)
        return window


def fold_touched(
    conn: psycopg.Connection,
    reader: StreamReader,
    model: Model,
    known: int,
    end: int,
    parked: Mapping[UUID, int],
    *,
    retry_parked: bool = False,
) -> tuple[Window, dict[str, TableLines]]:
    """The same, not written: what became of the streams, and what to do to each table. Within a transaction."""
    window = Window()
    with gc_pause.paused():
        for streams in touched(conn, reader, model.projection.context, known, end, retry_parked=retry_parked):
            for stream in streams:
                _fold(model, stream, parked.get(stream.stream_id, known), window)
        return window, _encoded(model, window)


def _fold(model: Model, stream: StoredStream, known: int, window: Window) -> None:
    """Folds a stream as it was at the position that its rows show, and as it is."""
    position = stream.positions[-1]
    try:
        if stream.error is not None:
            raise stream.error
        before, after = refold(model.projection, stream.effective_up_to(known), stream.effective())
    except MemoryError:  # no fault of the stream, which is not to be parked for it
        raise
    except Exception as error:  # whatever is wrong with one stream must not stop the others
        window.park(stream.stream_id, known, position, error)
    else:
        window.folded[stream.stream_id] = Folded(before, after, known, position)


def _encoded(model: Model, window: Window) -> dict[str, TableLines]:
    """What to write; streams with rows that the tables cannot hold are parked."""
    changes = {stream: differences(model.projection, f.before, f.after) for stream, f in window.folded.items()}
    try:
        return encode(model, changes.values())
    except DoesNotFit:
        for stream, of_stream in list(changes.items()):
            try:
                encode(model, [of_stream])
            except DoesNotFit as error:
                folded = window.folded.pop(stream)
                window.park(stream, folded.known, folded.position, error)
                del changes[stream]
        return encode(model, changes.values())
