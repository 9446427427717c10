"""`/api/log`: the head and the commits of the log, one event of it, and its proof."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter(prefix="/api/log", tags=["log"], responses=FAULTS)

Position = Annotated[int, Path(description="Position of the event in the log, from 1 on")]
Before = Annotated[int | None, Query(ge=1, description="Only commits that end before this position")]
Limit = Annotated[int, Query(ge=1, le=500, description="So many commits at most")]


class Head(BaseModel):
    """The end of the log. `chain`: 32 bytes in hexadecimal."""

    position: int
    chain: str


class HeadOfLog(Head):
    """The end of the log, and when the newest commit was recorded."""

    recorded_at: datetime


class Verification(BaseModel):
    """What the last verification found: the log held up to `position`, or, with a `reason`, not from there on."""

    verified_at: datetime
    position: int
    reason: str | None
    holds: bool


class Commit(BaseModel):
    """What was appended at once. Of a commit with a `flaw` only `last` is told."""

    first: int | None = None
    last: int
    events: int | None = None
    batch: UUID | None = None
    load: str | None = None
    source: str | None = None
    recorded_at: datetime | None = None
    root: str | None = None
    chain: str | None = None
    flaw: str | None


class Commits(BaseModel):
    """The head, and commits, the newest first. `before`: where the next ones are; null where there are no more."""

    store: UUID
    head: HeadOfLog
    verified: Verification | None
    number: int
    commits: list[Commit]
    before: int | None


class Step(BaseModel):
    """One step to the root: the hash beside, on which side that stands, and what the two make."""

    side: str
    hash: str
    makes: str


class OwnCommit(BaseModel):
    """The commit of an event, with the chain before and after it."""

    first: int
    last: int
    recorded_at: datetime
    root: str
    chain_before: str
    chain: str


class Event(BaseModel):
    """An event, of which thing it is (`kind` and `key`), and how its hash leads to the chain.

    `occurred_at` is local to Brazil where it has no offset.
    """

    position: int
    context: str
    stream: UUID
    version: int
    event: str
    topic: str
    occurred_at: str | None
    recorded_at: datetime
    batch: UUID | None
    load: str | None
    source: str | None
    rewound: bool
    facts: dict[str, Any]
    kind: str | None
    key: UUID
    leaf: str
    path: list[Step]
    commit: OwnCommit
    later_commits: int
    head: Head


@router.get("", response_model=Commits, summary="The head of the log, and its commits")
def commits(warehouse: Lent, wanted: AtMoment, before: Before = None, limit: Limit = 100) -> Json:
    """The commits that the moment shows, the newest first, some at a time."""
    return Json(warehouse.commits(wanted.at, before=before, limit=limit).document())


@router.get("/{position}", response_model=Event, summary="One event of the log")
def event(warehouse: Lent, position: Position) -> Json:
    """The event at a position, its hashes recomputed up to its commit."""
    found = warehouse.event(position)
    answer = Json(found.document())
    if found.personal:
        answer.headers["cache-control"] = "no-store"
    return answer


@router.get(
    "/{position}/proof",
    summary="The proof that an event stands in the log",
    response_class=Response,
    responses={
        200: {"description": "The file that `replayhouse audit prove` writes", "content": {"application/json": {}}}
    },
)
def proof(warehouse: Lent, position: Position) -> Response:
    """The proof up to the head, in the bytes that `replayhouse audit check-proof` takes."""
    name = f"event-{position}.proof"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(warehouse.prove(position).data, media_type="application/json", headers=headers)
