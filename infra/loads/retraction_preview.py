"""What taking loads back would do to the read models: their streams are folded as they are and as they would be.

Nothing is appended. Some thousand events are in memory at a time, and of what would change, counts and a few examples.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.events import DomainEvent, effective, rewind
from replayhouse.domain.quality.batch import batch_of, retract
from replayhouse.infra.event_store.keys import read_keys
from replayhouse.infra.loads.touched_streams import TouchedStreams
from replayhouse.infra.postgres.copy_out import copied_rows
from replayhouse.infra.postgres.planner import BY_INDEX
from replayhouse.infra.read_models import checkpoints
from replayhouse.infra.read_models.calendar import bound_of_log, calendar_end, latest_time
from replayhouse.infra.read_models.schema import copy_into
from replayhouse.infra.read_models.stream_reader import StoredStream, StreamReader
from replayhouse.infra.read_models.stream_source import COLUMNS, unpacked
from replayhouse.infra.runtime import gc_pause
from replayhouse.ingest.retract import Retraction
from replayhouse.projections.dates import date_rows, last_day
from replayhouse.projections.projection import Projection, Row, Rows, Stream, columns_without_position, key_width
from replayhouse.projections.replay import differences, refold
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import BUSINESS_TIMES, PROJECTIONS

STREAMS_AT_ONCE = 2_000

EXAMPLES = 3
"""So many of the rows that would change are shown, of each table and kind of change."""

_TOUCHED = sql.SQL("""
    COPY (
        SELECT {columns}
        FROM touched_stream AS t
        JOIN event_store.{events} AS e USING (originator_id)
        WHERE t.context = {number} AND originator_id BETWEEN {first} AND {last}
        ORDER BY originator_id, originator_version
    ) TO STDOUT (FORMAT binary)
""")
_OF_LOADS = sql.SQL("""
    COPY (
        SELECT {columns} FROM event_store.quality_events
        WHERE originator_id = ANY({loads})
        ORDER BY originator_id, originator_version
    ) TO STDOUT (FORMAT binary)
""")

# Rows are known by the position of their stream's newest event, also those that are parked at an earlier one.
_MAKE_POSITIONS = """
    CREATE TEMPORARY TABLE IF NOT EXISTS touched_position (position bigint PRIMARY KEY);
    TRUNCATE touched_position
"""
_LATEST_OF_OTHERS = """
    SELECT max(found)
    FROM (
        SELECT unnest(ARRAY[placed_at, approved_at, shipped_at, completed_at, promised_by]) AS found, position
        FROM sales.fact_order
        UNION ALL
        SELECT ship_by, position FROM sales.fact_order_item
        UNION ALL
        SELECT unnest(ARRAY[created_at, answered_at]), position FROM customer.fact_review
    ) AS f
    WHERE found < %s AND NOT EXISTS (SELECT FROM touched_position AS t WHERE t.position = f.position)
"""


class Change(NamedTuple):
    """A row of a table as it is and as it would be, None where there is none; `position` is 0 in both.

    `keys` columns, the first ones, are the row's key, which is the same in both.
    """

    table: str
    columns: Sequence[str]
    keys: int
    before: Row | None
    after: Row | None

    @property
    def kind(self) -> str:
        """Whether the row would be added, changed or removed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    def document(self) -> dict[str, Any]:
        """The key, and each column that differs, from what to what."""
        row = self.before or self.after
        assert row is not None, "one of them is there"
        return {
            "key": dict(zip(self.columns[: self.keys], row[: self.keys], strict=True)),
            "change": self.kind,
            "columns": {
                name: {"from": old, "to": new}
                for name, old, new in zip(
                    self.columns, self._values(self.before), self._values(self.after), strict=True
                )
                if old != new and name not in self.columns[: self.keys]
            },
        }

    def _values(self, row: Row | None) -> Sequence[object]:
        return [None] * len(self.columns) if row is None else row[: len(self.columns)]


@dataclass
class TableChanges:
    """How many rows of a table would be added, changed and removed, and some of them."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    examples: list[Change] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Takes a change in."""
        number = getattr(self, change.kind)
        setattr(self, change.kind, number + 1)
        if number < EXAMPLES:
            self.examples.append(change)

    def document(self) -> dict[str, Any]:
        """As `retract --dry-run --json` shows it."""
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        return {**counts, "examples": [change.document() for change in self.examples]}


def summarised(changes: Iterable[Change]) -> dict[str, TableChanges]:
    """Counts and examples for every table, in the order of the star schema; of untouched ones zeros."""
    tables = {f"{name}.{table.name}": TableChanges() for name, model in PROJECTIONS.items() for table in model.tables}
    tables["shared.dim_date"] = TableChanges()
    for change in changes:
        tables[change.table].add(change)
    return tables


class RetractionPlan:
    """What taking loads back, all together, would change. `conn` is in autocommit, and the read models caught up."""

    def __init__(self, conn: psycopg.Connection, retractions: Sequence[Retraction]) -> None:
        self._conn = conn
        self._retractions = {retraction.load_id: retraction for retraction in retractions}
        self._touched = TouchedStreams(conn)
        self._reader = StreamReader(partial(read_keys, conn))
        self._positions: list[int] = []
        self._former: list[datetime] = []
        self._newest: list[datetime] = []
        self._bound = self._bound_to_be = datetime.max

    def changes(self) -> Iterator[Change]:
        """The rows that would change, those of the calendar at the end."""
        self._bound = bound_of_log(self._conn)
        self._bound_to_be = bound_of_log(self._conn, without=self._retractions)
        self._touched.find(self._retractions)
        self._conn.execute(_MAKE_POSITIONS)
        for context, projection in PROJECTIONS.items():
            parked = checkpoints.parked(self._conn, context)
            for streams in self._pages(context):
                yield from self._folded(projection, parked, streams)
                self._note_positions()
        yield from self._of_calendar()

    def _pages(self, context: str) -> Iterator[list[tuple[StoredStream, DomainEvent]]]:
        """The touched streams of a context, each with the event that it would get."""
        after: UUID | None = None
        while page := self._touched.after(context, after, STREAMS_AT_ONCE):
            after = page[-1].stream_id
            query = _TOUCHED.format(
                columns=COLUMNS,
                events=sql.Identifier(f"{context}_events"),
                number=sql.Literal(CONTEXTS.index(context)),
                first=sql.Literal(page[0].stream_id),
                last=sql.Literal(after),
            )
            newest = next(iter(self._retractions.values()))
            rewinds = {s.stream_id: rewind(newest.load_id, s.first_version, newest.at) for s in page}
            yield [(stream, rewinds[stream.stream_id]) for stream in self._read(query)]
        if context == "quality":
            query = _OF_LOADS.format(columns=COLUMNS, loads=sql.Literal(list(self._retractions)))
            told = ((stream, self._told(stream)) for stream in self._read(query))
            yield [(stream, event) for stream, event in told if event is not None]

    def _read(self, query: sql.Composed) -> list[StoredStream]:
        with self._conn.transaction(), gc_pause.paused():
            self._conn.execute(BY_INDEX)
            rows = unpacked(list(copied_rows(self._conn, query)))
            return [stream for some in self._reader.read(rows) for stream in some]

    def _told(self, stream: StoredStream) -> DomainEvent | None:
        """What the load would say of itself."""
        _, reason, by, at = self._retractions[stream.stream_id]
        batch = batch_of(effective(stream.events))
        return next(iter(retract(batch, reason, by, (), at)), None) if batch.status != "rejected" else None

    def _folded(
        self,
        projection: Projection,
        parked: Mapping[UUID, int],
        streams: Iterable[tuple[StoredStream, DomainEvent]],
    ) -> Iterator[Change]:
        """As following the log does it: what cannot be folded afterwards either stays as it is."""
        tables = {table.name: (columns_without_position(table), key_width(table)) for table in projection.tables}
        for stream, event in streams:
            if stream.error is not None:
                continue
            shown = stream.effective_up_to(parked.get(stream.stream_id, stream.positions[-1]))
            was = None if shown is None else shown._replace(position=0)
            to_be = Stream(stream.stream_id, 0, effective([*stream.events, event]))
            try:
                before, after = refold(projection, was, to_be)
            except Exception:  # whatever is wrong with one stream: it is parked, and its rows stay  # nosec B112
                continue
            if shown is not None and projection.context in BUSINESS_TIMES:
                self._positions.append(shown.position)
                self._look_at_times(projection.context, before, after)
            for name, (written, gone) in differences(projection, before, after).items():
                columns, keys = tables[name]
                former = {row[:keys]: row for row in before.get(name, ())}
                for row in written:
                    yield Change(f"{projection.context}.{name}", columns, keys, former.get(row[:keys]), row)
                for row in gone:
                    yield Change(f"{projection.context}.{name}", columns, keys, row, None)

    def _look_at_times(self, context: str, before: Rows, after: Rows) -> None:
        """Keeps the latest times of touched rows, as they are and as they would be."""
        for rows, kept, bound in ((before, self._former, self._bound), (after, self._newest, self._bound_to_be)):
            latest = latest_time(context, [rows], bound)
            if latest is not None:
                kept[:] = [max([latest, *kept])]

    def _note_positions(self) -> None:
        if self._positions:
            copy_into(self._conn, sql.Identifier("touched_position"), b"".join(b"%d\n" % at for at in self._positions))
            self._positions.clear()

    def _of_calendar(self) -> Iterator[Change]:
        """The days that the calendar would lose or gain."""
        end = calendar_end(self._conn)
        former, newest = (last_day(max(times, default=None)) for times in (self._former, self._newest))
        if end is None or (max(former, newest) < end and self._bound == self._bound_to_be):
            return
        row = self._conn.execute(_LATEST_OF_OTHERS, [self._bound_to_be]).fetchone()
        assert row is not None, "aggregates always give a row"
        times = [*self._newest, *(time for time in row if time is not None)]
        to_be = last_day(max(times, default=None))
        columns = columns_without_position(DIM_DATE)
        for day in _days(to_be, end):
            yield Change("shared.dim_date", columns, key_width(DIM_DATE), day, None)
        for day in _days(end, to_be):
            yield Change("shared.dim_date", columns, key_width(DIM_DATE), None, day)


def _days(after: date, end: date) -> Iterator[Row]:
    """The rows of the days after one up to another, which is the last of a calendar."""
    if end > after:
        yield from (row for row in date_rows(date(end.year - 1, 1, 1)) if row.date > after)
