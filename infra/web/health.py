"""Whether the server is alive, and whether it is ready to answer: for those who start, watch and balance servers."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.web.lending import Lent

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the server is alive")
async def healthz() -> dict[str, str]:
    """Answers as long as the server runs, whatever the database does."""
    return {"status": "ok"}


@router.get("/readyz", summary="Whether pages can be answered", responses={503: {"description": "Not ready"}})
def readyz(warehouse: Lent) -> JSONResponse:
    """Ready is a server whose database answers, with this program's schema, and has marts. `lag`: events behind."""
    document: dict[str, Any] = {"database": "ok", "marts": "ok"}
    try:
        found = warehouse.glance()
    except ReplayhouseError:  # its words name places, and nobody is asked who he is
        return JSONResponse({"status": "not ready", "database": "It does not answer as it should."}, 503)
    if found.marts is None:
        document["marts"] = "There are no marts yet: replayhouse project makes them."
    document["position"], document["lag"] = found.head.position, found.head.position - (found.marts or 0)
    is_ready = found.marts is not None
    return JSONResponse({"status": "ready" if is_ready else "not ready", **document}, 200 if is_ready else 503)
