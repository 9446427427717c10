"""What the processes of a filling do: fold a range of streams into rows of ClickHouse's new tables.

A process reads events through one connection of the log's, looks keys up through another, and sends rows in blocks.
Memory holds a few thousand events, and a block of each table of a context, whatever the size of the log.
"""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from functools import partial
from typing import NamedTuple

from replayhouse.infra.clickhouse.server import connected
from replayhouse.infra.clickhouse.tables import NEXT
from replayhouse.infra.clickhouse.writing import insert
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.planner import IN_ORDER
from replayhouse.infra.read_models.copy_text import copy_data
from replayhouse.infra.read_models.folding import Folding, Taken
from replayhouse.infra.read_models.rebuild.range_loader import Loaded, Range, stream_at, streams_of
from replayhouse.infra.read_models.stream_reader import StreamReader
from replayhouse.infra.runtime import gc_pause
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings

ROWS_A_BLOCK = 20_000
"""So many rows of a table, and some of a batch more, are sent at once: few enough for memory, some megabytes."""

STAYS = "What stands in ClickHouse stays as it was."


class Filling(NamedTuple):
    """A range of streams to be folded, and the version of its rows."""

    of: Range
    version: int


class RangeFiller:
    """A process' connections, and what it does with them."""

    def __init__(self, database: Database, settings: ClickHouseSettings) -> None:
        with ExitStack() as opened:
            self._events = opened.enter_context(closing(database.connect("replayhouse rebuild", autocommit=True)))
            self._keys = opened.enter_context(closing(database.connect("replayhouse rebuild", autocommit=True)))
            self._server = opened.enter_context(connected(settings))
            self._events.execute(IN_ORDER)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Closes them."""
        self._opened.close()

    def do(self, task: Filling) -> Loaded:
        """Folds the streams of a range and sends their rows. Raises Unfoldable, which names the stream."""
        source = task.of.source
        folding = Folding(task.of.context, None, partial(stream_at, self._keys, task.of), STAYS)
        reader = StreamReader(source.keys_of(self._keys))
        with translated(), gc_pause.paused():
            with closing(streams_of(self._events, reader, task.of)) as batches:
                for streams in batches:
                    folding.fold(streams)
                    self._send(folding.take(ROWS_A_BLOCK), task.version)
            self._send(folding.take(1), task.version)
        return Loaded(folding.events, folding.digests)

    def _send(self, some: Iterable[Taken], version: int) -> None:
        for taken in some:
            data = copy_data(taken.lines, [row[-1] for row in taken.rows])
            insert(self._server, taken.table, data, version, suffix=NEXT)
