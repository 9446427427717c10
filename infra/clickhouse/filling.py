"""Filling the tables of contexts anew: every stream is folded again, beside what stands, and takes its place.

Where the log is read and how it is folded is what a rebuild in PostgreSQL does, in bounded memory; here rows go into
other tables. What ClickHouse has is held against what was sent before anybody sees it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager

import msgspec
import psycopg

from replayhouse.infra.clickhouse import position, tables
from replayhouse.infra.clickhouse.digests import digest_of
from replayhouse.infra.clickhouse.position import Position
from replayhouse.infra.clickhouse.server import Server
from replayhouse.infra.clickhouse.tables import NEXT, rows_of
from replayhouse.infra.clickhouse.writing import Blocks
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.planner import IN_ORDER
from replayhouse.infra.read_models import refolding
from replayhouse.infra.read_models.rebuild.range_loader import folds, ranges
from replayhouse.infra.read_models.rebuild.workers import Parts, Rebuilt
from replayhouse.infra.read_models.stream_reader import Source, StreamReader
from replayhouse.infra.read_models.windows import events_of, head_of
from replayhouse.infra.runtime import gc_pause
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.digest import Digest
from replayhouse.projections.warehouse import PROJECTIONS


def fill(
    database: Database,
    conn: psycopg.Connection,
    server: Server,
    known: Mapping[str, Position],
    contexts: Iterable[str],
    tell: Parts,
    *,
    is_withheld: bool,
) -> dict[str, tuple[Position, Rebuilt]]:
    """Fills these contexts from the first event on; what is told of each now, and what came of it.

    `known` is what was told of those that stand. The caller holds the lock. Raises Unfoldable where a stream cannot be
    folded, ReplayhouseError where ClickHouse does not have what it was sent: what stood, stands.
    """
    filling = _Filling(database, conn, server, tell, is_withheld=is_withheld)
    wanted = list(contexts)
    with _dropped_on_failure(server, wanted):
        loaded = {context: filling.load(context, known.get(context, Position())) for context in wanted}
    return {context: (_swap(server, context, of_context), rebuilt) for context, (of_context, rebuilt) in loaded.items()}


class _Filling:
    """The loading of some contexts up to one position, on a connection for keys and one for events."""

    def __init__(
        self, database: Database, conn: psycopg.Connection, server: Server, tell: Parts, *, is_withheld: bool
    ) -> None:
        self._database = database
        self._conn = conn
        self._server = server
        self._tell = tell
        self._source = Source(are_withheld=is_withheld)
        self._asked = refolding.newest(conn)  # before the first key is read
        self._head = head_of(conn)
        self._store = position.store_of(conn)
        self._started = time.monotonic()

    def load(self, context: str, known: Position) -> tuple[Position, Rebuilt]:
        """Fills new tables of a context; what is to be told of it once they are in place."""
        rebuilt = Rebuilt(known.revision + 1, self._head)
        for table in PROJECTIONS[context].tables:
            tables.drop(self._server, rows_of(table) + NEXT)
            tables.create(self._server, table)
        rebuilt.tables = self._send(context, known.step + 1, rebuilt)
        self._hold(context, rebuilt.tables)
        rebuilt.seconds = time.monotonic() - self._started
        fingerprint, version, layout = position.made_by_this(context)
        following = Position(
            step=known.step,
            revision=known.revision + 1,
            position=self._head,
            refolds=self._asked,
            store=self._store,
            chain=position.chain_at(self._conn, self._head),
            fingerprint=fingerprint,
            fold_version=version,
            layout=layout,
            is_withheld=self._source.are_withheld,
        )
        return following, rebuilt

    def _send(self, context: str, step: int, rebuilt: Rebuilt) -> dict[str, Digest]:
        blocks = Blocks(self._server, self._conn, context, step)
        blocks.add(PROJECTIONS[context].unknown_members)
        of = events_of(self._conn, context, self._head)
        reader = StreamReader(self._source.keys_of(self._conn))
        (whole,) = ranges(context, context, self._head, 1)
        with (
            self._database.connect("replayhouse rebuild --to clickhouse", autocommit=True) as events,
            translated(),
            gc_pause.paused(),
        ):
            events.execute(IN_ORDER)
            with closing(folds(events, reader, whole)) as folded:
                for number, rows in folded:
                    rebuilt.events += number
                    for of_stream in rows:
                        blocks.add(of_stream)
                    blocks.send()
                    self._tell(rebuilt.events, of)
        blocks.send(1)
        return blocks.sent

    def _hold(self, context: str, sent: Mapping[str, Digest]) -> None:
        """Holds what ClickHouse has against what it was sent."""
        for table in PROJECTIONS[context].tables:
            found = digest_of(self._server, table, f"{self._server.named(rows_of(table) + NEXT)} FINAL")
            if found != sent[table.name]:
                raise ReplayhouseError(
                    f"{context}.{table.name} has {found.rows:,} rows with the digest {found.hex} at "
                    f"{self._server.address.place}, and {sent[table.name].rows:,} rows with the digest "
                    f"{sent[table.name].hex} were sent. What stood there stays as it was."
                )


def _swap(server: Server, context: str, following: Position) -> Position:
    """The new tables take the place of those that stand; until all have, they may be of two revisions, which is told.

    Whoever dies in between leaves that, and the next one fills the context again.
    """
    told = position.write(server, context, msgspec.structs.replace(following, are_exchanged=True))
    for table in PROJECTIONS[context].tables:
        tables.put_in_place(server, table)
    tables.show(server, context)
    return position.write(server, context, msgspec.structs.replace(told, are_exchanged=False))


@contextmanager
def _dropped_on_failure(server: Server, contexts: Iterable[str]) -> Iterator[None]:
    """Removes the new tables where they do not come to stand."""
    try:
        yield
    except ReplayhouseError:
        for context in contexts:
            for table in PROJECTIONS[context].tables:
                tables.drop(server, rows_of(table) + NEXT)
        raise
