"""What becomes of errors: a status, and the words of the command line, as a page or as JSON."""

import sys
import traceback
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from replayhouse.infra.runtime import errors
from replayhouse.infra.web.pages.layout import fault_page

# The first that fits.
_STATUS: tuple[tuple[type[errors.ReplayhouseError], int], ...] = (
    (errors.Unknown, 404),
    (errors.NoWarehouse, 503),
    (errors.UsageError, 400),
    (errors.InputError, 400),
    (errors.WrongServer, 503),
    (errors.Unreachable, 503),
    (errors.TooLong, 504),
    (errors.Conflicting, 409),
    (errors.Rejected, 409),
    (errors.ReplayhouseError, 500),
)
_UNEXPECTED = "Something went wrong that nobody expected. The server has written down what."
_NOT_THERE = "There is no such page."


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

    async def unexpected(request: Request, error: Exception) -> Response:
        return answer(request, 500, _UNEXPECTED)

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        errors.ReplayhouseError: known,
        RequestValidationError: wrong,
        HTTPException: refused,
        Exception: unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def write_down(error: BaseException) -> None:
    """Writes an error that nobody expected on standard error, without values of the request."""
    for line in traceback.format_exception(error):
        sys.stderr.write(line)
