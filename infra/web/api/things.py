"""`/api/things`: one thing with its events."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.web.api.documents import FAULTS, NO_STORE, Json
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import AtMoment

router = APIRouter(prefix="/api/things", tags=["things"], responses=FAULTS)

MOST = 1_000
"""So many events are told at once."""

Kind = Annotated[
    str, Path(max_length=20, description="order, shipment, customer, review, product, seller, batch or row")
]
Key = Annotated[str, Path(max_length=200, description="The id in the source, or its first digits; of a load its name")]
Source = Annotated[
    str | None,
    Query(max_length=40, description="The key is the one by which this source calls the thing, as an order's number"),
]
Order = Annotated[str, Query(max_length=20, description="The order of events: as they were learnt, or happened")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="So many events at most")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="So many events are left out before the first")]


class Change(BaseModel):
    """A value that an event changed. `key` is what the row's key has behind the id of the thing: a line's number."""

    table: str
    key: list[int | str]
    column: str
    old: Any
    new: Any


class LineText(BaseModel):
    """A line of a file."""

    line: int
    text: str


class Lines(BaseModel):
    """Lines of a file that an event names, with their texts as far as they are at hand."""

    file: str
    lines: str
    status: str
    place: str | None
    texts: list[LineText]
    left_out: int


class Recorded(BaseModel):
    """An event of the log: what it says, where it came from, and the `effect` that it had."""

    context: str
    stream: UUID
    version: int
    position: int
    event: str
    topic: str
    occurred_at: datetime | None
    recorded_at: datetime
    batch: UUID | None
    source: str | None
    rewound: bool
    facts: dict[str, Any]
    effect: str
    lines: list[Lines]


class Event(Recorded):
    """An event of a thing, and what it changed in the rows that follow from the thing."""

    changes: list[Change]
    later: str | None = Field(description="learnt or happened: the moment does not see the event; else null")


class Row(BaseModel):
    """A row that follows from the thing's events, as of the moment."""

    table: str
    row: dict[str, Any]


class Neighbour(BaseModel):
    """Another thing that this one has to do with."""

    kind: str
    id: UUID


class Thing(BaseModel):
    """One thing as of a moment: `total` events, of which `events` are those from `offset` on."""

    kind: str
    id: UUID
    position: int
    occurred_before: datetime | None
    erased: bool
    rows: list[Row]
    neighbours: list[Neighbour]
    total: int
    offset: int
    events: list[Event]


@router.get("/{kind}/{key:path}", response_model=Thing, summary="One thing with its events")
def thing(
    warehouse: Lent,
    wanted: AtMoment,
    kind: Kind,
    key: Key,
    order: Order = "learnt",
    limit: Limit = 50,
    offset: Offset = 0,
    source: Source = None,
) -> Json:
    """The events of a thing, what each changed and the lines it came from, its rows and its neighbours."""
    if source is not None:
        if kind == HistoryKind.CUSTOMER:
            raise UsageError("People are asked for by their ids: what a source calls them would stand in the address.")
        key = warehouse.id_of(kind, key, source=source).hex
    found = warehouse.thing(kind, key, at=wanted.at, occurred_before=wanted.by, order=order, limit=limit, offset=offset)
    return Json(found.document(), headers=NO_STORE)
