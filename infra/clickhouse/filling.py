"""Filling the tables of contexts anew: every stream is folded again, beside what stands, and takes its place.

Where the log is read and how it is folded is what a rebuild in PostgreSQL does; here rows go into other tables. What
ClickHouse has is held against what was sent before anybody sees it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import msgspec
import psycopg

from replayhouse.infra.clickhouse import position, tables
from replayhouse.infra.clickhouse.digests import digest_of
from replayhouse.infra.clickhouse.position import Position
from replayhouse.infra.clickhouse.range_filler import STAYS, Filling, RangeFiller
from replayhouse.infra.clickhouse.server import Server
from replayhouse.infra.clickhouse.tables import NEXT, rows_of
from replayhouse.infra.clickhouse.writing import insert, version_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import refolding
from replayhouse.infra.read_models.copy_text import copy_data, line_writer
from replayhouse.infra.read_models.rebuild.range_loader import ranges
from replayhouse.infra.read_models.rebuild.workers import Parts, Rebuilt, parts_of, processes_for, unknown_members
from replayhouse.infra.read_models.schema import model_of
from replayhouse.infra.read_models.stream_source import Source
from replayhouse.infra.read_models.windows import events_of, head_of
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
from replayhouse.infra.runtime.crews import crew
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.warehouse import PROJECTIONS

_ONE_DIED = (
    f"A process that filled ClickHouse ended unexpectedly, perhaps for want of memory. {STAYS} Run it again, with a "
    "smaller REPLAYHOUSE_WORKERS."
)


class Filler:
    """Fills contexts of one ClickHouse, on connections that the caller has for itself. The caller holds the lock."""

    def __init__(
        self,
        database: Database,
        conn: psycopg.Connection,
        settings: ClickHouseSettings,
        server: Server,
        workers: int,
        tell: Parts,
    ) -> None:
        self._database = database
        self._conn = conn
        self._settings = settings
        self._server = server
        # The engine without a server is in this process alone.
        self._workers = 1 if server.address.folder else workers
        self._tell = tell

    def fill(
        self, known: Mapping[str, Position], contexts: Iterable[str], *, is_withheld: bool
    ) -> dict[str, tuple[Position, Rebuilt]]:
        """Fills these contexts from the first event on; what is told of each now, and what came of it.

        `known` is what was told of those that stand. Raises Unfoldable where a stream cannot be folded,
        ReplayhouseError where ClickHouse does not have what it was sent, or a process dies: what stood, stands.
        """
        wanted = list(contexts)
        source = Source(are_withheld=is_withheld)
        asked = refolding.newest(self._conn)  # before the first key is read
        head = head_of(self._conn)
        former = {context: known.get(context, Position()) for context in wanted}
        built = {context: Rebuilt(of_context.revision + 1, head) for context, of_context in former.items()}
        with _dropped_on_failure(self._server, wanted):
            for context, rebuilt in built.items():
                self._begin(context, former[context].step + 1, rebuilt)
            self._load(built, {context: of_context.step + 1 for context, of_context in former.items()}, source)
            for context, rebuilt in built.items():
                self._hold(context, rebuilt)
        shown = {}
        for context, rebuilt in built.items():
            following = self._told(context, former[context], rebuilt, asked, is_withheld=is_withheld)
            shown[context] = (_swap(self._server, context, following), rebuilt)
        return shown

    def _begin(self, context: str, step: int, rebuilt: Rebuilt) -> None:
        """Makes the new tables, with the rows that no stream makes."""
        for table in PROJECTIONS[context].tables:
            tables.drop(self._server, rows_of(table) + NEXT)
            tables.create(self._server, table)
            rows = PROJECTIONS[context].unknown_members.get(table.name)
            if rows:
                data = copy_data(line_writer(table).lines(rows), [row[-1] for row in rows])
                insert(self._server, table, data, version_of(step), suffix=NEXT)
        rebuilt.tables = unknown_members(model_of(context, context))

    def _load(self, built: Mapping[str, Rebuilt], steps: Mapping[str, int], source: Source) -> None:
        """Folds all streams, by as many processes as that is worth."""
        started, done = time.monotonic(), 0
        counts = {context: events_of(self._conn, context, of.position) for context, of in built.items()}
        of = sum(counts.values())
        tasks = [
            Filling(part, version_of(steps[context]))
            for context, events in counts.items()
            for part in ranges(context, context, built[context].position, parts_of(events), source=source)
        ]
        processes = processes_for(self._workers, of)
        with crew(processes, partial(RangeFiller, self._database, self._settings), _ONE_DIED) as at_work:
            for task, loaded in at_work.do(tasks):
                done += loaded.events
                self._tell(done, of)
                rebuilt = built[task.of.context]
                rebuilt.events += loaded.events
                rebuilt.seconds = time.monotonic() - started
                for name, digest in loaded.tables.items():
                    rebuilt.tables[name] += digest

    def _hold(self, context: str, rebuilt: Rebuilt) -> None:
        """Holds what ClickHouse has against what it was sent."""
        for table in PROJECTIONS[context].tables:
            sent = rebuilt.tables[table.name]
            found = digest_of(self._server, table, f"{self._server.named(rows_of(table) + NEXT)} FINAL")
            if found != sent:
                there = f"{found.rows:,} rows with the digest {found.hex}"
                raise ReplayhouseError(
                    f"{context}.{table.name} has {there} at {self._server.address.place}, and {sent.rows:,} rows with "
                    f"the digest {sent.hex} were sent. {STAYS}"
                )

    def _told(self, context: str, former: Position, rebuilt: Rebuilt, asked: int, *, is_withheld: bool) -> Position:
        fingerprint, version, layout = position.made_by_this(context)
        return Position(
            step=former.step,
            revision=former.revision + 1,
            position=rebuilt.position,
            refolds=asked,
            store=position.store_of(self._conn),
            chain=position.chain_at(self._conn, rebuilt.position),
            fingerprint=fingerprint,
            fold_version=version,
            layout=layout,
            is_withheld=is_withheld,
        )


def _swap(server: Server, context: str, following: Position) -> Position:
    """The new tables take the place of those that stand; until all have, they may be of two revisions, which is told.

    Whoever dies in between leaves that, and the next one fills the context again.
    """
    told = position.write(server, context, msgspec.structs.replace(following, must_be_filled=True))
    for table in PROJECTIONS[context].tables:
        tables.put_in_place(server, table)
    tables.show(server, context)
    return position.write(server, context, msgspec.structs.replace(told, must_be_filled=False))


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
