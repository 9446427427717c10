"""The records that were kept apart, of all loads, with their texts for those who may see them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.domain.quality.rules import RULE
from replayhouse.infra.read_models.quarantine import RowStatus
from replayhouse.infra.runtime.identity import Identity
from replayhouse.infra.web.api.documents import NO_STORE
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.pages.quality import PageNumber
from replayhouse.infra.web.wanted import Chosen
from replayhouse.ingest.records import RECORDS

router = APIRouter()

ON_A_PAGE = 50
"""So many records."""

Load = Annotated[str, Query(max_length=300, description="Id or name of the load that was the first to keep them apart")]
File = Annotated[str, Query(max_length=40, description="Name of the file")]
Rule = Annotated[str, Query(max_length=100, description="Name of the rule")]
Status = Annotated[str, Query(max_length=20, description="quarantined, released, discarded or all")]


@router.get("/quality/quarantine")
def quarantine(
    request: Request,
    warehouse: Lent,
    wanted: Chosen,
    load: Load = "",
    file: File = "",
    rule: Rule = "",
    status: Status = RowStatus.QUARANTINED,
    number: PageNumber = 1,
) -> HTMLResponse:
    """Some of them, by file and line, as they are now. That their texts are shown is noted first."""
    found = warehouse.quarantine(load or None, file or None, rule or None, status, ON_A_PAGE, (number - 1) * ON_A_PAGE)
    asker: Identity | None = getattr(request.state, "identity", None)
    shown = page(
        request,
        warehouse,
        wanted,
        "quarantine.html",
        title="Records that were kept apart",
        here="/quality",
        found=found,
        sees=asker is not None and asker.sees_records,
        asked={"load": load or None, "file": file or None, "rule": rule or None, "status": status},
        names={one.id: one.name for one in found.loads},
        loads=[(one.id.hex, one.name) for one in found.loads],
        files=[(name, name) for name in RECORDS],
        rules=[(name, name) for name in RULE],
        statuses=[(one.value, one.value) for one in RowStatus],
        number=number,
        is_last=number * ON_A_PAGE >= found.number,
    )
    shown.headers.update(NO_STORE)
    return shown
