"""What a load changed: figures of months that were over, answers, and what we believed."""

from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from replayhouse.infra.answers.movements import Moved
from replayhouse.infra.application.changes import Changes
from replayhouse.infra.web.api import changes as api
from replayhouse.infra.web.api.documents import Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.changes_words import because, correction_in_words
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.pages.overview_words import MINUS, in_words
from replayhouse.infra.web.wanted import Chosen, Wanted

router = APIRouter()


@router.get("/changes.json")
def changes_as_json(warehouse: Lent, wanted: Chosen, old: api.From = None, new: api.To = None) -> Json:
    """The same for programs."""
    return api.changes(warehouse, wanted, old, new)


@router.get("/changes")
def changes(
    request: Request, warehouse: Lent, wanted: Chosen, old: api.From = None, new: api.To = None
) -> HTMLResponse:
    """What changed between the ends of two loads: by default, with the newest as of the moment."""
    found = warehouse.changes(old, new, at=wanted.at)
    if found is None:
        return page(request, warehouse, wanted, "empty.html", title="Changes", here="/changes")
    is_newest = found.new.position == found.ends[-1].position
    return page(
        request,
        warehouse,
        wanted,
        "changes.html",
        title="Changes",
        here="/changes",
        changes=found,
        headline=_headline(found),
        moved=[_row(one, found) for one in found.moved],
        corrections=[(one, correction_in_words(one, found.currency)) for one in found.corrections],
        answers=[one for one in found.answers if one.is_any],
        then=Wanted(None if is_newest else str(found.new.position)).link,
    )


class Row(NamedTuple):
    """A figure that moved, as it is shown; `now` is None where there is none any more."""

    moved: Moved
    was: str
    now: str | None
    change: str
    because: str


def _row(moved: Moved, found: Changes) -> Row:
    figure, change = moved.figure, moved.change
    was = in_words(moved.was, figure.unit, figure.decimals, found.currency)
    now = None if moved.now is None else in_words(moved.now, figure.unit, figure.decimals, found.currency)
    amount = in_words(change if change > 0 else -change, "", figure.decimals)
    return Row(moved, was, now, f"{'+' if change > 0 else MINUS}{amount}", because(moved, found))


def _headline(found: Changes) -> str:
    if found.old is None:
        return f"What the first load, {found.new.load}, brought" if len(found.loads) == 1 else f"All up to {found.new}"
    if len(found.loads) > 1:
        return f"What changed from {found.old} to {found.new}"
    return (
        f"What taking {found.new.load} back changed"
        if found.new.is_retraction
        else f"What the load {found.new} changed"
    )
