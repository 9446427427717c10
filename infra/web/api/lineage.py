"""`/api/lineage`: what made a row."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from replayhouse.infra.web.api import things
from replayhouse.infra.web.api.documents import FAULTS, NO_STORE, Json
from replayhouse.infra.web.lending import Lent

router = APIRouter(prefix="/api/lineage", tags=["lineage"], responses=FAULTS)

Table = Annotated[str, Path(max_length=100, description="The table, as sales.fact_order or fact_order; or a mart")]
Key = Annotated[
    str,
    Path(max_length=400, description="Its primary key, its values with / between; of a mart its first columns"),
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="So many lines of a file, and rows behind a mart's, at most")]


class Beside(BaseModel):
    """Another row that has to do with this one."""

    table: str
    key: str


class Event(things.Recorded):
    """An event of the row's stream, and which columns of the row it changed."""

    columns: list[str]


class RowLineage(BaseModel):
    """A row of a table, and what made it."""

    table: str
    key: dict[str, Any]
    row: dict[str, Any]
    stream: UUID | None
    note: str | None
    beside: list[Beside]
    events: list[Event]


class RowsBehind(BaseModel):
    """Rows of a table with the same values in the columns `by`: the first of `found`."""

    table: str
    by: list[str]
    found: int
    rows: list[dict[str, Any]]


class MartLineage(BaseModel):
    """Rows of a mart, and the rows behind them."""

    table: str
    key: dict[str, Any]
    rows: list[dict[str, Any]]
    behind: list[RowsBehind]


@router.get("/{table}/{key:path}", response_model=RowLineage | MartLineage, summary="What made a row")
def lineage(warehouse: Lent, table: Table, key: Key, limit: Limit = 20) -> Json:
    """The events that made a row as it is now, what each did, and the lines of the extracts they came from."""
    return Json(warehouse.lineage(table, key.split("/"), limit=limit).document(), headers=NO_STORE)
