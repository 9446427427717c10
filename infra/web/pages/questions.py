"""The questions: all of them, and one with its answer."""

import shlex
from collections.abc import Mapping
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from replayhouse.infra.application.ask_beside import Beside
from replayhouse.infra.web.answer_table import BEFORE, NOW, Links, lines_of, number_missing
from replayhouse.infra.web.api import questions as api
from replayhouse.infra.web.asked import Given, Known, Number
from replayhouse.infra.web.auth.asker import asker_of
from replayhouse.infra.web.charts import Other, charts_of, sparkline
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.pages.terms import anchor_of
from replayhouse.infra.web.wanted import Chosen, Wanted

router = APIRouter()

Search = Annotated[str, Query(max_length=200)]


@router.get("/questions")
def every_question(request: Request, warehouse: Lent, wanted: Chosen, q: Search = "") -> HTMLResponse:
    """The questions by group, with what is kept of their answers."""
    found = [one.question for one in warehouse.questions(q)]
    kept = warehouse.findings_kept(at=wanted.at, occurred_before=wanted.by, source=wanted.source)
    lines = {number: sparkline(answer) for number, answer in kept.items() if answer.rows}
    groups = [(name, list(several)) for name, several in groupby(found, key=lambda one: one.group)]
    return page(
        request,
        warehouse,
        wanted,
        "questions.html",
        title="Questions",
        here="/questions",
        by_source=True,
        groups=groups,
        number=len(found),
        kept=kept,
        lines=lines,
        q=q,
        anchor=anchor_of,
    )


@router.get("/questions/{number}.json")
def question_as_json(warehouse: Lent, wanted: Chosen, number: Number, given: Given, known: Known) -> Response:
    """The same for programs."""
    return api.answer(warehouse, wanted, number, given, known)


@router.get("/questions/{number}.csv")
def question_as_csv(warehouse: Lent, wanted: Chosen, number: Number, given: Given, known: Known) -> Response:
    """The same for spreadsheets."""
    return api.answer_as_csv(warehouse, wanted, number, given, known)


@router.get("/questions/{number}")
def question(request: Request, warehouse: Lent, wanted: Chosen, number: Number, given: Given) -> HTMLResponse:
    """A question with its answer, and beside it what is said of it at another moment."""
    found = warehouse.ask_beside(number, given, at=wanted.at, occurred_before=wanted.by, source=wanted.source)
    asked = found.answer.question
    given = {name: str(value) for name, value in found.answer.origin.parameters.items() if name in given}
    other = None if found.other is None else Other(found.other, _says(found))
    links = Links(asked, wanted, given, asker_of(request))
    return page(
        request,
        warehouse,
        wanted,
        "question.html",
        title=f"{asked.number}. {asked.title}",
        here="/questions",
        by_source=True,
        question=asked,
        answer=found.answer,
        charts=charts_of(found.answer, other, links.rows, found.open_months),
        lines=lines_of(found.answer, found.other, links),
        other=other,
        words=NOW if found.load is None else BEFORE,
        missing=number_missing(found.answer, found.other),
        given=given,
        terms=[(term, anchor_of(term)) for term in asked.terms],
        commands=_commands(request, wanted, number, given),
    )


def _says(found: Beside) -> str:
    return "as known now" if found.load is None else f"as known after {found.load}"


def _commands(request: Request, wanted: Wanted, number: int, given: Mapping[str, str]) -> list[str]:
    """The same answer by the command line, and by HTTP."""
    words = ["replayhouse", "ask", str(number)]
    words += [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    words += ["--at", wanted.at] if wanted.at else []
    words += ["--occurred-before", wanted.by] if wanted.by else []
    words += ["--source", wanted.source] if wanted.source else []
    address = str(request.base_url).rstrip("/") + wanted.link(f"/api/questions/{number}", **given)
    return [shlex.join(words), shlex.join(["curl", address])]
