"""Folds run on columns: one run for all streams of a shape, and again for each part of them where they disagree.

A fold is pure, so it may be run again, and what it made of columns before that is forgotten. Nothing is refused here
for the sake of a stream: those that are few, that hold something odd or broken, or of which a fold asks what columns
cannot do, are left to whoever folds one by one, who finds out what is the matter and names the stream.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import NamedTuple
from uuid import UUID

import numpy as np

from replayhouse.infra.columns.batch import Batch
from replayhouse.infra.columns.shapes import parts_by
from replayhouse.infra.columns.values import Array, Column, Split
from replayhouse.infra.runtime.column_folds import Counts, described
from replayhouse.projections.projection import Fold, Row, Rows

LEAST_STREAMS = 12
"""A run costs as much as so many streams one by one, so fewer are left to that."""

_PLAIN = frozenset({NoneType, str, int, bool, float, Decimal, datetime, date, UUID})


class Piece(NamedTuple):
    """A row of each of so many streams: its cells are columns, or one value for all of them."""

    streams: int
    row: Row

    def rows(self) -> list[Row]:
        """Row by row."""
        cells = [cell.tolist() if isinstance(cell, Column) else [cell] * self.streams for cell in self.row]
        return list(zip(*cells, strict=True))


@dataclass(frozen=True)
class Folded:
    """By table, what was folded on columns; `is_left` tells of each event whether its stream is left."""

    pieces: Mapping[str, Sequence[Piece]]
    is_left: Array
    counts: Counts


def fold_on_columns(batch: Batch, fold: Fold, refuse: Callable[[Rows], None], least: int | None = None) -> Folded:
    """Folds the streams of a batch, as far as columns go; shapes of fewer than `least` (LEAST_STREAMS) are left.

    `refuse` raises where a fold makes rows of a table that there is not. Raises MemoryError: fewer streams may be
    folded at once.
    """
    pieces: dict[str, list[Piece]] = {}
    is_folded = np.zeros(len(batch.starts), bool)
    runs, beyond, first_error = 0, 0, ""
    waiting = list(batch.groups())
    fewest = LEAST_STREAMS if least is None else least
    while waiting:
        group = waiting.pop()
        if len(group) < fewest:
            continue
        runs += 1
        try:
            rows = fold(batch.stream(group))
            refuse(rows)
            made = [(table, Piece(len(group), row)) for table, of in rows.items() for row in _shown(of)]
        except Split as split:
            waiting += _parted(group, split.labels)
        except MemoryError:  # none of their fault
            raise
        except Exception as error:  # whatever it is: folded one by one, each of these tells what is the matter with it
            beyond += len(group)
            first_error = first_error or described(error)
        else:
            is_folded[group] = True
            for table, piece in made:
                pieces.setdefault(table, []).append(piece)
    odd = int(np.count_nonzero(~batch.is_held))
    done = int(np.count_nonzero(is_folded))
    counts = Counts(done, runs, len(is_folded) - done - odd - beyond, odd, beyond, first_error)
    return Folded(pieces, ~is_folded[batch.stream_of], counts)


def _parted(group: Array, labels: Array) -> Iterable[Array]:
    parts = list(parts_by(labels, group))
    assert len(parts) > 1, "a column parts streams that disagree"
    return parts


def _shown(rows: Iterable[Row]) -> Iterable[Row]:
    """The same rows. Raises TypeError where something in them is neither a column nor a value that rows may have."""
    for row in rows:
        for cell in row:
            if type(cell) not in _PLAIN and not issubclass(type(cell), Column):
                raise TypeError(f"no row has a {type(cell).__name__}")
        yield row
