"""Rows of live tables that are taken over as they are: those of streams to which nothing happened in a span of the log.

A row is a function of its stream up to a position, and carries the position of the stream's newest event. So a live row
whose position is not above P is the row as of P too, where its stream has no event between P and what the live tables
show. Nobody else moves between the reading of one table and of the next: all is read with one snapshot.
"""

from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.copy_out import copied_lines
from replayhouse.infra.read_models.schema import model_of, qualified
from replayhouse.infra.read_models.stream_source import LOG
from replayhouse.infra.read_models.windows import Span, streams_touched
from replayhouse.projections.digest import Digest, digest_of
from replayhouse.projections.projection import POSITION, columns_without_position

_SAME_SNAPSHOT = sql.SQL("""
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET TRANSACTION SNAPSHOT {};
    SET LOCAL work_mem = '64MB'; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO';
    SET LOCAL extra_float_digits = 1
""")
# The rows of no stream, of position 0, are in already.
_COPY = sql.SQL("""
    INSERT INTO {table} ({columns})
    SELECT {columns} FROM {live} WHERE position > 0 AND position <= {after} {others}
""")
# The streams that have gone on since have rows of the position that they had by then.
_NOT_GONE_ON = sql.SQL("""
    AND position NOT IN (
        SELECT max(notification_id) FROM {events} JOIN ({touched}) AS touched USING (originator_id)
        WHERE notification_id <= {after} GROUP BY originator_id
    )
""")
_LINES = sql.SQL("COPY (SELECT {columns} FROM {table} WHERE position > 0) TO STDOUT")


@dataclass(frozen=True)
class Standing:
    """Live tables of a context whose rows are right, seen through an exported snapshot.

    They show the log up to `position`; the streams with an event in the span `touched` are folded instead. As of the
    position that is wanted the context has so many `events`, of which so many are to be `folded`.
    """

    snapshot: str
    position: int
    touched: Span
    events: int
    folded: int


@dataclass(frozen=True)
class TakeOver:
    """A table of a schema to be filled with the untouched rows of the live one, and with their digest if wanted."""

    context: str
    schema: str
    table: str
    standing: Standing
    with_digest: bool


def take_over(conn: psycopg.Connection, task: TakeOver) -> Digest:
    """Fills it; how many rows these are, and their digest: a sum of 0 where it is not wanted. `conn` in autocommit.

    Nothing else has filled the table by the time of the snapshot.
    """
    table, standing = model_of(task.context, task.schema).tables[task.table], task.standing
    live = model_of(task.context, task.context).tables[task.table]
    digested = columns_without_position(table)
    parts = {"table": qualified(table), "live": qualified(live), "after": sql.Literal(standing.touched.after)}
    with conn.transaction():
        conn.execute(_SAME_SNAPSHOT.format(sql.Literal(standing.snapshot)))
        columns = sql.SQL(", ").join(map(sql.Identifier, [*digested, POSITION]))
        copied = conn.execute(_COPY.format(**parts, columns=columns, others=_others(task)))
        if not task.with_digest:
            return Digest(copied.rowcount)
        columns = sql.SQL(", ").join(map(sql.Identifier, digested))
        with closing(copied_lines(conn, _LINES.format(**parts, columns=columns))) as lines:
            return digest_of(line[:-1] for line in lines)


def _others(task: TakeOver) -> sql.Composable:
    """What leaves out touched streams whose rows are not told by their position: where the live tables are behind."""
    standing = task.standing
    if standing.position > standing.touched.after:
        return sql.SQL("")
    events = LOG.events(task.context)
    touched = streams_touched(events, standing.touched)
    return _NOT_GONE_ON.format(events=events, touched=touched, after=sql.Literal(standing.touched.after))
