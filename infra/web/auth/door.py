"""What is written down of who comes: who logs in and out, and who is refused what. Never a token, nor a query."""

import logging
from datetime import UTC, datetime
from urllib.parse import quote

from fastapi import Request

from replayhouse.infra.runtime.identity import Identity
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.web.tracing import method_of

LOG = logging.getLogger("replayhouse.door")
LOG.setLevel(logging.INFO)

_LONGEST_PATH = 200


def write_down(request: Request, what: str, who: Identity | None = None) -> None:
    """Writes a line: when, what, who, from where, for which path, and the request's id, which the answer has."""
    name = "somebody" if who is None else f"{who.name} ({who.role})"
    peer = request.client.host if request.client else "nowhere"
    path = quote(request.scope["path"][:_LONGEST_PATH])
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    happened(Happening.DOOR_KEPT, door=what, method=method_of(request.scope))
    LOG.info("%s %s: %s from %s, %s %s, %s", at, what, name, peer, request.method, path, request.state.request_id)
