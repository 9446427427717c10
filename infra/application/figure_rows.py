"""The rows behind a figure, some at a time: what each brings, which load it came with, and what stands in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from replayhouse.infra.answers import asking
from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.asking import Behind, Cell, SomeBehind
from replayhouse.infra.answers.moment import LIVE, Moment
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.access import asking as asking_for
from replayhouse.infra.application.ask import (
    asking_as_of,
    is_column,
    kept_or_computed,
    note_people,
    question_of,
    refuse_people,
    row_and_value,
    tells_of_people,
)
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.lineage.rows import VIEWS, declared_tables
from replayhouse.infra.loads.load_ends import LoadEnd, load_before, load_ends, load_that_brought
from replayhouse.infra.read_models.prefixes import schema_in
from replayhouse.infra.read_models.rows_at import rows_at
from replayhouse.infra.read_models.sights import looking_through, sight_of
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.identity import Role
from replayhouse.projections.questions import Question
from replayhouse.projections.questions.question import Value

MOST = 500
"""So many rows at a time."""


@dataclass(frozen=True)
class Brought:
    """A row behind a figure, with what stands in it where it is one of the star schema.

    `load` is the one whose events were the newest in it. `is_new`: by the load before it was not there, or another.
    """

    behind: Behind
    row: Mapping[str, Any]
    load: LoadEnd | None
    is_new: bool

    @property
    def position(self) -> int | None:
        """The newest event in the row."""
        return self.row.get("position") or None

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        load, source = (None, None) if self.load is None else (self.load.load, self.load.source)
        told = {"position": self.position, "load": load, "source": source, "is_new": self.is_new}
        return {**self.behind._asdict(), **told}


@dataclass(frozen=True)
class FigureRows:
    """A figure of an answer, and some of the rows behind it: there are `number` of them, and they make `total`.

    Of a figure that is no sum, `made_of` has the sum of each measure that it is made of; there are no rows then.
    """

    answer: Answer
    column: str
    key: tuple[str, ...]
    value: Cell
    made_of: Mapping[str, int | Decimal]
    number: int
    total: int | Decimal
    offset: int
    rows: Sequence[Brought]
    before: LoadEnd | None

    @property
    def adds_up(self) -> bool:
        """Whether the rows make the figure, to the last cent."""
        return self.value is not None and self.total == self.value

    @property
    def tells_of_people(self) -> bool:
        """Whether that they stand here tells of personal fields."""
        return tells_of_people(self.answer.question, self.column)

    def document(self) -> dict[str, Any]:
        """As JSON shows it; `made_of` only where there are no rows of its own."""
        return {
            "question": self.answer.question.number,
            "column": self.column,
            "key": self.key,
            "figure": self.value,
            "number": self.number,
            "total": self.total,
            "offset": self.offset,
            "rows": [row.document() for row in self.rows],
            **({"made_of": self.made_of} if self.made_of else {}),
        }


def figure_rows(
    site: Site,
    number: int,
    key: Sequence[str],
    column: str,
    given: Mapping[str, object],
    at: str | int | datetime | None,
    occurred_before: str | date | None,
    limit: int,
    offset: int,
    source: str | None = None,
) -> FigureRows:
    """Some rows behind the figure of a column in the answer's row with a key, those with the largest parts first.

    Where these tell of personal fields, as the customers of a city do, they are noted in the access log before they are
    told, and told to those only who may see people; others are refused with Forbidden. Raises UsageError where the
    answer has no such row or column, or so many are not told at a time.
    """
    if not (1 <= limit <= MOST and offset >= 0):
        raise UsageError(f"From 1 to {MOST} rows are told at a time, from the row of number 0 on.")
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    refuse_people(site, asked, column)
    with asking_as_of(site, at, occurred_before, source) as session:
        wanted = _Wanted(asked, parameters, key, column, limit, offset, source, asking_for(site).by.role)
        found = session.in_moment(lambda moment: _found(session.conn, moment, wanted))
        note_people(site, asked, column, [row.behind for row in found.rows])
        return found


class _Wanted(NamedTuple):
    """The figure of a column in the answer's row with a key, and which of the rows behind it, as a role sees them."""

    asked: Question
    parameters: Mapping[str, Value]
    key: Sequence[str]
    column: str
    limit: int
    offset: int
    source: str | None
    role: Role


def _found(conn: psycopg.Connection, moment: Moment, wanted: _Wanted) -> FigureRows:
    asked, parameters, key, column, limit, offset, source, role = wanted
    answer = kept_or_computed(conn, moment, asked, parameters)
    told, value = row_and_value(asked, answer.rows, key, column)
    if column in asked.made_of:
        sums = {
            part: asking.some_behind(conn, asked, parameters, told, part, 1, 0).total for part in asked.made_of[column]
        }
        return FigureRows(answer, column, told, value, sums, 0, 0, 0, [], None)
    ends = [end for end in load_ends(conn) if source is None or end.source == source]
    before = load_before(ends, moment.position)
    with _as_seen_by(conn, role, moment) as schema:
        found = asking.some_behind(conn, asked, parameters, told, column, limit, offset)
        rows = _brought(conn, moment, schema, found, ends, before)
    shown = value if is_column(asked, column) else found.total
    return FigureRows(answer, column, told, shown, {}, found.number, found.total, offset, rows, before)


@contextmanager
def _as_seen_by(conn: psycopg.Connection, role: Role, moment: Moment) -> Iterator[str | None]:
    """In the block rows are read as the role sees them: in the schema with its views, or None where they stand."""
    sight = sight_of(role)
    if sight is None:
        yield None
        return
    with looking_through(conn, sight, moment.schemas[0]) as schema:
        yield schema


def _brought(
    conn: psycopg.Connection,
    moment: Moment,
    schema: str | None,
    found: SomeBehind,
    ends: Sequence[LoadEnd],
    before: LoadEnd | None,
) -> list[Brought]:
    rows: dict[Behind, Mapping[str, Any]] = {}
    for table in {one.table for one in found.rows} & declared_tables().keys():
        behind = [one for one in found.rows if one.table == table]
        at = rows_at(
            conn, schema or _schema(moment, table), declared_tables()[table], [one.key.split("/") for one in behind]
        )
        rows |= {behind[place]: row for place, row in at.items()}
    brought = []
    for one in found.rows:
        row = rows.get(one, {})
        position = row.get("position") or 0
        is_new = before is not None and position > before.position
        brought.append(Brought(one, row, load_that_brought(ends, position) if position else None, is_new))
    return brought


def _schema(moment: Moment, table: str) -> str:
    """Where the table's context stands as of the moment; a view of it stands for the table below."""
    context = VIEWS.get(table, table).partition(".")[0]
    return context if moment.schemas == LIVE else schema_in(moment.schemas[0].removesuffix("_mart"), context)
