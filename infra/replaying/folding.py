"""A part of a sealed log folded into rows: what a pool of processes, Spark and Dask all call. Needs no database.

    for table, batch, digest in fold_rows(log, part, keys_of):    # as Arrow, for who writes them himself
    folded = fold_range(log, part, folder, keys_of)               # as Parquet files in a folder

It is the fold of every rebuild, so the digests are those of live tables at the position of the part. What a part makes
depends on nothing but the log, the part, and which keys are destroyed: done twice, it is the same.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table

from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.read_models.arrow_rows import arrow_rows
from replayhouse.infra.read_models.column_rows import ColumnRows
from replayhouse.infra.read_models.copy_text import line_writer, lines_of
from replayhouse.infra.read_models.folding import Folding, Taken
from replayhouse.infra.read_models.sealed_source import sealed_columns, sealed_rows
from replayhouse.infra.read_models.stream_reader import StreamReader
from replayhouse.infra.replaying.parts import Part
from replayhouse.infra.replaying.row_files import RowsFile, RowsWriter
from replayhouse.infra.runtime import column_folds, gc_pause
from replayhouse.infra.sealed_log.reader import SealedLog
from replayhouse.projections.digest import NOTHING, Digest, digest_of
from replayhouse.projections.warehouse import PROJECTIONS

ROWS_A_BATCH = 4_000

_NOTHING_COUNTS = "Nothing that was written counts."


class FoldedRows(NamedTuple):
    """Rows of a table as Arrow, by `arrow_schema`, and their digest."""

    table: str
    batch: pa.RecordBatch
    digest: Digest


@dataclass(frozen=True)
class FoldedTable:
    """The digest of what a part made of a table, and the files that hold it: none where that is no row."""

    digest: Digest = NOTHING
    files: tuple[RowsFile, ...] = ()

    def __add__(self, other: "FoldedTable") -> "FoldedTable":
        return FoldedTable(self.digest + other.digest, (*self.files, *other.files))


@dataclass(frozen=True)
class Folded:
    """What came of a part: how many events were read, and by table what was written."""

    part: Part
    events: int
    tables: dict[str, FoldedTable]


def fold_rows(log: SealedLog, part: Part, keys_of: KeysOf | None) -> Iterator[FoldedRows]:
    """The rows of a part, some thousands of a table at a time; digests of one table add up.

    `keys_of` looks keys up; None: personal fields are withheld, and what stands for them is folded. Raises Unfoldable,
    which names the stream, NewerVersion, InputError where a file of the log cannot be read, and what `keys_of` raises.
    """
    folding = _folding(log, part)
    for taken in _taken(log, part, keys_of, folding):
        digest = taken.digest if isinstance(taken, ColumnRows) else digest_of(taken.lines)
        yield FoldedRows(taken.table.name, _batch_of(taken), digest)


def fold_range(log: SealedLog, part: Part, folder: Path, keys_of: KeysOf | None) -> Folded:
    """The same into files `FOLDER/<context>/<table>/<part.file_name>`, which are on disk when this returns.

    What is there under those names is not written over (OSError); where this fails, they are removed.
    """
    folding = _folding(log, part)
    with gc_pause.paused(), _Files(folder, part) as files:
        for taken in _taken(log, part, keys_of, folding):
            files.of(taken.table).write(_batch_of(taken))
        written = files.finish()
    tables = {name: FoldedTable(digest, written[name]) for name, digest in folding.digests.items()}
    return Folded(part, folding.events, tables)


def member_rows(context: str) -> Iterator[FoldedRows]:
    """The rows of a context that no stream makes: once in a read model, whatever it is folded from."""
    projection = PROJECTIONS[context]
    for table in projection.tables:
        if rows := projection.unknown_members.get(table.name):
            columns = line_writer(table).columns(rows)
            yield FoldedRows(table.name, arrow_rows(table).batch(rows, columns), digest_of(lines_of(columns)))


def _folding(log: SealedLog, part: Part) -> Folding:
    return Folding(part.context, part.occurred_before, partial(_stream_at, log, part), _NOTHING_COUNTS)


def _taken(log: SealedLog, part: Part, keys_of: KeysOf | None, folding: Folding) -> Iterator[Taken | ColumnRows]:
    whole = log, part.context, part.low, part.high, part.position
    if column_folds.are_wanted():
        yield from folding.fold_columns(sealed_columns(*whole), StreamReader(keys_of), ROWS_A_BATCH)
    else:
        yield from folding.fold_all(sealed_rows(*whole), StreamReader(keys_of), ROWS_A_BATCH)


def _batch_of(taken: Taken | ColumnRows) -> pa.RecordBatch:
    if isinstance(taken, ColumnRows):
        return taken.batch
    return arrow_rows(taken.table).batch(taken.rows, taken.columns)


def _stream_at(log: SealedLog, part: Part, position: int) -> UUID:
    """The stream of an event of the part; all of it is read for that."""
    for batch in log.rows(part.context, part.low, part.high, part.position):
        found = batch.filter(pc.equal(batch["notification_id"], position))
        if found.num_rows:
            return UUID(bytes=found["originator_id"][0].as_py())
    raise LookupError(f"no event of the part has position {position}")


class _Files:
    """The files of a part, made as they are needed; removed where the block fails."""

    def __init__(self, folder: Path, part: Part) -> None:
        self._folder = folder
        self._part = part
        self._writers: dict[str, RowsWriter] = {}

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            for writer in self._writers.values():
                writer.abandon()

    def of(self, table: Table) -> RowsWriter:
        """The file of a table."""
        writer = self._writers.get(table.name)
        if writer is None:
            name = f"{self._part.context}/{table.name}/{self._part.file_name}"
            writer = self._writers[table.name] = RowsWriter(self._folder, name, arrow_rows(table).schema)
        return writer

    def finish(self) -> defaultdict[str, tuple[RowsFile, ...]]:
        """Puts all of them on disk; by table, what was written."""
        written: defaultdict[str, tuple[RowsFile, ...]] = defaultdict(tuple)
        written.update({name: (writer.finish(),) for name, writer in self._writers.items()})
        return written
