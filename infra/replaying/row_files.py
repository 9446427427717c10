"""The Parquet files of a replay: each is written once, hashed on the way, and counts when a manifest names it."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_A_GROUP = 65_536
"""So many rows at least, but for the last ones: readers skip by groups, and a group is what the writer holds."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ONLY_ITS_OWNER, _FOLDER_OF_ITS_OWNER = 0o600, 0o700


class RowsFile(NamedTuple):
    """A file of rows: its name below the folder, with slashes; its rows, its bytes, and their SHA-256."""

    name: str
    rows: int
    bytes: int
    sha256: str


class RowsWriter:
    """Writes a file of rows below a folder. Raises OSError as the system does, whichever step it is."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema) -> None:
        self._name = name
        self._path = folder / name
        for above in (self._path.parent.parent, self._path.parent):
            above.mkdir(mode=_FOLDER_OF_ITS_OWNER, exist_ok=True)
        self._file = _HashedFile(self._path)
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._held = 0
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Some rows more."""
        self._waiting.append(batch)
        self._held += batch.num_rows
        if self._held >= ROWS_A_GROUP:
            self._flush()

    def finish(self) -> RowsFile:
        """Puts the file on disk."""
        self._flush()
        self._writer.close()
        self._file.settle()
        return RowsFile(self._name, self._rows, self._file.written, self._file.sha256)

    def abandon(self) -> None:
        """Removes the file."""
        with suppress(Exception):  # what is written at the end may fail as what came before did
            self._writer.close()
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=self._held)
            self._rows += self._held
            self._waiting, self._held = [], 0


class _HashedFile:
    """A new file for its owner alone, as pyarrow writes to it: its errors are the system's own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.fdopen(os.open(path, _NEW, _ONLY_ITS_OWNER), "wb")
        self._found = sha256()
        self.written = 0

    @property
    def closed(self) -> bool:
        """Whether it is."""
        return self._file.closed

    @property
    def sha256(self) -> str:
        """In hexadecimal, of all that was written."""
        return self._found.hexdigest()

    def write(self, data: bytes) -> int:
        """All of the bytes."""
        try:
            self._file.write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(self._path)) from error
        self._found.update(data)
        self.written += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self.written

    def flush(self) -> None:
        """Hands them to the system."""
        try:
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(self._path)) from error

    def settle(self) -> None:
        """Puts it on disk, and closes it."""
        self.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        """Closes it as it is."""
        with suppress(OSError):
            self._file.close()
