"""The files of a segment, written: events sorted by stream, commits by position."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import RawIOBase
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from replayhouse.infra.event_store.commits import Commit
from replayhouse.infra.sealed_log.layout import BYTES_A_GROUP, COMMITS_SCHEMA, EVENTS, ORDER, ROWS_A_GROUP
from replayhouse.infra.sealed_log.manifest import SealedFile

_WRITTEN = {"compression": "zstd", "write_page_checksum": True, "store_schema": True}


class _Noted(RawIOBase):
    """A file that is written once, from its beginning: its bytes are counted and hashed as they go by."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self.bytes = 0
        self.hash = sha256()

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes are written."""
        return self.bytes

    def write(self, data: Any) -> int:
        """Writes all of them."""
        view = memoryview(data).cast("B")
        self.hash.update(view)
        self.bytes += len(view)
        while view:
            view = view[self._file.write(view) :]
        return len(memoryview(data).cast("B"))


def write_events(file: BinaryIO, parts: Sequence[pa.Table]) -> SealedFile:
    """Writes the events of a context, given in any order, one at least."""
    whole = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    order = pc.sort_indices(whole, sort_keys=ORDER)
    statistics = [name for name in EVENTS.names if name not in ("state", "source")]
    noted = _Noted(file)
    with pq.ParquetWriter(
        noted, EVENTS, use_dictionary=["topic", "batch_id"], write_statistics=statistics, **_WRITTEN
    ) as writer:
        for start in range(0, len(order), ROWS_A_GROUP):
            for group in _small_enough(whole.take(order.slice(start, ROWS_A_GROUP))):
                writer.write_table(group.cast(EVENTS), row_group_size=ROWS_A_GROUP)
    return SealedFile(whole.num_rows, noted.bytes, noted.hash.hexdigest())


def _small_enough(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows in parts of so many bytes as a row group may have."""
    if rows.nbytes <= BYTES_A_GROUP or rows.num_rows == 1:
        yield rows
        return
    half = rows.num_rows // 2
    yield from _small_enough(rows.slice(0, half))
    yield from _small_enough(rows.slice(half))


def write_commits(file: BinaryIO, commits: Sequence[Commit]) -> SealedFile:
    """Writes commits, in their order, one at least."""
    columns = {
        "first_position": [commit.first for commit in commits],
        "last_position": [commit.last for commit in commits],
        "batch_id": [None if commit.batch_id is None else commit.batch_id.bytes for commit in commits],
        "recorded_at": [commit.recorded_at for commit in commits],
        "root": [commit.root for commit in commits],
        "chain": [commit.chain for commit in commits],
    }
    noted = _Noted(file)
    with pq.ParquetWriter(noted, COMMITS_SCHEMA, **_WRITTEN) as writer:
        writer.write_table(pa.table(columns, COMMITS_SCHEMA))
    return SealedFile(len(commits), noted.bytes, noted.hash.hexdigest())
