"""`/api/quality`: how a load fared by each rule."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter(prefix="/api/quality", tags=["quality"], responses=FAULTS)

Load = Annotated[str, Path(max_length=300, description="Id or name of the load, or how either begins")]
Limit = Annotated[int, Query(ge=1, le=500, description="So many loads at most")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="So many newer loads come before")]


class Check(BaseModel):
    """How a rule fared: `failed` of the `checked` records broke it; `passed` tells whether the target was reached."""

    rule: str
    sentence: str | None
    dimension: str
    severity: str
    checked: int
    failed: int
    passed: bool


class LoadNamed(BaseModel):
    """A load by its id and its name."""

    batch: UUID
    name: str


class Since(BaseModel):
    """So many of the records that are missing stood last in a load; `is_new`: no load before this one missed them."""

    records: int
    last_in: LoadNamed
    is_new: bool


class Place(BaseModel):
    """Where a record stood: a line of a file, null where none was kept, in a load that had it."""

    file: str
    line: int | None
    load: LoadNamed


class MissingKind(BaseModel):
    """Of one kind of record, how many of those that earlier loads of the source brought are missing, and the first."""

    file: str
    known: int
    missing: int
    unreadable: int
    since: list[Since]
    first: list[Place]


class Quality(BaseModel):
    """A load with what the rules found. `quarantine`: by rule, how many records it was the first to keep apart.

    `missing_records` is there only of a source whose extracts hold everything.
    """

    batch: UUID
    name: str
    status: str
    opened_at: datetime
    score: float | None
    rows: int
    quarantined: int
    reasons: list[str]
    checks: list[Check]
    quarantine: dict[str, int]
    missing_records: list[MissingKind] | None = None


class LoadQuality(BaseModel):
    """A load: its score, how many rules were `broken`, and of how many the target was `missed`."""

    batch: UUID
    name: str
    source: str | None
    status: str
    opened_at: datetime
    score: float | None
    rows: int
    quarantined: int
    broken: int
    missed: int


class Loads(BaseModel):
    """Some of the loads, the newest first; `number` is how many there are."""

    number: int
    loads: list[LoadQuality]


@router.get("", response_model=Loads, summary="How the loads fared")
def loads(warehouse: Lent, wanted: AtMoment, limit: Limit = 100, offset: Offset = 0) -> Json:
    """The loads that had begun at the moment, the newest first, some at a time."""
    return Json(warehouse.quality_of_loads(wanted.at, limit=limit, offset=offset).document())


@router.get("/{batch}", response_model=Quality, summary="How a load fared by each rule")
def quality(warehouse: Lent, wanted: AtMoment, batch: Load) -> Json:
    """The score of a load, its rules, and what was kept apart, as the moment shows it."""
    return Json(warehouse.quality_report(batch, at=wanted.at).document())
