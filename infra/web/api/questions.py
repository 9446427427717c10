"""`/api/questions`: the questions, their answers, the rows behind figures, and what changed.

Any parameter that a question declares may stand in the query, under its name. An answer of record has an ETag made of
what it follows from: whoever sends it back is told that nothing changed before any row is read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from replayhouse.infra.answers.csv_file import csv_lines
from replayhouse.infra.read_models.kept_answers import Origin
from replayhouse.infra.web.api.documents import FAULTS, NO_STORE, Json
from replayhouse.infra.web.asked import Given, Known, Number
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import Chosen, Source

router = APIRouter(prefix="/api/questions", tags=["questions"], responses=FAULTS)

Cells = list[str | int | float | None]

Key = Annotated[
    list[str],
    Query(max_length=8, description="The values of the key of the answer's row: its first columns, in their order."),
]
Figured = Annotated[str, Query(max_length=100, description="The column, or a measure that a figure is made of.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000)]
Search = Annotated[str, Query(max_length=200, description="Words that stand in title, group, definition or columns.")]

UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It is the one that you have"}}
AS_CSV: dict[int | str, dict[str, Any]] = {200: {"description": "The rows", "content": {"text/csv": {}}}, **UNCHANGED}


class Column(BaseModel):
    """A column of an answer."""

    name: str
    type: str


class Listed(BaseModel):
    """A question."""

    question: int
    title: str
    group: str
    columns: list[Column]
    parameters: dict[str, int | float]
    chart: str
    definition: str
    caveat: str
    terms: list[str]


class Answer(BaseModel):
    """An answer: its rows, in order, under its columns, and what it follows from."""

    question: int
    title: str
    columns: list[Column]
    rows: list[Cells]
    parameters: dict[str, int | float]
    position: int
    definition: str
    finding: str


class Behind(BaseModel):
    """A row behind a figure, the part that it brings, and the load with the newest event in it, with its source."""

    table: str
    key: str
    part: int | float
    position: int | None
    load: str | None
    source: str | None
    is_new: bool = Field(description="By the load before it was not there, or another.")


class Figure(BaseModel):
    """A figure, and some of the `number` rows behind it, which make `total`; or the sums that it is made of."""

    question: int
    column: str
    key: list[str]
    figure: str | int | float | None
    number: int
    total: int | float
    offset: int
    rows: list[Behind]
    made_of: dict[str, int | float] = {}


class Side(BaseModel):
    """One of two answers."""

    position: int
    made_at: datetime
    finding: str


class Differing(BaseModel):
    """A row that came (`was` is null), went (`now` is null), or has other figures."""

    key: Cells
    was: Cells | None
    now: Cells | None


class Changes(BaseModel):
    """What differs between the answers at two moments."""

    question: int
    title: str
    columns: list[Column]
    was: Side
    now: Side
    rows: list[Differing]


@router.get("", response_model=list[Listed], summary="The questions")
def listed(warehouse: Lent, q: Search = "") -> Json:
    """Lists the questions in which all words of a search stand, by number."""
    return Json([one.document() for one in warehouse.questions(q)])


@router.get("/{number}.csv", response_class=Response, responses=AS_CSV, summary="The answer as CSV")
def answer_as_csv(warehouse: Lent, wanted: Chosen, number: Number, given: Given, known: Known) -> Response:
    """Answers a question in UTF-8: nulls are empty; an apostrophe stands before texts that begin as formulas do."""
    told = warehouse.ask_unless_known(
        number, given, at=wanted.at, occurred_before=wanted.by, known=known, source=wanted.source
    )
    if told.answer is None:
        return Response(status_code=304, headers=_headers(told.origin))
    lines = b"".join(csv_lines(told.answer.columns, told.answer.rows))
    name = f"{told.answer.question.path.stem}.csv"
    headers = {**_headers(told.origin), "content-disposition": f'attachment; filename="{name}"'}
    return Response(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{number}", response_model=Answer, responses=UNCHANGED, summary="The answer to a question")
def answer(warehouse: Lent, wanted: Chosen, number: Number, given: Given, known: Known) -> Response:
    """Answers a question. Its own parameters stand in the query by their names, which `/api/questions` tells."""
    told = warehouse.ask_unless_known(
        number, given, at=wanted.at, occurred_before=wanted.by, known=known, source=wanted.source
    )
    if told.answer is None:
        return Response(status_code=304, headers=_headers(told.origin))
    return Json(told.answer.document(), headers=_headers(told.origin))


def _headers(origin: Origin | None) -> Mapping[str, str]:
    """Weak, for CSV and JSON, compressed or not, are the same answer."""
    return {} if origin is None else {"etag": f'W/"{origin.tag}"'}


@router.get("/{number}/rows", response_model=Figure, summary="The rows behind a figure")
def rows_behind(
    warehouse: Lent,
    wanted: Chosen,
    number: Number,
    given: Given,
    column: Figured,
    key: Key,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Json:
    """Lists rows whose parts add up to a figure, those with the largest parts first."""
    found = warehouse.figure_rows(
        number,
        key,
        column,
        given,
        at=wanted.at,
        occurred_before=wanted.by,
        limit=limit,
        offset=offset,
        source=wanted.source,
    )
    return Json(found.document(), headers=NO_STORE if found.tells_of_people else None)


@router.get("/{number}/changes", response_model=Changes, summary="What differs between two moments")
def changes(
    warehouse: Lent,
    number: Number,
    given: Given,
    since: Annotated[str, Query(alias="from", max_length=200, description="The older moment, as `at` is written.")],
    to: Annotated[str, Query(max_length=200, description="The newer one; by default, now.")] = "live",
    source: Source = "",
) -> Json:
    """Tells the rows of the answer that came, went, or have other figures."""
    found = warehouse.answer_changes(number, given, since=since, until=to, source=source or None)
    asked = found.now.question
    sides = {
        name: {"position": one.position, "made_at": one.made_at, "finding": one.finding}
        for name, one in (("was", found.was), ("now", found.now))
    }
    document = {
        "question": asked.number,
        "title": asked.title,
        "columns": [column._asdict() for column in asked.columns],
        **sides,
        "rows": [row.document() for row in found.rows],
    }
    return Json(document)
