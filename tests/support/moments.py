"""The warehouse as of a position, made in both ways: from live rows as far as they go, and from the log alone."""

from collections.abc import Collection
from typing import NamedTuple

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import table_digests
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.standing import standing
from replayhouse.infra.read_models.snapshots.time_travel import alone, made
from replayhouse.projections.digest import Digest
from replayhouse.projections.warehouse import PROJECTIONS

_ROWS = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1")
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = %s ORDER BY 1"

ALL = tuple(PROJECTIONS)


class Moment(NamedTuple):
    """What was made: by context and table the digest told, the one read back, all rows with their positions, and keys.

    `events` are those that the contexts are said to show.
    """

    told: dict[str, dict[str, Digest]]
    stands: dict[str, dict[str, Digest]]
    rows: dict[str, dict[str, list[str]]]
    keys: dict[str, list[str]]
    events: dict[str, int]


def as_of(
    database: Database, position: int, *, afresh: bool = False, contexts: Collection[str] = ALL, workers: int = 1
) -> Moment:
    """The contexts as of a position, looked at and removed again."""
    with database.connect("replayhouse test", autocommit=True) as conn, alone(conn):
        limits = Limits(position)
        with made(database, conn, contexts, limits, workers, afresh=afresh, with_digests=True) as beside:
            models = beside.unfinished.models
            with conn.transaction():
                stands = {context: table_digests(conn, model) for context, model in models.items()}
            return Moment(
                {context: rebuilt.tables for context, rebuilt in beside.rebuilt.items()},
                stands,
                {c: {name: _rows(conn, model.schema, name) for name in model.tables} for c, model in models.items()},
                {c: _keys(conn, model.schema, c) for c, model in models.items()},
                {context: rebuilt.events for context, rebuilt in beside.rebuilt.items()},
            )


def lending(database: Database, position: int) -> set[str]:
    """The contexts whose live rows would be taken over as of a position."""
    with standing(database, dict.fromkeys(ALL, position)) as found:
        return set(found)


def _rows(conn: psycopg.Connection, schema: str, table: str) -> list[str]:
    return [row for (row,) in conn.execute(_ROWS.format(sql.Identifier(schema, table)))]


def _keys(conn: psycopg.Connection, schema: str, context: str) -> list[str]:
    return [index.replace(schema, context) for (index,) in conn.execute(_INDEXES, [schema])]
