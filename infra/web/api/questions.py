"""`/api/questions`: the questions, and their answers."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter(prefix="/api/questions", tags=["questions"], responses=FAULTS)

Number = Annotated[int, Path(ge=1, le=999_999_999, description="Number of the question")]


class Column(BaseModel):
    """A column of an answer."""

    name: str
    type: str


class Answer(BaseModel):
    """An answer: its rows, in order, under its columns, and what it follows from."""

    question: int
    title: str
    columns: list[Column]
    rows: list[list[str | int | float | None]]
    parameters: dict[str, int | float]
    position: int
    definition: str
    finding: str


@router.get("/{number}", response_model=Answer, summary="The answer to a question")
def answer(warehouse: Lent, wanted: AtMoment, number: Number) -> Json:
    """Answers a question with the defaults of its parameters."""
    return Json(warehouse.ask(number, at=wanted.at, occurred_before=wanted.by).document())
