"""`/api/quality`: how a load fared by each rule."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel

from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter(prefix="/api/quality", tags=["quality"], responses=FAULTS)

Load = Annotated[str, Path(max_length=300, description="Id or name of the load, or how either begins")]


class Check(BaseModel):
    """How a rule fared: `failed` of the `checked` records broke it; `passed` tells whether the target was reached."""

    rule: str
    sentence: str | None
    dimension: str
    severity: str
    checked: int
    failed: int
    passed: bool


class Quality(BaseModel):
    """A load with what the rules found. `quarantine`: by rule, how many records it was the first to keep apart."""

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


@router.get("/{batch}", response_model=Quality, summary="How a load fared by each rule")
def quality(warehouse: Lent, wanted: AtMoment, batch: Load) -> Json:
    """The score of a load, its rules, and what was kept apart, as the moment shows it."""
    return Json(warehouse.quality_report(batch, at=wanted.at).document())
