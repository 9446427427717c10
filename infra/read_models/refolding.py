"""Folding streams again to which nothing happened but that a key was destroyed: their rows lose personal fields.

What follows the log compares a stream before and after new events; here both would look alike, and many a stream has
no new event at all. So all rows of the stream are removed, by the positions that only its rows carry, and written anew.

Whoever destroys a key asks for this in the same transaction (`ask`). Tables that were being filled at that moment, from
events that were read with the key, are set right before they are shown: who fills them remembers `newest` from before
the first event was read, and folds again what was asked for since.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.read_models import checkpoints, versions
from replayhouse.infra.read_models.schema import Model, qualified
from replayhouse.infra.read_models.stream_reader import StoredStream, described
from replayhouse.infra.read_models.stream_source import LOG, Source, read_streams
from replayhouse.infra.read_models.upsert import encode, write
from replayhouse.projections.projection import Fold, Stream
from replayhouse.projections.replay import Difference, differences

_NEWEST = "SELECT coalesce(max(seq), 0) FROM read_model.refold"
_ERASURES = "SELECT coalesce(max(seq), 0) FROM read_model.refold WHERE context <> 'quality'"
_ASK = "INSERT INTO read_model.refold (context, originator_id) SELECT %s, unnest(%s::uuid[])"
_SINCE = "SELECT DISTINCT originator_id FROM read_model.refold WHERE context = %s AND seq > %s"
_REMOVE = sql.SQL("DELETE FROM {} WHERE position = ANY(%s)")
_SHOWN = sql.SQL("""
    SELECT originator_id, max(notification_id)
    FROM event_store.{events}
    WHERE originator_id = ANY(%s) AND notification_id IN ({positions})
    GROUP BY originator_id
""")
_POSITIONS_SHOWN = sql.SQL("SELECT position FROM {}")
_POSITIONS = sql.SQL("SELECT notification_id FROM event_store.{} WHERE originator_id = ANY(%s)")


class Again(NamedTuple):
    """A stream that was folded again, and the positions of its events, by one of which all its rows are known.

    `failed` where it cannot be folded; there are no rows to write then.
    """

    stream_id: UUID
    positions: list[int]
    changes: dict[str, Difference]
    failed: checkpoints.Parked | None


def newest(conn: psycopg.Connection) -> int:
    """The number of the newest stream that was asked for; 0 where there is none."""
    row = conn.execute(_NEWEST).fetchone()
    assert row is not None  # aggregates always give a row
    return int(row[0])


def erasures(conn: psycopg.Connection) -> int:
    """The same of the streams that marts show something of: it grows with each erasure of that."""
    row = conn.execute(_ERASURES).fetchone()
    assert row is not None  # aggregates always give a row
    return int(row[0])


def ask(conn: psycopg.Connection, context: str, streams: Collection[UUID]) -> None:
    """These streams must be folded again; within the transaction that destroys a key."""
    conn.execute(_ASK, [context, sorted(streams)])


def asked_since(conn: psycopg.Connection, context: str, number: int) -> list[UUID]:
    """The streams of a context that were asked for after a number that `newest` gave."""
    return [stream for (stream,) in conn.execute(_SINCE, [context, number])]


def refold_live(conn: psycopg.Connection, context: str, model: Model, streams: Collection[UUID]) -> None:
    """Writes the rows of these streams in the live tables anew; within a transaction, which holds projectors back.

    What the tables show stays what it was, but for fields whose key is destroyed. A stream that cannot be folded is
    left without rows and parked. Where another program has made the tables the rows are removed, and whichever program
    comes next fills the tables anew.
    """
    known = checkpoints.lock(conn, context)
    if versions.is_current(conn, context):
        refold_revision(conn, model, streams, known.position, known.revision)
    else:
        remove(conn, model, streams)
        versions.spoil(conn, context)


def refold_revision(
    conn: psycopg.Connection, model: Model, streams: Collection[UUID], position: int, revision: int
) -> None:
    """The same in the tables of a revision that show the log up to a position, but for the streams that are parked."""
    context = model.projection.context
    parked = checkpoints.parked(conn, context, revision)
    failed = refold(conn, model, [stream for stream in streams if stream not in parked], position)
    for stream in parked.keys() & set(streams):  # what came after may be what nobody can read
        failed += refold(conn, model, [stream], parked[stream])
    checkpoints.release(conn, context, [stream.stream_id for stream in failed], revision)
    checkpoints.park(conn, context, failed, revision)


def refold_kept(conn: psycopg.Connection, model: Model, streams: Collection[UUID]) -> None:
    """The same in tables that were live once, and are kept: each stream as of the position that its rows carry.

    Where the tables have other columns than they would be given today, the rows are removed, no more: nothing could
    bring such a revision up to date either.
    """
    if not versions.has_declared_tables(conn, model):
        remove(conn, model, streams)
        return
    events = sql.Identifier(f"{model.projection.context}_events")
    shown = sql.SQL(" UNION ALL ").join(_POSITIONS_SHOWN.format(qualified(t)) for t in model.tables.values())
    found: dict[UUID, int] = dict(
        conn.execute(_SHOWN.format(events=events, positions=shown), [list(streams)]).fetchall()
    )
    refold(conn, model, found.keys(), max(found.values(), default=0), found)


def remove(conn: psycopg.Connection, model: Model, streams: Collection[UUID]) -> None:
    """Removes the rows of these streams from whatever tables stand in the schema of a revision."""
    events = sql.Identifier(f"{model.projection.context}_events")
    positions = [position for (position,) in conn.execute(_POSITIONS.format(events), [list(streams)])]
    for name in versions.standing_shapes(conn, model.schema):
        conn.execute(_REMOVE.format(sql.Identifier(model.schema, name)), [positions])


def refold(
    conn: psycopg.Connection,
    model: Model,
    streams: Collection[UUID],
    position: int,
    earlier: Mapping[UUID, int] | None = None,
    fold: Fold | None = None,
    source: Source = LOG,
) -> list[checkpoints.Parked]:
    """Writes the rows of these streams anew in tables that show `position`, or for some streams an earlier one.

    Within a transaction; the tables have their primary keys. Removed are the rows of all the streams; those that
    cannot be folded again are returned, and have none. `fold` takes the place of the projection's own, where the tables
    show what had happened by some business time, `source` that of the log, where they show a part of it.
    """
    if not streams:
        return []
    again = fold_again(conn, model, streams, position, earlier, fold, source)
    positions = [at for one in again for at in one.positions]
    for table in model.tables.values():
        conn.execute(_REMOVE.format(qualified(table)), [positions])
    write(conn, model, encode(model, [one.changes for one in again]))
    return [one.failed for one in again if one.failed is not None]


def fold_again(
    conn: psycopg.Connection,
    model: Model,
    streams: Collection[UUID],
    position: int,
    earlier: Mapping[UUID, int] | None = None,
    fold: Fold | None = None,
    source: Source = LOG,
) -> list[Again]:
    """The rows of these streams as of `position`, or for some streams of an earlier one; nothing is written."""
    found: list[Again] = []
    for stream in read_streams(conn, model.projection.context, sorted(streams), position, source):
        try:
            seen = stream.effective_up_to((earlier or {}).get(stream.stream_id, position))
            changes = _written(model, stream, seen, fold or model.projection.fold)
            found.append(Again(stream.stream_id, stream.positions, changes, None))
        except MemoryError:  # no fault of the stream, which is not to be parked for it
            raise
        except Exception as error:  # whatever is wrong with one stream: its rows must go all the same
            parked = checkpoints.Parked(stream.stream_id, 0, stream.positions[-1], described(error))
            found.append(Again(stream.stream_id, stream.positions, {}, parked))
    return found


def _written(model: Model, stream: StoredStream, seen: Stream | None, fold: Fold) -> dict[str, Difference]:
    if stream.error is not None:
        raise stream.error
    changes = differences(model.projection, {}, {} if seen is None else fold(seen))
    encode(model, [changes])  # raises DoesNotFit, here where it tells of one stream
    return changes
