"""The table of an answer as a page shows it: where each figure leads, and what it was at the other moment."""

from collections.abc import Sequence
from typing import NamedTuple

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.asking import Cell, Row
from replayhouse.infra.answers.differing import rows_by_key
from replayhouse.infra.application.ask import tells_of_people
from replayhouse.infra.runtime.identity import Identity
from replayhouse.infra.web.closed_links import leads
from replayhouse.infra.web.wanted import Wanted
from replayhouse.projections.questions import Question

_THINGS = {"seller_id": "/sellers", "product_id": "/products", "customer_id": "/customers"}
"""Columns that name things, and where the pages of those are."""

_FORECASTS = "Demand Forecasting"


class Shown(NamedTuple):
    """A cell: its value, where it leads, whether it is an id, and its value in the other answer, if that differs."""

    value: Cell
    address: str | None
    is_id: bool
    differs: bool
    other: Cell


class Line(NamedTuple):
    """A row; it stands alone where the other answer has none with its key."""

    cells: Sequence[Shown]
    is_alone: bool


class Words(NamedTuple):
    """How the other answer is told of: a figure that differs, a row that it has not, rows that only it has."""

    differs: str
    alone: str
    missing: str


BEFORE = Words("was", "new", "stood here then")
"""Of an earlier answer."""

NOW = Words("now", "gone since", "stand here now")
"""Of the present one."""


class Links:
    """Where the figures of a question lead, at a moment, with the parameters that were given, and for whoever asks."""

    def __init__(self, question: Question, wanted: Wanted, given: dict[str, str], asker: Identity | None) -> None:
        self._asker = asker
        self._question = question
        self._wanted = wanted
        self._given = given

    def rows(self, row: Row, column: str) -> str | None:
        """To the rows behind the figure of a column; None where whoever asks may not see them."""
        key = [str(cell) for cell in row[: len(self._question.key)]]
        path = f"/questions/{self._question.number}/rows"
        if self._asker is not None and not self._is_told_rows(self._asker, path, column):
            return None
        return self._wanted.link(path, key=key, column=column, **self._given)

    def _is_told_rows(self, asker: Identity, path: str, column: str) -> bool:
        return leads(asker.role, path) and (asker.sees_people or not tells_of_people(self._question, column))

    def cell(self, row: Row, place: int) -> str | None:
        """From a cell: to the thing that it names, or the rows behind it."""
        column, value = self._question.columns[place], row[place]
        if value is None:
            return None
        if column.name in _THINGS:
            return self._wanted.link(f"{_THINGS[column.name]}/{value}")
        is_figure = column.name not in self._question.key and column.type not in ("text", "date")
        return self.rows(row, column.name) if is_figure else None


def lines_of(answer: Answer, other: Answer | None, links: Links) -> list[Line]:
    """The rows of an answer; those of months begin with the newest, but for what is to come."""
    asked, size = answer.question, len(answer.question.key)
    others = None if other is None else rows_by_key(other)
    lines = []
    for row in answer.rows:
        its = None if others is None else others.get(row[:size])
        cells = [
            Shown(
                value,
                links.cell(row, place),
                asked.columns[place].name in _THINGS,
                its is not None and its[place] != value,
                None if its is None else its[place],
            )
            for place, value in enumerate(row)
        ]
        lines.append(Line(cells, others is not None and its is None))
    newest_is_last = asked.key == ("month",) and asked.group != _FORECASTS
    return lines[::-1] if newest_is_last else lines


def number_missing(answer: Answer, other: Answer | None) -> int:
    """How many rows only the other answer has."""
    return 0 if other is None else len(rows_by_key(other).keys() - rows_by_key(answer).keys())
