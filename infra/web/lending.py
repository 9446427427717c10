"""Parameters of views that come from the program: the warehouse that is lent to a request."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.runtime.identity import Asked, Identity
from replayhouse.infra.web.warehouses import Warehouses

PURPOSE_HEADER = "x-purpose"
"""In which whoever asks may say what for; it stands in the access log."""

BROWSING = "browsing"
"""What the others ask for."""

LONGEST_PURPOSE = 200


def lend(request: Request) -> Iterator[Warehouse]:
    """Lends a warehouse to a view."""
    warehouses: Warehouses = request.app.state.warehouses
    with warehouses.lend(asked_in(request)) as warehouse:
        yield warehouse


def asked_in(request: Request) -> Asked | None:
    """Who asks, what for, and in which request; None where nobody was asked who he is."""
    identity: Identity | None = getattr(request.state, "identity", None)
    if identity is None:
        return None
    purpose = request.headers.get(PURPOSE_HEADER, "").strip()
    is_told = purpose.isprintable() and 0 < len(purpose) <= LONGEST_PURPOSE
    return Asked(identity, purpose if is_told else BROWSING, request.state.request_id)


Lent = Annotated[Warehouse, Depends(lend, scope="function")]
"""A parameter of a view: a warehouse while it is at work. Whoever reads the answer slowly holds none."""
