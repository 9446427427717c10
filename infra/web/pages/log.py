"""The log: its head, commits and verification, and one event with its proof."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter()

COMMITS = 50
"""So many commits stand on a page."""

Position = Annotated[int, Path(description="Position of the event in the log, from 1 on")]
Before = Annotated[int | None, Query(ge=1, description="Only commits that end before this position")]

_THINGS = {
    HistoryKind.ORDER: "orders",
    HistoryKind.SHIPMENT: "shipments",
    HistoryKind.CUSTOMER: "customers",
    HistoryKind.REVIEW: "reviews",
    HistoryKind.PRODUCT: "products",
    HistoryKind.SELLER: "sellers",
    HistoryKind.BATCH: "loads",
}
"""Under which path things have a page."""

_FACTS = {
    "order_id": "orders",
    "customer_id": "customers",
    "review_id": "reviews",
    "product_id": "products",
    "seller_id": "sellers",
    "batch_id": "loads",
}
"""The facts that name a thing, and where that has its page."""


@router.get("/log")
def log(request: Request, warehouse: Lent, wanted: AtMoment, before: Before = None) -> HTMLResponse:
    """The head and the commits."""
    found = warehouse.commits(wanted.at, before=before, limit=COMMITS)
    return page(request, warehouse, wanted, "log.html", title="Log", here="/log", log=found, before=before)


@router.get("/log/{position}")
def event(request: Request, warehouse: Lent, wanted: AtMoment, position: Position) -> HTMLResponse:
    """One event."""
    found = warehouse.event(position, wanted.at)
    thing = None if found.kind is None else _THINGS.get(found.kind)
    response = page(
        request,
        warehouse,
        wanted,
        "event.html",
        title=f"Position {position:,}",
        here="/log",
        found=found,
        event=found.event,
        name=in_words(found.event.name),
        thing=None if thing is None else f"/{thing}/{found.key.hex}",
        facts_with_pages=_FACTS,
    )
    if found.personal:
        response.headers["cache-control"] = "no-store"
    return response


def in_words(name: str) -> str:
    """The name of an event as people read it: `Order placed` for OrderPlaced."""
    first, *others = re.findall(r"[A-Z][a-z]*", name)
    return " ".join((first, *(word.lower() for word in others)))
