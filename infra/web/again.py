"""Reads that are done again: what they looked at was exchanged between two looks, and to ask once more helps."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replayhouse.infra.read_models.marts_shown import Replaced

_TRIES = 5
_MARK = "is_passing"


def mark(scope: Scope, error: Exception) -> None:
    """Notes of a request that an error is about to be told of which may not come again."""
    if isinstance(error, Replaced):
        scope.setdefault("state", {})[_MARK] = True


class Again:
    """Has a read answered anew where its answer would tell of such an error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        reads = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        for _ in range(_TRIES - 1 if reads else 0):
            attempt = dict(scope)
            try:
                if await self._is_answered(attempt, receive, send):
                    return
            finally:
                if "route" in attempt:
                    scope["route"] = attempt["route"]  # it is told where something fails
        await self._app(scope, receive, send)

    async def _is_answered(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Lets the request be handled; nothing is sent of an answer that is marked."""
        is_marked = False

        async def watched(message: Message) -> None:
            nonlocal is_marked
            if message["type"] == "http.response.start":
                is_marked = scope.get("state", {}).pop(_MARK, False)
            if not is_marked:
                await send(message)

        await self._app(scope, receive, watched)
        return not is_marked
