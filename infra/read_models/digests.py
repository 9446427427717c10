"""Digests of the live read models, read back from the database: what stands there, not what was sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import IsolationLevel, sql

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.copy_out import copied_lines
from replayhouse.infra.read_models.checkpoints import projected
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.schema import Model, qualified
from replayhouse.infra.read_models.versions import refuse_others, standing_shapes
from replayhouse.projections.digest import NOTHING, Digest, digest_of
from replayhouse.projections.projection import POSITION, columns_without_position
from replayhouse.projections.warehouse import PROJECTIONS

_FORMS = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL extra_float_digits = 1"
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")
_COPY = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT")


@dataclass(frozen=True)
class ContextDigest:
    """Revision and position of a context's read model, and the digest of each folded table."""

    revision: int
    position: int
    tables: Mapping[str, Digest]

    def as_json(self) -> dict[str, Any]:
        """As `digest --json` prints it."""
        return {"revision": self.revision, "position": self.position, "tables": tables_as_json(self.tables)}


def tables_as_json(tables: Mapping[str, Digest]) -> dict[str, dict[str, Any]]:
    """By table, rows and digest as the command line prints them."""
    return {name: {"rows": digest.rows, "digest": digest.hex} for name, digest in tables.items()}


def sum_of(tables: Mapping[str, Digest]) -> Digest:
    """One digest for all tables of a context: the sum of theirs."""
    return sum(tables.values(), NOTHING)


def digests(database: Database, contexts: Iterable[str] = tuple(PROJECTIONS)) -> dict[str, ContextDigest]:
    """The digests of the live tables, all as of one moment; about 2 microseconds a row, whatever their number.

    Raises OtherVersion where another program has made them.
    """
    wanted = {context: Model(PROJECTIONS[context], context) for context in contexts}
    with database.connect("replayhouse digest", autocommit=True) as conn, translated():
        prepare(conn)
        refuse_others(conn, wanted)
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        with conn.transaction():
            # Before the snapshot is taken: nobody can swap another revision in from here on.
            for model in wanted.values():
                for table in model.tables.values():
                    conn.execute(_LOCK.format(qualified(table)))
            return {context: _digest(conn, model) for context, model in wanted.items()}


def _digest(conn: psycopg.Connection, model: Model) -> ContextDigest:
    known = projected(conn, model.projection.context)
    assert known is not None  # prepared a moment ago
    return ContextDigest(known.revision, known.position, table_digests(conn, model))


def table_digests(conn: psycopg.Connection, model: Model) -> dict[str, Digest]:
    """The digest of each table of a revision as it stands, whatever program has made it; within a transaction."""
    conn.execute(_FORMS)
    return {
        table: _digest_of(conn, model, table, [column.name for column in columns if column.name != POSITION])
        for table, columns in standing_shapes(conn, model.schema).items()
    }


def table_digest(conn: psycopg.Connection, model: Model, table: str) -> Digest:
    """The digest of a table as this program makes it; within a transaction."""
    conn.execute(_FORMS)
    return _digest_of(conn, model, table, columns_without_position(model.projection_table(table)))


def _digest_of(conn: psycopg.Connection, model: Model, table: str, columns: Sequence[str]) -> Digest:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    copy = _COPY.format(names, sql.Identifier(model.schema, table))
    return digest_of(line[:-1] for line in copied_lines(conn, copy))
