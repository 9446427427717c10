"""Searching: by id, CSV line, position, or the words of a question."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from replayhouse.infra.application.find import POSITION, QUESTION, Hit
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.web.auth.asker import Asker
from replayhouse.infra.web.closed_links import leads
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page, short
from replayhouse.infra.web.pages.places import PLACES, place_of
from replayhouse.infra.web.wanted import Chosen

router = APIRouter()

Text = Annotated[str, Query(max_length=200, description="What is looked for")]


class Listed(NamedTuple):
    """Something that was found, as it stands in the list."""

    name: str
    is_id: bool
    says: str
    path: str


@router.get("/find")
def find(request: Request, warehouse: Lent, wanted: Chosen, asker: Asker, q: Text = "") -> Response:
    """Leads to the one thing that a text means; of several, or none, tells what there is."""
    found = warehouse.find(q)
    if len(found.hits) == 1 and leads(asker.role, _path(found.hits[0])):
        return RedirectResponse(wanted.link(_path(found.hits[0])), 303)
    groups: dict[str, list[Listed]] = {}
    for hit in found.hits:
        groups.setdefault(_heading(hit.kind), []).append(_listed(hit))
    return page(request, warehouse, wanted, "find.html", title="Find", found=found, groups=groups.items())


def _path(hit: Hit) -> str:
    if hit.kind == POSITION:
        return f"/log/{hit.key}"
    return f"/questions/{hit.key}" if hit.kind == QUESTION else place_of(HistoryKind(hit.kind), hit.key)


def _heading(kind: str) -> str:
    return {POSITION: "The log", QUESTION: "Questions"}.get(kind) or PLACES[HistoryKind(kind)].capitalize()


def _listed(hit: Hit) -> Listed:
    if hit.kind == POSITION:
        return Listed(f"Position {int(hit.key):,}", False, hit.says, _path(hit))
    if hit.kind == QUESTION:
        return Listed(f"{hit.key}. {hit.says}", False, "", _path(hit))
    return Listed(short(hit.key), True, hit.says, _path(hit))
