"""One load: its files and what became of their records, its events by kind, and how it ended."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.application.load_details import LoadDetails
from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.pages.words import title_of
from replayhouse.infra.web.wanted import Chosen

router = APIRouter()

_STATUS = {
    "open": "It is under way, or was interrupted: its files can be ingested again to finish it.",
    "accepted": "It is under way, or was interrupted: its files can be ingested again to finish it.",
    "completed": "It is complete.",
    "rejected": "It was rejected as a whole: nothing of it became an event.",
    "retracted": "It was taken back: what it brought counts no longer.",
    "retracting": "It is being taken back.",
    "": "It came later than the moment that is shown.",
}


Kinds = Annotated[bool, Query(description="Whether the events of a large load are counted by kind as well")]


class Kind(NamedTuple):
    """How many events of a kind a load brought."""

    context: str
    name: str
    title: str
    events: int


@router.get("/loads/{load}")
def load(request: Request, warehouse: Lent, wanted: Chosen, load: str, kinds: Kinds = False) -> HTMLResponse:
    """A load as of the moment, by its id or name, or how either begins."""
    found = warehouse.load_details(load, at=wanted.at, counts=kinds)
    return page(
        request,
        warehouse,
        wanted,
        "load.html",
        title=f"Load {found.batch.name}",
        here="/quality",
        load=found,
        built_in=BUILT_IN,
        status=_STATUS[found.told.status],
        kinds=kinds_of(found) if found.told.is_opened else [],
        own=[(title_of(event.name), event) for event in found.own if event.position <= found.seen.position],
    )


@router.get("/loads/{load}/mapping")
def mapping(request: Request, warehouse: Lent, wanted: Chosen, load: str) -> HTMLResponse:
    """The mapping by which the records of a load were made, as it was then."""
    kept = warehouse.load_mapping(load)
    title = f"Mapping of load {load}"
    return page(request, warehouse, wanted, "load_mapping.html", title=title, here="/quality", kept=kept)


def kinds_of(found: LoadDetails) -> list[Kind]:
    """Its events by kind, the most frequent of each context first."""
    kinds = []
    for topic, events in (found.topics or {}).items():
        context, name, _ = topic.split(".")
        kinds.append(Kind(context, name, title_of(name), events))
    order = list(dict.fromkeys(kind.context for kind in kinds))
    return sorted(kinds, key=lambda kind: (order.index(kind.context), -kind.events, kind.name))
