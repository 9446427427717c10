"""A table as a Parquet file: written part by part, hashed on its way, with the digest of its lines."""

import io
import os
from hashlib import sha256
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from replayhouse.infra.exporting.manifest import TableFile
from replayhouse.infra.exporting.relations import Relation
from replayhouse.infra.read_models.arrow import Reading
from replayhouse.projections.digest import NOTHING, digest_of

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TAB = b"\t"


def write_table(conn: psycopg.Connection, relation: Relation, folder: Path, *, withholds: bool) -> TableFile:
    """Writes a table, view or mart as `PLACE/NAME.parquet` below a folder; within a transaction.

    Of what `withholds` personal fields, their columns are null. Raises what `Reading` does, and OSError.
    """
    name = f"{relation.place}/{relation.name}.parquet"
    withheld = relation.personal if withholds else frozenset()
    reading = Reading(conn, relation.stands_as, withheld)
    schema = pa.schema(
        [
            pa.field(field.name, field.type, column.is_null or column.name in withheld)
            for field, column in zip(reading.schema, relation.columns, strict=True)
        ]
    )
    digest, rows = NOTHING, 0
    path = folder / name
    path.parent.mkdir(0o700, exist_ok=True)
    with _Hashed(path) as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for part in reading.parts():
                rows += part.rows.num_rows
                if relation.is_folded:  # position stands last
                    digest += digest_of(line[: line.rindex(_TAB)] for line in part.lines)
                writer.write_table(pa.Table.from_arrays(part.rows.columns, schema=schema))
        size, hashed = file.tell(), file.hash.hexdigest()
    return TableFile(name, size, hashed, rows, digest.hex if relation.is_folded else None)


class _Hashed(io.RawIOBase):
    """A new file for its owner alone, whose bytes are hashed as they are written."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, _NEW, 0o600), "wb")
        self.hash = sha256()

    def writable(self) -> bool:
        """It is written only."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # of pyarrow's, bytes
        """All of it."""
        self.hash.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        """What was written so far."""
        if not self._file.closed:
            self._file.flush()

    def tell(self) -> int:
        """How many bytes were written."""
        return self._file.tell()

    def close(self) -> None:
        """The file, and this."""
        self._file.close()
        super().close()
