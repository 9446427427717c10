"""What a request asks, as its address says it: parameters once each, and those of a question beside the moment."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Depends, Path, Request

from replayhouse.infra.runtime.errors import UsageError

Number = Annotated[int, Path(ge=0, le=999_999_999, description="Number of the question")]

_NO_PARAMETERS = frozenset(
    {"at", "by", "source", "axis", "key", "column", "limit", "offset", "from", "page", "to", "q"}
)


_LISTS = frozenset({"key"})
"""Parameters that take several values."""


async def refuse_twice(request: Request) -> None:
    """Raises UsageError where an address sets twice what takes one value: nobody could tell which is meant."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given and name not in _LISTS:
            raise UsageError(f"{name} is set twice: to {given[name]} and to {value}.")
        given[name] = value


def read_given(request: Request) -> dict[str, str]:
    """The values that an address gives the parameters of a question. An empty field of a form gives nothing.

    Which names there are, the question knows.
    """
    return {name: value for name, value in request.query_params.items() if name not in _NO_PARAMETERS and value}


Given = Annotated[dict[str, str], Depends(read_given)]
"""A parameter of a view: the parameters that the request gives the question."""


def read_known(request: Request) -> Collection[str]:
    """The tags of answers that whoever asks has, by the header If-None-Match."""
    found = request.headers.get("if-none-match", "")
    return {tag.strip().removeprefix("W/").strip('"') for tag in found.split(",")}


Known = Annotated[Collection[str], Depends(read_known)]
"""A parameter of a view: the tags of what whoever asks has already."""
