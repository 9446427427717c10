"""The terms of the questions: what each means, and which questions use it."""

import re
from collections import defaultdict
from functools import cache

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.wanted import Chosen
from replayhouse.projections.questions import Question, questions
from replayhouse.projections.questions.glossary import glossary

router = APIRouter()


def anchor_of(term: str) -> str:
    """Where a term stands on the page: `/terms#delivery-late` for `delivery, late`."""
    return re.sub(r"[^a-z0-9]+", "-", term.casefold()).strip("-")


@router.get("/terms")
def terms(request: Request, warehouse: Lent, wanted: Chosen) -> HTMLResponse:
    """All terms."""
    return page(
        request,
        warehouse,
        wanted,
        "terms.html",
        title="Terms",
        sections=glossary(),
        used_by=_used_by(),
        anchor_of=anchor_of,
    )


@cache
def _used_by() -> dict[str, list[Question]]:
    """The questions that use each term."""
    used: dict[str, list[Question]] = defaultdict(list)
    for question in questions():
        for term in question.terms:
            used[term].append(question)
    return dict(used)
