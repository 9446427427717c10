"""Logging in with a token, and out again. Only a server that lets people in by tokens has these views."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from replayhouse.infra.runtime.errors import Unidentified, UsageError
from replayhouse.infra.web.auth.tokens import CHALLENGE, Tokens
from replayhouse.infra.web.pages.layout import bare_page

router = APIRouter()

_LONGEST_FORM = 4_096
_FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small form, each once. Raises UsageError for what is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().casefold() != _FORM:
        raise UsageError(f"This is no form: it is sent as {_FORM}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise UsageError(f"This form is longer than {_LONGEST_FORM:,} bytes.")
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


Form = Annotated[dict[str, str], Depends(read_form)]


def login_page(request: Request, status: int, text: str, to: str) -> HTMLResponse:
    """The form, which leads on to a path of this site."""
    headers = {"www-authenticate": CHALLENGE} if status == 401 else {}
    return bare_page("login.html", status, title="Log in", headers=headers, text=text, to=local(to))


def local(address: str) -> str:
    """An address on this site; the overview in the place of one that leads elsewhere."""
    is_local = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_local else "/"


@router.get("/login")
def form(request: Request, to: str = "/") -> HTMLResponse:
    """The form to log in with."""
    return login_page(request, 200, "", to)


@router.post("/login")
def log_in(request: Request, given: Form) -> Response:
    """Begins a session, and leads on."""
    way: Tokens = request.app.state.way
    to = local(given.get("to", "/"))
    answer = RedirectResponse(to, 303, {"cache-control": "no-store"})
    try:
        way.log_in(request, answer, given.get("token", ""))
    except Unidentified as error:
        return login_page(request, 401, str(error), to)
    return answer


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Ends the session."""
    way: Tokens = request.app.state.way
    answer = RedirectResponse("/login", 303, {"cache-control": "no-store", "clear-site-data": '"cache"'})
    way.log_out(request, answer)
    return answer
