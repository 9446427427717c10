"""`/api/changes`: what a load changed."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from replayhouse.infra.runtime.errors import Unknown
from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter(prefix="/api/changes", tags=["changes"], responses=FAULTS)

From = Annotated[int | None, Query(alias="from", ge=0, description="End of a load; 0: the beginning of the log")]
To = Annotated[int | None, Query(alias="to", ge=1, description="End of a later load; by default the newest")]


class End(BaseModel):
    """The end of a load, or of its being taken back."""

    position: int
    load: str
    is_retraction: bool


class MovedFigure(BaseModel):
    """A figure of a month that was over, or is gone; `now` is null where the month has none any more."""

    figure: str
    question: int
    column: str
    month: str
    was: float
    now: float | None
    change: float


class CorrectedValue(BaseModel):
    """What was corrected; of personal fields no values are told."""

    what: str
    before: str | int | float | None
    after: str | int | float | None
    is_personal: bool


class Lines(BaseModel):
    """Lines of the extract of a load, by file, as in `order_items:1042`."""

    load: str | None
    lines: list[str]


class Corrected(BaseModel):
    """An event that corrects what an earlier one told."""

    position: int
    event: str
    kind: str
    id: str
    changes: list[CorrectedValue]
    was_told: Lines
    is_told: Lines


class ChangedAnswer(BaseModel):
    """How many rows of an answer came, went, and have other figures."""

    question: int
    title: str
    came: int
    went: int
    changed: int


class Changed(BaseModel):
    """What changed after a position, up to another.

    `corrections` has the first ones, `corrected` says how many there are; `events` are counted by topic; as of the
    positions that `lacking` names, not all answers are kept.
    """

    start: int = Field(alias="from")
    to: int
    loads: list[End]
    moved: list[MovedFigure]
    corrections: list[Corrected]
    corrected: int
    answers: list[ChangedAnswer]
    events: dict[str, int]
    lacking: list[int]


@router.get("", response_model=Changed, summary="What a load changed")
def changes(warehouse: Lent, wanted: AtMoment, old: From = None, new: To = None) -> Json:
    """Figures of months that were over, answers, and corrections, between the ends of two loads.

    By default with the load that is the newest as of the moment.
    """
    found = warehouse.changes(old, new, at=wanted.at)
    if found is None:
        raise Unknown("Nothing is loaded yet: replayhouse ingest loads an extract.")
    return Json(found.document())
