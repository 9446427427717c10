"""`/api/status`: how the warehouse is."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent

router = APIRouter(prefix="/api/status", tags=["status"], responses=FAULTS)


class Context(BaseModel):
    """How far a context is: the position of its newest event, and how many of its events no read model shows yet."""

    head: int
    projected: int
    lag: int
    revision: int
    events: int
    parked: int
    made_by: str


class Load(BaseModel):
    """A load: `status` is open, completed, rejected, retracting or retracted; `events` are those without quality's."""

    batch: str
    name: str
    status: str
    opened_at: datetime
    events: int


class Place(BaseModel):
    """Where the warehouse is, and how many bytes it takes."""

    home: str | None
    database: str | None
    server: str
    log_bytes: int
    read_model_bytes: int


class Verified(BaseModel):
    """What the last verification found: the log held up to `position`, or, with a `reason`, not from it on."""

    verified_at: datetime
    position: int
    reason: str | None


class Relay(BaseModel):
    """How a relay to Kafka is."""

    position: int
    state: str
    error: str | None
    since: datetime
    updated_at: datetime
    lag: int
    lag_seconds: float
    is_silent: bool


class Source(BaseModel):
    """The completed loads of a source: how many, the newest and when it was opened, and their events."""

    loads: int
    last_load: str | None
    opened_at: datetime | None
    events: int


class Status(BaseModel):
    """The head of the log, how far the read models and relays are, and the loads so far."""

    position: int
    chain: str
    contexts: dict[str, Context]
    batches: list[Load]
    warehouse: Place
    sources: dict[str, Source] | None = None
    verified: Verified | None = None
    relays: dict[str, Relay] | None = None


@router.get("", response_model=Status, summary="How the warehouse is")
def status(warehouse: Lent) -> Json:
    """The same as `replayhouse status --json`."""
    return Json(warehouse.status().document())
