"""Rows that somebody has folded elsewhere, taken into new tables: Parquet files by COPY, several processes at once.

What then stands in a table is held against what was told of it, read back from the database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv

from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.infra.read_models.digests import table_digest
from replayhouse.infra.read_models.rebuild.range_loader import NO_WAITING, Finish, finish_table
from replayhouse.infra.read_models.rebuild.workers import Parts, Rebuilt
from replayhouse.infra.read_models.schema import Model, model_of, qualified
from replayhouse.infra.runtime.crews import crew
from replayhouse.infra.runtime.errors import InputError, ReplayhouseError
from replayhouse.infra.runtime.files import reading
from replayhouse.projections.digest import NOTHING, Digest

ROWS_A_COPY = 16_384

_BYTES_AT_ONCE = 2**20
_COPY = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)")
_EMPTY = sql.SQL("TRUNCATE {}")
_STAYS = "The live read model stays as it was."
_ONE_DIED = (
    "A process that took rows in ended unexpectedly, perhaps for want of memory. The live read models stay as they "
    "were: run it again, with fewer --workers."
)


@dataclass(frozen=True)
class RowFile:
    """A Parquet file of rows, its bytes, and their SHA-256 in hexadecimal."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class GivenTable:
    """All rows of a table: their digest, and the files that hold them, each with columns as `arrow_schema` has them."""

    digest: Digest
    files: Sequence[RowFile]


@dataclass(frozen=True)
class GivenRows:
    """All rows of a context as of a position of this log, made of so many events."""

    position: int
    events: int
    tables: Mapping[str, GivenTable]


@dataclass(frozen=True)
class _Copying:
    """A file that goes into a table of a schema."""

    context: str
    schema: str
    table: str
    file: RowFile


_Task = _Copying | Finish


def load_given(
    database: Database,
    conn: psycopg.Connection,
    models: Sequence[Model],
    built: Mapping[str, Rebuilt],
    given: Mapping[str, GivenRows],
    workers: int,
    tell: Parts,
) -> None:
    """Fills new tables (their keys off) with the rows given of each context; what stands there is told in `built`.

    Raises InputError where a file is missing or was changed, ReplayhouseError where what stands in a table in the end
    is not what was told of it.
    """
    tasks: list[_Task] = []
    left: dict[tuple[str, str], int] = {}
    finishes: dict[tuple[str, str], Finish] = {}
    for model in models:
        context = model.projection.context
        for name, table in model.tables.items():
            conn.execute(_EMPTY.format(qualified(table)))  # the unknown members are among the rows given
            of_table = given[context].tables[name]
            built[context].tables[name] = NOTHING  # in the order of the tables, not in that in which they are done
            finish = Finish(context, model.schema, name, of_table.digest.rows)
            tasks += [_Copying(context, model.schema, name, file) for file in of_table.files] or [finish]
            left[context, name], finishes[context, name] = len(of_table.files), finish
        built[context].events = given[context].events
    done, of = 0, sum(max(1, files) + bool(files) for files in left.values())
    with crew(min(workers, len(tasks)), partial(_Taker, database), _ONE_DIED) as at_work:
        for task, digest in at_work.do(tasks):
            done += 1
            tell(done, of)
            place = task.context, task.table
            if digest is None:
                left[place] -= 1
                if left[place] == 0:
                    at_work.add(finishes[place])
            else:
                _refuse_other(place, digest, given[task.context].tables[task.table].digest)
                built[task.context].tables[task.table] = digest
    for model in models:
        model.link(conn)


def _refuse_other(place: tuple[str, str], found: Digest, told: Digest) -> None:
    if found != told:
        raise ReplayhouseError(
            f"The rows of {'.'.join(place)} are not those that the manifest tells of: {found.rows:,} rows of digest "
            f"{found.hex}, and it says {told.rows:,} of {told.hex}. {_STAYS} Replay the log again."
        )


class _Taker:
    """A worker: copies files into tables, completes tables, and reads back what stands there."""

    def __init__(self, database: Database) -> None:
        self._conn = database.connect("replayhouse rebuild", autocommit=True)
        self._conn.execute(NO_WAITING)

    def do(self, task: _Task) -> Digest | None:
        """The digest of a table that is finished, None of a file that is copied."""
        with translated():
            if isinstance(task, _Copying):
                self._copy(task)
                return None
            finish_table(self._conn, task)
            with self._conn.transaction():
                return table_digest(self._conn, model_of(task.context, task.schema), task.table)

    def close(self) -> None:
        """Ends its connection."""
        self._conn.close()

    def _copy(self, task: _Copying) -> None:
        model = model_of(task.context, task.schema)
        schema = arrow_schema(model.projection_table(task.table))
        columns = sql.SQL(", ").join(map(sql.Identifier, schema.names))
        statement = _COPY.format(qualified(model.tables[task.table]), columns)
        with self._conn.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in _batches(task.file, schema):
                copy.write(_as_csv(batch))


def _batches(file: RowFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a file, some at a time. Raises InputError where it is not the one that was told of."""
    try:
        with reading(file.path) as opened:
            found, size = sha256(), 0
            while chunk := opened.read(_BYTES_AT_ONCE):
                found.update(chunk)
                size += len(chunk)
            if (size, found.hexdigest()) != (file.bytes, file.sha256):
                raise InputError(f"{file.path} is not the file that was written: it was changed. {_AGAIN}")
            opened.seek(0)
            with pq.ParquetFile(opened) as rows:
                if not rows.schema_arrow.equals(schema):
                    raise InputError(f"{file.path} has other columns than this program gives the table. {_AGAIN}")
                yield from rows.iter_batches(ROWS_A_COPY)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {file.path}, which the manifest names. {_AGAIN}") from error
    except (OSError, pa.ArrowException) as error:
        told = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{file.path} cannot be read: {told}. {_AGAIN}") from error


_AGAIN = f"{_STAYS} Replay the log again."


def _as_csv(batch: pa.RecordBatch) -> pa.Buffer:
    """Rows as COPY takes them: null is nothing, and texts stand in quotes."""
    into = pa.BufferOutputStream()
    csv.write_csv(batch, into, csv.WriteOptions(include_header=False))
    return into.getvalue()
