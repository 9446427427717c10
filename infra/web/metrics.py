"""`/metrics`: how the warehouse is, and what this server does, for Prometheus.

It works on a connection of its own, beside the requests that wait for each other, and answers while the database is
away, too: whoever scrapes is to know one from the other.
"""

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

from replayhouse.infra.application.measuring import Measuring
from replayhouse.infra.telemetry.metrics_text import CONTENT_TYPE, text_of_process

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="How the warehouse is, for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request) -> PlainTextResponse:
    """The head of the log, how far read models and relays are, loads, the last verification; answers and requests."""
    measuring: Measuring = request.app.state.measuring
    return PlainTextResponse(text_of_process(measuring.now().readings), headers={"content-type": CONTENT_TYPE})
