"""What an answer is: rows under the question's columns, what they follow from, and a sentence with the finding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.answers.asking import Cell, Row
from replayhouse.infra.answers.csv_file import write_csv
from replayhouse.infra.read_models.frames import Frame
from replayhouse.infra.read_models.kept_answers import KeptAnswer, Origin
from replayhouse.infra.runtime.telling import count
from replayhouse.projections.questions import Column, Question

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_DIGITS = 38
"""Of a number in Arrow, whatever a column promises: sums are as large as what is summed."""

PERSON = "customer_id"
"""The column in which an answer names people."""


@dataclass(frozen=True, eq=False)
class Answer(Frame):
    """An answer: its rows, in order; texts, ints, Decimals and dates, or None. `made_at` is recorded time.

    `arrow` has them as a `pyarrow.Table`, which DuckDB and Polars take the answer itself for.

    `is_kept` tells that it was not computed now, but found among those that are kept.
    """

    question: Question
    rows: Sequence[Row]
    origin: Origin
    finding: str
    made_at: datetime
    is_kept: bool
    currency: str = BRL
    """The code of the currency of its amounts."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.question.columns)

    @property
    def position(self) -> int:
        """Up to which position the log is seen."""
        return self.origin.position

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        rows = count(len(self), "row")
        return f"<{self.question.number}. {self.question.title} {rows}, as of position {self.position:,}>"

    @property
    def arrow(self) -> "pa.Table":  # made anew each time
        """The rows as Arrow: texts, whole numbers of 32 bits, dates, and numbers of 38 digits, with their decimals."""
        import pyarrow as pa

        schema = pa.schema([(column.name, _arrow_type(column)) for column in self.question.columns])
        columns = list(zip(*self.rows, strict=True)) or [()] * len(schema)
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def write_csv(self, path: str | PathLike[str], *, force: bool = False) -> None:
        """Writes columns and rows to a CSV file. Raises UsageError where one is there, unless `force` replaces it."""
        write_csv(self.columns, self.rows, Path(path), replaces=force)

    def document(self) -> dict[str, Any]:
        """As JSON shows it, without `seconds`."""
        return {
            "question": self.question.number,
            "title": self.question.title,
            "columns": [column._asdict() for column in self.question.columns],
            "rows": self.rows,
            "parameters": self.origin.parameters,
            "position": self.position,
            "definition": self.origin.definition,
            "finding": self.finding,
        }


def _arrow_type(column: Column) -> "pa.DataType":
    import pyarrow as pa

    types = {"text": pa.string(), "int": pa.int32(), "date": pa.date32()}
    if column.type in types:
        return types[column.type]
    _, _, decimals = column.type.removesuffix(")").rpartition(",")
    return pa.decimal128(_MOST_DIGITS, int(decimals))


def restored(question: Question, origin: Origin, kept: KeptAnswer, currency: str = BRL) -> Answer:
    """An answer as it was when it was kept."""
    rows = [tuple(map(_read, question.columns, row)) for row in kept.rows]
    origin = origin._replace(position=kept.position)
    return Answer(question, rows, origin, kept.finding, kept.made_at, is_kept=True, currency=currency)


def as_texts(rows: Iterable[Row]) -> list[list[Any]]:
    """Rows to be kept: numbers with decimals and dates as texts."""
    return [[str(cell) if isinstance(cell, Decimal | date) else cell for cell in row] for row in rows]


def people_named(question: Question, rows: Iterable[Row]) -> set[UUID]:
    """The people whose ids stand in the rows."""
    places = [place for place, column in enumerate(question.columns) if column.name == PERSON]
    return {UUID(str(row[place])) for row in rows for place in places if row[place] is not None}


def _read(column: Column, cell: Any) -> Cell:
    if cell is None:
        return None
    if column.type == "date":
        return date.fromisoformat(cell)
    return Decimal(cell) if column.type.startswith("numeric") else cell
