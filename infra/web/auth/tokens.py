"""Who asks with a token: programs send it with each request, people log in with it once and have a session.

A session is known here alone, by a number that is drawn when somebody logs in; the browser keeps that, and never the
token. Each request looks whether the token is still good, so revoking it ends its sessions, too.
"""

import secrets
import threading
import time
from hashlib import sha256
from typing import NamedTuple

from fastapi import Request
from starlette.responses import Response

from replayhouse.infra.privacy.tokens import hash_of
from replayhouse.infra.runtime.errors import Unidentified
from replayhouse.infra.runtime.identity import Identity
from replayhouse.infra.web.auth.door import write_down
from replayhouse.infra.web.warehouses import Warehouses

CHALLENGE = 'Bearer realm="replayhouse"'
MOST_SESSIONS = 10_000

_SESSION_BYTES = 32
_ON_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NOT_GOOD = "This token is not good: it may be mistyped, expired or revoked."
_NONE = "Say who you are: log in with a token, or send it as 'Authorization: Bearer TOKEN'."


class _Session(NamedTuple):
    token: bytes
    ends_at: float


class Sessions:
    """Who is logged in. No more than MOST_SESSIONS: who logged in first goes first."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._known: dict[bytes, _Session] = {}
        self._lock = threading.Lock()

    def begin(self, token: bytes) -> str:
        """A new session of whoever has the token with that hash; what the browser keeps of it."""
        number, now = secrets.token_urlsafe(_SESSION_BYTES), time.monotonic()
        with self._lock:
            self._known = {key: one for key, one in self._known.items() if one.ends_at > now}
            if len(self._known) >= MOST_SESSIONS:
                del self._known[next(iter(self._known))]
            self._known[_key(number)] = _Session(token, now + self.seconds)
        return number

    def token(self, number: str) -> bytes | None:
        """The hash of the token of a session; None where there is none, or it is over."""
        with self._lock:
            found = self._known.get(_key(number))
        return found.token if found is not None and found.ends_at > time.monotonic() else None

    def end(self, number: str) -> None:
        """Ends a session, if there is one."""
        with self._lock:
            self._known.pop(_key(number), None)


class Tokens:
    """Who asks has a token that is good, or a session that one began."""

    def __init__(self, warehouses: Warehouses, session_hours: int) -> None:
        self._warehouses = warehouses
        self.sessions = Sessions(session_hours * 3_600)

    def who(self, request: Request) -> Identity:
        """Whose the token is. Raises Unidentified where there is none, or it is not good."""
        if (given := request.headers.get("authorization")) is not None:
            scheme, _, token = given.partition(" ")
            return self._bearer(hash_of(token.strip()) if scheme.casefold() == "bearer" else None, "token")
        number = request.cookies.get(cookie_name(request))
        if number is None:
            raise Unidentified(_NONE)
        token_hash = self.sessions.token(number)
        if token_hash is None:
            raise Unidentified("You are no longer logged in: log in again.")
        return self._bearer(token_hash, "session")

    def log_in(self, request: Request, response: Response, token: str) -> None:
        """Begins a session, which the answer takes to the browser. Raises Unidentified where the token is not good."""
        token_hash = hash_of(token.strip())
        try:
            who = self._bearer(token_hash, "session")
        except Unidentified:
            write_down(request, "not logged in")
            raise
        write_down(request, "logged in", who)
        assert token_hash is not None  # or nobody would have it
        response.set_cookie(
            cookie_name(request),
            self.sessions.begin(token_hash),
            max_age=int(self.sessions.seconds),
            httponly=True,
            samesite="strict",
            secure=_is_secure(request),
        )

    def log_out(self, request: Request, response: Response) -> None:
        """Ends the session of the request."""
        name = cookie_name(request)
        if (number := request.cookies.get(name)) is not None:
            self.sessions.end(number)
            write_down(request, "logged out")
        response.delete_cookie(name, httponly=True, samesite="strict", secure=_is_secure(request))

    def _bearer(self, token_hash: bytes | None, how: str) -> Identity:
        found = None
        if token_hash is not None:
            with self._warehouses.lend() as warehouse:
                found = warehouse.bearer(token_hash, how)
        if found is None:
            raise Unidentified(_NOT_GOOD)
        return found


def cookie_name(request: Request) -> str:
    """Where the browser keeps the session: by its name, a browser takes it from the host itself and by TLS only.

    On loopback there is no TLS.
    """
    return "__Host-replayhouse" if _is_secure(request) else "replayhouse"


def _is_secure(request: Request) -> bool:
    """Whether the browser asked under a name that is not this machine's own: there a proxy ends TLS."""
    return request.url.hostname not in _ON_LOOPBACK


def _key(number: str) -> bytes:
    return sha256(number.encode()).digest()
