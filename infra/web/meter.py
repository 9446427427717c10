"""How long each request took, for /metrics: by its method, the template of its route, and the status of the answer."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replayhouse.infra.telemetry import metrics_process

_WITHOUT_VIEW = ("/static", "/api/openapi.json")
"""What is answered though no view of ours is: nobody notes a route for it."""


class Meter:
    """Takes the time from a request to the end of its answer. What broke off before it was answered is not counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if status is not None:
                seconds = time.perf_counter() - begun
                metrics_process.requested(scope["method"], route_of(scope), status, seconds)


def route_of(scope: Scope) -> str:
    """The template of the route that a request came to: never its path, of which there are any number."""
    if (route := scope.get("route")) is not None:
        return str(route.path)
    path = scope["path"]
    return next((known for known in _WITHOUT_VIEW if path == known or path.startswith(f"{known}/")), "")
