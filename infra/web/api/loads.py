"""`/api/loads`: the mapping by which the records of a load were made."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel

from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.lending import Lent

router = APIRouter(prefix="/api/loads", tags=["loads"], responses=FAULTS)

Load = Annotated[str, Path(max_length=200, description="The load: its id or name, or how either begins")]


class Mapping(BaseModel):
    """A mapping: its source, its SHA-256 in hexadecimal, and the text of each file by its name.

    `intact`: the files still have that hash, to which the log binds the load.
    """

    batch: UUID
    source: str
    sha256: str
    intact: bool
    files: dict[str, str]


@router.get("/{load}/mapping", response_model=Mapping, summary="The mapping of a load")
def mapping(warehouse: Lent, load: Load) -> Json:
    """The mapping by which the records of a load were made, as it was then: `replayhouse sources show --json`."""
    return Json(warehouse.load_mapping(load).document())
