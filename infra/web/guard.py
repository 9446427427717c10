"""What holds for every answer of the server, whatever gave it: headers, whose requests are taken, how many at once.

The policy of contents lets a page load from its own origin only, and run no script or style that stands in the page
(OWASP ASVS 5.0, 3.4). A request under a foreign name of host is refused, so that no other site reaches a server on
loopback by a name of its own (DNS rebinding); so is a form that another site sends (3.5.1).
"""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE = ("GET", "HEAD", "OPTIONS")
_OUR_SITES = ("same-origin", "none")


class Guard:
    """Adds the headers, and refuses requests that are not for this server or come from another site.

    `hosts` are the names, without ports, under which the server may be asked; none given, any.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "private, no-cache")
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        answer = self._app if refusal is None else refusal
        # Whoever asks for the head of an answer is given that of the whole one; the server leaves the rest out.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await answer(asked, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        if self._hosts and _name_of(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This server is not asked under that name.\n", status_code=421)
        if method not in _SAFE and _is_of_another_site(headers):
            return PlainTextResponse("Another site may not ask for this.\n", status_code=403)
        return None


def _is_of_another_site(headers: Headers) -> bool:
    """Whether a browser says that another site sends a request; an old one says so by the origin alone.

    Forms of ours have no origin (`null`), for their pages refer to nobody.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin", "null")
    if site is not None:
        return site not in _OUR_SITES
    return origin != "null" and origin.partition("://")[2].casefold() != headers.get("host", "").casefold()


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).casefold()
