"""What becomes of errors: a status, and the words of the command line, as a page or as JSON."""

import logging
import traceback
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replayhouse.infra.application.moments import NotMade
from replayhouse.infra.postgres.connection import NotPermitted
from replayhouse.infra.read_models.versions import OtherVersion
from replayhouse.infra.runtime import errors
from replayhouse.infra.telemetry.happenings import Happening, happened, is_anybody_listening
from replayhouse.infra.web import again
from replayhouse.infra.web.pages.layout import fault_page
from replayhouse.infra.web.pages.moments import not_made_page
from replayhouse.infra.web.tracing import method_of, route_of

# The first that fits.
_STATUS: tuple[tuple[type[errors.ReplayhouseError], int], ...] = (
    (errors.Unknown, 404),
    (errors.Unidentified, 401),
    (errors.Forbidden, 403),
    (errors.NoWarehouse, 503),
    (errors.UsageError, 400),
    (errors.InputError, 400),
    (errors.WrongServer, 503),
    (OtherVersion, 503),
    (errors.Unreachable, 503),
    (errors.TooLong, 504),
    (errors.Conflicting, 409),
    (errors.Rejected, 409),
    (errors.ReplayhouseError, 500),
)
_UNEXPECTED = "Something went wrong that nobody expected. The server has written down what."
_NOT_THERE = "There is no such page."

_OURS = 500
"""From this status on it is the server that has failed."""

LOG = logging.getLogger("replayhouse.web")
"""What nobody expected is written here."""


def status_of(error: errors.ReplayhouseError) -> int:
    """The status with which an error is answered."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def wants_json(request: Request) -> bool:
    """Whether a program asks, and not a person: under /api, or beside a page."""
    path = request.url.path
    return path.startswith("/api/") or path.endswith((".json", ".csv")) or path in ("/healthz", "/readyz")


def answer(request: Request, status: int, text: str) -> Response:
    """An error in these words."""
    if wants_json(request):
        return JSONResponse({"error": text}, status)
    return fault_page(request, status, text)


def register(app: FastAPI) -> None:
    """Lets the app answer errors so."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.ReplayhouseError)
        again.mark(request.scope, error)
        if isinstance(error.__cause__, NotPermitted):  # the program has asked for more than the role may see
            _write_down(request.scope, error, status_of(error))
        elif status_of(error) >= _OURS:
            _tell_of(request.scope, error, status_of(error))
        if isinstance(error, NotMade) and not wants_json(request):
            return await run_in_threadpool(not_made_page, request, error)
        return answer(request, status_of(error), "\n".join((str(error), *error.then)))

    async def wrong(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return answer(request, 400, f"{where}: {first['msg']}.")

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = _NOT_THERE if error.status_code == 404 else f"{error.detail}."
        response = answer(request, error.status_code, text)
        response.headers.update(error.headers or {})
        return response

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        errors.ReplayhouseError: known,
        RequestValidationError: wrong,
        HTTPException: refused,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


class Unexpected:
    """Answers errors that nobody expected, and writes them down, once.

    It stands below what adds headers to every answer; Starlette's own handler for such errors stands above that, and
    raises them again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            _write_down(scope, error, 500)
            if not has_begun:  # else the connection is closed, and whoever reads sees that the answer is not whole
                await answer(Request(scope), 500, _UNEXPECTED)(scope, receive, send)


def _write_down(scope: Scope, error: Exception, status: int) -> None:
    _tell_of(scope, error, status)
    if not is_anybody_listening():
        LOG.error(in_words(scope, error))


def _tell_of(scope: Scope, error: Exception, status: int) -> None:
    method, route = method_of(scope), route_of(scope)
    happened(Happening.REQUEST_FAILED, method=method, route=route, status=status, error=type(error).__name__)


def in_words(scope: Scope, error: BaseException) -> str:
    """The view that failed and where, for whoever mends it. No value: neither of the address nor of the message."""
    path = getattr(scope.get("route"), "path", "a page that is not there")
    lines = [f"{scope['method']} {path} failed with {type(error).__name__}, which nobody expected:"]
    frames = traceback.extract_tb(error.__traceback__)
    lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(lines)
