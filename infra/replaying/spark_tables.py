"""The tables of a context as Spark's DataFrames: folded by the executors, whenever one of them is evaluated."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakSet

import pyarrow as pa

from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.infra.replaying.folding import fold_rows, member_rows
from replayhouse.infra.replaying.keys import KeysFrom
from replayhouse.infra.replaying.parts import Part, parts_of
from replayhouse.infra.replaying.shipped_code import code_as_zip
from replayhouse.infra.sealed_log.reader import SealedLog
from replayhouse.projections.warehouse import PROJECTIONS

_NO_RUN = "0" * 8
_Batches = Iterator[pa.RecordBatch]


def tables_in_spark(
    spark: Any, log: SealedLog, context: str, occurred_before: datetime | None, keys: KeysFrom | None
) -> dict[str, Any]:
    """A DataFrame for each table of a context, up to the position of the log; needs pandas, as `mapInArrow` does.

    One task of Spark for each part of the log; nothing is shuffled. `keys` may hold no password (see `spark.apart`).
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    parts = parts_of(log, [context], _NO_RUN, occurred_before)
    if spark not in _knowing:
        spark.addArtifacts(str(_sent()), pyfile=True)
        _knowing.add(spark)
    numbers = spark.range(0, len(parts) + 1, 1, len(parts) + 1)
    return {
        table.name: numbers.mapInArrow(
            _rows_of(log, context, parts, keys, table.name), from_arrow_schema(arrow_schema(table))
        )
        for table in PROJECTIONS[context].tables
    }


def _rows_of(
    log: SealedLog, context: str, parts: Sequence[Part], keys: KeysFrom | None, table: str
) -> Callable[[_Batches], _Batches]:
    """What an executor does with numbers of parts: gives their rows of a table; the last number is the members'."""

    def rows(numbers: _Batches) -> _Batches:
        with ExitStack() as stack:
            keys_of = None if keys is None else stack.enter_context(keys.opened())
            for batch in numbers:
                for number in batch.column(0).to_pylist():
                    made = member_rows(context) if number == len(parts) else fold_rows(log, parts[number], keys_of)
                    yield from (found.batch for found in made if found.table == table)

    return rows


@cache
def _sent() -> Path:
    """The program as a file, until this process ends: Spark hands it to executors that come later, too."""
    folder = TemporaryDirectory(prefix="replayhouse-")
    _kept.append(folder)
    return code_as_zip(Path(folder.name))


_kept: list[TemporaryDirectory[str]] = []
_knowing: WeakSet[Any] = WeakSet()
"""The sessions of Spark that have been sent the program."""
