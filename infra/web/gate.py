"""Before every view: who asks, and whether that role may open this. Whoever may not is told so in plain words.

What the gate found stands in the request's state: `identity`, and `request_id`, which the answer has as a header.
"""

from uuid import uuid4

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replayhouse.infra.runtime.errors import Forbidden, ReplayhouseError, Unidentified, Unknown
from replayhouse.infra.runtime.identity import Identity
from replayhouse.infra.web import faults
from replayhouse.infra.web.auth.door import write_down
from replayhouse.infra.web.auth.permissions import area_of, is_open
from replayhouse.infra.web.auth.tokens import CHALLENGE
from replayhouse.infra.web.auth.ways import Way
from replayhouse.infra.web.pages.login import login_page

_MOST_ASKED_AT_ONCE = 8
"""Of so many it is found out at once who they are, beside those whose answers are in the making."""


class Gate:
    """Lets through who may."""

    def __init__(self, app: ASGIApp, way: Way) -> None:
        self._app = app
        self._way = way
        self._finding_out = CapacityLimiter(_MOST_ASKED_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = uuid4().hex

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request.state.request_id
            await send(message)

        refusal = None if is_open(scope["path"]) else await self._asked(request)
        await (self._app if refusal is None else refusal)(scope, receive, named)

    async def _asked(self, request: Request) -> Response | None:
        return await to_thread.run_sync(self._refusal, request, limiter=self._finding_out)

    def _refusal(self, request: Request) -> Response | None:
        """Why the request is not let through; None where it is."""
        identity = None
        try:
            identity = request.state.identity = self._way.who(request)
            area = area_of(request.scope["path"], request.method)
            if area is None:
                raise Unknown("There is no such page.")
            if identity.role not in area.roles:
                raise Forbidden(_told(identity))
        except Unidentified as error:
            write_down(request, "not let in", identity)
            return _challenge(request, str(error))
        except Forbidden as error:
            write_down(request, "refused", identity)
            return faults.answer(request, 403, str(error))
        except ReplayhouseError as error:
            return faults.answer(request, faults.status_of(error), "\n".join((str(error), *error.then)))
        return None


def _challenge(request: Request, told: str) -> Response:
    """Asks who it is: a person with a form that leads on to where they wanted to go, a program in words."""
    if faults.wants_json(request):
        answer = faults.answer(request, 401, told)
        answer.headers["www-authenticate"] = CHALLENGE
        return answer
    query = f"?{request.url.query}" if request.url.query else ""
    return login_page(request, 401, told, f"{request.url.path}{query}" if request.method == "GET" else "/")


def _told(identity: Identity) -> str:
    return (
        f"As {identity.role}, {identity.name} may not open this page. docs/security.md says which role may open what; "
        "who runs this server gives roles."
    )
