"""`/metrics`: how the warehouse is, and what this server does, for Prometheus.

It works on a connection of its own, beside the requests that wait for each other, and answers while the database is
away, too: whoever scrapes is to know one from the other.
"""

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

from replayhouse.infra.application.measuring import Measuring
from replayhouse.infra.telemetry.metrics_text import CONTENT_TYPE, text_of_process

router = APIRouter(tags=["health"])

_MOST_AT_ONCE = 4


class Telling:
    """What one server tells. It has threads of its own: those of the pool may all wait for a warehouse."""

    def __init__(self, measuring: Measuring) -> None:
        self.limiter = CapacityLimiter(_MOST_AT_ONCE)
        self._measuring = measuring

    def text(self) -> bytes:
        """What is so now."""
        return text_of_process(self._measuring.now().readings)


@router.get("/metrics", summary="How the warehouse is, for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """The head of the log, how far read models and relays are, loads, the last verification; answers and requests."""
    telling: Telling = request.app.state.telling_prometheus
    text = await to_thread.run_sync(telling.text, limiter=telling.limiter)
    return PlainTextResponse(text, headers={"content-type": CONTENT_TYPE})
