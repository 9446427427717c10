"""The log: its head, commits and verification, and one event with its proof."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.audit.kinds import OF_COLUMN
from replayhouse.infra.web.api import log as api
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.pages.places import PLACES, place_of
from replayhouse.infra.web.pages.things import personal
from replayhouse.infra.web.pages.words import title_of
from replayhouse.infra.web.wanted import Chosen

router = APIRouter()
router.add_api_route("/log.json", api.commits, response_model=None)
router.add_api_route("/log/{position}.json", api.event, response_model=None)

COMMITS = 50
"""So many commits stand on a page."""

Position = Annotated[int, Path(description="Position of the event in the log, from 1 on")]
Before = Annotated[int | None, Query(ge=1, description="Only commits that end before this position")]


@router.get("/log")
def log(request: Request, warehouse: Lent, wanted: Chosen, before: Before = None) -> HTMLResponse:
    """The head and the commits."""
    found = warehouse.commits(wanted.at, before=before, limit=COMMITS)
    return page(request, warehouse, wanted, "log.html", title="Log", here="/log", log=found, before=before)


@router.get("/log/{position}")
def event(request: Request, warehouse: Lent, wanted: Chosen, position: Position) -> HTMLResponse:
    """One event."""
    found = warehouse.event(position, wanted.at)
    response = page(
        request,
        warehouse,
        wanted,
        "event.html",
        title=f"Position {position:,}",
        here="/log",
        found=found,
        event=found.event,
        name=title_of(found.event.name),
        thing=place_of(found.kind, found.key) if found.kind in PLACES else None,
        columns=OF_COLUMN,
        place_of=place_of,
        personal=personal,
    )
    if found.personal:
        response.headers["cache-control"] = "no-store"
    return response
