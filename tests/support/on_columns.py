"""Folding streams on columns and one by one, in memory, to compare what comes of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.columns.batch import Batch
from replayhouse.infra.columns.runs import fold_on_columns
from replayhouse.infra.columns.stored import of_rows
from replayhouse.infra.event_store.known_keys import Keys, KeysOf
from replayhouse.infra.event_store.serialization.mapper import Mapper, mapper_of_our_events
from replayhouse.infra.event_store.serialization.personal import new_key
from replayhouse.infra.read_models.arrow_rows import arrow_rows
from replayhouse.infra.read_models.column_folding import column_rows
from replayhouse.infra.read_models.copy_text import copy_data, line_writer, lines_of
from replayhouse.infra.read_models.stream_reader import StoredRow, StreamReader
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.projections.business_time import fold_of
from replayhouse.projections.digest import digest_of
from replayhouse.projections.projection import Row
from replayhouse.projections.warehouse import PROJECTIONS

Streams = Mapping[UUID, Sequence[DomainEvent]]


class Outcome(NamedTuple):
    """The rows by table, sorted, and the streams that could not be folded; on columns, how it went, too."""

    rows: dict[str, list[Row]]
    failed: set[UUID]
    counts: Counts = Counts()


class EveryKey(dict[UUID, bytes | None]):
    """Keys of whoever is asked for; every one of `destroyed` is gone."""

    def __init__(self, destroyed: set[UUID]) -> None:
        super().__init__()
        self._destroyed = destroyed
        self.is_erasing = False

    def __missing__(self, subject: UUID) -> bytes | None:
        self[subject] = new_key()
        return self[subject]

    def keys_of(self, subjects: Any) -> Keys:
        """As a reader looks them up."""
        return {subject: None if subject in self._destroyed else self[subject] for subject in subjects}


def stored(context: str, streams: Streams, keys: Mapping[UUID, bytes | None]) -> list[StoredRow]:
    """Streams as the log has them, in order."""
    mapper = mapper_of_our_events()
    rows: list[StoredRow] = []
    for stream, events in sorted(streams.items(), key=lambda item: item[0].bytes):
        for event in events:
            rows.append((stream.bytes, 10 + 3 * len(rows), *mapper.encode(context, stream, event, keys)))
    return rows


def one_by_one(
    context: str, rows: Sequence[StoredRow], keys_of: KeysOf | None, before: datetime | None = None
) -> Outcome:
    """As a rebuild folds where columns are off."""
    fold = fold_of(PROJECTIONS[context], before)
    made: dict[str, list[Row]] = {}
    failed: set[UUID] = set()
    for streams in StreamReader(keys_of).read(rows):
        for stream in streams:
            try:
                if stream.error is not None:
                    raise stream.error
                folded = fold(stream.effective())
            except Exception:
                failed.add(stream.stream_id)
                continue
            for table, of in folded.items():
                made.setdefault(table, []).extend(of)
    return Outcome(_sorted(made), failed)


def on_columns(
    context: str,
    rows: Sequence[StoredRow],
    keys_of: KeysOf | None,
    before: datetime | None = None,
    least: int = 1,
    mapper: Mapper | None = None,
) -> Outcome:
    """On columns, and what is left of it one by one."""
    projection = PROJECTIONS[context]
    if not rows:
        return Outcome({}, set())
    batch = Batch(of_rows(rows), mapper or mapper_of_our_events(), keys_of)
    folded = fold_on_columns(batch, fold_of(projection, before), projection.refuse_unknown_tables, least)
    left = [row for row, is_left in zip(rows, folded.is_left, strict=True) if is_left]
    others = one_by_one(context, left, keys_of, before)
    made = {table: list(of) for table, of in others.rows.items()}
    for table, pieces in folded.pieces.items():
        for piece in pieces:
            made.setdefault(table, []).extend(piece.rows())
    return Outcome(_sorted(made), others.failed, folded.counts)


def _sorted(rows: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    return {
        table: sorted(map(tuple, of), key=lambda row: (row[-1], *map(str, row))) for table, of in rows.items() if of
    }


def written_on_columns(context: str, rows: Sequence[StoredRow], keys_of: KeysOf | None) -> int:
    """How many rows are written from columns; each of them as it is one by one."""
    projection = PROJECTIONS[context]
    batch = Batch(of_rows(rows), mapper_of_our_events(), keys_of)
    folded = fold_on_columns(batch, projection.fold, projection.refuse_unknown_tables, 1)
    written = 0
    for table in projection.tables:
        pieces = folded.pieces.get(table.name)
        found = None if pieces is None else column_rows(table, pieces)
        if pieces is not None and found is not None:
            plain = [row for piece in pieces for row in piece.rows()]
            cells = line_writer(table).columns(plain)
            lines = lines_of(cells)
            assert bytes(found.data) == copy_data(lines, [row[-1] for row in plain])
            assert found.digest == digest_of(lines)
            assert found.batch.equals(arrow_rows(table).batch(plain, cells))
            found.batch.validate(full=True)
            written += len(plain)
    return written
