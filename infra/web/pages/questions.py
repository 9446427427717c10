"""The questions: all of them, and one with its answer."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter()


@router.get("/questions/{number}")
def question(request: Request, warehouse: Lent, wanted: AtMoment, number: int) -> HTMLResponse:
    """A question with its answer."""
    answer = warehouse.ask(number, at=wanted.at, occurred_before=wanted.by)
    asked = answer.question
    return page(
        request,
        warehouse,
        wanted,
        "question.html",
        title=f"{asked.number}. {asked.title}",
        here="/questions",
        question=asked,
        answer=answer,
    )
