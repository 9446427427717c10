"""The rows of a context's tables as messages: what a window of the log has made of them, by the fold of every rebuild.

The streams that the window touched are folded as they were and as they are, as the read models' follower does it, and
the differences are published: the newest row of a key stays on the compacted topic, and a row that is gone leaves a
tombstone. Personal fields are withheld, whoever has their keys.

* key: `{"table":"fact_order","key":{"order_id":"..."}}`, the columns of the primary key in their order
* value: the row by column, `position` last; exact decimals as text at their scale, times in ISO 8601
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, NamedTuple

import msgspec
import psycopg
from sqlalchemy import Double, Numeric, Table

from replayhouse.infra.read_models.stream_reader import StoredStream, StreamReader, described
from replayhouse.infra.read_models.windows import touched, window_after
from replayhouse.infra.runtime import gc_pause
from replayhouse.projections.projection import Projection, Row, key_width
from replayhouse.projections.replay import Difference, differences, refold
from replayhouse.projections.warehouse import PROJECTIONS

_encode = msgspec.json.Encoder().encode

Tell = Callable[[str], None]
"""Takes what a person should know."""


class Change(NamedTuple):
    """What a key's newest row is; None: it is gone."""

    key: bytes
    value: bytes | None


class Window(NamedTuple):
    """What a window of the log has made of the rows: it has so many events, the last of them at `position`."""

    events: int
    position: int
    changes: list[Change]


class State:
    """The rows of a context, on a connection in autocommit. Holds no keys of personal fields."""

    def __init__(self, conn: psycopg.Connection, context: str, tell: Tell) -> None:
        self._conn = conn
        self._projection = PROJECTIONS[context]
        self._reader = StreamReader(None)
        self._tell = tell

    def windows(self, known: int, head: int, most: int) -> Iterator[Window]:
        """Each window of `most` events after a position up to another one.

        With the first of all come the rows that no stream makes.
        """
        while True:
            with self._conn.transaction():
                events, end = window_after(self._conn, self._projection.context, known, head, most)
                if events == 0:
                    return
                changes = self._changes(known, end)
            yield Window(events, end, changes)
            known = end

    def _changes(self, known: int, end: int) -> list[Change]:
        gone: list[Change] = []
        written: dict[bytes, Change] = {}
        if known == 0:
            made_by_nobody = self._projection.unknown_members
            _add(self._projection, {name: Difference(rows, []) for name, rows in made_by_nobody.items()}, written, gone)
        with gc_pause.paused():
            for streams in touched(self._conn, self._reader, self._projection.context, known, end):
                for stream in streams:
                    _add(self._projection, self._differences(stream, known), written, gone)
        # A row may have gone from one stream and come to another: then it is there.
        return [*(change for change in gone if change.key not in written), *written.values()]

    def _differences(self, stream: StoredStream, known: int) -> dict[str, Difference]:
        """What new events did to the rows of a stream; nothing, and that is told, where it cannot be folded."""
        try:
            if stream.error is not None:
                raise stream.error
            before, after = refold(self._projection, stream.effective_up_to(known), stream.effective())
        except Exception as error:  # whatever is wrong with one stream must not stop the others
            context = self._projection.context
            self._tell(
                f"{context}.state: the stream {stream.stream_id} cannot be folded ({described(error)}); its rows "
                "stay as they were published."
            )
            return {}
        return differences(self._projection, before, after)


def _add(
    projection: Projection, changes: Mapping[str, Difference], written: dict[bytes, Change], gone: list[Change]
) -> None:
    for table in projection.tables:
        if table.name in changes:
            writer = _writer(table)
            difference = changes[table.name]
            written.update((change.key, change) for change in map(writer.change, difference.written))
            gone += [Change(writer.key(row), None) for row in difference.gone]


class _RowWriter:
    """Writes the rows of one table."""

    def __init__(self, table: Table) -> None:
        self._table = str(table.name)  # SQLAlchemy's names are texts of a class of their own, which msgspec refuses
        self._names = [str(column.name) for column in table.columns]
        self._keys = self._names[: key_width(table)]
        self._steps = {
            str(column.name): Decimal(1).scaleb(-(column.type.scale or 0))
            for column in table.columns
            if isinstance(column.type, Numeric) and not isinstance(column.type, Double)
        }

    def key(self, row: Row) -> bytes:
        return _encode({"table": self._table, "key": dict(zip(self._keys, row[: len(self._keys)], strict=True))})

    def change(self, row: Row) -> Change:
        values: dict[str, Any] = dict(zip(self._names, row, strict=True))
        for name, step in self._steps.items():
            if values[name] is not None:
                values[name] = f"{values[name].quantize(step, rounding=ROUND_HALF_UP):f}"
        return Change(self.key(row), _encode(values))


@cache
def _writer(table: Table) -> _RowWriter:
    return _RowWriter(table)
