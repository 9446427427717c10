"""A parameter of views: who asks."""

from typing import Annotated

from fastapi import Depends, Request

from replayhouse.infra.runtime.errors import Unidentified
from replayhouse.infra.runtime.identity import Identity


def read_identity(request: Request) -> Identity:
    """Who asks, as the gate has found out. Raises Unidentified where it has asked nobody."""
    found: Identity | None = getattr(request.state, "identity", None)
    if found is None:
        raise Unidentified("It is not known who asks.")
    return found


def asker_of(request: Request) -> Identity | None:
    """Who asks; None where the gate has asked nobody."""
    found: Identity | None = getattr(request.state, "identity", None)
    return found


Asker = Annotated[Identity, Depends(read_identity)]
"""A parameter of a view: who asks."""
